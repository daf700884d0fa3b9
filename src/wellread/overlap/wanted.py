"""Which of some n-grams, held in memory, stand in texts of any number, read one after the other.

The texts are not held, and need no index: a small filter that fits into a processor's cache says
of nearly every other n-gram that it is not wanted, and the sorted hashes decide about the rest.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.ngrams.bloom import Bloom, new_bloom
from wellread.ngrams.hashing import Hashes

SIEVE_RATE = 1e-3  # ours: of what is not wanted so much is looked up in vain


class Wanted(NamedTuple):
    """Distinct n-grams, sorted."""

    hashes: Hashes
    sieve: Bloom

    def places(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """Where each of `hashes` that is wanted stands among the sorted ones; repeats repeat."""
        if not len(self.hashes):
            return np.empty(0, np.int64)
        maybe = hashes[self.sieve.contains(hashes)]
        places = np.minimum(np.searchsorted(self.hashes, maybe), len(self.hashes) - 1)
        return np.asarray(places[self.hashes[places] == maybe])


def want(hashes: Hashes) -> Wanted:
    distinct = np.unique(hashes)
    sieve = new_bloom(len(distinct), SIEVE_RATE)
    sieve.insert(distinct)
    return Wanted(distinct, sieve)
