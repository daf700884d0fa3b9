"""One web address through a run: what each stage's artifact has of it, from links to results."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import MANIFEST, read_manifest
from wellread.base.urls import canonical_url
from wellread.formats import copying, corpus_outcomes, documents, links, overlap, pages, results
from wellread.formats.sorting import Room, named, query

SHOWN = 3  # rows of a file


class _Table(NamedTuple):
    stage: str
    files: str  # a pattern, within an artifact
    names: tuple[str, ...]  # columns that may name a page
    told: tuple[str, ...]  # columns


# In the order in which a page goes through them.
TABLES = (
    _Table(links.STAGE, "links-*.parquet", ("url",), ("karma", "submissions", "subreddit")),
    _Table(pages.STAGE, pages.OUTCOMES_FILE, ("url", "redirected_to"),
           ("outcome", "status", "num_bytes", "redirected_to")),
    _Table(documents.STAGE, corpus_outcomes.OUTCOMES_FILE, ("url",),
           ("outcome", "reason", "detail")),
    _Table(documents.STAGE, "documents-*.parquet", ("url",), ("split", "text")),
    _Table(documents.PLANTED, "documents-*.parquet", ("url",), ("split", "text")),
    _Table(results.STAGE, "*.parquet", ("item", "unit"), ("item", "value")),
    _Table(overlap.STAGE, "items.parquet", ("item", "unit"),
           ("test_set", "item", "num_ngrams", "num_found")),
    _Table(copying.STAGE, copying.TEXTS_FILE, ("url", "item"),
           ("model", "item", "kind", "num_ngrams", "num_found", "longest_words", "url")),
    _Table(copying.STAGE, copying.PROBES_FILE, ("url",),
           ("model", "split", "num_matching", "num_tokens", "num_documents")),
)  # fmt: skip


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a file of an artifact that name the page."""

    stage: str
    path: Path
    num_rows: int
    rows: list[dict[str, Any]]  # the first ones, and of them what tells most; nulls left out


def follow(run: Path, url: str) -> list[Sighting]:
    """What the artifacts in `run` have of a page, under this address or where it redirects to.

    That none has it is an InputError.
    """
    artifacts = sorted(found.parent for found in run.glob(f"**/{MANIFEST}"))
    if not artifacts:
        raise InputError(f"{run}: no finished artifact in it; name a run of `wellread run`")
    names = list(dict.fromkeys([url, canonical_url(url) or url]))
    stages = {folder: read_manifest(folder).stage for folder in artifacts}
    found: list[Sighting] = []
    with tempfile.TemporaryDirectory() as folder:
        for table in TABLES:
            for artifact in (one for one in artifacts if stages[one] == table.stage):
                for file in sorted(artifact.glob(table.files)):
                    found += _sightings(table, file, names, Room(Path(folder)))
            if table.stage == pages.STAGE:
                names += [row["redirected_to"] for one in found for row in one.rows
                          if row.get("redirected_to") not in (None, *names)]  # fmt: skip
    if not found:
        raise InputError(
            f"{run}: nothing in it names {url}; why it is no link says "
            f"`wellread links DUMPS --explain {url}`"
        )
    return found


def _sightings(table: _Table, file: Path, names: list[str], room: Room) -> Iterator[Sighting]:
    is_named = " OR ".join(f"list_contains($names, {column})" for column in table.names)
    sql = f"SELECT {', '.join(table.told)} FROM read_parquet($files) WHERE {is_named}"
    rows = [
        {key: value for key, value in row.items() if value is not None}
        for batch in query(sql, {"names": names, "files": named([file])}, room)
        for row in batch.to_pylist()
    ]
    if rows:
        yield Sighting(stage=table.stage, path=file, num_rows=len(rows), rows=rows[:SHOWN])
