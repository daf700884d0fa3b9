"""Two results of one protocol and what a comparison of them, item by item, gives."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.formats.results import Result


class Side(NamedTuple):
    """One of the two results."""

    directory: Path  # which has its items
    result: Result


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of both models, and of the second less the first; 95 % by resampled units."""

    protocol: str
    stem: str  # of the first's result
    metric: str
    first: float
    second: float
    difference: float
    low: float | None  # None: of one unit there are no resamples
    high: float | None
    num_items: int  # that both have
    num_units: int  # documents, where several items come from one
    higher_is_better: bool


# Every metric of two results that have items in common; the third argument is a seed.
Compare = Callable[[Side, Side, int], Sequence[Paired]]
