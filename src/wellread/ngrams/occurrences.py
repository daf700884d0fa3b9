"""Every n-gram of a small collection by its hash, with the places where it stands: exact."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.ngrams.hashing import Hashes, is_in

WORD_BITS = np.uint64(32)
WORD_MASK = np.uint64((1 << 32) - 1)

Integers = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Where n-grams that were asked for stand, one row for each place."""

    asked: Integers  # which of the hashes, by position
    documents: Integers  # number of the document
    words: Integers  # of the n-gram's first word, in the document


class Occurrences(msgspec.Struct, frozen=True, kw_only=True):
    """Sorted hashes and their places, which may be memory-mapped from files."""

    hashes: Hashes  # repeats too
    places: Hashes  # document << 32 | word, ascending for equal hashes

    @property
    def num_bits(self) -> int:
        return len(self.hashes) * 64

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        return is_in(hashes, self.hashes)

    def places_of(self, hashes: Hashes) -> Places:
        """All places of each of `hashes`, by their order and then by document and word."""
        firsts = np.searchsorted(self.hashes, hashes, "left")
        counts = np.searchsorted(self.hashes, hashes, "right") - firsts
        asked = np.repeat(np.arange(len(hashes)), counts)
        places = np.asarray(self.places[firsts[asked] + positions(counts)])
        documents = (places >> WORD_BITS).astype(np.int64)
        return Places(asked, documents, (places & WORD_MASK).astype(np.int64))


def positions(counts: Integers) -> Integers:
    """0, 1, ... below each of `counts`, one after the other.

    >>> positions(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def load_occurrences(hashes: Path, places: Path) -> Occurrences:
    """Memory-mapped from two `.npy` files; damaged or foreign ones are an InputError."""
    found = Occurrences(hashes=_load(hashes), places=_load(places))
    if len(found.hashes) != len(found.places):
        raise InputError(
            f"{places}: {len(found.places):,} places of {len(found.hashes):,} n-grams; build the "
            "index again"
        )
    return found


def _load(path: Path) -> Hashes:
    try:
        numbers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not readable ({error}); build the index again") from None
    if numbers.dtype != np.uint64 or numbers.ndim != 1:
        raise InputError(
            f"{path}: holds {numbers.dtype} of shape {numbers.shape}, expected uint64 in one row; "
            "build the index again"
        )
    return np.asarray(numbers)
