"""Which of some n-grams, held in memory, stand in texts of any number, read one after the other.

The texts are not held, and need no index: a small filter that fits into a processor's cache says
of nearly every other n-gram that it is not wanted, and the sorted hashes decide about the rest.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.ngrams.bloom import Bloom, new_bloom
from wellread.ngrams.hashing import Hashes, ngram_hashes, words

SIEVE_RATE = 1e-3  # ours: of what is not wanted so much is looked up in vain
# Characters: hashing takes some ten bytes for each, and WikiText-103's training set is one text.
PIECE = 1 << 23
SPACE = re.compile(r"\s")


class Wanted(NamedTuple):
    """Distinct n-grams, sorted."""

    hashes: Hashes
    sieve: Bloom

    def places_in(self, text: str, n: int) -> npt.NDArray[np.int64]:
        """Where the wanted n-grams of `text` stand among the sorted ones, each once."""
        found = [self.places(ngram_hashes(piece, n)) for piece in pieces(text, n)]
        return np.unique(np.concatenate(found))

    def places(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """Where each of `hashes` that is wanted stands among the sorted ones; repeats repeat."""
        if not len(self.hashes):
            return np.empty(0, np.int64)
        maybe = hashes[self.sieve.contains(hashes)]
        places = np.minimum(np.searchsorted(self.hashes, maybe), len(self.hashes) - 1)
        return np.asarray(places[self.hashes[places] == maybe])


def want(distinct: Hashes) -> Wanted:
    """Of distinct n-grams, sorted."""
    sieve = new_bloom(len(distinct), SIEVE_RATE)
    sieve.insert(distinct)
    return Wanted(distinct, sieve)


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
