"""What became of each record: decisions on documents, and what was left out before."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from wellread.base.manifest import MAX_EXAMPLES, Draft
from wellread.corpus.clean import EXCERPT, LANGUAGE, REASONS
from wellread.corpus.distinct import OUTCOMES as OF_VERDICTS
from wellread.corpus.verdicts import PROTECTED, Decision
from wellread.formats import tables
from wellread.formats.corpus_outcomes import KEPT, OUTCOMES, OUTCOMES_FILE
from wellread.formats.corpus_report import Step
from wellread.formats.sorting import Room, named, query

NAME = "decided.parquet"
DECIDED = pa.schema([*OUTCOMES, ("id", pa.int64()), ("best", pa.int64())])


def write_decisions(folder: Path, made: Iterable[Decision]) -> None:
    tables.write_rows(folder / NAME, DECIDED, map(_row, made))


def _row(one: Decision) -> dict[str, Any]:
    return {
        "url": one.document.url,
        "outcome": one.outcome,
        "reason": one.reason,
        "detail": one.detail,
        "num_bytes": one.row["num_bytes"],
        "excerpt": None if one.outcome == KEPT else one.document.text[:EXCERPT],
        "id": one.row["id"],
        "best": one.best,
    }


def write_outcomes(draft: Draft, cleaned: Sequence[Path], folder: Path, room: Room) -> None:
    """All outcomes in order of URL; a duplicate's detail is the URL that it is one of."""
    found = query(
        "WITH records AS (SELECT * EXCLUDE (text, signature) FROM read_parquet($files)) "
        "SELECT one.url, one.outcome, one.reason, "
        "CASE WHEN one.id <> one.best THEN other.url ELSE one.detail END AS detail, "
        "one.num_bytes, one.excerpt "
        "FROM read_parquet($decided) one JOIN records other ON one.best = other.id UNION ALL "
        "SELECT url, outcome, reason, detail, num_bytes, excerpt FROM records "
        "WHERE outcome IS NOT NULL AND is_input "
        "ORDER BY url, outcome, reason, detail, num_bytes, excerpt",
        {"decided": named([folder / NAME]), "files": named(cleaned)},
        room,
    )
    with draft.open(OUTCOMES_FILE) as file:
        batches = (pa.Table.from_batches([batch]).cast(OUTCOMES) for batch in found)
        tables.write_tables(file, OUTCOMES, batches)


def steps_of(
    out: Path, filters: Sequence[str], room: Room
) -> tuple[list[Step], dict[str, list[str]]]:
    """What was left out under each outcome, in the order of the rules, and the first few by URL."""
    rows = [
        row
        for batch in query(
            "SELECT outcome, first(reason) AS reason, count(*) AS documents, "
            "sum(num_bytes)::BIGINT AS num_bytes, min(url, $shown) AS examples "
            "FROM read_parquet($file) WHERE outcome <> $kept GROUP BY outcome",
            {"file": named([out / OUTCOMES_FILE]), "kept": KEPT, "shown": MAX_EXAMPLES},
            room,
        )
        for row in batch.to_pylist()
    ]
    later = [LANGUAGE, *filters, *(name for name, _ in OF_VERDICTS.values()), PROTECTED[0]]
    order = {name: place for place, name in enumerate([*REASONS, *later])}
    rows.sort(key=lambda row: (order.get(row["outcome"], -1), row["outcome"]))
    examples = {row["outcome"]: row.pop("examples") for row in rows}
    return [Step(**row) for row in rows], examples


def num_records(cleaned: Sequence[Path], room: Room) -> tuple[int, int]:
    """How many records the input had, and the bytes of their bodies."""
    found = query(
        "SELECT count(*) AS num, coalesce(sum(page_bytes), 0)::BIGINT AS num_bytes "
        "FROM read_parquet($files) WHERE is_input",
        {"files": named(cleaned)},
        room,
    )
    ((number, num_bytes),) = ((*row.values(),) for batch in found for row in batch.to_pylist())
    return number, num_bytes
