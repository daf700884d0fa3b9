"""The filter against theory, and the estimate that sizes it against exact counts."""

from pathlib import Path

import numpy as np
import pytest

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.base.threads import in_order, num_threads
from wellread.ngrams.bloom import (
    Bloom,
    best_design,
    expected_rate,
    header,
    load_bloom,
    new_bloom,
    size_for,
)
from wellread.ngrams.distinct import estimate_distinct, new_registers, observe
from wellread.ngrams.filling import by_section, fill
from wellread.ngrams.hashing import Hashes


def random_hashes(count: int, purpose: str) -> Hashes:
    return generator(0, purpose).integers(2**64, size=count, dtype=np.uint64)


def full_filter(num_keys: int, rate: float) -> Bloom:
    bloom = new_bloom(num_keys, rate)
    bloom.insert(random_hashes(num_keys, "keys"))
    return bloom


def save(path: Path, bloom: Bloom) -> Path:
    path.write_bytes(header(len(bloom.pages)) + bloom.pages.tobytes())
    return path


def num_found(bloom: Bloom, num_asked: int) -> int:
    """How many of so many keys that were not inserted it claims to hold."""
    part = 1_000_000
    parts = range(num_asked // part)

    def found(number: int) -> int:
        return int(bloom.contains(random_hashes(part, f"others {number}")).sum())

    return sum(in_order(found, parts, num_threads(None)))


def test_what_was_inserted_is_always_found() -> None:
    for rate in (1e-1, 1e-3, 1e-5, 1e-8):
        assert full_filter(100_000, rate).contains(random_hashes(100_000, "keys")).all()


@pytest.mark.parametrize(
    ("rate", "asked", "least", "most"),
    [(1e-2, 1_000_000, 9_600, 10_400), (1e-3, 1_000_000, 870, 1130), (1e-4, 4_000_000, 320, 480)],
)
def test_the_false_positive_rate_of_a_full_filter_is_the_designed_one(
    rate: float, asked: int, least: int, most: int
) -> None:
    """Four standard deviations about the expected number."""
    assert least <= num_found(full_filter(500_000, rate), asked) <= most


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "asked"), [(1e-5, 100_000_000), (1e-6, 400_000_000)])
def test_low_rates_are_the_designed_ones(rate: float, asked: int) -> None:
    """Four standard deviations above; below, another 5 % that the theory leaves out."""
    expected = rate * asked
    found = num_found(full_filter(4_000_000, rate), asked)
    assert 0.95 * expected - 4 * expected**0.5 <= found <= expected + 4 * expected**0.5


@pytest.mark.slow
def test_of_two_thousand_million_random_keys_at_most_thirty_are_found() -> None:
    """20 are expected at the paper's rate of 1e-8."""
    assert 5 <= num_found(full_filter(4_000_000, 1e-8), 2_000_000_000) <= 30


def test_a_lower_rate_takes_more_memory_and_at_last_more_lines() -> None:
    designs = {rate: best_design(rate) for rate in (1e-2, 1e-3, 1e-4, 1e-6, 1e-8)}
    assert {rate: round(design.bits_per_key, 1) for rate, design in designs.items()} == {
        1e-2: 10.1, 1e-3: 15.7, 1e-4: 20.2, 1e-6: 31.5, 1e-8: 41.2
    }  # fmt: skip
    assert [design.lines for design in designs.values()] == [1, 1, 2, 2, 3]


def test_the_rate_expected_of_a_page_of_one_key_is_that_of_its_bits() -> None:
    """Page: Poisson with mean 1; the same line of 64, and then the same bit in eight words."""
    assert expected_rate(1, 1.0) == pytest.approx(1 / 64 * 64**-8, rel=0.6)


def test_a_filter_is_made_of_whole_sections_and_hardly_larger_for_it() -> None:
    for num_keys in (0, 1, 100_000, 10**7, 7 * 10**9):
        size = size_for(num_keys, 1e-8)
        assert size.num_pages % size.num_sections == 0
        assert size.num_pages <= 1.01 * num_keys / best_design(1e-8).keys_per_page + 1
    assert size_for(7 * 10**9, 1e-8).num_bytes / 1e9 == pytest.approx(36.1, abs=0.1)


def test_so_many_keys_that_their_hashes_meet_are_refused() -> None:
    with pytest.raises(InputError, match="a false-positive rate of 1e-08 cannot be kept"):
        size_for(10**12, 1e-8)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_filter_filled_by_threads_in_any_order_or_in_parts_is_the_same(threads: int) -> None:
    size = size_for(800_000, 1e-8)
    assert size.num_sections > 4
    keys = random_hashes(800_000, "keys")
    plain = new_bloom(800_000, 1e-8)
    plain.insert(keys)
    batches = [by_section(some) for some in np.array_split(keys[::-1].copy(), 7)]
    whole = fill(iter(batches), size, threads=threads)
    assert np.array_equal(whole, plain.pages)
    quarter = keys >> np.uint64(62)
    parts = [
        fill([by_section(keys[quarter == part])], size, threads=threads, part=part, num_parts=4)
        for part in range(4)
    ]
    assert np.array_equal(np.concatenate(parts), plain.pages)


def test_hashes_by_section_are_in_the_order_they_came_in() -> None:
    keys = random_hashes(10_000, "keys")
    found = by_section(keys)
    order = np.argsort(keys >> np.uint64(56), kind="stable")
    assert np.array_equal(found.hashes, keys[order])
    assert found.starts[0] == 0
    assert found.starts[-1] == 10_000
    half = found.section(1, 2)
    assert (half >> np.uint64(63) == 1).all()
    assert len(half) == (keys >> np.uint64(63)).sum()


def test_a_filter_saved_is_the_filter_loaded_and_its_pages_are_the_files(tmp_path: Path) -> None:
    bloom = full_filter(1000, 1e-3)
    loaded = load_bloom(save(tmp_path / "filter.npy", bloom), bloom.lines)
    assert isinstance(loaded.pages, np.memmap)
    assert loaded.pages.offset == 4096
    assert loaded.contains(random_hashes(1000, "keys")).all()
    assert loaded.num_bits == bloom.num_bits


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "filter.npy", full_filter(1000, 1e-3))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"filter\.npy: not a readable filter"):
        load_bloom(path, 1)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"filter\.npy: not a readable filter"):
        load_bloom(path, 1)
    np.save(path, np.zeros(8))
    with pytest.raises(InputError, match=r"filter\.npy: holds float64 of shape \(8,\)"):
        load_bloom(path, 1)


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
