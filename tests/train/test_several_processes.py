"""However many processes share a training, it is the same training."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from wellread.base.manifest import read_manifest
from wellread.formats.metrics import read_metrics
from wellread.model.sizes import ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig

MODEL = ModelConfig(size="2x64", context=32)
CONFIG = TrainConfig(
    batch_sequences=8, sequences_per_pass=2, steps=50, peak_learning_rate=1e-3,
    final_learning_rate=1e-4, warmup_steps=5, held_out_every_steps=10, held_out_sequences=7,
    log_every_steps=1, save_every_steps=10, keep_checkpoints=1, device="cpu", precision="float32",
)  # fmt: skip
# Five sequences for two processes, and three passes of one beside two.
UNEVEN = msgspec.structs.replace(
    CONFIG, batch_sequences=5, sequences_per_pass=1, steps=20, early_steps=9,
    early_batch_sequences=3, early_context=8, document_masks=True, document_starts=True,
)  # fmt: skip
FULL = {"sharding": "full"}
RECOMPUTING = {"recomputes": True}
# In bfloat16, whatever the weights are in: so the processes differ by its rounding.
MUON = msgspec.structs.replace(CONFIG, optimizer="muon", embeddings="counts", steps=20)


def start(processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        # Seconds in which a process can say that another has ended, before the launcher ends it.
        "--monitor-interval", "3", "--nproc-per-node", str(processes), *arguments,
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def call(tokens: Path, out: Path, config: TrainConfig, **more: object) -> dict[str, object]:
    return {"tokens": str(tokens), "out": str(out), "model": MODEL, "config": config, **more}


def train_on(
    processes: int, calls: Sequence[dict[str, object]]
) -> subprocess.CompletedProcess[str]:
    program = str(Path(__file__).with_name("several.py"))
    return start(processes, program, msgspec.json.encode(calls).decode())


def assert_same_training(run: Path, other: Path) -> None:
    """Losses of every step, and what is left in the end, but for the order of sums."""
    steps, others = (list(read_metrics(each)) for each in (run, other))
    assert [(step.step, step.tokens) for step in steps] == [(s.step, s.tokens) for s in others]
    for what in ("loss", "gradient_norm", "held_out_loss"):
        measured, wanted = ([getattr(s, what) for s in some] for some in (steps, others))
        held = [number for number, value in enumerate(wanted) if value is not None]
        assert [n for n, value in enumerate(measured) if value is not None] == held
        wanted = [wanted[number] for number in held]
        assert [measured[number] for number in held] == pytest.approx(wanted, rel=1e-5), what
    by_depth, wanted = ([s.gradient_norms or [] for s in some] for some in (steps, others))
    torch.testing.assert_close(torch.tensor(by_depth), torch.tensor(wanted), rtol=1e-5, atol=0)
    for name in ("model", "optimizer"):
        last = f"checkpoints/step-{steps[-1].step:07}/{name}.safetensors"
        tensors, wanted = load_file(run / last), load_file(other / last)
        assert tensors.keys() == wanted.keys()
        for key, tensor in tensors.items():
            torch.testing.assert_close(tensor, wanted[key], rtol=1e-3, atol=1e-5, msg=key)


@pytest.fixture(scope="module")
def alone(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    train(tokens, out / "whole", MODEL, CONFIG)
    train(tokens, out / "uneven", MODEL, UNEVEN)
    train(tokens, out / "muon", MODEL, MUON)
    return out


@pytest.fixture(scope="module")
def two(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of two processes; the last was killed after step 30."""
    out = tmp_path_factory.mktemp("two")
    calls = [
        call(tokens, out / "whole", CONFIG),
        call(tokens, out / "full", msgspec.structs.replace(CONFIG, **FULL)),
        call(tokens, out / "uneven", UNEVEN),
        call(tokens, out / "uneven-full", msgspec.structs.replace(UNEVEN, **FULL)),
        call(tokens, out / "full-again", msgspec.structs.replace(CONFIG, **FULL, **RECOMPUTING)),
        call(tokens, out / "muon", msgspec.structs.replace(MUON, **FULL)),
        call(tokens, out / "killed", CONFIG, killed_at=30),
    ]
    done = train_on(2, calls)
    assert done.returncode == 1, done.stderr
    (out / "stderr").write_text(done.stderr)
    return out


