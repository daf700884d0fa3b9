"""Which of some n-grams, held in memory, stand in texts of any number, read one after the other.

The texts are not held, and need no index: a table of bits says of nearly every other n-gram that it
is not wanted, and the sorted hashes decide about the rest.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import kernel
from wellread.ngrams.hashing import Hashes, ngram_hashes, words

Numbers = npt.NDArray[np.int64]
SIEVE_BITS = 64  # for each n-gram: of what is not wanted one in so many is looked up in vain
LEAST_SIEVE = 16  # log2 of bits: 8 KB
# Characters: hashing takes some ten bytes for each, and WikiText-103's training set is one text.
PIECE = 1 << 23
SPACE = re.compile(r"\s")


class Wanted(NamedTuple):
    """Distinct n-grams, sorted."""

    hashes: Hashes
    sieve: Hashes  # a bit for each value of a hash's first bits
    shift: np.uint64  # by which those remain

    def places_in(self, text: str, n: int) -> Numbers:
        """Where the wanted n-grams of `text` stand among the sorted ones, each once."""
        found = [self.places(ngram_hashes(piece, n)) for piece in pieces(text, n)]
        return np.unique(np.concatenate(found))

    def places(self, hashes: Hashes) -> Numbers:
        """Where each of `hashes` that is wanted stands among the sorted ones; repeats repeat."""
        return self.matches(hashes)[1]

    def matches(self, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Which of `hashes` are wanted, by position, and their places among the sorted ones."""
        positions = np.empty(len(hashes), np.int64)
        positions = positions[: _sift(hashes, self.sieve, self.shift, positions)]
        if not len(positions):
            return positions, positions
        maybe = hashes[positions]
        places = np.minimum(np.searchsorted(self.hashes, maybe), len(self.hashes) - 1)
        is_wanted = self.hashes[places] == maybe
        return positions[is_wanted], places[is_wanted]


def want(distinct: Hashes) -> Wanted:
    """Of distinct n-grams, sorted."""
    num_bits = max(LEAST_SIEVE, (SIEVE_BITS * len(distinct)).bit_length())
    shift = np.uint64(64 - num_bits)
    sieve = np.zeros(1 << (num_bits - 6), np.uint64)
    bits = distinct >> shift
    np.bitwise_or.at(sieve, bits >> np.uint64(6), np.uint64(1) << (bits & np.uint64(63)))
    return Wanted(distinct, sieve, shift)


@kernel
def _sift(hashes: Hashes, sieve: Hashes, shift: np.uint64, positions: Numbers) -> np.int64:
    """Put into `positions` where hashes with a bit in the sieve are; how many there are."""
    count = np.int64(0)
    for position in range(len(hashes)):
        bit = hashes[position] >> shift
        positions[count] = position
        count += np.int64((sieve[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1))
    return count


def has_ngrams(text: str, n: int) -> bool:
    """
    >>> has_ngrams("one two", 2), has_ngrams("one, ...", 2)
    (True, False)
    """
    return any(len(ngram_hashes(piece, n)) for piece in pieces(text, n))


def pieces(text: str, n: int, size: int = PIECE) -> Iterator[str]:
    """Parts of about `size` characters that have between them the n-grams of `text`, and no others.

    Each begins n - 1 words or more before the end of the last. They are cut at white space, over
    which no word goes and no small letter depends on its neighbours.

    >>> list(pieces("one two three four five", n=2, size=8))
    ['one two three', ' three four', ' four five']
    """
    start = end = 0
    while space := SPACE.search(text, max(start + size, end + 1)):
        end = space.start()
        yield text[start:end]
        start = _before_last(text, start, end, n - 1)
    yield text[start:]


def _before_last(text: str, start: int, end: int, num_words: int) -> int:
    """The last white space after which text[:end] has so many words; `start` if there is none."""
    place = end
    while place > start and len(words(text[place:end])) < num_words:
        place = max(text.rfind(" ", start, place), text.rfind("\n", start, place), start)
    return place
