"""Rows sorted on disk."""

from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from wellread.formats import tables

SCHEMA = tables.schema("pairs", 1, [("key", pa.string()), ("number", pa.int64())])


def test_rows_that_do_not_fit_in_memory_are_sorted_on_disk_and_keep_their_order(
    tmp_path: Path,
) -> None:
    rows = [{"key": f"{n * 7 % 10}", "number": n} for n in range(95)]
    for at_once in (10, 94, 95, 1000):
        found = tables.sorted_rows(rows, SCHEMA, itemgetter("key"), tmp_path, at_once=at_once)
        assert list(found) == sorted(rows, key=itemgetter("key"))  # which is stable
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_sorted_to_none(tmp_path: Path) -> None:
    assert list(tables.sorted_rows([], SCHEMA, itemgetter("key"), tmp_path)) == []
