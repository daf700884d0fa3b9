"""Rows in order, however many: DuckDB sorts them, on disk where they do not fit into its memory."""

import contextlib
import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

MEMORY = "512MB"
ROWS_AT_A_TIME = 100_000


class Room(NamedTuple):
    """What a sort may use."""

    folder: Path  # for what does not fit into memory; need not exist
    threads: int = 1
    memory: str = MEMORY
    rows_at_a_time: int = ROWS_AT_A_TIME  # that come out together


def _connect(room: Room) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": room.threads,
        "memory_limit": room.memory,
        "temp_directory": str(room.folder),
        "preserve_insertion_order": False,
    }
    database = duckdb.connect(config=settings)
    database.execute("SET enable_progress_bar = false")  # ours is shown
    return database


def named(files: Sequence[Path]) -> list[str]:
    """Files as DuckDB's readers take them, which would see patterns in names like `out[1]`."""
    return [glob.escape(str(file)) for file in files]


def query(sql: str, given: Mapping[str, Any], room: Room) -> Iterator[pa.RecordBatch]:
    """What a query of DuckDB gives; its parameters are `$name`."""
    with contextlib.closing(_connect(room)) as database:
        yield from database.sql(sql, params=dict(given)).to_arrow_reader(room.rows_at_a_time)


def sort(
    rows: Iterable[pa.RecordBatch], wanted: pa.Schema, order: str, room: Room
) -> Iterator[pa.RecordBatch]:
    """Rows of the schema `wanted` by `order`, expressions of SQL; strings by their bytes.

    In what order equal rows come is not said. An error of `rows` is raised as it is.
    """
    failed: list[BaseException] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from rows
        except BaseException as error:
            failed.append(error)
            raise

    with contextlib.closing(_connect(room)) as database:
        unsorted = pa.RecordBatchReader.from_batches(wanted, watched())
        database.register("unsorted", unsorted)
        try:
            ordered = database.sql(f"SELECT * FROM unsorted ORDER BY {order}")
            for batch in ordered.to_arrow_reader(room.rows_at_a_time):
                yield batch.cast(wanted)
        except (duckdb.Error, RuntimeError, pa.ArrowException):
            if failed:  # it comes back as an error of the database's
                raise failed[0] from None
            raise
