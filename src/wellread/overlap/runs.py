"""The kernels that find where documents go along with texts, n-gram by n-gram.

All texts together are one row of n-grams, with a gap between two texts, which no n-gram fills: a
*place* is a number in that row. A run is what a text and a document have in common on one diagonal:
n-grams one after the other in both.

Shapes: K distinct n-grams of the texts, G places.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import kernel
from wellread.ngrams.hashing import Hashes

Places = npt.NDArray[np.int64]
FILTER_BITS = 64  # for each n-gram: of others one in 64 is looked up in vain
LEAST_BITS = 16  # log2: 8 KB
NEVER = -2  # not even one before the first position


class Wanted(NamedTuple):
    """The n-grams of texts, made for being asked for."""

    keys_K: Hashes  # sorted
    bounds: Places  # (K + 1): where the places of each key begin in `places_G`
    places_G: Places  # by key, those of one key from the last to the first
    filter: Hashes  # bits
    shift: np.uint64  # of a hash: what is left is its bit's number
    firsts: Places  # the first place of each text
    num_places: int


class Runs(NamedTuple):
    """The longest runs of a document that end at a place of a text, one a row."""

    ends: Places  # places
    sizes: Places  # n-grams
    positions: Places  # of the last n-gram in the document


def wanted_ngrams(hashes: "list[Hashes]") -> Wanted:
    """The n-grams of each text, by what finds them."""
    sizes = np.array([len(one) for one in hashes], np.int64)
    firsts = np.cumsum(sizes + 1) - sizes  # place 0 is a gap
    num_places = int(sizes.sum() + len(sizes) + 2)
    every = np.concatenate([*hashes, np.empty(0, np.uint64)])
    places = np.concatenate(
        [np.arange(first, first + size) for first, size in zip(firsts, sizes, strict=True)]
        + [np.empty(0, np.int64)]
    )
    order = np.lexsort((-places, every))
    keys_K, starts = np.unique(every[order], return_index=True)
    num_bits = max(LEAST_BITS, int(FILTER_BITS * max(len(keys_K), 1) - 1).bit_length())
    shift = np.uint64(64 - num_bits)
    bits = np.zeros((1 << num_bits) // 64, np.uint64)
    _set_bits(bits, shift, keys_K)
    bounds = np.append(starts, len(every)).astype(np.int64)
    return Wanted(keys_K, bounds, places[order], bits, shift, firsts, num_places)


def matches(hashes: Hashes, wanted: Wanted) -> tuple[Places, Places]:
    """At which positions of a document wanted n-grams are, and the numbers of their keys."""
    found = np.empty(len(hashes), np.int64)
    count = _passed(hashes, wanted.filter, wanted.shift, found)
    positions = found[:count]
    keys = np.searchsorted(wanted.keys_K, hashes[positions])
    keys = np.minimum(keys, max(len(wanted.keys_K) - 1, 0))
    is_wanted = wanted.keys_K[keys] == hashes[positions] if len(wanted.keys_K) else keys < 0
    return positions[is_wanted], keys[is_wanted]


class Tracks:
    """What is kept for each place while one document is read; the memory lasts for all of them."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.last = np.full(wanted.num_places, NEVER, np.int64)  # position that was met last
        self.size = np.zeros(wanted.num_places, np.int64)  # of the run that ended there
        self.best = np.zeros(wanted.num_places, np.int64)
        self.best_at = np.zeros(wanted.num_places, np.int64)
        self.touched = np.empty(wanted.num_places, np.int64)

    def follow(self, positions: Places, keys: Places) -> Runs:
        """The runs of one document, without those that lie within another in the text."""
        wanted = self.wanted
        count = _follow(
            positions, keys, wanted.bounds, wanted.places_G,
            self.last, self.size, self.best, self.best_at, self.touched,
        )  # fmt: skip
        ends = np.sort(self.touched[:count])
        # A run goes on if one that ends at the next place is longer.
        kept = ends[self.best[ends + 1] <= self.best[ends]]
        found = Runs(kept, self.best[kept], self.best_at[kept])
        self.last[ends] = NEVER
        self.best[ends] = 0
        return found


@kernel
def _set_bits(bits: Hashes, shift: np.uint64, keys: Hashes) -> None:
    for key in keys:
        bit = key >> shift
        bits[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))


@kernel
def _passed(hashes: Hashes, bits: Hashes, shift: np.uint64, found: Places) -> int:
    count = 0
    for position, key in enumerate(hashes):
        bit = key >> shift
        if (bits[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
            found[count] = position
            count += 1
    return count


@kernel
def _follow(  # noqa: PLR0913 - arrays that one loop works on
    positions: Places,
    keys: Places,
    bounds: Places,
    places: Places,
    last: Places,
    size: Places,
    best: Places,
    best_at: Places,
    touched: Places,
) -> Any:
    """For each place that was met the longest run that ends there; how many places were met."""
    count = 0
    for number in range(len(positions)):
        position, key = positions[number], keys[number]
        # From the last place to the first, so that the one before is still as it was left.
        for at in range(bounds[key], bounds[key + 1]):
            place = places[at]
            run = size[place - 1] + 1 if last[place - 1] == position - 1 else 1
            last[place], size[place] = position, run
            if best[place] == 0:
                touched[count] = place
                count += 1
            if run > best[place]:
                best[place], best_at[place] = run, position
    return count
