"""What a crawl has done so far, on disk, so that a killed one goes on where it was.

A page's records are appended to the segments of the artifact; then `journal.jsonl` gets a line with
the link's outcome and where the records lie. Records without their line are as good as not there:
they are cut off, and the link is fetched again. A thread writes: packing takes as long as fetching.
"""

import fcntl
import hashlib
import mmap
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
import numpy as np

from wellread.formats.pages import Outcome, Page
from wellread.formats.segments import (
    SEGMENT_BYTES,
    Place,
    SegmentWriter,
    segment_files,
    segment_name,
)
from wellread.formats.warc import Fields

JOURNAL, DIGESTS = "journal.jsonl", "digests.jsonl"
SYNC_SECONDS = 5.0  # at most so much is lost with the machine's power; nothing with the process
MAX_WAITING, MAX_WAITING_BYTES = 256, 1 << 26  # pages that wait for the thread; or `add` waits


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the journal."""

    outcome: Outcome
    length: int = 0  # of the page's records, which the outcome says where to find; 0: no page

    @property
    def place(self) -> Place | None:
        if self.outcome.segment is None or self.outcome.offset is None:
            return None
        return Place(self.outcome.segment, self.outcome.offset, self.length)


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """Of a segment that is full."""

    segment: int
    sha256: str


def nobody(_: Sequence[Outcome]) -> None:
    """For whom it is enough to know at the end."""


class Journal:
    """The journal of the crawl in `directory`, open for more.

    `written` is told, in the thread, of outcomes that a kill cannot take away any more, and called
    with none when the disk refuses. `warning` says what was lost, where more was than a kill takes.
    """

    def __init__(
        self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES, about: Fields = ()
    ) -> None:
        self._directory = directory
        self.written: Callable[[Sequence[Outcome]], None] = nobody
        self._lines: BinaryIO = (directory / JOURNAL).open("ab", buffering=0)
        # Guards the files against a child whose parent was killed and that is still ending.
        fcntl.flock(self._lines, fcntl.LOCK_EX)
        length, last, self.warning = _sound(directory)
        self._lines.truncate(length)
        _forget_digests(directory, last.segment if last else 0)
        self._segments = SegmentWriter(directory, last, segment_bytes=segment_bytes, about=about)
        self._synced_at = time.monotonic()
        self._error: Exception | None = None
        self._waiting: deque[tuple[Outcome, Page | None]] = deque()
        self._waiting_bytes = 0
        self._is_closing = False
        self._changed = threading.Condition()  # guards the four above
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        self._segments.__exit__(None, None, None)
        self._lines.close()
        if kind is None:
            self.check()

    def add(self, outcome: Outcome, page: Page | None = None) -> None:
        """Note what became of a link; its page, if any, is on disk before the line is."""
        with self._changed:
            while self._is_full and self._error is None:
                self._changed.wait()
            self.check()
            self._waiting.append((outcome, page))
            self._waiting_bytes += len(page.body) if page else 0
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES

    def check(self) -> None:
        """Raise what kept the thread from writing."""
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                outcomes = self._write(batch)
            except Exception as error:  # noqa: BLE001  # such as a full disk; who adds hears of it
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                self.written([])
                return
            self.written(outcomes)

    def _next_batch(self) -> list[tuple[Outcome, Page | None]]:
        """What waits; empty when the journal is being closed and nothing does."""
        with self._changed:
            while not self._waiting and not self._is_closing:
                self._changed.wait()
            batch = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        return batch

    def _write(self, batch: Sequence[tuple[Outcome, Page | None]]) -> list[Outcome]:
        lines, outcomes = [], []
        for outcome, page in batch:
            length = 0
            if page is not None:
                place = self._segments.append(page)
                length = place.length
                outcome = msgspec.structs.replace(  # noqa: PLW2901
                    outcome, segment=place.segment, offset=place.offset
                )
            lines.append(msgspec.json.encode(Entry(outcome=outcome, length=length)) + b"\n")
            outcomes.append(outcome)
        _write_all(self._lines, b"".join(lines))
        if self._segments.digests:
            self._note_digests()
        if time.monotonic() - self._synced_at > SYNC_SECONDS:
            self._segments.sync()  # first: a line must not outlive its records
            os.fdatasync(self._lines.fileno())
            self._synced_at = time.monotonic()
        return outcomes

    def _note_digests(self) -> None:
        with (self._directory / DIGESTS).open("ab") as file:
            for segment, sha256 in self._segments.digests.items():
                file.write(msgspec.json.encode(Digest(segment=segment, sha256=sha256)) + b"\n")
        self._segments.digests.clear()


def _write_all(file: BinaryIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _sound(directory: Path) -> tuple[int, Place | None, str | None]:
    """How much of the journal holds, the place of the last page that it names, and a warning.

    A kill may leave part of a line, and a loss of power lines whose records are not there, or bytes
    that are no line.
    """
    path = directory / JOURNAL
    length, damaged = _legible(path)
    warning, last = None, None
    if damaged is not None:
        warning = f"{path}:{damaged}: no line of a journal; it and what follows is fetched again"
    for start, line in _lines_backwards(path, length):
        place = msgspec.json.decode(line, type=Entry).place
        if place is not None:
            if _is_whole(directory, place):
                last = place
                break
            length = start
    return length, last, warning


def _legible(path: Path) -> tuple[int, int | None]:
    """How many bytes are whole lines that can be read, and the number of the first that cannot."""
    length, decoder = 0, msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                decoder.decode(line)
            except msgspec.DecodeError:
                return length, number
            length += len(line)
    return length, None


def _lines_backwards(path: Path, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines of the first `end` bytes of a file, the last first, each with where it begins."""
    if end == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while end > 0:
            start = content.rfind(b"\n", 0, end - 1) + 1
            yield start, content[start:end]
            end = start


