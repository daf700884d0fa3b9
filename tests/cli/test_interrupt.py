"""A signal during training: what is at work ends well; a second one ends at once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
import typer

from wellread.base.errors import Stopped
from wellread.cli.interrupt import ends_with, postponed
from wellread.cli.main import main
from wellread.formats.checkpoints import newest_checkpoint, read_state


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """The numbers of signals that had their usual effect."""
    numbers: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGTERM, note), signal.signal(signal.SIGINT, note)
    yield numbers
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def test_a_first_signal_is_noted_and_work_that_stops_for_it_ends_with_its_status(
    ended: list[int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["wellread", "train", "my tokens"])
    with pytest.raises(typer.Exit) as exited, postponed() as should_stop:
        assert not should_stop()
        signal.raise_signal(signal.SIGTERM)
        assert should_stop()
        raise Stopped("run: stopped after step 3 of 9, saved")
    assert exited.value.exit_code == 143
    assert ended == []
    assert capsys.readouterr().err.splitlines()[-1] == (
        "wellread: run: stopped after step 3 of 9, saved; to go on: wellread train 'my tokens'"
    )


def test_a_second_signal_has_its_usual_effect_at_once(ended: list[int]) -> None:
    with pytest.raises(typer.Exit) as exited, postponed():
        signal.raise_signal(signal.SIGINT)
        assert ended == []
        signal.raise_signal(signal.SIGINT)
        assert ended == [signal.SIGINT]
        raise Stopped
    assert exited.value.exit_code == 130


def test_a_signal_that_work_came_too_late_to_see_has_its_effect_after_it(ended: list[int]) -> None:
    with postponed():
        signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def test_a_command_that_keeps_nothing_says_so_when_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "one two three four five six seven eight"}\n')
    os.mkfifo(tmp_path / "test.jsonl")  # which nobody writes to
    call = ["overlap", "split-check", str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")]
    command = [sys.executable, "-m", "wellread", *call]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with (tmp_path / "test.jsonl").open("wb"):  # as soon as the command reads it
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors == "wellread: interrupted; the same command starts over\n"


def test_the_usual_effect_of_signals_is_back_after_a_command(ended: list[int]) -> None:
    with ends_with("no more"):
        pass
    signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_training_that_is_interrupted_saves_its_step_and_says_how_to_go_on(
    tmp_path: Path, number: int, status: int
) -> None:
    sentence = "Line {n} of document {d} is a short one, and it is followed by another.\n"
    texts = ["".join(sentence.format(n=n, d=d) for n in range(20)) for d in range(200)]
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[corpus]\nsources = ["texts.jsonl"]\nfilters = []\n'
        "[tokenizer]\nvocab_size = 300\n[tokens]\n"
        '[model]\nsize = "1x64"\ncontext = 32\n'
        "[train]\nsteps = 100000\nsave_every_steps = 100\nlog_every_steps = 7\n"
        "batch_sequences = 8\n"
    )
    arguments = ["run", str(recipe), "-o", str(tmp_path / "all")]
    if number == signal.SIGTERM:  # of `wellread train`; Ctrl-C is for `wellread run`
        small = recipe.read_text().partition("[model]")[0]
        (tmp_path / "small.toml").write_text(small)
        assert main(["run", str(tmp_path / "small.toml"), "-o", str(tmp_path / "all")]) == 0
        arguments = ["train", str(tmp_path / "all/tokens"), "-o", str(tmp_path / "all/runs/1x64")]
        arguments += ["--recipe", str(recipe), "--size", "1x64", "--context", "32"]
    command = [sys.executable, "-m", "wellread", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    saved = tmp_path / "all/runs/1x64/checkpoints/step-0000100"
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    last = errors.splitlines()[-1]
    found = re.search(r"stopped after step (\d+) of 100000, saved; to go on: wellread (.*)", last)
    assert found is not None, errors
    assert found[2] == " ".join(arguments)
    assert read_state(newest_checkpoint(tmp_path / "all/runs/1x64")).step == int(found[1])
