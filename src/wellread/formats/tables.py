"""Parquet with a named, versioned schema: what the formats of links, documents and items share."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from wellread.base.errors import InputError
from wellread.formats.sorting import Room, sort

FORMAT_KEY = b"wellread.format"
ROWS_PER_GROUP = 10_000


def schema(name: str, version: int, fields: Sequence[tuple[str, pa.DataType]]) -> pa.Schema:
    """A schema that carries its format's name and version into the file."""
    return pa.schema(list(fields), metadata={FORMAT_KEY: f"{name}/{version}".encode()})


class Groups(NamedTuple):
    """How large the row groups of a file become: so many rows, or so many bytes of `text`."""

    rows: int = ROWS_PER_GROUP
    text_bytes: int | None = None  # None: whatever they have
    compression: str = "zstd"


USUAL = Groups()


def write_rows(
    file: Any, wanted: pa.Schema, rows: Iterable[dict[str, Any]], groups: Groups = USUAL
) -> int:
    """Write `rows` to an open binary file; how many there were. Holds one row group in memory."""
    count = 0
    with pq.ParquetWriter(file, wanted, compression=groups.compression) as writer:
        for batch in batched(rows, groups.rows, groups.text_bytes):
            writer.write_table(pa.Table.from_pylist(batch, schema=wanted))
            count += len(batch)
    return count


def write_tables(file: Any, wanted: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """Write tables of the schema `wanted` to an open binary file, ROWS_PER_GROUP together."""
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(file, wanted, compression="zstd") as writer:
        for part in parts:
            waiting.append(part)
            if sum(map(len, waiting)) >= ROWS_PER_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def batched(rows: Iterable[Any], size: int, text_bytes: int | None = None) -> Iterator[list[Any]]:
    """Lists of `size` rows, or as soon as their `text` has so many bytes."""
    batch: list[Any] = []
    held = 0
    for row in rows:
        batch.append(row)
        if text_bytes is not None:
            held += len((row.get("text") or "").encode())
        if len(batch) == size or (text_bytes is not None and held >= text_bytes):
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file to be read from its beginning to its end in memory that does not grow.

    What pyarrow reads ahead (pre_buffer) it keeps until the file is closed.
    """
    return pq.ParquetFile(path, pre_buffer=False)


def open_table(path: Path, wanted: pa.Schema) -> pq.ParquetFile:
    """A Parquet file of the format `wanted`; a damaged or foreign file is an InputError."""
    try:
        file = open_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from None
    expected = wanted.metadata[FORMAT_KEY].decode()
    found = (file.schema_arrow.metadata or {}).get(FORMAT_KEY, b"no wellread format").decode()
    if found != expected:
        raise InputError(f"{path}: holds {found}, expected {expected}")
    return file


def read_rows(
    paths: Iterable[Path], wanted: pa.Schema, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of `paths` in order, as dictionaries of `columns` (default: all)."""
    for path in paths:
        with open_table(path, wanted) as file:
            for batch in file.iter_batches(columns=list(columns) if columns else None):
                yield from batch.to_pylist()


def num_rows(paths: Iterable[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)


def sorted_rows(
    rows: Iterable[dict[str, Any]], wanted: pa.Schema, order: str, folder: Path
) -> Iterator[dict[str, Any]]:
    """All `rows` of the schema `wanted` by `order`, as `sorting.sort` has it."""
    batches = (
        pa.RecordBatch.from_pylist(some, schema=wanted) for some in batched(rows, ROWS_PER_GROUP)
    )
    for batch in sort(batches, wanted, order, Room(folder, rows_at_a_time=ROWS_PER_GROUP)):
        yield from batch.to_pylist()
