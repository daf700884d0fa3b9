"""Documents as tables: Parquet, and the columns that stages read which make no objects."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import HashingWriter
from wellread.base.manifest import is_artifact, read_artifact
from wellread.base.text import without_surrogates
from wellread.formats import tables
from wellread.formats.documents import (
    PLANTED,
    STAGE,
    BadRecord,
    Document,
    documents_files,
    read_documents,
    read_shard,
    refuse,
    together,
)

SCHEMA = tables.schema(
    "documents",
    1,
    [
        ("url", pa.string()),
        ("domain", pa.string()),
        ("karma", pa.int64()),
        ("language", pa.string()),
        ("language_confidence", pa.float64()),
        ("split", pa.string()),
        ("text", pa.string()),
    ],
)
GROUPS = tables.Groups(rows=1_000, text_bytes=1 << 24)
COLUMN_ROWS = 256  # of `read_columns`: at WebText's 5 KB a document, 1.3 MB of text
COLUMN_LENGTH = 1 << 22  # characters after which there are fewer rows: lines may be of 10 MB

TEXT_KINDS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)


def write_table(file: HashingWriter, documents: Iterable[Document]) -> int:
    """Write `documents` to an open file as Parquet; how many there were."""
    return tables.write_rows(file, SCHEMA, map(msgspec.structs.asdict, documents), GROUPS)


def read_table(file: Path) -> Iterator[Document]:
    """The documents of a corpus artifact's shard."""
    return (Document(**row) for row in tables.read_rows([file], SCHEMA))


def read_table_splits(file: Path) -> Iterator[str]:
    """The split of each document of a corpus artifact's shard; nothing else is read."""
    return (row["split"] for row in tables.read_rows([file], SCHEMA, ["split"]))


def read_foreign_table(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    """The documents of anybody's Parquet file, which goes by `name` where it has no URLs."""
    for columns in _parquet_columns(path, name, bad):
        for url, text in zip(columns.urls.to_pylist(), columns.texts.to_pylist(), strict=True):
            yield Document(url=url, text=text)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Some documents in order, column by column: what a stage reads that makes no objects."""

    urls: pa.Array
    splits: pa.Array
    texts: pa.LargeStringArray


def read_columns(path: Path, bad: BadRecord = refuse) -> Iterator[Columns]:
    """The documents that `read_documents` gives, as columns of up to COLUMN_ROWS rows."""
    if is_artifact(path):
        read_artifact(path, STAGE, PLANTED)
        for file in documents_files(path):
            if file.suffix != ".parquet":
                yield from _columns_of(read_shard(file))
                continue
            with tables.open_table(file, SCHEMA) as opened:
                for batch in opened.iter_batches(COLUMN_ROWS, columns=["url", "split", "text"]):
                    yield _columns(batch["url"], batch["split"], batch["text"])
    elif path.suffix == ".parquet":
        yield from _parquet_columns(path, path.name, bad)
    else:
        yield from _columns_of(read_documents(path, bad))


def _columns_of(documents: Iterator[Document]) -> Iterator[Columns]:
    for some in together(documents, COLUMN_ROWS, COLUMN_LENGTH):
        yield _columns(
            pa.array([without_surrogates(d.url) for d in some], pa.string()),
            pa.array([d.split for d in some], pa.string()),
            [without_surrogates(d.text) for d in some],
        )


def _columns(urls: Any, splits: Any, texts: Any) -> Columns:
    if not isinstance(texts, pa.Array):
        texts = pa.array(texts, pa.large_string())
    return Columns(urls=urls, splits=splits, texts=texts.cast(pa.large_string()))


def parquet_files(corpus: Path) -> list[Path]:
    """The files of a corpus artifact, or `corpus`; an InputError if a cluster cannot read them."""
    if is_artifact(corpus):
        read_artifact(corpus, STAGE, PLANTED)
        files = documents_files(corpus)
        if any(path.suffix != ".parquet" for path in files):
            raise InputError(f"{corpus}: engine 'ray' needs a corpus in Parquet, not JSONL")
        return files
    if corpus.suffix != ".parquet":
        raise InputError(f"{corpus}: engine 'ray' reads a corpus artifact or a Parquet file")
    names = pq.read_schema(corpus).names
    if missing := [name for name in ("url", "text") if name not in names]:
        found = ", ".join(names)
        raise InputError(
            f"{corpus}: engine 'ray' needs a column {missing[0]!r}; its columns are {found}"
        )
    return [corpus]


def read_row_groups(file: Path, groups: Sequence[int], bad: BadRecord) -> Iterator[Columns]:
    """What `read_columns` gives of some row groups of one of the `parquet_files`."""
    with tables.open_parquet(file) as opened:
        wanted = [name for name in ("url", "split", "text") if name in opened.schema_arrow.names]
        for batch in opened.iter_batches(COLUMN_ROWS, row_groups=list(groups), columns=wanted):
            whole = batch.filter(batch["text"].is_valid())
            for _ in range(len(batch) - len(whole)):
                bad("text is not a string", str(file))
            splits = whole["split"] if "split" in wanted else pa.repeat("train", len(whole))
            yield _columns(whole["url"].cast(pa.string()), splits, whole["text"])


def _parquet_columns(path: Path, name: str, bad: BadRecord) -> Iterator[Columns]:
    number = 0
    for batch in _parquet_batches(path):
        names = batch.schema.names
        rows = range(number + 1, number + 1 + len(batch))
        number += len(batch)
        urls = (
            batch["url"].cast(pa.string()) if "url" in names else pa.nulls(len(batch), pa.string())
        )
        if urls.null_count or pc.any(pc.equal(urls, "")).as_py():
            given = zip(urls.to_pylist(), rows, strict=True)
            urls = pa.array([url or f"file:{name}#{row}" for url, row in given], pa.string())
        texts = batch["text"]
        if texts.null_count:
            whole = texts.is_valid()
            for row, is_text in zip(rows, whole.to_pylist(), strict=True):
                if not is_text:
                    bad("text is not a string", f"{path}, row {row}")
            urls, texts = urls.filter(whole), texts.filter(whole)
        yield _columns(urls, pa.repeat("train", len(urls)), texts)


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The columns `text` and `url` (if there is one); a WellreadError where the file is damaged."""
    try:
        with tables.open_parquet(path) as file:
            names = file.schema_arrow.names
            if "text" not in names:
                raise InputError(f"{path}: no column 'text'; its columns are {', '.join(names)}")
            kind = file.schema_arrow.field("text").type
            if not any(is_kind(kind) for is_kind in TEXT_KINDS):
                raise InputError(f"{path}: column 'text' has the type {kind}, expected strings")
            wanted = [name for name in ("text", "url") if name in names]
            yield from file.iter_batches(COLUMN_ROWS, columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise WellreadError(f"{path}: not a readable Parquet file ({error})") from None
