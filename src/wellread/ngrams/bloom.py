"""A Bloom filter over 64-bit hashes, blocked by cache line: a look-up touches memory once.

Each key sets `num_probes` bits of one block of 512. Blocks fill unevenly, so that a low rate costs
more bits a key than in a filter that spreads its probes, and far less time.
"""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from wellread.base.errors import InputError
from wellread.base.kernels import kernel
from wellread.ngrams.hashing import Hashes, mix

BLOCK_BITS = 512  # one cache line
WORDS = BLOCK_BITS // 64
MAX_PROBES = 32
# A 64-bit mix yields seven bit positions of nine bits each.
POSITION_BITS = np.uint64(9)
POSITION_MASK = np.uint64(BLOCK_BITS - 1)
POSITIONS_PER_MIX = 7
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Blocks = npt.NDArray[np.uint64]  # (num_blocks, WORDS)


class Bloom(msgspec.Struct, frozen=True, kw_only=True):
    """A filter; its array may be memory-mapped from a file."""

    blocks: Blocks
    num_probes: int

    @property
    def num_bits(self) -> int:
        return len(self.blocks) * BLOCK_BITS

    def insert(self, hashes: Hashes) -> None:
        _insert(self.blocks, self.num_probes, hashes)

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash whether it was inserted; a few wrong "yes", never a wrong "no"."""
        found = np.empty(len(hashes), np.bool_)
        _contains(self.blocks, self.num_probes, hashes, found)
        return found


def new_bloom(num_keys: int, false_positive_rate: float) -> Bloom:
    """An empty filter that keeps to the rate with `num_keys` distinct keys in it."""
    num_probes, keys_per_block = best_design(false_positive_rate)
    num_blocks = max(int(np.ceil(num_keys / keys_per_block)), 1)
    return Bloom(blocks=np.zeros((num_blocks, WORDS), np.uint64), num_probes=num_probes)


def best_design(false_positive_rate: float) -> tuple[int, float]:
    """The number of probes that needs the least memory, and how many keys a block then takes.

    >>> best_design(1e-3)[0]
    9
    """
    if not 0 < false_positive_rate < 1:
        raise InputError(f"a false-positive rate is between 0 and 1, not {false_positive_rate}")
    loads = ((k, _greatest_load(k, false_positive_rate)) for k in range(1, MAX_PROBES + 1))
    return max(loads, key=lambda design: design[1])


def _greatest_load(num_probes: int, rate: float) -> float:
    low, high = 0.0, float(BLOCK_BITS)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expected_rate(num_probes, middle) <= rate else (low, middle)
    return low


def expected_rate(num_probes: int, keys_per_block: float) -> float:
    """The false-positive rate: keys fall on blocks as a Poisson process, probes on bits evenly.

    For a block of j keys it is the mean of (set bits / 512)^probes, to second order in the
    variance of the number of bits that j * probes throws set.
    """
    most = int(keys_per_block + 15 * np.sqrt(keys_per_block) + 30)
    keys = np.arange(1, most)
    weight = np.exp(keys * np.log(keys_per_block) - keys_per_block - gammaln(keys + 1))
    throws = keys * num_probes
    one_clear = (1 - 1 / BLOCK_BITS) ** throws
    two_clear = (1 - 2 / BLOCK_BITS) ** throws
    mean = BLOCK_BITS * (1 - one_clear)
    variance = (
        BLOCK_BITS * one_clear
        + BLOCK_BITS * (BLOCK_BITS - 1) * two_clear
        - (BLOCK_BITS * one_clear) ** 2
    )
    spread = num_probes * (num_probes - 1) / 2 * np.maximum(variance, 0) / mean**2
    return float(np.sum(weight * (mean / BLOCK_BITS) ** num_probes * np.exp(spread)))


def load_bloom(path: Path, num_probes: int) -> Bloom:
    """The filter in an `.npy` file, memory-mapped; a damaged or foreign file is an InputError."""
    try:
        blocks = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: not a readable filter ({error}); build the index again"
        ) from None
    if blocks.dtype != np.uint64 or blocks.ndim != 2 or blocks.shape[1] != WORDS:
        raise InputError(
            f"{path}: holds {blocks.dtype} of shape {blocks.shape}, expected uint64 blocks of "
            f"{WORDS} words; build the index again"
        )
    return Bloom(blocks=blocks, num_probes=num_probes)


@kernel
def _insert(blocks: Blocks, num_probes: int, hashes: Hashes) -> None:
    for key in hashes:
        block = blocks[key % np.uint64(len(blocks))]
        positions = np.uint64(0)
        for probe in range(num_probes):
            if probe % POSITIONS_PER_MIX == 0:
                positions = mix(key + GOLDEN * np.uint64(probe + 1))
            position = positions & POSITION_MASK
            block[position >> np.uint64(6)] |= np.uint64(1) << (position & np.uint64(63))
            positions >>= POSITION_BITS


@kernel
def _contains(
    blocks: Blocks, num_probes: int, hashes: Hashes, found: npt.NDArray[np.bool_]
) -> None:
    for index, key in enumerate(hashes):
        block = blocks[key % np.uint64(len(blocks))]
        positions = np.uint64(0)
        every = True
        for probe in range(num_probes):
            if probe % POSITIONS_PER_MIX == 0:
                positions = mix(key + GOLDEN * np.uint64(probe + 1))
            position = positions & POSITION_MASK
            if not (block[position >> np.uint64(6)] >> (position & np.uint64(63))) & np.uint64(1):
                every = False
                break
            positions >>= POSITION_BITS
        found[index] = every
