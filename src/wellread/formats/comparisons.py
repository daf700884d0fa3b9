"""Results of one protocol, and what a comparison of two of them, item by item, gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:  # results load pyarrow, for which --help does not wait
    from wellread.formats.results import Result


class Side(NamedTuple):
    """One of the results."""

    directory: Path  # which has its items
    result: "Result"


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


def verdict(
    low: float | None, high: float | None, *, higher_is_better: bool
) -> Literal["better", "worse", ""]:
    """Of a difference with this interval; none if the interval holds zero, or there is none.

    >>> verdict(-3.0, -1.0, higher_is_better=False), verdict(0.0, 0.1, higher_is_better=True)
    ('better', '')
    """
    if low is None or high is None or low <= 0 <= high:
        return ""
    return "better" if (low > 0) == higher_is_better else "worse"
