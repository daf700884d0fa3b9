"""The filter against theory, and the estimate that sizes it against exact counts."""

from pathlib import Path

import numpy as np
import pytest

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.ngrams.bloom import Bloom, best_design, expected_rate, load_bloom, new_bloom
from wellread.ngrams.distinct import estimate_distinct, new_registers, observe
from wellread.ngrams.hashing import Hashes


def random_hashes(count: int, purpose: str) -> Hashes:
    return generator(0, purpose).integers(2**64, size=count, dtype=np.uint64)


def full_filter(num_keys: int, rate: float) -> Bloom:
    bloom = new_bloom(num_keys, rate)
    bloom.insert(random_hashes(num_keys, "keys"))
    return bloom


def test_what_was_inserted_is_always_found() -> None:
    assert full_filter(100_000, 1e-3).contains(random_hashes(100_000, "keys")).all()


@pytest.mark.parametrize(
    ("rate", "asked", "least", "most"),
    [(1e-2, 100_000, 880, 1120), (1e-3, 1_000_000, 880, 1120), (1e-4, 4_000_000, 320, 480)],
)
def test_the_false_positive_rate_of_a_full_filter_is_the_designed_one(
    rate: float, asked: int, least: int, most: int
) -> None:
    """Four standard deviations about the expected number."""
    found = full_filter(500_000, rate).contains(random_hashes(asked, "others")).sum()
    assert least <= found <= most


@pytest.mark.slow
def test_of_two_thousand_million_random_keys_at_most_thirty_are_found() -> None:
    """20 are expected at the paper's rate of 1e-8."""
    bloom = full_filter(1_000_000, 1e-8)
    found = sum(
        int(bloom.contains(random_hashes(10_000_000, f"others {part}")).sum())
        for part in range(200)
    )
    assert found <= 30


def test_a_lower_rate_takes_more_memory() -> None:
    bits_per_key = {rate: round(512 / best_design(rate)[1], 1) for rate in (1e-2, 1e-3, 1e-8)}
    assert bits_per_key == {1e-2: 9.9, 1e-3: 15.5, 1e-8: 63.5}


def test_an_evenly_filled_filter_would_need_less() -> None:
    """The classic formula at 14.4 bits a key and 10 probes gives 1e-3; uneven blocks give more."""
    assert 1e-3 < expected_rate(10, 512 / 14.4) < 2.5e-3


def test_a_filter_saved_is_the_filter_loaded(tmp_path: Path) -> None:
    bloom = full_filter(1000, 1e-3)
    np.save(tmp_path / "filter.npy", bloom.blocks)
    loaded = load_bloom(tmp_path / "filter.npy", bloom.num_probes)
    assert isinstance(loaded.blocks, np.memmap)
    assert loaded.contains(random_hashes(1000, "keys")).all()
    assert loaded.num_bits == bloom.num_bits


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "filter.npy"
    np.save(path, full_filter(1000, 1e-3).blocks)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"filter\.npy: not a readable filter"):
        load_bloom(path, 9)
    np.save(path, np.zeros(8))
    with pytest.raises(InputError, match=r"filter\.npy: holds float64 of shape \(8,\)"):
        load_bloom(path, 9)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1e-8])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        new_bloom(10, rate)


@pytest.mark.parametrize("count", [0, 1, 1000, 50_000, 200_000, 3_000_000])
def test_the_estimate_of_distinct_hashes_is_within_two_percent(count: int) -> None:
    registers = new_registers()
    hashes = random_hashes(count, "keys")
    observe(registers, hashes)
    once = estimate_distinct(registers)
    observe(registers, hashes)
    assert abs(once - count) <= 0.02 * count
    assert estimate_distinct(registers) == once
