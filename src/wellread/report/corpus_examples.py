"""A few documents that a corpus kept, and a few that each of its rules left out."""

from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from wellread.formats import tables
from wellread.formats.corpus_outcomes import KEPT, OUTCOMES, OUTCOMES_FILE

ROWS_READ = 50_000  # of the outcomes, so that the time does not grow with the corpus
KEPT_SHOWN, CHARACTERS = 3, 280


class Example(NamedTuple):
    """A text, or how it begins."""

    reason: str  # of a rule; empty: it was kept
    url: str
    detail: str  # what was measured
    text: str


class CorpusExamples(NamedTuple):
    kept: list[Example]
    dropped: list[Example]  # one for each reason among the first rows that has a text


def read_examples(corpus: Path) -> CorpusExamples:
    """Nothing where the corpus has none of its tables as Parquet."""
    outcomes = corpus / OUTCOMES_FILE
    rows = tables.read_rows([outcomes], OUTCOMES) if outcomes.is_file() else iter(())
    dropped: dict[str, Example] = {}
    for row in islice(rows, ROWS_READ):
        if row["outcome"] != KEPT and row["excerpt"] and row["reason"] not in dropped:
            said = (row["reason"], row["url"], row["detail"] or "", _beginning(row["excerpt"]))
            dropped[row["reason"]] = Example(*said)
    return CorpusExamples(list(_kept(corpus)), list(dropped.values()))


def _kept(corpus: Path) -> list[Example]:
    """The first documents of the first shard."""
    first = next(iter(sorted(corpus.glob("documents-*.parquet"))), None)
    if first is None:
        return []
    with pq.ParquetFile(first) as file:
        batches = file.iter_batches(batch_size=KEPT_SHOWN, columns=["url", "text"])
        rows = [row for batch in islice(batches, 1) for row in batch.to_pylist()]
    return [Example("", row["url"], "", _beginning(row["text"])) for row in rows]


def _beginning(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= CHARACTERS else words[:CHARACTERS].rsplit(" ", 1)[0] + " …"
