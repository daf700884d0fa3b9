"""Common Crawl's columnar index: which of its rows are of the wanted links.

A crawl's index is some 300 Parquet files of about ten row groups each. Their footers say from which
key to which a row group reaches; only row groups that may hold a wanted key are read, and of them
first the column of keys. That ranges overlap, as those of crawls before 2022 do, costs time only
(github.com/commoncrawl/cc-index-table, issue 12).
"""

import gzip
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import write_bytes
from wellread.crawl.ranges import Absent, Part, RangeServer, RemoteFile
from wellread.formats import tables

# The names and meanings of columns: cc-index-schema-flat.json of cc-index-table.
KEY = "url_surtkey"
COLUMNS = (
    "url",
    "fetch_time",
    "fetch_status",
    "content_mime_type",
    "content_mime_detected",
    "warc_filename",
    "warc_record_offset",
    "warc_record_length",
)
TRUNCATED = "content_truncated"  # since CC-MAIN-2019-47
FOOTER_BYTES = 1 << 17  # those of 2022 have 57 kB; a longer one costs a second request
LISTING_BYTES = 1 << 24
ROWS_AT_ONCE = 1 << 16
GROUPS_AT_ONCE = 30  # of wanted rows
WANTED = tables.schema("wanted", 1, [("key", pa.string()), ("url", pa.string())])


class Wanted:
    """The links that are looked for: a table on disk in order of key, asked by range."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        ends = [self._ends(number) for number in range(self._file.num_row_groups)]
        self._lows, self._highs = ([end[side] for end in ends] for side in (0, 1))
        self._group = lru_cache(maxsize=8)(self._read_group)

    def close(self) -> None:
        self._file.close()

    def between(self, low: str, high: str) -> Iterator[pa.Table]:
        """The rows whose key is at least `low` and at most `high`, in tables that fit in memory."""
        groups = range(bisect_left(self._highs, low), bisect_right(self._lows, high))
        for some in tables.batched(groups, GROUPS_AT_ONCE):
            parts = []
            for number in some:
                keys, rows = self._group(number)
                start = bisect_left(keys, low)
                parts.append(rows.slice(start, bisect_right(keys, high) - start))
            found = pa.concat_tables(parts).combine_chunks()
            if len(found):
                yield found

    def _ends(self, number: int) -> tuple[str, str]:
        found = self._file.metadata.row_group(number).column(0).statistics
        if found.has_min_max:  # not written of keys above 4 kB
            return found.min, found.max
        keys, _ = self._read_group(number)
        return keys[0], keys[-1]

    def _read_group(self, number: int) -> tuple[list[str], pa.Table]:
        rows = self._file.read_row_group(number)
        return rows["key"].to_pylist(), rows


def index_files(server: RangeServer, crawl: str) -> list[str]:
    """The paths of the crawl's index files, as its listing has them."""
    listing = f"crawl-data/{crawl}/cc-index-table.paths.gz"
    try:
        packed = server.whole(listing, at_most=LISTING_BYTES)
    except Absent:
        raise InputError(
            f"crawl: no index of {crawl} at {server.base} (no {listing}); "
            "https://index.commoncrawl.org lists the crawls"
        ) from None
    try:
        paths = gzip.decompress(packed).decode().split()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise WellreadError(f"{server.base}{listing}: not a gzipped list ({error})") from None
    found = [path for path in paths if f"/crawl={crawl}/subset=warc/" in path]
    if not found:
        raise WellreadError(f"{server.base}{listing}: names no file of crawl={crawl}/subset=warc")
    return found


def read_footer(server: RangeServer, path: str, kept: Path) -> Part:
    """The end of an index file, its footer in it; from the file `kept` if it was read before."""
    if kept.exists():
        return msgspec.msgpack.decode(kept.read_bytes(), type=Part)
    try:
        end = server.tail(path, FOOTER_BYTES)
        needed = 8 + int.from_bytes(end.content[-8:-4], "little")
        if end.content[-4:] != b"PAR1" or needed > end.file_size:
            raise WellreadError(f"{server.base}{path}: no Parquet file (it does not end as one)")
        if needed > len(end.content):
            end = server.tail(path, needed)
    except Absent as error:
        raise WellreadError(f"{error}, though its crawl's listing names it") from None
    end = Part(end.content[-needed:], end.file_size)
    write_bytes(kept, msgspec.msgpack.encode(end))
    return end