def _is_whole(directory: Path, place: Place) -> bool:
    path = directory / segment_name(place.segment)
    if not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(place.offset)
        rest = file.read(place.length)
    if len(rest) < place.length:
        return False
    while rest:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
        try:
            unpacker.decompress(rest)
        except zlib.error:
            return False
        if not unpacker.eof:
            return False
        rest = unpacker.unused_data
    return True


def _forget_digests(directory: Path, segment: int) -> None:
    """Those of `segment`, which may grow again, and of what came after it."""
    kept = [d for d in _read_digests(directory) if d.segment < segment]
    (directory / DIGESTS).write_bytes(b"".join(msgspec.json.encode(d) + b"\n" for d in kept))


def _read_digests(directory: Path) -> Iterator[Digest]:
    path = directory / DIGESTS
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            with suppress(msgspec.DecodeError):  # a digest that is lost is computed again
                yield msgspec.json.decode(line, type=Digest)


def full_segments(directory: Path) -> dict[str, str]:
    """The SHA-256 of segments that will not grow, by name, as far as they are known."""
    names = {path.name for path in segment_files(directory)}
    found = {segment_name(d.segment): d.sha256 for d in _read_digests(directory)}
    return {name: sha256 for name, sha256 in found.items() if name in names}


def read_journal(directory: Path) -> Iterator[Entry]:
    """The entries in the order in which they came; none if nothing was fetched yet."""
    path = directory / JOURNAL
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def url_key(url: str) -> int:
    """64 bits that stand for a URL where millions are remembered.

    Of WebText's 45 million some two share them with a chance of 1 in 18,000: n^2 / 2^65.
    """
    return int.from_bytes(hashlib.blake2b(url.encode(), digest_size=8).digest(), "little")


def url_keys(urls: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    return np.fromiter(map(url_key, urls), np.uint64, len(urls))


def done_keys(directory: Path) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Of all links that have an outcome, sorted: 8 bytes each."""
    keys = np.fromiter((url_key(e.outcome.url) for e in read_journal(directory)), np.uint64)
    keys.sort()
    return keys


def delete_journal(directory: Path) -> None:
    for name in (JOURNAL, DIGESTS):
        (directory / name).unlink(missing_ok=True)
