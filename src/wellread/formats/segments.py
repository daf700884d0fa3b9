"""The files of an artifact of pages: `pages-NNNNN.warc.gz`, each of about a gigabyte."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from wellread.formats.pages import Page
from wellread.formats.warc import Fields, encode_page, read_info, warcinfo

SEGMENT_BYTES = 1 << 30  # a WARC file of about 1 GB: the standard's recommendation, annex C
PATTERN = "pages-*.warc.gz"


class Place(NamedTuple):
    """Where a page's records lie."""

    segment: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def segment_name(number: int) -> str:
    return f"pages-{number:05}.warc.gz"


def segment_files(directory: Path) -> list[Path]:
    return sorted(directory.glob(PATTERN))


class SegmentWriter:
    """Appends pages; what lies in `directory` behind the place `after` is cut off first.

    `about` is said of the pages at the head of each file.
    """

    def __init__(
        self,
        directory: Path,
        after: Place | None = None,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        about: Fields = (),
    ) -> None:
        self._directory, self._segment_bytes, self._about = directory, segment_bytes, about
        self.digests: dict[int, str] = {}  # SHA-256 of the segments that this writer filled
        number = after.segment if after else 0
        for path in segment_files(directory):
            if path.name > segment_name(number):
                path.unlink()
        self._open(number, after.end if after else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._length == 0:
            self._path.unlink()

    def append(self, page: Page) -> Place:
        """Write a page's records; on return the system has them."""
        if self._length >= self._segment_bytes:
            self._close_full()
            self._open(self._number + 1, 0)
        if self._length == 0:
            self._info, head = warcinfo(self._path.name, page, self._about)
            self._write(head)
        records = encode_page(page, self._info)
        place = Place(self._number, self._length, len(records))
        self._write(records)
        return place

    def sync(self) -> None:
        """Return when what was written outlives a loss of power."""
        os.fdatasync(self._file.fileno())

    def _open(self, number: int, length: int) -> None:
        self._path = self._directory / segment_name(number)
        self._file: BinaryIO = self._path.open("ab", buffering=0)
        self._file.truncate(length)
        self._number, self._length = number, length
        self._hash = hashlib.sha256() if length == 0 else None  # None: it was begun by another
        self._info = read_info(self._path) if length else ""

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) :]
        self._length += len(content)
        if self._hash is not None:
            self._hash.update(content)

    def _close_full(self) -> None:
        self.sync()
        self._file.close()
        if self._hash is not None:
            self.digests[self._number] = self._hash.hexdigest()