@pytest.mark.parametrize(
    ("run", "same"),
    [
        ("whole", "whole"), ("full", "whole"), ("full-again", "whole"), ("uneven", "uneven"),
        ("uneven-full", "uneven"),
    ],
)  # fmt: skip
def test_two_processes_train_as_one_does(alone: Path, two: Path, run: str, same: str) -> None:
    assert_same_training(two / run, alone / same)
    facts = read_manifest(two / run).facts
    assert (facts["processes"], facts["sharding"]) == (2, "full" if "full" in run else "none")


def test_two_processes_train_with_muon_as_one_does_but_for_rounding(alone: Path, two: Path) -> None:
    one, other = (list(read_metrics(place / "muon")) for place in (alone, two))
    assert [step.loss for step in other] == pytest.approx([s.loss for s in one], rel=2e-3)
    assert other[-1].held_out_loss == pytest.approx(one[-1].held_out_loss, rel=2e-3)


def test_the_end_of_one_process_is_said_once_by_another(two: Path) -> None:
    said = (two / "stderr").read_text()
    assert said.count("another process has ended") == 1
    assert "transport" not in said
    assert not (two / "killed" / "manifest.json").exists()


@pytest.mark.slow
def test_one_process_goes_on_where_two_were_killed(
    alone: Path, two: Path, tokens: Path, tmp_path: Path
) -> None:
    shutil.copytree(two / "killed", tmp_path / "run")
    train(tokens, tmp_path / "run", MODEL, CONFIG)
    assert_same_training(tmp_path / "run", alone / "whole")


@pytest.mark.slow
def test_four_processes_train_as_one_does_and_go_on_where_two_were_killed(
    alone: Path, two: Path, tokens: Path, tmp_path: Path
) -> None:
    shutil.copytree(two / "killed", tmp_path / "run")
    calls = [
        call(tokens, tmp_path / "run", msgspec.structs.replace(CONFIG, **FULL)),
        call(tokens, tmp_path / "whole", CONFIG),
    ]
    done = train_on(4, calls)
    assert done.returncode == 0, done.stderr
    assert_same_training(tmp_path / "run", alone / "whole")
    assert_same_training(tmp_path / "whole", alone / "whole")


@pytest.mark.slow
def test_what_is_refused_is_said_once(tokens: Path, tmp_path: Path) -> None:
    arguments = ["-m", "wellread", "train", str(tokens), "-o", str(tmp_path / "run")]
    done = start(2, *arguments, "--batch-sequences", "1", "--sequences-per-pass", "1")
    assert done.returncode != 0
    assert done.stderr.count("wellread: batch_sequences is 1 for 2 processes") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_recipe_is_prepared_by_one_process_and_trained_by_two(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for number in range(40):
        text = " ".join(f"The {word} of {number} is here." for word in ("sun", "moon", "sea") * 9)
        (tmp_path / "texts" / f"{number}.txt").write_text(text)
    (tmp_path / "recipe.toml").write_text(
        """
        name = "several"
        [corpus]
        sources = ["texts"]
        filters = []
        validation_per_mille = 200
        [tokenizer]
        vocab_size = 300
        [tokens]
        [model]
        size = "1x64"
        context = 16
        [train]
        batch_sequences = 4
        sequences_per_pass = 2
        steps = 6
        warmup_steps = 1
        device = "cpu"
        """
    )
    recipe, out = str(tmp_path / "recipe.toml"), tmp_path / "out"
    done = start(2, "-m", "wellread", "train", recipe, "--data", str(tmp_path), "-o", str(out))
    assert done.returncode == 0, done.stderr
    [run] = (out / "runs").iterdir()
    assert read_manifest(run).facts["processes"] == 2
