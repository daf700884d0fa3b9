"""The verdict on each document that was compared, and those that stay in order of URL.

A shuffle: rows come in the order of the input, and go to one of some hundred files by the place
that they will have; then each file is small enough to be put in order in memory, however long its
texts are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from wellread.corpus.config import CorpusConfig
from wellread.corpus.distinct import NO_KARMA, OUTCOMES, Distinct, Verdict
from wellread.formats import tables
from wellread.formats.corpus_outcomes import KEPT
from wellread.formats.document_tables import SCHEMA
from wellread.formats.documents import SPLITS, Document

PROTECTED = ("protected", "shares 8-grams with protected texts")
BUCKET_BYTES = 1 << 26  # of text, that are put in order together
BUCKETS = 500  # at most, as so many files are open at once
WAITING_BYTES = 1 << 19  # of text, held for each of them
TAKEN = 64  # documents that come out of one together
PLACED = pa.schema([("place", pa.int64()), *SCHEMA])
LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


class Decision(NamedTuple):
    """What is decided of a document; `row` is of clean.schema."""

    place: int  # in order of URL
    best: int  # the ID of the document in whose stead it is left out, or its own
    outcome: str
    reason: str
    detail: str | None
    document: Document
    row: dict[str, Any]


def decisions(cleaned: Sequence[Path], found: Distinct, config: CorpusConfig) -> Iterator[Decision]:
    """Of all documents that `distinct` compared, in the order of the files."""
    order = np.argsort(found.ids)
    sorted_ids = found.ids[order]
    columns = [name for name in pq.read_schema(cleaned[0]).names if name != "signature"]
    for path in cleaned:
        with tables.open_parquet(path) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=columns).to_pylist()
                documents = [row for row in rows if row["text"] is not None]
                ids = np.array([row["id"] for row in documents], np.int64)
                places = order[np.searchsorted(sorted_ids, ids)].tolist()
                for place, row in zip(places, documents, strict=True):
                    yield _decision(place, row, found, config)


def _decision(place: int, row: dict[str, Any], found: Distinct, config: CorpusConfig) -> Decision:
    main = row["languages"][0]
    karma = int(found.karma[place])
    document = Document(
        url=row["url"],
        text=row["text"],
        domain=row["domain"],
        karma=None if karma == NO_KARMA else karma,
        language=main["code"],
        language_confidence=main["share"],
        split=SPLITS[found.splits[place]],
    )
    outcome, reason, detail = KEPT, KEPT, None
    verdict = Verdict(found.verdicts[place])
    if verdict != Verdict.STAYS:
        outcome, reason = OUTCOMES[verdict]
    elif document.split == "train" and row["shared"] >= config.protected_ngrams:
        detail = f"{row['shared']:,} 8-grams"
        if config.protection == "drop":
            outcome, reason = PROTECTED
    return Decision(place, int(found.best[place]), outcome, reason, detail, document, row)


class InOrder:
    """Takes documents with their places, and gives them in order of these."""

    def __init__(self, folder: Path, found: Distinct) -> None:
        folder.mkdir()
        ends = np.cumsum(np.where(found.verdicts == Verdict.STAYS, found.num_bytes, 0))
        total = int(ends[-1]) if len(ends) else 0
        self._buckets = ends // max(BUCKET_BYTES, total // BUCKETS + 1)
        number = int(self._buckets[-1]) + 1 if len(ends) else 0
        self._paths = [folder / f"{bucket:03}.arrows" for bucket in range(number)]
        self._files = [pa.ipc.new_stream(path, PLACED, options=LZ4) for path in self._paths]
        self._waiting: list[list[dict[str, Any]]] = [[] for _ in self._files]
        self._bytes = [0] * len(self._files)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def add(self, place: int, document: Document, num_bytes: int) -> None:
        bucket = int(self._buckets[place])
        self._waiting[bucket].append({"place": place} | msgspec.structs.asdict(document))
        self._bytes[bucket] += num_bytes
        if self._bytes[bucket] >= WAITING_BYTES:
            self._flush(bucket)

    def _flush(self, bucket: int) -> None:
        self._files[bucket].write(pa.RecordBatch.from_pylist(self._waiting[bucket], schema=PLACED))
        self._waiting[bucket], self._bytes[bucket] = [], 0

    def documents(self) -> Iterator[Document]:
        """All that were added, when no more will be."""
        for bucket, path in enumerate(self._paths):
            self._flush(bucket)
            self._files[bucket].close()
            with pa.OSFile(str(path)) as file:
                table = pa.ipc.open_stream(file).read_all()
            path.unlink()
            order = np.argsort(table["place"].to_numpy())
            table = table.drop_columns("place").combine_chunks()
            for start in range(0, len(order), TAKEN):
                for row in table.take(order[start : start + TAKEN]).to_pylist():
                    yield Document(**row)
