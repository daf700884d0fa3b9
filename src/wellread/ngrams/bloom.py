"""A Bloom filter over 64-bit hashes, in cache lines of pages: a key concerns a few lines of one.

The page is the part of a key's range that its hash falls into, so that keys of equal upper bits
are neighbours in memory. In the page a key has `lines` lines of 64 bytes, and in each of the eight
words of a line one bit: as many filters in one array, which an absent key must pass one by one, and
it hardly ever passes the first.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammaln

from wellread.base.errors import InputError
from wellread.base.intrinsics import (
    has_one_in_each,
    high_product,
    load64,
    prefetch,
    set_one_in_each,
)
from wellread.base.kernels import inlined, kernel
from wellread.base.memory import aligned_zeros
from wellread.ngrams.hashing import Hashes, mix

LINES = 64  # of a page
PAGE_WORDS = LINES * 8
PAGE_BYTES = PAGE_WORDS * 8  # what an operating system reads of a file at least
PAGE_BITS = PAGE_BYTES * 8
MOST_LINES = 4
# Ours: a line less may cost so much more memory, because every line is a miss of the cache.
WORTH_A_LINE = 1.05
MOST_SECTIONS = 256
PAGES_PER_SECTION = 100  # at least, so that rounding up to whole sections adds 1 % at most
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
AHEAD = 32  # keys whose lines are asked for before the first is used; a power of two
TOGETHER = 32  # keys looked up with each other

Pages = npt.NDArray[np.uint64]  # (num_pages, PAGE_WORDS)


class Bloom(msgspec.Struct, frozen=True, kw_only=True):
    """A filter; its array may be memory-mapped from a file."""

    pages: Pages
    lines: int  # of each key

    @property
    def num_bits(self) -> int:
        return len(self.pages) * PAGE_BITS

    def insert(self, hashes: Hashes) -> None:
        hashes = np.ascontiguousarray(hashes)
        slices = np.array([[hashes.ctypes.data, len(hashes)]], np.uint64)
        insert_slices(np.uint64(self.pages.ctypes.data), len(self.pages), self.lines, slices)

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash whether it was inserted; a few wrong "yes", never a wrong "no"."""
        found = np.empty(len(hashes), np.bool_)
        address = np.uint64(self.pages.ctypes.data)
        _contains(address, np.uint64(len(self.pages)), self.lines, hashes, found)
        return found


class Design(NamedTuple):
    """How a filter for a false-positive rate is laid out."""

    lines: int
    keys_per_page: float

    @property
    def bits_per_key(self) -> float:
        return PAGE_BITS / self.keys_per_page


class Size(NamedTuple):
    """Of a filter that is to be built."""

    num_pages: int
    lines: int

    @property
    def num_bytes(self) -> int:
        return self.num_pages * PAGE_BYTES

    @property
    def num_sections(self) -> int:
        """How many parts of a whole number of pages there are; a power of two."""
        return _sections(self.num_pages)


