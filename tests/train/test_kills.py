"""SIGKILL at thirty moments of a training run: its end is that of an uninterrupted one."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from wellread.base.seeds import generator
from wellread.cli.main import main
from wellread.formats.metrics import Step, read_metrics

STEPS = 400
SETTINGS = {
    "size": "1x64", "context": 32, "steps": STEPS, "batch-sequences": 8, "sequences-per-pass": 4,
    "warmup-steps": 10, "log-every-steps": 1, "save-every-steps": 4, "held-out-every-steps": 25,
    "held-out-sequences": 8, "device": "cpu",
}  # fmt: skip


def arguments(tokens: Path, out: Path) -> list[str]:
    options = [text for name, value in SETTINGS.items() for text in (f"--{name}", str(value))]
    return ["train", str(tokens), "-o", str(out), *options]


def start(command: Sequence[str]) -> BaseProcess:
    """The command `wellread` in a process of its own, which need not import it again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wellread.cli.main", "wellread.train.build", "torch._dynamo"])
    process = context.Process(target=main, args=(command,))
    process.start()
    return process


def finish(command: Sequence[str]) -> None:
    process = start(command)
    process.join(timeout=60)
    assert process.exitcode == 0


def newest(out: Path) -> str:
    return max((p.name for p in (out / "checkpoints").glob("step-*")), default="")


def curve(run: Path) -> list[tuple[object, ...]]:
    """All that was measured but times."""
    timed = {
        "seconds", "seconds_left", "tokens_per_second", "flops_per_second", "memory_bytes",
    }  # fmt: skip
    names = [name for name in Step.__struct_fields__ if name not in timed]
    return [tuple(getattr(step, name) for name in names) for step in read_metrics(run)]


@pytest.mark.slow
def test_a_run_killed_thirty_times_ends_bitwise_as_an_uninterrupted_one(
    tokens: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(arguments(tokens, whole))

    source = generator(0, "kills")
    num_during_saves = 0
    for number in range(30):
        process, before = start(arguments(tokens, killed)), newest(killed)
        wait = float(source.uniform(0, 0.05))
        if number % 5:  # else at any moment, that before the first step too
            while newest(killed) == before:
                assert process.exitcode is None, "the run ended before it could be killed"
                time.sleep(0.001)
        if number % 5 > 2:
            while not list((killed / "checkpoints").glob(".step-*.partial")):
                assert process.exitcode is None, "the run ended before it could be killed"
        else:
            time.sleep(wait)
        process.kill()
        process.join()
        assert not (killed / "manifest.json").exists()
        num_during_saves += bool(list((killed / "checkpoints").glob(".step-*.partial")))
    assert num_during_saves > 5
    finish(arguments(tokens, killed))

    assert len(curve(whole)) == STEPS
    assert curve(killed) == curve(whole)
    for name in ("model", "optimizer"):
        last = f"checkpoints/step-{STEPS:07}/{name}.safetensors"
        assert (killed / last).read_bytes() == (whole / last).read_bytes()
    files = [{p.relative_to(out) for p in out.rglob("*")} for out in (killed, whole)]
    assert files[0] == files[1]
