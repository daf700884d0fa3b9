"""Near-duplicates: candidates by bands of their signatures, groups by what is alike among these."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import inlined, kernel
from wellread.corpus.minhash import Signatures, band_keys

# Of documents with an equal band, each is compared with so many before it: one line may stand in
# millions of documents.
COMPARED = 64


def num_bands(num_permutations: int, threshold: float, found: float = 0.94) -> int:
    """The least number of bands with which a pair as alike as `threshold` shares one, mostly.

    That is with a probability of at least `found`, which is 1 - (1 - threshold^rows)^bands; one row
    a band where none reaches it. Values that fill no band are compared and not looked up.

    >>> num_bands(128, 0.8), num_bands(127, 0.8)
    (16, 16)
    """
    for bands in range(1, num_permutations + 1):
        rows = num_permutations // bands
        if 1 - (1 - threshold**rows) ** bands >= found:
            return bands
    return num_permutations


def near_duplicate_groups(
    found: Signatures, *, threshold: float, among: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.int64]:
    """For each document the first of those that it is a near-duplicate of, directly or through
    others; its own number if there is none.

    Two are if they have a band in common and agree in at least a share `threshold` of all values.
    Only documents `among` these are compared (default: all).
    """
    parents = np.arange(len(found), dtype=np.int64)
    least = math.ceil(threshold * found.shape[1])
    bands = num_bands(found.shape[1], threshold)
    compared = parents.copy() if among is None else np.flatnonzero(among)
    for band in range(bands):
        keys = band_keys(found, band, bands)
        order = compared[np.argsort(keys[compared], kind="stable")]
        _join(order, keys, found, least, parents)
    _flatten(parents)
    return parents


@inlined
def _root(parents: Any, at: Any) -> Any:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


@inlined
def _agree(found: Any, one: Any, other: Any, least: Any) -> Any:
    equal = 0
    for at in range(found.shape[1]):
        equal += found[one, at] == found[other, at]
    return equal >= least


@kernel
def _join(order: Any, keys: Any, found: Any, least: Any, parents: Any) -> None:
    """Join the groups of documents that are alike within each run of equal keys."""
    start = 0
    for place in range(len(order)):
        document = order[place]
        if keys[order[start]] != keys[document]:
            start = place
        for earlier in range(max(start, place - COMPARED), place):
            own, other = _root(parents, document), _root(parents, order[earlier])
            if own != other and _agree(found, document, order[earlier], least):
                parents[max(own, other)] = min(own, other)


@kernel
def _flatten(parents: Any) -> None:
    for at in range(len(parents)):
        parents[at] = _root(parents, at)
