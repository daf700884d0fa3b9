"""`wellread study RECIPE` on tiny models: side by side, stopped and gone on, and predicted."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.cli.main import main
from wellread.formats.results import read_result
from wellread.pipeline.plan import run_recipe
from wellread.pipeline.why import trace

pytestmark = pytest.mark.slow
RECIPE = """
[corpus]
sources = ["texts"]
filters = []
languages = []
near_duplicate_similarity = 1.0
validation_per_mille = 300
[tokenizer]
vocab_size = 300
[tokens]
[model]
size = "1x64"
context = 32
[train]
batch_sequences = 4
sequences_per_pass = 4
steps = 40
warmup_steps = 2
held_out_every_steps = 20
held_out_sequences = 4
device = "cpu"
[study]
%s
[evaluate]
tasks = ["held-out"]
limit = 2
"""
VARIANTS = """
[study.variants]
paper = {}
bytes = {"tokenizer.vocab_size" = 257}
"""
SIZES = """
predict = ["2x64"]
vary = {"model.size" = ["1x64", "1x128", "1x192"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    for number in range(12):
        lines = (
            f"Line {number * n} of {number} is not line {n}, said the cat.\n" for n in range(99)
        )
        (tmp_path / "texts" / f"{number}.txt").write_text("".join(lines))
    return tmp_path


def test_runs_side_by_side_that_were_stopped_become_what_one_after_the_other_makes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    recipe, out, other = folder / "r.toml", folder / "out", folder / "other"
    recipe.write_text(RECIPE % VARIANTS)
    run_recipe(recipe, other)
    too_long = VARIANTS + "long = {'model.context' = 99999}\n"
    recipe.write_text(RECIPE % too_long)
    command = ["study", str(recipe), "-o", str(out), "--jobs", "2"]
    metrics = out / "runs" / "bytes" / "metrics.jsonl"

    def stop() -> None:
        while not (metrics.is_file() and metrics.stat().st_size):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop).start()
    assert main(command) == 143
    said = "wellread: stopped, what was done is saved; to go on: wellread"
    assert said in capsys.readouterr().err
    assert main(command) == 1  # what cannot be made is named, and no other waits for it
    assert "wellread: 1 of 3 runs failed, the others are done: long: " in capsys.readouterr().err
    assert not (out / "study").exists()
    for run in ("paper", "bytes"):
        weights = "checkpoints/step-0000040/model.safetensors"
        files, others = (read_manifest(place / "runs" / run).outputs for place in (out, other))
        assert files[weights].sha256 == others[weights].sha256
        found, wanted = (
            read_result(place / "results" / run / "held-out.json") for place in (out, other)
        )
        assert found.scores == wanted.scores
    behind = [one.path for one in trace(out / "results" / "bytes") if one.manifest]
    assert [path.relative_to(out).as_posix() for path in behind] == [
        "results/bytes", "runs/bytes", "tokens/bytes", "corpus", "tokenizer/bytes", "corpus",
        "corpus",
    ]  # fmt: skip


def test_a_prediction_is_not_made_anew_after_its_runs(folder: Path) -> None:
    recipe, out = folder / "r.toml", folder / "out"
    recipe.write_text(RECIPE % SIZES)
    manifests = run_recipe(recipe, out)
    assert manifests["study predict"].finished_at < manifests["train 2x64"].finished_at
    recipe.write_text((RECIPE % SIZES).replace("steps = 40", "steps = 41"))
    message = (
        r"train 1x64 is 'to redo: changed', and after its runs have begun a prediction is none"
    )
    with pytest.raises(InputError, match=message):
        run_recipe(recipe, out)
    recipe.write_text(RECIPE % SIZES)
    assert run_recipe(recipe, out) == manifests
