"""Results of evaluation: `TASK.json` (scores) beside `TASK.parquet` (one row for each item).

A task that is scored under several protocols has the first there, and the others beside it as
`TASK,AXIS=VALUE.json`.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, is_artifact, read_artifact, read_manifest
from wellread.formats import tables

STAGE = "evaluate"
ITEMS = tables.schema(
    "items",
    2,
    [
        ("item", pa.string()),  # its name within the task, stable between models
        ("text", pa.string()),  # what overlap is measured on: the item as its data set has it
        ("prompt", pa.string()),
        ("target", pa.string()),
        ("prediction", pa.string()),  # None where nothing is predicted
        ("log_prob", pa.float64()),  # natural log of the target's probability; None: not asked
        ("confidence", pa.float64()),  # the prediction's probability by the model; None: not asked
        ("num_tokens", pa.int64()),  # scored tokens
        ("num_units", pa.int64()),  # words or bytes that a perplexity is normalised by
        ("value", pa.float64()),  # the item's own score: 0 or 1, an F1, nats
        ("unit", pa.string()),  # what intervals resample, a document; None: the item
        # metric -> what the item adds to the sums that it is a function of
        ("sums", pa.map_(pa.string(), pa.list_(pa.float64()))),
    ],
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One scored item of a task."""

    item: str
    text: str
    prompt: str
    target: str
    prediction: str | None = None
    log_prob: float | None = None
    confidence: float | None = None
    num_tokens: int | None = None
    num_units: int | None = None
    value: float | None = None
    unit: str | None = None
    sums: dict[str, tuple[float, ...]] = {}


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A metric's value over a task's items, with its 95 % interval."""

    metric: str
    value: float
    low: float | None  # None: the metric has no interval, and says why in `note`
    high: float | None
    num_items: int
    higher_is_better: bool
    chance: float | None = None  # what guessing would give
    note: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A task's scores for one model."""

    version: int = 1
    task: str
    protocol: str  # names the task's version and every axis's setting
    stem: str = ""  # the name of its files, by default the task's
    comparable_to: str | None  # key of the published values; None: not comparable
    num_items: int
    num_available: int  # more than num_items if a limit was set
    scores: list[Score]
    seconds: float
    note: str = ""

    def __post_init__(self) -> None:
        if not self.stem:
            msgspec.structs.force_setattr(self, "stem", self.task)

    @property
    def is_subset(self) -> bool:
        return self.num_items < self.num_available

    def of(self, score: Score) -> int:
        """Of how many items those of a score are a part: of a metric of some items, these are all.

        A subset is one of the whole task.
        """
        return self.num_available if self.is_subset else score.num_items


def results_in(folder: Path) -> list[Path]:
    """The results directories in a run, or of several checkpoints: one or two levels below."""
    below = [path for place in ("*", "*/*") for path in folder.glob(place) if is_artifact(path)]
    return sorted(path for path in below if read_manifest(path).stage == STAGE)


def results_manifest(directory: Path) -> Manifest:
    """The manifest of a results directory; for a run, the error names those that it holds."""
    if not is_artifact(directory) and (found := results_in(directory)):
        raise InputError(f"{directory}: a run; name {' or '.join(map(str, found))}")
    return read_artifact(directory, STAGE)


def write_result(draft: Draft, result: Result, items: Iterable[Item]) -> None:
    """The items first, then the scores: a task without its JSON is unfinished."""
    with draft.open(f"{result.stem}.parquet") as file:
        tables.write_rows(file, ITEMS, map(_row, items))
    encoded = msgspec.json.format(msgspec.json.encode(result), indent=1)
    draft.write(f"{result.stem}.json", encoded)


def _row(item: Item) -> dict[str, Any]:
    row = msgspec.structs.asdict(item)
    return row | {"sums": [(metric, list(sums)) for metric, sums in item.sums.items()]}


def item_of(row: dict[str, Any]) -> Item:
    """The item that a row of ITEMS holds."""
    sums = {metric: tuple(sums) for metric, sums in row["sums"]}
    return Item(**{**row, "sums": sums})


def result_files(directory: Path, *, variants: bool = False) -> list[Path]:
    """The items of every finished task, `variants` of its protocol too; beside each its scores."""
    return sorted(
        path
        for path in directory.glob("*.parquet")
        if path.with_suffix(".json").exists() and (variants or "," not in path.stem)
    )


def read_results(directory: Path, *, variants: bool = False) -> list[Result]:
    """Every finished task's result in a results directory, sorted by task."""
    files = result_files(directory, variants=variants)
    found = [read_result(path.with_suffix(".json")) for path in files]
    return sorted(found, key=lambda result: (result.task, result.stem))


def read_result(path: Path) -> Result:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a result ({error})") from None


def surest_first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the rows of items those with a confidence."""
    known = [row for row in rows if row["confidence"] is not None]
    return sorted(known, key=lambda row: -row["confidence"])


def question_of(row: dict[str, Any]) -> str:
    """What an item of question answering asks: the last question of its prompt."""
    question: str = row["prompt"].rstrip().splitlines()[-2]
    return question.removeprefix("Q: ")


def read_items(
    directory: Path, stem: str, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of ITEMS for one task, or for what else `Result.stem` names."""
    yield from tables.read_rows([directory / f"{stem}.parquet"], ITEMS, columns)
