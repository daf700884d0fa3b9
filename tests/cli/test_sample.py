"""`wellread sample`, as a person and as a program uses it."""

import json
import os
import subprocess
import sys

import pytest

from wellread.cli import main
from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import ModelConfig
from wellread.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    network = GPT2(ModelConfig(size="1x64", context=32).architecture(260)).initialise(0)
    save_model(network, folder)
    Tokenizer.train(["the cat sat on the mat"], vocab_size=260).save(folder)
    return str(folder)


def test_json_has_text_ids_and_log_probabilities(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--prompt", "the", "-n", "2", "--max-new-tokens", "3", "--json"]
    assert main(["sample", model, *wanted]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert one.keys() == {"prompt", "text", "ids", "log_probs", "ended"}
    assert one["ended"] == "length"
    assert len(one["ids"]) == len(one["log_probs"]) == 3
    assert one["ids"] != two["ids"]


def test_a_setting_that_means_nothing_is_a_wrong_call(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", model, "--prompt", "a", "--top-p", "2"]) == 2
    assert "top_p is 2.0; it must be more than 0 and at most 1" in capsys.readouterr().err


def test_on_a_terminal_it_asks_until_the_end_of_input(model: str) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "wellread", "sample", model, "--max-new-tokens", "3"]
    with subprocess.Popen(
        [*command, "--show-probabilities"], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.write(ours, b"the cat\nthe mat\n\x04")
        _, said = process.communicate(timeout=120)
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert process.returncode == 0
    assert b"A text to go on from" in said
    assert seen.count("the cat") == seen.count("the mat") == 2  # typed, and gone on from
