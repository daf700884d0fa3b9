"""Rows sorted on disk, and Parquet read piece by piece."""

import subprocess
import sys
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wellread.base.seeds import generator
from wellread.formats import tables
from wellread.formats.sorting import Room, sort

SCHEMA = tables.schema("pairs", 1, [("key", pa.string()), ("number", pa.int64())])


def test_rows_are_sorted_by_the_bytes_of_their_strings(tmp_path: Path) -> None:
    keys = ["", "a", "B", "\u00e9", "\U0001f600", "\uffff", "aa", "a\0b"]
    numbers = generator(0, "rows").integers(9, size=(30_000, 2)).tolist()
    rows = [{"key": keys[k % len(keys)], "number": n} for k, n in numbers]
    found = tables.sorted_rows(rows, SCHEMA, "key, number", tmp_path)
    assert list(found) == sorted(rows, key=itemgetter("key", "number"))


def test_rows_that_do_not_fit_in_memory_are_sorted_on_disk(tmp_path: Path) -> None:
    keys = [f"{n:0200}" for n in generator(0, "rows").permutation(200_000).tolist()]
    batches = [
        pa.RecordBatch.from_pydict({"key": some, "number": range(len(some))}, schema=SCHEMA)
        for some in tables.batched(keys, 10_000)
    ]
    found, has_spilled = [], False
    for batch in sort(batches, SCHEMA, "key", Room(tmp_path / "room", memory="48MB")):
        found += batch["key"].to_pylist()
        has_spilled |= any((tmp_path / "room").iterdir())
    assert has_spilled
    assert found == sorted(keys)


def test_no_rows_are_sorted_to_none(tmp_path: Path) -> None:
    assert list(tables.sorted_rows([], SCHEMA, "key", tmp_path)) == []


def test_an_error_of_the_rows_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        list(tables.sorted_rows(({"key": str(1 // n)} for n in (1, 0)), SCHEMA, "key", tmp_path))


READ = """
import sys, pathlib, psutil
from wellread.formats.documents import read_documents
memory, peaks = psutil.Process(), []
for path in sys.argv[1:]:
    peaks.append(max(memory.memory_info().rss for _ in read_documents(pathlib.Path(path))))
print(peaks[1] - peaks[0])
"""


def test_a_parquet_file_is_read_in_memory_that_does_not_grow_with_it(tmp_path: Path) -> None:
    letters, schema = generator(0, "letters"), pa.schema([("text", pa.string())])
    paths = tmp_path / "few.parquet", tmp_path / "many.parquet"
    for path, count in zip(paths, (300, 1500), strict=True):
        with pq.ParquetWriter(path, schema) as writer:
            for _ in range(count):
                text = letters.integers(32, 127, 100_000, dtype=np.uint8).tobytes().decode("ascii")
                writer.write_table(pa.table([[text]], schema=schema))
    done = subprocess.run([sys.executable, "-c", READ, *paths], capture_output=True, check=True)
    assert int(done.stdout) < 80_000_000  # of 120 MB more; read ahead it is 160
