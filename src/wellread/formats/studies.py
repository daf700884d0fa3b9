"""A study, `study.json`: the scores of a family of runs against the settings they differ in."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from wellread.base.errors import InputError

STAGE = "study"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One score of one run."""

    run: str
    settings: dict[str, Any]  # those that the study varies, as `section.key`
    num_parameters: int
    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    chance: float | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of the larger run less that of the smaller, on the items that both have."""

    task: str
    metric: str
    smaller: str  # run names
    larger: str
    difference: float
    low: float | None  # 95 %, by resampled units; None: of one unit there are no resamples
    high: float | None
    num_items: int
    num_units: int  # documents, where several items come from one
    higher_is_better: bool


class Study(msgspec.Struct, frozen=True, kw_only=True):
    version: Literal[2] = 2
    vary: dict[str, list[Any]]
    points: list[Point]
    differences: list[Difference]
    unpaired: list[str]  # tasks of two runs that share no item, and so have no differences
    differs_too: dict[str, list[Any]]  # what the runs differ in besides: name -> their values

    @property
    def caution(self) -> str:
        """A sentence on what else than the settings varied may have made the differences."""
        parts = [f"{k} ({', '.join(map(str, values))})" for k, values in self.differs_too.items()]
        return f"the runs differ also in {'; '.join(parts)}" if parts else ""


def read_study(directory: Path) -> Study:
    path = directory / "study.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Study)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not a study of this version ({error}); delete {directory} and study again"
        ) from None