def size_for(num_keys: int, false_positive_rate: float) -> Size:
    """Of a filter that keeps to the rate with `num_keys` distinct keys in it.

    A key that is not among them but has the hash of one is found too: with a number of keys that
    is not small beside 2^64, the filter has a lower rate to make up for it.
    """
    if not 0 < false_positive_rate < 1:
        raise InputError(f"a false-positive rate is between 0 and 1, not {false_positive_rate}")
    left = false_positive_rate - num_keys / 2**64
    if left < false_positive_rate / 2:
        raise InputError(
            f"of {num_keys:,} keys, {num_keys / 2**64:.0e} of all others have the hash of one: "
            f"a false-positive rate of {false_positive_rate:.0e} cannot be kept; take a higher one"
        )
    design = best_design(left)
    num_pages = max(int(np.ceil(num_keys / design.keys_per_page)), 1)
    sections = _sections(num_pages)
    return Size(-(-num_pages // sections) * sections, design.lines)


def _sections(num_pages: int) -> int:
    return min(1 << max(num_pages // PAGES_PER_SECTION, 1).bit_length() - 1, MOST_SECTIONS)


def new_bloom(num_keys: int, false_positive_rate: float) -> Bloom:
    """An empty filter of `size_for` so many keys."""
    size = size_for(num_keys, false_positive_rate)
    return Bloom(pages=new_pages(size.num_pages), lines=size.lines)


def new_pages(num_pages: int) -> Pages:
    return aligned_zeros(num_pages * PAGE_WORDS).reshape(num_pages, PAGE_WORDS)


@lru_cache
def best_design(false_positive_rate: float) -> Design:
    """The fewest lines that need not much more memory than any other number of them.

    >>> best_design(1e-8).lines
    3
    """
    designs = [
        Design(lines, _greatest_load(lines, false_positive_rate))
        for lines in range(1, MOST_LINES + 1)
    ]
    least = min(design.bits_per_key for design in designs)
    return next(design for design in designs if design.bits_per_key <= least * WORTH_A_LINE)


def _greatest_load(lines: int, rate: float) -> float:
    def excess(keys_per_page: float) -> float:
        return float(np.log(expected_rate(lines, keys_per_page) / rate))

    # A page of one key has a lower rate than anyone asks for; one of 2^15, every bit set.
    if excess(1.0) > 0:
        return 1.0
    return float(brentq(excess, 1.0, 2.0**15, rtol=1e-6))


def expected_rate(lines: int, keys_per_page: float) -> float:
    """The false-positive rate: keys fall on pages as a Poisson process, evenly on lines and bits.

    Of a line of j keys each word has 1 - (63/64)^j of its bits set, on average and independently
    of the other words. That a key's lines differ from each other makes their loads depend on each
    other a little, which lowers the rate and is left out.
    """
    spread = np.sqrt(keys_per_page)
    first, last = max(keys_per_page - 9 * spread, 0), keys_per_page + 9 * spread + 20
    keys = np.arange(int(first), int(last), max(int(spread / 4), 1))[:, None]
    mean = last * lines / LINES
    loads = np.arange(int(mean + 12 * np.sqrt(mean) + 30))[None, :]
    of_page = np.exp(keys * np.log(keys_per_page) - keys_per_page - gammaln(keys + 1))
    absent = np.maximum(keys - loads, 0)
    of_line = np.exp(
        gammaln(keys + 1) - gammaln(loads + 1) - gammaln(absent + 1)
        + loads * np.log(lines / LINES) + absent * np.log1p(-lines / LINES)
    ) * (loads <= keys)  # fmt: skip
    passes = of_line @ (1 - (63 / 64) ** loads[0]) ** 8
    return float(of_page[:, 0] @ passes**lines / of_page.sum())


def header(num_pages: int) -> bytes:
    """What stands before the pages in an `.npy` file: a page too, so that they stay whole."""
    text = f"{{'descr': '<u8', 'fortran_order': False, 'shape': ({num_pages}, {PAGE_WORDS})}}"
    start = b"\x93NUMPY\x01\x00" + (PAGE_BYTES - 10).to_bytes(2, "little")
    return start + text.encode().ljust(PAGE_BYTES - 11) + b"\n"


def load_bloom(path: Path, lines: int) -> Bloom:
    """The filter in an `.npy` file, memory-mapped; a damaged or foreign file is an InputError."""
    try:
        pages = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: not a readable filter ({error}); build the index again"
        ) from None
    if pages.dtype != np.uint64 or pages.ndim != 2 or pages.shape[1] != PAGE_WORDS:
        raise InputError(
            f"{path}: holds {pages.dtype} of shape {pages.shape}, expected uint64 pages of "
            f"{PAGE_WORDS} words; build the index again"
        )
    return Bloom(pages=pages, lines=lines)


@inlined
def _line(page: np.uint64, mixed: np.uint64, number: int) -> np.uint64:
    """Where line `number` of a key is. Odd steps from the first: lines of one key differ."""
    step = (mixed >> np.uint64(52)) & np.uint64(63) | np.uint64(1)
    line = (mixed >> np.uint64(58)) + step * np.uint64(number)
    return page + ((line & np.uint64(LINES - 1)) << np.uint64(6))


@kernel
def insert_slices(
    address: np.uint64, num_pages: int, lines: int, slices: npt.NDArray[np.uint64]
) -> None:
    """Insert the hashes in `slices`, (address, count) each, into pages of which the first is or
    would be at `address`, if they are part of `num_pages`.
    """
    pages, first_mixes = np.empty(AHEAD, np.uint64), np.empty(AHEAD, np.uint64)
    for row in range(len(slices)):
        hashes, count = slices[row, 0], np.int64(slices[row, 1])
        for index in range(count + AHEAD):
            slot = index & (AHEAD - 1)
            if index >= AHEAD:
                key = load64(hashes + np.uint64(8 * (index - AHEAD)))
                page, mixed = pages[slot], first_mixes[slot]
                set_one_in_each(_line(page, mixed, 0), mixed)
                for number in range(1, lines):
                    places = mix(key + GOLDEN * np.uint64(number + 1))
                    set_one_in_each(_line(page, mixed, number), places)
            if index < count:
                key = load64(hashes + np.uint64(8 * index))
                page = address + high_product(key, np.uint64(num_pages)) * np.uint64(PAGE_BYTES)
                mixed = mix(key + GOLDEN)
                pages[slot], first_mixes[slot] = page, mixed
                for number in range(lines):
                    prefetch(_line(page, mixed, number))


@kernel
def _contains(
    address: np.uint64,
    num_pages: np.uint64,
    lines: int,
    hashes: Hashes,
    found: npt.NDArray[np.bool_],
) -> None:
    pages, mixes = np.empty(TOGETHER, np.uint64), np.empty(TOGETHER, np.uint64)
    passed = np.empty(TOGETHER, np.int64)
    for start in range(0, len(hashes), TOGETHER):
        count = min(TOGETHER, len(hashes) - start)
        for index in range(count):
            key = hashes[start + index]
            pages[index] = address + high_product(key, num_pages) * np.uint64(PAGE_BYTES)
            mixes[index] = mix(key + GOLDEN)
            prefetch(_line(pages[index], mixes[index], 0))
        num_passed = 0
        for index in range(count):
            page, mixed = pages[index], mixes[index]
            passes = has_one_in_each(_line(page, mixed, 0), mixed)
            found[start + index] = passes
            if passes:
                passed[num_passed] = index
                num_passed += 1
                for number in range(1, lines):
                    prefetch(_line(page, mixed, number))
        for place in range(num_passed):
            index = passed[place]
            for number in range(1, lines):
                places = mix(hashes[start + index] + GOLDEN * np.uint64(number + 1))
                if not has_one_in_each(_line(pages[index], mixes[index], number), places):
                    found[start + index] = False
                    break
