"""SIGKILL inside three stages: run again, the result is that of an uninterrupted run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from wellread.demo.server import serve
from wellread.demo.web import DemoConfig, make_little_web
from wellread.formats.documents import read_corpus
from wellread.formats.metrics import read_metrics
from wellread.formats.tokens import read_split

RECIPE = """
[links]
dumps = ["web/dump/RS_demo.zst"]
[crawl]
requests_per_host = 4
delay_seconds = 0.0
timeout_seconds = 2.0
retries = 0
resolve = {{"*.example" = "127.0.0.1:{port}"}}
[corpus]
[tokenizer]
vocab_size = 600
[tokens]
[model]
size = "1x64"
context = 64
[train]
batch_sequences = 8
sequences_per_pass = 8
steps = 120
warmup_steps = 10
peak_learning_rate = 1e-3
held_out_every_steps = 40
held_out_sequences = 8
save_every_steps = 20
device = "cpu"
[evaluate]
tasks = ["held-out", "demo-lambada"]
[overlap]
[report]
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A recipe for a small web, which is being served."""
    folder = tmp_path_factory.mktemp("little")
    make_little_web(folder / "web", DemoConfig(max_pages=150))
    with serve(folder / "web", port=0) as port:
        (folder / "recipe.toml").write_text(RECIPE.format(port=port))
        yield folder / "recipe.toml"


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wellread", "run", str(recipe), "-o", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(recipe: Path, out: Path) -> str:
    process = start(recipe, out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    return errors.decode()


def kill_when(recipe: Path, out: Path, is_time: Callable[[], bool]) -> None:
    """Start the run, and SIGKILL it as soon as `is_time`."""
    process = start(recipe, out)
    deadline = time.monotonic() + 300
    while not is_time():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def journal_has_pages(out: Path) -> bool:
    return any(
        path.stat().st_size > 20_000 for path in (out / "pages").glob("**/*") if path.is_file()
    )


@pytest.mark.slow
def test_a_run_killed_inside_three_stages_ends_as_an_uninterrupted_one(
    recipe: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(recipe, whole)

    kill_when(recipe, killed, lambda: journal_has_pages(killed))
    assert not (killed / "pages" / "manifest.json").exists()
    kill_when(recipe, killed, lambda: any((killed / "corpus" / ".lasting").glob("*.parquet")))
    assert (killed / "pages" / "manifest.json").exists()
    assert not (killed / "corpus" / "manifest.json").exists()
    kill_when(recipe, killed, (killed / "runs/1x64/checkpoints/step-0000040").exists)
    assert not (killed / "runs" / "1x64" / "manifest.json").exists()
    finish(recipe, killed)

    assert list(read_corpus(killed / "corpus")) == list(read_corpus(whole / "corpus"))
    for split in ("train", "validation"):
        pairs = zip(
            read_split(killed / "tokens", split), read_split(whole / "tokens", split), strict=True
        )
        assert all(np.array_equal(a, b) for a, b in pairs)
    losses = [
        [(step.step, step.loss, step.held_out_loss) for step in read_metrics(out / "runs/1x64")]
        for out in (killed, whole)
    ]
    assert losses[0] == losses[1]
    assert (killed / "report" / "index.html").exists()


@pytest.mark.slow
def test_a_second_run_does_nothing(recipe: Path, tmp_path: Path) -> None:
    finish(recipe, tmp_path)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("manifest.json")}
    assert finish(recipe, tmp_path).count("up to date") == 11
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("manifest.json")} == times
