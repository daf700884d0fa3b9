"""The held-out loss has an interval, which the spread of its windows gives."""

from pathlib import Path

import numpy as np
import pytest

from wellread.base.manifest import read_manifest
from wellread.cli.show import summary
from wellread.formats.metrics import read_metrics
from wellread.model.sizes import ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.held_out import interval_of_mean

CONFIG = TrainConfig(
    batch_sequences=4, sequences_per_pass=4, steps=6, warmup_steps=2, save_every_steps=6,
    held_out_every_steps=3, log_every_steps=3, device="cpu", precision="float32",
)  # fmt: skip


def test_the_interval_of_many_values_is_that_of_the_normal_distribution() -> None:
    values = np.random.Generator(np.random.PCG64(1)).normal(3.0, 0.5, size=400)
    low, high = interval_of_mean(values, seed=0)
    half = 1.96 * 0.5 / 20
    assert low == pytest.approx(values.mean() - half, abs=0.007)
    assert high == pytest.approx(values.mean() + half, abs=0.007)


def test_a_run_has_it_at_its_last_step_and_in_its_manifest(tokens: Path, tmp_path: Path) -> None:
    train(tokens, tmp_path, ModelConfig(size="1x64", context=32), CONFIG)
    first, last = read_metrics(tmp_path)
    assert first.held_out_loss is not None
    assert first.held_out_low is None
    assert last.held_out_low < last.held_out_loss < last.held_out_high < last.held_out_low + 0.2
    facts = read_manifest(tmp_path).facts
    assert [facts["held_out_low"], facts["held_out_high"]] == [
        last.held_out_low, last.held_out_high,
    ]  # fmt: skip
    assert facts["held_out_first"] == {"step": 3, "loss": first.held_out_loss}
    said = f"{first.held_out_loss:.3f} after step 3, {last.held_out_loss:.3f} at the end"
    assert summary(read_manifest(tmp_path)) == f"6 steps; held-out loss {said}"
