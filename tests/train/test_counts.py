"""Embeddings from counts are a factorisation of what stands near what."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from wellread.formats.metrics import read_metrics
from wellread.model.sizes import ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.counts import DEVIATION, embeddings_from_counts

CONFIG = TrainConfig(
    batch_sequences=8, sequences_per_pass=8, steps=20, peak_learning_rate=1e-3, warmup_steps=5,
    held_out_every_steps=10, log_every_steps=5, save_every_steps=20, device="cpu",
)  # fmt: skip


def text(length: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Of 30 ids, of which 2 n and 2 n + 1 stand in the same places; 31 never."""
    source = np.random.Generator(np.random.PCG64(0))
    places = [0]
    while len(places) < length:
        places.append(int((places[-1] + source.choice([1, 3], p=[0.8, 0.2])) % 15))
    ids = 2 * np.array(places) + source.integers(2, size=length)
    return ids.reshape(-1, 100)


def test_what_stands_in_the_same_places_lies_close() -> None:
    found = embeddings_from_counts([text(100_000)], 32, 24, seed=0)
    assert found.shape == (32, 24)
    assert not found[30:].any()
    unit = found[:30] / np.linalg.norm(found[:30], axis=1, keepdims=True)
    nearest = np.argsort(-unit @ unit.T, axis=1)[:, 1]
    assert nearest.tolist() == [number ^ 1 for number in range(30)]
    assert found.std() == pytest.approx(DEVIATION, rel=0.05)


def test_rows_times_columns_are_the_information_that_counting_gives() -> None:
    windows = text(20_000)
    counts = np.zeros((32, 32))
    np.add.at(counts, (windows[:, :-1].ravel(), windows[:, 1:].ravel()), 1)
    rows, columns = counts.sum(1) + 1, counts.sum(0) + 1
    with np.errstate(divide="ignore"):
        information = np.maximum(np.log(counts * counts.sum() / np.outer(rows, columns)), 0)
    found = embeddings_from_counts(np.split(windows, 4), 32, 128, seed=0)  # more than 32 each
    left, right = found[:, :48].astype(float), found[:, 48:96].astype(float)
    product = left @ right.T
    expected = information * (product * information).sum() / (information**2).sum()
    np.testing.assert_allclose(product, expected, atol=1e-3 * product.max())


def test_a_run_that_begins_with_counts_is_ahead(tokens: Path, tmp_path: Path) -> None:
    model = ModelConfig(size="1x64", context=32)
    train(tokens, tmp_path / "random", model, CONFIG)
    counts = msgspec.structs.replace(CONFIG, embeddings="counts")
    train(tokens, tmp_path / "counts", model, counts)
    random, counted = (list(read_metrics(tmp_path / x))[-1] for x in ("random", "counts"))
    assert counted.held_out_loss < random.held_out_loss - 0.05
