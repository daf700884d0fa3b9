"""Documents in an order in which windows, cut one after another, seldom cut a document.

First-fit decreasing, as Ding et al. 2024 ("Fewer Truncations Improve Language Modeling") pack
documents, without their padding.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

TWICE = 8  # ours: an eighth of a window's tokens at most are seen again in the next


class Packed(NamedTuple):
    """Where documents lie when windows are cut from them, `context` tokens after each other."""

    order: npt.NDArray[np.int64]  # numbers of documents
    starts: npt.NDArray[np.int64]  # where each of `order` begins
    end: int  # where the last ends
    twice: int  # tokens: between a document's end and the next one's start, all of them


def pack(lengths: npt.NDArray[np.int64], context: int) -> Packed:
    """An order of documents with so many tokens each.

    A document of n contexts and a rest is cut n times wherever its window has room for the rest,
    and once more where it has not. So each place is given to the document with the largest rest
    that there is room for; of equals to the first. Where no rest fits, the one with the largest
    begins a window of its own, and the window before ends with a second copy of its first tokens:
    its start is that much further than the end of the document before. Too much would be seen
    twice so if a window has more than an eighth of its room left: then it goes on there.

    The last document stays the last: it may be one that is cut off.

    >>> pack(np.array([4, 7, 20, 5, 9, 6]), context=10)
    Packed(order=array([2, 4, 1, 3, 0, 5]), starts=array([ 0, 20, 30, 37, 42, 46]), end=52, twice=1)
    """
    rests = (lengths - 1) % context + 1  # of 1 to a whole context
    by_rest = np.argsort(rests[:-1], kind="stable")
    # Those of by_rest from first[n] up to first[n + 1] have the rest n.
    first = np.searchsorted(rests[by_rest], np.arange(context + 2)).tolist()
    unused = first[:-1]
    smaller = list(range(context + 1))  # of a rest none is left of: where to look on for one

    def largest(most: int) -> int:
        """The largest rest up to `most` that a document is left of; 0 if there is none."""
        while most and unused[most] == first[most + 1]:
            if smaller[most] == most:
                smaller[most] = most - 1
            smaller[most] = most = smaller[smaller[most]]
        return most

    order, gaps, room = np.empty_like(lengths), np.zeros_like(lengths), context
    for at in range(len(lengths)):
        rest = largest(room) or largest(context) or int(rests[-1])
        if rest > room and room * TWICE <= context:
            gaps[at], room = room, context
        order[at] = unused[rest]
        unused[rest] += 1
        room = (room - rest) % context or context
    order[:-1] = by_rest[order[:-1]]
    order[-1] = len(by_rest)
    ends = np.cumsum(lengths[order] + gaps)
    return Packed(order, ends - lengths[order], int(ends[-1]), int(gaps.sum()))
