"""Which of some n-grams, held in memory, stand in texts of any number, read one after the other.

The texts are not held, and need no index: a small filter that fits into a processor's cache says
of nearly every other n-gram that it is not wanted, and the sorted hashes decide about the rest.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.ngrams.bloom import Bloom, new_bloom
from wellread.ngrams.hashing import Hashes

Numbers = npt.NDArray[np.int64]
SIEVE_RATE = 1e-3  # ours: of what is not wanted so much is looked up in vain


class Wanted(NamedTuple):
    """Distinct n-grams, sorted."""

    hashes: Hashes
    sieve: Bloom

    def places(self, hashes: Hashes) -> Numbers:
        """Where each of `hashes` that is wanted stands among the sorted ones; repeats repeat."""
        return self.matches(hashes)[1]

    def matches(self, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Which of `hashes` are wanted, by position, and their places among the sorted ones."""
        positions = np.flatnonzero(self.sieve.contains(hashes))
        if not len(self.hashes):
            return positions[:0], positions[:0]
        maybe = hashes[positions]
        places = np.minimum(np.searchsorted(self.hashes, maybe), len(self.hashes) - 1)
        is_wanted = self.hashes[places] == maybe
        return positions[is_wanted], places[is_wanted]


def want(hashes: Hashes) -> Wanted:
    distinct = np.unique(hashes)
    sieve = new_bloom(len(distinct), SIEVE_RATE)
    sieve.insert(distinct)
    return Wanted(distinct, sieve)
