"""A study, `study.json`: the scores of a family of runs against the settings they differ in."""

from pathlib import Path
from typing import Any

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
    """A metric of the larger run less that of the smaller, paired item by item."""

    task: str
    metric: str
    smaller: str  # run names
    larger: str
    difference: float
    low: float  # 95 %, bootstrap over paired items
    high: float
    num_items: int
    higher_is_better: bool


class Study(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    vary: dict[str, list[Any]]
    points: list[Point]
    differences: list[Difference]


def read_study(directory: Path) -> Study:
    path = directory / "study.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Study)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a study ({error})") from None
