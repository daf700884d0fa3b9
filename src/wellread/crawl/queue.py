"""The links that wait, by host, on disk: memory for each host, none for its links.

`queue.txt` has a URL a line, in the order of the links' artifact: there the URLs of a host that
begin alike stand together, in one run for http and one for https.
"""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.urls import host_of
from wellread.crawl.journal import url_keys

QUEUE = "queue.txt"
READ_BYTES = 1024  # more than nearly every URL
ORIGIN = r"^([a-z]+://[^/?#]*).*"


class Run(NamedTuple):
    """Links of one origin that stand together."""

    host: str
    num_bytes: int  # of their lines
    num_links: int


def host_key(host: str) -> int:
    """64 bits by which a host is known, and ordered among equals."""
    return int.from_bytes(hashlib.blake2b(host.encode(), digest_size=8).digest(), "little")


def runs_of(urls: pa.StringArray) -> list[Run]:
    """The runs of sorted URLs, in their order."""
    origins = pc.run_end_encode(pc.replace_substring_regex(urls, ORIGIN, r"\1"))
    lengths = pc.binary_length(urls).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    ends = origins.run_ends.to_numpy()
    num_links = np.diff(ends, prepend=0)
    num_bytes = np.diff(lengths.cumsum()[ends - 1], prepend=0)
    return [
        Run(host_of(origin), int(size), int(count))
        for origin, size, count in zip(
            origins.values.to_pylist(), num_bytes, num_links, strict=True
        )
    ]


def without(urls: pa.StringArray, done: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> pa.Array:
    """Those of `urls` whose keys are not in `done`, which is sorted."""
    if not len(done) or not len(urls):
        return urls
    keys = url_keys(urls.to_pylist())
    found = np.minimum(np.searchsorted(done, keys), len(done) - 1)
    return urls.filter(pa.array(done[found] != keys))


class Cursor:
    """How far a host's links were read."""

    __slots__ = ("end", "left", "position", "run")

    def __init__(self, run: int = 0, left: int = 0) -> None:
        self.run, self.left = run, left  # the run to read next, the links that were not read
        self.position = self.end = 0  # in the run at hand


class Queue:
    """The file, and where in it the links of each host are."""

    def __init__(self, path: Path, runs: "np.ndarray[tuple[int], np.dtype[np.void]]") -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._runs = runs[np.argsort(runs["key"], kind="stable")]
        self._keys, self._first = np.unique(self._runs["key"], return_index=True)
        sums = np.concatenate(([0], self._runs["links"].cumsum(dtype=np.int64)))
        self._sizes = np.diff(sums[self._first], append=sums[-1])
        # Most links first: the host that takes longest must not be the last to begin.
        self._order = np.lexsort((self._keys, -self._sizes))
        self._is_begun = np.zeros(len(self._keys), bool)
        self.num_links = int(sums[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)

    @property
    def num_hosts(self) -> int:
        return len(self._keys)

    def nth(self, number: int) -> int:
        """The key of the host with the `number`th most links, from 0."""
        return int(self._keys[self._order[number]])

    def begin(self, key: int) -> Cursor:
        """Before a host's first link; the second time, and for strangers, one without links."""
        host = int(np.searchsorted(self._keys, np.uint64(key)))
        if host == len(self._keys) or self._keys[host] != key or self._is_begun[host]:
            return Cursor()
        self._is_begun[host] = True
        return Cursor(int(self._first[host]), int(self._sizes[host]))

    def host_at(self, cursor: Cursor) -> str:
        """The name of a host of which no link was read yet."""
        return host_of(self._line(int(self._runs[cursor.run]["start"])))

    def next(self, cursor: Cursor) -> str:
        """The host's next link, if it has one left."""
        if cursor.position == cursor.end:
            run = self._runs[cursor.run]
            cursor.run += 1
            cursor.position = int(run["start"])
            cursor.end = cursor.position + int(run["bytes"])
        url = self._line(cursor.position)
        cursor.position += len(url.encode()) + 1
        cursor.left -= 1
        return url

    def _line(self, position: int) -> str:
        size = READ_BYTES
        while b"\n" not in (line := os.pread(self._file, size, position)):
            size *= 4
        return line.partition(b"\n")[0].decode()


RUN = np.dtype([("key", "<u8"), ("start", "<i8"), ("bytes", "<i8"), ("links", "<i4")])


def write_queue(directory: Path, batches: Iterable[pa.StringArray]) -> Queue:
    """Put the URLs of `batches`, sorted, into the queue's file."""
    path = directory / QUEUE
    columns = {name: array("Q" if name == "key" else "q") for name in RUN.names or ()}
    position = 0
    with path.open("wb") as file:
        for urls in batches:
            if not len(urls):
                continue
            file.write(("\n".join(urls.to_pylist()) + "\n").encode())
            for run in runs_of(urls):
                values = (host_key(run.host), position, run.num_bytes, run.num_links)
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value)
                position += run.num_bytes
    runs = np.empty(len(columns["key"]), RUN)
    for name, column in columns.items():
        runs[name] = column
    return Queue(path, runs)


def by_host(batches: Iterable[pa.StringArray]) -> Iterator[tuple[str, int]]:
    """Hosts and numbers of links; a host may come more than once."""
    for urls in batches:
        if len(urls):
            for run in runs_of(urls):
                yield run.host, run.num_links
