"""Pages out of what a crawl stored, any WARC or ARC file, or files of HTML."""

import io
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataException
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeadersParserException

from wellread.base.errors import InputError
from wellread.base.files import input_files
from wellread.base.manifest import is_artifact, read_artifact
from wellread.base.urls import canonical_url
from wellread.formats.documents import BadRecord, refuse
from wellread.formats.pages import STAGE, Page
from wellread.formats.segments import segment_files
from wellread.formats.warc import LINK

WARC = (".warc", ".warc.gz", ".arc", ".arc.gz")
HTML = (".html", ".htm")
# What warcio raises on bytes that are no record: a missing target, a status that is no number,
# a chunk without length, a gzip member that ends early.
DAMAGE = (
    ArchiveLoadFailed,
    AttributeError,
    ChunkedDataException,
    EOFError,
    OSError,
    StatusAndHeadersParserException,
    ValueError,
    zlib.error,
)
SEARCH_BYTES = 1 << 20


def read_pages(path: Path, bad: BadRecord = refuse) -> Iterator[Page]:
    """Pages from a crawl artifact, a WARC or ARC file, an HTML file, or a folder of either.

    Records that are no answer to a request (metadata, DNS look-ups) are passed over;
    records that are one and cannot be read are reported to `bad` and left out.
    """
    if is_artifact(path):
        read_artifact(path, STAGE)
        files = segment_files(path)
    else:
        files = input_files([path], suffixes=(*WARC, *HTML), what="pages")
    for file in files:
        if file.name.endswith(HTML):
            yield _read_html(file, path)
        else:
            yield from _read_warc(file, bad)


def parse_record(content: bytes, where: str, bad: BadRecord) -> Iterator[Page]:
    """The page of one WARC record, not compressed; as `read_pages`, for bytes at hand."""
    archive = ArchiveIterator(io.BytesIO(content))
    try:
        yield from _pages_of(archive, where, bad)
    except DAMAGE as error:
        bad("malformed WARC record", f"{where} ({error})")


def _read_html(file: Path, root: Path) -> Page:
    name = file.name if file == root else file.relative_to(root).as_posix()
    return Page(
        url=f"file:{name}",
        status=200,
        content_type="text/html",
        body=file.read_bytes(),
        fetched_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
    )


def _read_warc(path: Path, bad: BadRecord) -> Iterator[Page]:
    with path.open("rb") as file:
        _check_kind(file, path)
        start: int | None = 0
        while start is not None:
            file.seek(start)
            archive = ArchiveIterator(file, arc2warc=True)
            archive.INC_RECORD = ""  # it would warn on stderr, between a progress bar's lines
            try:
                yield from _pages_of(archive, path, bad)
                if archive.offset < path.stat().st_size:  # warcio ends without a word there
                    bad("cut short", f"{path}, byte {archive.offset}")
                return
            except DAMAGE as error:
                reason = " ".join(str(error).split())  # warcio's own run over many lines
                bad("malformed WARC record", f"{path}, byte {archive.offset} ({reason})")
                start = _next_record(file, max(start, archive.offset) + 1)


def _check_kind(file: BinaryIO, path: Path) -> None:
    beginning = file.read(4096)
    if beginning.startswith(b"\x1f\x8b"):
        try:
            beginning = zlib.decompressobj(31).decompress(beginning)
        except zlib.error as error:
            raise InputError(f"{path}: neither WARC nor ARC (damaged gzip: {error})") from None
    if not beginning.startswith((b"WARC/", b"filedesc:")):
        raise InputError(f"{path}: neither WARC nor ARC; it begins with {beginning[:20]!r}")


def _next_record(file: BinaryIO, start: int) -> int | None:
    """Where the next gzip member or plain record after `start` seems to begin."""
    file.seek(0)
    mark, skip = (b"\x1f\x8b\x08", 0) if file.read(2) == b"\x1f\x8b" else (b"\nWARC/1.", 1)
    file.seek(start)
    position, kept = start, b""
    while block := file.read(SEARCH_BYTES):
        window = kept + block
        if (found := window.find(mark)) >= 0:
            return position - len(kept) + found + skip
        position += len(block)
        kept = window[-len(mark) + 1 :]
    return None


def _pages_of(archive: ArchiveIterator, path: Path | str, bad: BadRecord) -> Iterator[Page]:
    for record in archive:
        where = f"{path}, byte {archive.offset}"
        if record.length is None:
            bad("no Content-Length", where)
            continue
        if record.rec_type not in ("response", "resource"):
            continue
        uri = record.rec_headers.get_header("WARC-Target-URI")
        url = record.rec_headers.get_header(LINK) or canonical_url(uri or "")
        if url is None:
            if not (uri or "").startswith(("dns:", "whois:", "ntp:", "urn:", "metadata:")):
                bad("no web address", f"{where} ({uri!r})")
            continue
        if record.rec_type == "response" and record.http_headers is None:
            bad("no HTTP headers", f"{where} ({url})")
            continue
        page = _page(record, url)
        if _is_cut(record):
            bad("cut short", f"{where} ({url})")
        else:
            yield page


def _page(record: ArcWarcRecord, url: str) -> Page:
    http = record.http_headers  # None: stored without HTTP
    content_type = http.get_header("Content-Type") if http else record.content_type
    return Page(
        url=url,
        status=int(http.get_statuscode()) if http else 200,
        content_type=content_type or "",
        body=record.content_stream().read(),
        fetched_at=_moment(record.rec_headers.get_header("WARC-Date")),
        truncated=record.rec_headers.get_header("WARC-Truncated") is not None,
    )


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
