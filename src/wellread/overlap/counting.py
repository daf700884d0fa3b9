"""The n-grams of a test set's items side by side, and how many of them something holds.

Three ways to count, since the paper does not say which it used: every n-gram as often as it
stands in the set, each distinct one once, or only those that do not cross the end of a line.

Shapes: M n-grams of all items, N items, U units (documents, or the items themselves).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.intervals import middle, resampled_sums
from wellread.formats.overlap import Share
from wellread.ngrams.hashing import Hashes, ngram_hashes, words

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Ngrams(NamedTuple):
    """Of one text, in its order."""

    hashes: Hashes
    is_within: Mask  # its words stand in one line


class Items(NamedTuple):
    """A test set's items, in order of their names, and their n-grams one after the other."""

    names: list[str]
    units: list[str]  # what the bootstrap draws
    hashes_M: Hashes
    within_M: Mask
    shuffled_M: Hashes  # of the same words, each item's in random order
    item_M: npt.NDArray[np.int64]  # which item each belongs to


class Count(NamedTuple):
    """How many n-grams each item has by one way of counting, and how many of these are held.

    Of the n-grams that are distinct in the set, one that stands in it k times counts 1/k each time:
    so the counts of items add up to the set's.
    """

    ngrams_N: Floats
    found_N: Floats


def ngrams_of(text: str, n: int) -> Ngrams:
    """
    >>> ngrams_of("a b c\\nd e", 2).is_within.tolist()
    [True, True, False, True]
    """
    hashes = ngram_hashes(text, n)
    if "\n" not in text:
        return Ngrams(hashes, np.ones(len(hashes), np.bool_))
    # A line end is no part of a word, so that the words of the lines are those of the text.
    num_words = [len(ngram_hashes(line, 1)) for line in text.split("\n")]
    line = np.repeat(np.arange(len(num_words)), num_words)
    return Ngrams(hashes, line[: len(hashes)] == line[len(line) - len(hashes) :])


def shuffled_hashes(text: str, n: int, random: np.random.Generator) -> Hashes:
    """The n-grams of the words of `text` in random order; as many as those of the text."""
    found = words(text)
    return ngram_hashes(" ".join(found[place] for place in random.permutation(len(found))), n)


def side_by_side(parts: Sequence[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


def first_of_item(items: Items) -> Mask:
    """Which n-grams stand in their item for the first time (or any one time), (M,)."""
    order = np.lexsort((items.hashes_M, items.item_M))
    hashes, item = items.hashes_M[order], items.item_M[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (hashes[1:] != hashes[:-1]) | (item[1:] != item[:-1])
    found = np.empty_like(is_new)
    found[order] = is_new
    return found


def weights_of_distinct(hashes_M: Hashes) -> Floats:
    """1/k for an n-gram that stands k times among all, (M,)."""
    _, place, counts = np.unique(hashes_M, return_inverse=True, return_counts=True)
    return 1.0 / counts[place]


def count(items: Items, held_M: Mask, weights_M: npt.NDArray[Any]) -> Count:
    """By item, each n-gram weighing what `weights_M` says."""
    ngrams_N, found_N = np.zeros((2, len(items.names)))
    np.add.at(ngrams_N, items.item_M, weights_M)
    np.add.at(found_N, items.item_M, weights_M * held_M)
    return Count(ngrams_N, found_N)


def shares(
    units: Sequence[str], counts: Sequence[Count], random: np.random.Generator
) -> list[Share]:
    """The set's share by each count, with the middle 95 % over resampled units.

    Units are drawn alike for all counts. No interval where a resample could not differ: of one
    unit, or where all or none is held.
    """
    numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    unit_N = [numbers[unit] for unit in units]
    both_UK = np.zeros((len(numbers), 2 * len(counts)))
    np.add.at(both_UK, unit_N, np.stack([part for one in counts for part in one], axis=1))
    sums_K = both_UK.sum(axis=0)
    both_UK = both_UK[both_UK.any(axis=1)]  # a unit without n-grams has no part in a share
    drawn = np.array(list(resampled_sums(both_UK, random)) if len(both_UK) > 1 else [0 * sums_K])
    return [
        _share(sums_K[2 * k : 2 * k + 2], drawn[:, 2 * k : 2 * k + 2], num_units=len(both_UK))
        for k in range(len(counts))
    ]


def _share(sums: Floats, drawn: Floats, *, num_units: int) -> Share:
    ngrams, held = map(float, sums)
    low = high = None
    if num_units > 1 and 0 < round(held) < round(ngrams):
        drawn = drawn[drawn[:, 0] > 0]
        low, high = middle(drawn[:, 1] / drawn[:, 0])
    return Share(
        num_ngrams=round(ngrams),
        num_found=round(held),
        share=round(held) / round(ngrams) if ngrams else None,
        low=low,
        high=high,
    )
