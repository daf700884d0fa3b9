"""Pages out of what a crawl stored, any WARC or ARC file, or files of HTML; whole or by spans."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import msgspec
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeadersParser, StatusAndHeadersParserException

from wellread.base.files import input_files, name_in
from wellread.base.manifest import is_artifact, read_artifact
from wellread.base.urls import canonical_url
from wellread.formats.documents import BadRecord, refuse
from wellread.formats.pages import STAGE, Page
from wellread.formats.refused import Refused
from wellread.formats.replies import (
    MALFORMED,
    TOO_LARGE,
    TRUNCATED,
    Reply,
    body_of,
    unchunked,
    was_decoded,
)
from wellread.formats.segments import segment_files
from wellread.formats.warc import LINK

WARC = (".warc", ".warc.gz", ".arc", ".arc.gz", ".wet", ".wet.gz")
HTML = (".html", ".htm")
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
SEARCH_BYTES = 1 << 20
PACKED_BYTES = 1 << 12  # unpacked together by warcio, to a thousand times as much at the worst
MOST_BYTES = 1 << 26  # ours: of an unpacked body; twelve times what our own crawl takes
HEAD_BYTES = 1 << 19  # beyond the content, for its head and the sizes of its chunks; as for the web
HTTP = StatusAndHeadersParser(["HTTP/"], verify=False)


class Span(NamedTuple):
    """The records of a file that begin at `start` or after it, and before `end` (None: all)."""

    start: int = 0
    end: int | None = None


WHOLE = Span()


def read_pages(path: Path, bad: BadRecord = refuse) -> Iterator[Page]:
    """Answers as `read_replies` gives them, decoded, of whatever status and type.

    A body that is damaged, or has more than MOST_BYTES only when it is unpacked, is a bad record.
    """
    return _decoded(read_replies(path, bad), bad)


def read_page_file(
    file: Path, name: str, span: Span = WHOLE, bad: BadRecord = refuse
) -> Iterator[Page]:
    """As `read_pages`, of a span of one file; a page of HTML goes by `name`.

    A body that was stored with more than MOST_BYTES is a bad record too.
    """
    return _decoded(_read_file(file, name, span, bad, MOST_BYTES), bad)


def _decoded(replies: Iterator[Reply], bad: BadRecord) -> Iterator[Page]:
    for reply in replies:
        try:
            if reply.flaw in (MALFORMED, TOO_LARGE):
                raise Refused(reply.flaw)
            body = body_of(reply, max(MOST_BYTES, len(reply.body)))
        except Refused as refused:
            bad(refused.outcome, reply.url)
            continue
        yield Page(
            url=reply.url,
            status=reply.status,
            content_type=reply.content_type,
            body=body,
            fetched_at=reply.fetched_at,
        )


def read_replies(
    path: Path, bad: BadRecord = refuse, most_bytes: int | None = None
) -> Iterator[Reply]:
    """Answers in a crawl artifact, a WARC or ARC file, an HTML file, or a folder of either.

    Records that are no answer to a request (metadata, DNS look-ups) are passed over; records that
    are one and cannot be read, and files that are no archive, are reported to `bad` and left out.
    Of a body that was sent with more than `most_bytes`, more than these are read, but not all.
    """
    for file in page_files(path):
        yield from _read_file(file, name_in(path, file), WHOLE, bad, most_bytes)


def page_files(path: Path) -> list[Path]:
    """The files in which a crawl artifact, a folder or `path` itself has pages, by name."""
    if is_artifact(path):
        read_artifact(path, STAGE)
        return segment_files(path)
    return input_files([path], suffixes=(*WARC, *HTML), what="pages")


def spans_of(file: Path, num_bytes: int) -> list[Span]:
    """Spans of about `num_bytes` each, in which all that is in `file` can be read piece by piece.

    Reads the file, but decodes nothing. One gzip member, in which nothing can be found without
    unpacking all before it, is one span.
    """
    if file.name.endswith(HTML) or file.stat().st_size <= num_bytes:
        return [WHOLE]
    starts = [0]
    with file.open("rb") as packed:
        if _no_archive(packed) is not None or _is_one_member(packed):
            return [WHOLE]
        start: int | None = 0
        while start is not None:
            archive = _archive_at(packed, start)
            try:
                for _ in archive:
                    if archive.offset - starts[-1] >= num_bytes:
                        starts.append(archive.offset)
                break
            except DAMAGE:
                start = _next_record(packed, max(start, archive.offset) + 1)
    return [Span(start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def parse_record(
    content: bytes, where: str, bad: BadRecord, most_bytes: int | None = None
) -> Iterator[Reply]:
    """The answer in one WARC record, not compressed; as `read_replies`, for bytes at hand."""
    archive = _archive_at(BytesIO(content), 0)
    try:
        yield from _replies_of(archive, where, bad, most_bytes)
    except DAMAGE as error:
        bad("malformed WARC record", f"{where} ({error})")


def _read_file(
    file: Path, name: str, span: Span, bad: BadRecord, most_bytes: int | None
) -> Iterator[Reply]:
    if file.name.endswith(HTML):
        yield _read_html(file, name)
    else:
        yield from _read_archive(file, span, bad, most_bytes)


def _read_html(file: Path, name: str) -> Reply:
    return Reply(
        url=f"file:{name}",
        status=200,
        headers=[("Content-Type", "text/html")],
        body=file.read_bytes(),
        fetched_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
    )


def _read_archive(
    path: Path, span: Span, bad: BadRecord, most_bytes: int | None
) -> Iterator[Reply]:
    with path.open("rb") as packed:
        if (beginning := _no_archive(packed)) is not None:
            bad("neither WARC nor ARC", f"{path} (it begins with {beginning!r})")
            return
        file: BufferedIOBase = packed
        if span.end is not None:
            file = cast(BufferedIOBase, _EndsEarly(packed, span.end))
        elif span.start == 0 and _is_one_member(packed):
            packed.seek(0)
            file = gzip.GzipFile(fileobj=packed)
        start: int | None = span.start
        while start is not None:
            archive = _archive_at(file, start)
            try:
                yield from _replies_of(archive, path, bad, most_bytes)
                file.seek(archive.offset)
                if file.read(1):  # warcio ends without a word there
                    bad("cut short", f"{path}, byte {archive.offset}")
                return
            except DAMAGE as error:
                reason = " ".join(str(error).split())  # warcio's own run over many lines
                bad("malformed WARC record", f"{path}, byte {archive.offset} ({reason})")
                start = _next_record(file, max(start, archive.offset) + 1)


class _EndsEarly:
    """A file as if it ended at `end`."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end = file, end
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        room = max(self._end - self._file.tell(), 0)
        return self._file.read(room if size < 0 else min(size, room))


