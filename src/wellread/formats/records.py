"""The whole records of a WARC or ARC file, past whatever is damaged in it."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedIOBase
from typing import BinaryIO, TypeVar

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import DecompressingBufferedReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeadersParserException

T = TypeVar("T")
Read = Callable[[ArcWarcRecord], T]
Damaged = Callable[[int, Exception], None]
GZIP = b"\x1f\x8b"
MEMBER, PLAIN = re.compile(GZIP + rb"\x08"), re.compile(rb"WARC/\d\.\d+\r?\n")  # how records begin
MARK_BYTES = 16  # more than a mark has
SEARCH_BYTES = 1 << 20
PACKED_BYTES = 1 << 12  # unpacked together by warcio, to a thousand times as much at the worst


class Cut(ValueError):
    """A record that ends before the length that its header promises, or goes on after it."""


# What warcio raises on bytes that are no record: a missing target, a status that is no number,
# a gzip member that ends early.
DAMAGE = (
    ArchiveLoadFailed,
    AttributeError,
    EOFError,
    OSError,
    StatusAndHeadersParserException,
    ValueError,
    zlib.error,
)


class EndsEarly:
    """A file as if it ended at `end`."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end = file, end
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        room = max(self._end - self._file.tell(), 0)
        return self._file.read(room if size < 0 else min(size, room))


class _Reader(DecompressingBufferedReader):  # type: ignore[misc]
    """warcio's, which would print the error of a damaged member and pass over all that follows."""

    def _decompress(self, data: bytes) -> bytes:
        return self.decompressor.decompress(data) if self.decompressor and data else data


class Archive(ArchiveIterator):  # type: ignore[misc]
    """The records of `file` from `start`; `begin` is where the one at hand does."""

    INC_RECORD = ""  # it would warn on stderr, between a progress bar's lines

    def __init__(self, file: BufferedIOBase, start: int) -> None:
        file.seek(start)
        beginning = file.read(5)
        file.seek(start)
        super().__init__(file, no_record_parse=True, arc2warc=True)
        form = "gzip" if beginning.startswith(GZIP) else None
        self.reader = _Reader(file, block_size=PACKED_BYTES, decomp_type=form)
        self.begin = start
        self.is_plain_warc = beginning == b"WARC/"


def whole_records(archive: Archive, read: Read[T]) -> Iterator[tuple[int, T]]:
    """Where each record begins, and what `read(record)` makes of it.

    One of DAMAGE at the first that is not whole, for which `read` was called all the same.
    """
    for record in archive:
        found = read(record)
        _finish(archive, record)
        begin, archive.begin = archive.begin, max(archive.begin, archive.offset)
        yield begin, found


def walk(
    file: BufferedIOBase, mark: re.Pattern[bytes], start: int, read: Read[T], damaged: Damaged
) -> Iterator[tuple[int, T]]:
    """As `whole_records`, going on by `mark` after what is `damaged`.

    A piece of a file that ends where a whole record begins gives what the file gives there.
    """
    place: int | None = start
    while place is not None:
        archive = Archive(file, place)
        try:
            yield from whole_records(archive, read)
            file.seek(archive.begin)
            if not file.read(1):
                return
            raise Cut  # warcio ends without a word there
        except DAMAGE as error:
            damaged(archive.begin, error)
            place = _next_record(file, mark, archive.begin + 1)


def _finish(archive: Archive, record: ArcWarcRecord) -> None:
    """Read what is left of a record, without which nothing is known of it; Cut, or of DAMAGE."""
    if record.length is None:
        raise ValueError("no Content-Length") if record.raw_stream.read(1) else Cut
    archive.read_to_end()
    address = record.rec_headers.get_header("WARC-Target-URI") or ""
    if record.raw_stream.limit > 0 or archive.err_count:
        raise Cut(address)
    member, following = archive.reader.decompressor, archive.next_line
    if member is not None and following is None and not member.eof:
        raise Cut(address)
    if archive.is_plain_warc and following is not None and not following.startswith(b"WARC/"):
        begin, num_bytes = archive.member_info
        if archive.offset - begin - num_bytes < len(b"\r\n\r\n"):
            raise Cut(address)  # else it is the next one that is damaged


def mark_of(file: BufferedIOBase) -> re.Pattern[bytes] | None:
    """By what the records of an archive are found; None: it is none."""
    for num_bytes in (PACKED_BYTES, SEARCH_BYTES):  # more if the first record is damaged
        file.seek(0)
        beginning = file.read(num_bytes)
        if beginning.startswith((b"WARC/", b"filedesc:")):
            return PLAIN
        for found in MEMBER.finditer(beginning):
            with suppress(zlib.error):
                packed = beginning[found.start() : found.start() + PACKED_BYTES]
                unpacked = zlib.decompressobj(31).decompress(packed, PACKED_BYTES)
                if unpacked.startswith((b"WARC/", b"filedesc:")):
                    return MEMBER
        if PLAIN.search(beginning):
            return PLAIN
    return None


def is_one_member(file: BufferedIOBase) -> bool:
    """Whether the first gzip member goes on after its first record.

    By the standard's annex each record has its own. Some packed a whole file at once, in which
    no record can be found again after a damaged one.
    """
    archive = Archive(file, 0)
    try:
        next(archive)
        archive.read_to_end()
    except (StopIteration, *DAMAGE):
        return False
    return archive.reader.decompressor is not None and archive.next_line is not None


def _next_record(file: BufferedIOBase, mark: re.Pattern[bytes], start: int) -> int | None:
    """Where the next gzip member or plain record after `start` seems to begin."""
    file.seek(start)
    position, kept = start, b""
    with suppress(EOFError, OSError, zlib.error):  # of one gzip member that is damaged
        while block := file.read(SEARCH_BYTES):
            window = kept + block
            if found := mark.search(window):
                return position - len(kept) + found.start()
            position += len(block)
            kept = window[-MARK_BYTES:]
    return None
