"""The kernels that find where documents go along with texts, n-gram by n-gram.

All texts together are one row of n-grams, with a gap between two texts, which no n-gram fills: a
*place* is a number in that row. A run is what a text and a document have in common on one diagonal:
n-grams one after the other in both.

Shapes: K distinct n-grams of the texts, G of them with repeats.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wellread.base.kernels import kernel
from wellread.ngrams.hashing import Hashes
from wellread.overlap.wanted import Numbers, Wanted, want

NEVER = -2  # not even one before the first position


class Row(NamedTuple):
    """The n-grams of all texts, made for being asked for."""

    wanted: Wanted  # K
    bounds: Numbers  # (K + 1): where the places of each n-gram begin in `places_G`
    places_G: Numbers  # by n-gram, those of one from the last to the first
    firsts: Numbers  # the first place of each text
    num_places: int


class Runs(NamedTuple):
    """The longest runs of a document that end at a place of a text, one a row."""

    ends: Numbers  # places
    sizes: Numbers  # n-grams
    positions: Numbers  # of the last n-gram in the document


def row_of(hashes: Sequence[Hashes]) -> Row:
    """The n-grams of each text, by what finds them."""
    sizes = np.array([len(one) for one in hashes], np.int64)
    firsts = np.cumsum(sizes + 1) - sizes  # place 0 is a gap
    places = np.repeat(firsts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    every = np.concatenate([*hashes, np.empty(0, np.uint64)])
    order = np.lexsort((-places, every))
    ordered = every[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    bounds = np.append(starts, len(ordered))
    num_places = int(sizes.sum()) + len(sizes) + 2
    return Row(want(ordered[starts]), bounds, places[order], firsts, num_places)


class Tracks:
    """What is kept for each place while one document is read; the memory lasts for all of them."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.last = np.full(row.num_places, NEVER, np.int64)  # position that was met last
        self.size = np.zeros(row.num_places, np.int64)  # of the run that ended there
        self.best = np.zeros(row.num_places, np.int64)
        self.best_at = np.zeros(row.num_places, np.int64)
        self.touched = np.empty(row.num_places, np.int64)

    def follow(self, positions: Numbers, keys: Numbers) -> Runs:
        """The runs of one document, without those that lie within another in the text."""
        count = _follow(
            positions, keys, self.row.bounds, self.row.places_G,
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
def _follow(  # noqa: PLR0913 - arrays that one loop works on
    positions: Numbers,
    keys: Numbers,
    bounds: Numbers,
    places: Numbers,
    last: Numbers,
    size: Numbers,
    best: Numbers,
    best_at: Numbers,
    touched: Numbers,
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
