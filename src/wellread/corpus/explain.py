"""Why a page is in a corpus or is not, and what a rule left out, by examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.base.suggest import did_you_mean
from wellread.base.urls import canonical_url
from wellread.formats.corpus_outcomes import KEPT, OUTCOMES, OUTCOMES_FILE
from wellread.formats.document_tables import SCHEMA
from wellread.formats.documents import STAGE, Document, documents_files, read_corpus
from wellread.formats.sorting import named
from wellread.formats.tables import open_table

SHOWN = 300  # characters of a document's beginning
ALIKE = 0.9  # least Jaro-Winkler similarity of an address that may have been meant

# As an SQL condition on a record, and what its "?" stand for.
Condition = tuple[str, list[str]]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one page or document of the input."""

    url: str
    outcome: str
    reason: str
    detail: str | None
    num_bytes: int
    beginning: str | None  # None: there was no text
    split: str | None = None  # None: not kept


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    what: str  # as the records have it: an address, an outcome, the beginning of reasons
    found: int  # records
    num_in: int  # records in all
    num_bytes: int  # of the text of those found
    reasons: dict[str, int]  # of those found, most first
    records: list[Record]  # some


def explain(corpus: Path, what: str, *, examples: int = 5) -> Explanation:
    """Look up an address, or else the name of an outcome, or else the beginning of reasons.

    Up to `examples` records are shown, chosen by a hash of their addresses: the same each time,
    and not those that come first.
    """
    if examples < 1:
        raise InputError(f"{examples} examples: expected 1 or more")
    read_artifact(corpus, STAGE)
    path = corpus / OUTCOMES_FILE
    if not path.is_file():
        raise InputError(f"{corpus}: has no {OUTCOMES_FILE}; make the corpus again")
    open_table(path, OUTCOMES).close()
    with duckdb.connect() as database:
        records = database.read_parquet(named([path]))
        records.create_view("records")
        for known, condition in _readings(what):
            if found := _found(database, known, condition, examples):
                return msgspec.structs.replace(found, records=_with_texts(corpus, found.records))
        raise InputError(_unknown(database, corpus, what))


def _readings(what: str) -> list[tuple[str, Condition]]:
    """What `what` may mean, the likeliest first."""
    spellings = list(dict.fromkeys([what, canonical_url(what) or what]))
    return [
        *((url, ("url = ?", [url])) for url in spellings),
        (what, ("outcome = ?", [what])),
        (what, ("starts_with(lower(reason), lower(?))", [what])),
    ]


def _found(
    database: duckdb.DuckDBPyConnection, what: str, condition: Condition, examples: int
) -> Explanation | None:
    where, values = condition

    def rows(query: str) -> list[Any]:
        return database.execute(query, values).fetchall()

    reasons = rows(
        "SELECT reason, count(*), sum(num_bytes) FROM records "
        f"WHERE {where} GROUP BY reason ORDER BY count(*) DESC, reason"
    )
    if not reasons:
        return None
    chosen = rows(
        "SELECT url, outcome, reason, detail, num_bytes, excerpt FROM records "
        f"WHERE {where} ORDER BY md5(url), url, outcome, detail LIMIT {examples}"
    )
    total = database.execute("SELECT count(*) FROM records").fetchall()[0][0]
    names = ("url", "outcome", "reason", "detail", "num_bytes", "beginning")
    return Explanation(
        what=what,
        found=sum(number for _, number, _ in reasons),
        num_in=total,
        num_bytes=int(sum(size or 0 for _, _, size in reasons)),
        reasons={reason: number for reason, number, _ in reasons},
        records=[Record(**dict(zip(names, row, strict=True))) for row in chosen],
    )


def _with_texts(corpus: Path, records: Sequence[Record]) -> list[Record]:
    """Those kept with their split and beginning, which only the corpus itself has."""
    documents = _documents(corpus, [record.url for record in records if record.outcome == KEPT])
    return [
        msgspec.structs.replace(record, split=found.split, beginning=found.text[:SHOWN])
        if record.outcome == KEPT and (found := documents.get(record.url))
        else record
        for record in records
    ]


def _documents(corpus: Path, urls: Sequence[str]) -> dict[str, Document]:
    """The documents that have these addresses."""
    files = documents_files(corpus)
    if not urls:
        return {}
    if files[0].suffix != ".parquet":
        return {found.url: found for found in read_corpus(corpus) if found.url in urls}
    places = ", ".join("?" * len(urls))  # IN: row groups whose statistics exclude all are skipped
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT {', '.join(SCHEMA.names)} FROM read_parquet(?) WHERE url IN ({places})",
            [named(files), *urls],
        ).fetchall()
    found = [Document(**dict(zip(SCHEMA.names, row, strict=True))) for row in rows]
    return {document.url: document for document in found}


def _unknown(database: duckdb.DuckDBPyConnection, corpus: Path, what: str) -> str:
    """The sentence for what nothing bears as address, outcome or reason."""
    if canonical_url(what) or what.startswith("file:"):
        near = database.execute(
            "SELECT url FROM records WHERE jaro_winkler_similarity(url, $what) >= $least "
            "ORDER BY jaro_winkler_similarity(url, $what) DESC, url LIMIT 1",
            {"what": what, "least": ALIKE},
        ).fetchall()
        meant = f"; did you mean {near[0][0]}?" if near else ""
        return f"{what}: not among the records that {corpus} was made of{meant}"
    outcomes = database.execute(
        "SELECT outcome, count(*) FROM records GROUP BY outcome ORDER BY count(*) DESC, outcome"
    ).fetchall()
    meant = did_you_mean(what, [name for name, _ in outcomes])
    listed = ", ".join(f"{name} ({number:,})" for name, number in outcomes)
    return (
        f"{what}: no address, outcome or beginning of a reason in {corpus}{meant}; "
        f"its outcomes are {listed}"
    )