def find_rows(server: RangeServer, path: str, end: Part, wanted: Wanted) -> Iterator[pa.Table]:
    """The rows of an index file whose `key` is wanted, a table for each row group that has some."""
    with _explaining_damage(server, path):
        metadata = pq.read_metadata(pa.BufferReader(end.content))
    columns = _columns(metadata, f"{server.base}{path}")
    open_file = partial(RemoteFile, server, path, end.file_size)
    for number in range(metadata.num_row_groups):
        if not _may_hold(metadata, number, wanted):
            continue
        with _explaining_damage(server, path):
            rows = _rows_of_group(open_file, metadata, number, wanted)
        if rows is not None:
            yield rows.select(["key", *columns])


def _may_hold(metadata: pq.FileMetaData, number: int, wanted: Wanted) -> bool:
    """Whether a row group may hold a wanted key; one without statistics may hold any."""
    statistics = metadata.row_group(number).column(metadata.schema.names.index(KEY)).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(True for _ in wanted.between(statistics.min, statistics.max))


def _columns(metadata: pq.FileMetaData, where: str) -> list[str]:
    names = metadata.schema.names
    if missing := [name for name in (KEY, *COLUMNS) if name not in names]:
        raise WellreadError(
            f"{where}: no column {', '.join(missing)}; expected Common Crawl's index of flat schema"
        )
    return [*COLUMNS, *([TRUNCATED] if TRUNCATED in names else [])]


def _rows_of_group(
    open_file: Callable[[], RemoteFile], metadata: pq.FileMetaData, number: int, wanted: Wanted
) -> pa.Table | None:
    """The rows of a row group with a wanted key; None if it has none."""
    places, keys = [], []
    for before, batch in _batches(open_file, metadata, number, [KEY]):
        here = batch.column(0).cast(pa.string())
        ends = pc.min_max(here).as_py()
        is_wanted = np.zeros(len(here), dtype=bool)
        for some in wanted.between(ends["min"], ends["max"]):
            is_wanted |= pc.is_in(here, value_set=some["key"]).to_numpy(zero_copy_only=False)
        found = np.flatnonzero(is_wanted)
        places.append(found + before)
        keys.append(here.take(pa.array(found)))
    wanted_places = np.concatenate([np.empty(0, np.int64), *places])
    if not len(wanted_places):
        return None
    parts = []
    columns = [name for name in (*COLUMNS, TRUNCATED) if name in metadata.schema.names]
    for before, batch in _batches(open_file, metadata, number, columns):
        first, last = np.searchsorted(wanted_places, [before, before + len(batch)])
        if last > first:
            taken = pa.array(wanted_places[first:last] - before)
            parts.append(pa.Table.from_batches([batch]).take(taken))
    return pa.concat_tables(parts).add_column(0, "key", pa.chunked_array(keys, pa.string()))


def _batches(
    open_file: Callable[[], RemoteFile],
    metadata: pq.FileMetaData,
    number: int,
    columns: list[str],
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Some columns of a row group, in batches, each with the number of rows before it.

    The reader asks for neighbouring columns in one request (pre_buffer), and keeps what it has
    read: hence one for each call.
    """
    with pq.ParquetFile(open_file(), metadata=metadata, pre_buffer=True) as file:
        before = 0
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[number], columns=columns):
            yield before, batch
            before += len(batch)


@contextmanager
def _explaining_damage(server: RangeServer, path: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:  # all say "these are no such bytes"
        reason = " ".join(str(error).split())
        raise WellreadError(f"{server.base}{path}: a damaged Parquet file ({reason})") from None
    except Absent as error:
        raise WellreadError(f"{error} in the middle of an index file; has it changed?") from None
