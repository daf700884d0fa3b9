"""A run, handed on: what its model card knows."""

from pathlib import Path

import torch

from wellread.base.manifest import read_manifest
from wellread.model.config import ExportConfig
from wellread.model.exchange import export_model
from wellread.model.load import load_model
from wellread.model.sizes import ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig


def test_the_card_of_a_run_names_its_digests_and_its_corpus(tokens: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    config = TrainConfig(
        batch_sequences=2, sequences_per_pass=2, steps=4, warmup_steps=1, held_out_every_steps=2,
        log_every_steps=2, save_every_steps=2, keep_checkpoints=2, device="cpu", seed=7,
    )  # fmt: skip
    train(tokens, run, ModelConfig(size="1x64", context=32), config)
    export_model(run, tmp_path / "last", ExportConfig())
    card = (tmp_path / "last" / "README.md").read_text()
    assert "trained and exported by wellread" in card
    assert f"| training run | wellread digest `{read_manifest(run).digest}` |" in card
    corpus = read_manifest(tokens.parent / "corpus").digest
    assert f"| corpus | wellread digest `{corpus}` |" in card
    assert "| tokens seen | 256 |" in card
    assert "| seed | 7 |" in card
    export_model(run / "checkpoints" / "step-0000002", tmp_path / "first", ExportConfig())
    card = (tmp_path / "first" / "README.md").read_text()
    assert "| checkpoint | step 2 |" in card
    assert "| tokens seen | 128 |" in card
    assert "held-out" not in card
    last = load_model(tmp_path / "last", device="cpu").wte.weight
    assert torch.equal(last, load_model(run, device="cpu").wte.weight)