def _archive_at(file: BufferedIOBase, start: int) -> ArchiveIterator:
    file.seek(start)
    archive = ArchiveIterator(file, no_record_parse=True, arc2warc=True, block_size=PACKED_BYTES)
    archive.INC_RECORD = ""  # it would warn on stderr, between a progress bar's lines
    return archive


def _no_archive(file: BufferedIOBase) -> bytes | None:
    """What a file begins with that cannot be read as an archive at all."""
    beginning = file.read(4096)
    if beginning.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):
            beginning = zlib.decompressobj(31).decompress(beginning, 4096)
    return None if beginning.startswith((b"WARC/", b"filedesc:")) else beginning[:20]


def _is_one_member(file: BufferedIOBase) -> bool:
    """Whether the first gzip member goes on after its first record.

    By the standard's annex each record has its own. Some packed a whole file at once, in which
    no record can be found again after a damaged one.
    """
    archive = _archive_at(file, 0)
    try:
        next(archive)
        archive.read_to_end()
    except DAMAGE:
        return False
    return archive.reader.decompressor is not None and archive.next_line is not None


def _next_record(file: BufferedIOBase, start: int) -> int | None:
    """Where the next gzip member or plain record after `start` seems to begin."""
    file.seek(0)
    mark, skip = (b"\x1f\x8b\x08", 0) if file.read(2) == b"\x1f\x8b" else (b"\nWARC/1.", 1)
    file.seek(start)
    position, kept = start, b""
    with suppress(EOFError, OSError, zlib.error):  # of one gzip member that is damaged
        while block := file.read(SEARCH_BYTES):
            window = kept + block
            if (found := window.find(mark)) >= 0:
                return position - len(kept) + found + skip
            position += len(block)
            kept = window[-len(mark) + 1 :]
    return None


def _replies_of(
    archive: ArchiveIterator, path: Path | str, bad: BadRecord, most_bytes: int | None
) -> Iterator[Reply]:
    for record in archive:
        where = f"{path}, byte {archive.offset}"
        if record.length is None:
            bad("no Content-Length" if record.raw_stream.read(1) else "cut short", where)
            continue
        if record.rec_type not in ("response", "resource", "conversion"):
            continue
        uri = record.rec_headers.get_header("WARC-Target-URI")
        url = record.rec_headers.get_header(LINK) or canonical_url(uri or "")
        if url is None:
            if not (uri or "").startswith(("dns:", "whois:", "ntp:", "urn:", "metadata:")):
                bad("no web address", f"{where} ({uri!r})")
            continue
        reply = _reply(record, url, most_bytes)
        if _is_cut(record):
            bad("cut short", f"{where} ({url})")
        elif reply is None:
            bad("no HTTP headers", f"{where} ({url})")
        else:
            yield reply


def _reply(record: ArcWarcRecord, url: str, most_bytes: int | None) -> Reply | None:
    room = None if most_bytes is None else most_bytes + HEAD_BYTES
    content = record.raw_stream.read(room)
    # Headers and body come from here and not from warcio, which reads heads without end, and knows
    # less of encodings than servers do.
    status, headers, body = 200, [("Content-Type", record.content_type or "")], content
    if record.rec_type == "response":  # the others, of WET a text, were stored without HTTP
        if not content[:2].strip():
            return None
        stream = BytesIO(content)
        http = HTTP.parse(stream)
        status, headers, body = int(http.get_statuscode()), http.headers, stream.read()
    if not 100 <= status <= 999:
        raise ValueError(f"status {status}")
    reply = Reply(
        url=url,
        status=status,
        headers=headers,
        body=body,
        fetched_at=_moment(record.rec_headers.get_header("WARC-Date")),
        is_archived=True,
    )
    flaw = None
    if "chunked" in ",".join(reply.values("Transfer-Encoding")).lower():
        body, flaw = unchunked(body)
    elif not was_decoded(reply) and len(body) < _promised(reply):
        flaw = TRUNCATED
    if record.rec_headers.get_header("WARC-Truncated") is not None:
        flaw = TRUNCATED
    if len(content) == room:
        flaw = TOO_LARGE
    return msgspec.structs.replace(reply, body=body, flaw=flaw)


def _promised(reply: Reply) -> int:
    """The length that the server gave its body, as far as it did."""
    given = reply.values("Content-Length")
    return int(given[0]) if given and given[0].isdecimal() else 0


def _is_cut(record: ArcWarcRecord) -> bool:
    """Whether the file ended before the length that the record's header promises."""
    while record.raw_stream.read(SEARCH_BYTES):
        pass
    return int(getattr(record.raw_stream, "limit", 0)) > 0


def _moment(text: str | None) -> datetime:
    if text is None:
        raise ValueError("no WARC-Date")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
