"""`wellread sample`, as a person and as a program uses it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

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
    assert one.keys() == {"prompt", "text", "ids", "log_probs", "ended", "prompt_cut"}
    assert one["ended"] == "length"
    assert len(one["ids"]) == len(one["log_probs"]) == 3
    assert one["ids"] != two["ids"]


def test_without_colours_the_surprise_of_each_token_is_a_number(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--prompt", "the cat", "--max-new-tokens", "3", "--show-probabilities"]
    assert main(["sample", model, *wanted]) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"the cat(.*?\[\d+\.\d\]){1,3}\n", printed.out, re.DOTALL)
    assert "[2.5]: bits of surprise of the token before it" in printed.err


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


def test_on_a_terminal_each_prompt_has_as_many_samples_as_asked_and_ctrl_c_stops_one(
    model: str,
) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "wellread", "sample", model, "-n", "3"]
    with subprocess.Popen(
        [*command, "--max-new-tokens", "1000000"], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        seen = b""
        os.write(ours, b"the cat\n")
        while seen.count(b"the cat") < 2 or len(seen) < 2_000:  # typed, then gone on from
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        while b"> " not in seen[-3:]:
            seen = seen[-4096:] + os.read(ours, 4096)
        assert process.poll() is None
        # One that comes between the prompt and the reading is noticed only with the next.
        time.sleep(0.5)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
                break
        process.kill()  # or leaving the block would wait for good
        assert process.wait() == 130
    os.close(theirs)
    os.close(ours)


def test_standard_input_is_the_prompt_when_asked_and_not_silently_ignored(model: str) -> None:
    command = [sys.executable, "-m", "wellread", "sample", model, "--max-new-tokens", "2"]
    read = subprocess.run(
        [*command, "--prompt", "-", "--json"], input=b"the mat", capture_output=True, check=True
    )
    assert json.loads(read.stdout)[0]["prompt"] == "the mat"
    ignored = subprocess.run(command, input=b"the mat", capture_output=True, check=True)
    assert b"standard input is not read; --prompt - takes the prompt from it" in ignored.stderr
    wrong = subprocess.run(
        [*command, "--prompt", b"the \xff", "--json"], capture_output=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert wrong.stderr == b"wellread: --prompt: not UTF-8 at byte 4\n"


def test_a_prompt_that_is_too_long_is_said_to_be_cut(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--prompt", "the cat " * 50, "--max-new-tokens", "4"]
    assert main(["sample", model, *wanted]) == 0
    said = capsys.readouterr().err
    assert main(["sample", model, *wanted, "--json"]) == 0
    lost = json.loads(capsys.readouterr().out)[0]["prompt_cut"]
    assert (
        f"the first {lost} tokens of the prompt have no room in the model's context of 32" in said
    )


def test_what_is_refused_is_refused_before_anything_is_written(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", model, "--prompt", "the cat", "--stop", ""]) == 2
    assert main(["sample", model, "--seed", "-1"]) == 2
    network = GPT2(ModelConfig(size="1x64", context=32).architecture(259)).initialise(0)
    save_model(network, tmp_path)
    Tokenizer.load(model).save(tmp_path)
    assert main(["sample", str(tmp_path), "--prompt", "the cat"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "the tokenizer has 260 ids and the model 259" in said.err
