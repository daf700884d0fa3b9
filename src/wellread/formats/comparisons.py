"""Results of one protocol, and what a comparison of two of them, item by item, gives.

A `comparison.json` has that of all models of several runs with those of the first run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import Draft

if TYPE_CHECKING:  # results load pyarrow, for which --help does not wait
    from wellread.formats.results import Result


STAGE, FILE = "comparison", "comparison.json"


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


By = Literal["name", "being the only ones", "nearest size"]  # what models are matched by


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a later run and the model of the first run that it is held against."""

    run: int  # place of the later run among the runs
    first: str  # names of the models' results
    second: str
    by: By
    scores: list[Paired]
    unpaired: list[str]  # protocols that both have, without an item in common


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    version: Literal[1] = 1
    runs: list[str]  # their names; the first is what the others are held against
    models: list[Matched]


def write_comparison(draft: Draft, found: Comparison) -> None:
    draft.write(FILE, msgspec.json.format(msgspec.json.encode(found), indent=1))


def read_comparison(directory: Path) -> Comparison:
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Comparison)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a comparison of this version ({error})") from None


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
