"""Pages out of what a crawl stored, any WARC or ARC file, or files of HTML; whole or by spans."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeadersParser

from wellread.base.files import input_files, name_in
from wellread.base.manifest import is_artifact, read_artifact
from wellread.base.urls import canonical_url
from wellread.formats.documents import BadRecord, refuse
from wellread.formats.pages import STAGE, Page
from wellread.formats.records import (
    DAMAGE,
    PLAIN,
    Archive,
    Cut,
    EndsEarly,
    is_one_member,
    mark_of,
    walk,
    whole_records,
)
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
MOST_BYTES = 1 << 26  # ours: of an unpacked body; twelve times what our own crawl takes
HEAD_BYTES = 1 << 19  # beyond the content, for its head and the sizes of its chunks; as for the web
MALFORMED_RECORD = "malformed WARC record"
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
        mark = mark_of(packed)
        if mark is None or is_one_member(packed):
            return [WHOLE]
        for begin, _ in walk(packed, mark, 0, lambda *_: None, lambda *_: None):
            if begin - starts[-1] >= num_bytes:
                starts.append(begin)
    return [Span(start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def parse_record(
    content: bytes, where: str, bad: BadRecord, most_bytes: int | None = None
) -> Iterator[Reply]:
    """The answer in one WARC record, not compressed; as `read_replies`, for bytes at hand."""
    archive = Archive(BytesIO(content), 0)
    try:
        for _, found in whole_records(archive, partial(_reply_of, most_bytes=most_bytes)):
            yield from _told(found, where, bad)
    except DAMAGE as error:
        bad(*_damage(error, where))


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
        mark = mark_of(packed)
        if mark is None:
            packed.seek(0)
            bad("neither WARC nor ARC", f"{path} (it begins with {packed.read(20)!r})")
            return
        file: BufferedIOBase = packed
        if span.end is not None:
            file = cast(BufferedIOBase, EndsEarly(packed, span.end))
        elif span.start == 0 and is_one_member(packed):
            packed.seek(0)
            file, mark = gzip.GzipFile(fileobj=packed), PLAIN

        def damaged(begin: int, error: Exception) -> None:
            bad(*_damage(error, f"{path}, byte {begin}"))

        read = partial(_reply_of, most_bytes=most_bytes)
        for begin, found in walk(file, mark, span.start, read, damaged):
            yield from _told(found, f"{path}, byte {begin}", bad)


def _damage(error: Exception, where: str) -> tuple[str, str]:
    """The reason for a bad record, and its place."""
    reason = " ".join(str(error).split())  # warcio's own run over many lines
    name = "cut short" if isinstance(error, Cut) else MALFORMED_RECORD
    return name, f"{where} ({reason})" if reason else where


def _told(found: Reply | tuple[str, str] | None, where: str, bad: BadRecord) -> Iterator[Reply]:
    if isinstance(found, Reply):
        yield found
    elif found is not None:
        reason, detail = found
        bad(reason, f"{where} ({detail})")


def _reply_of(record: ArcWarcRecord, most_bytes: int | None) -> Reply | tuple[str, str] | None:
    """The answer in a record, or why it cannot be read and a detail, or None: it has no answer."""
    if record.length is None or record.rec_type not in ("response", "resource", "conversion"):
        return None
    uri = record.rec_headers.get_header("WARC-Target-URI") or ""
    url = record.rec_headers.get_header(LINK) or canonical_url(uri)
    if url is None:
        is_other = uri.startswith(("dns:", "whois:", "ntp:", "urn:", "metadata:"))
        return None if is_other else ("no web address", repr(uri))
    try:
        return _reply(record, url, most_bytes) or ("no HTTP headers", url)
    except DAMAGE as error:
        return MALFORMED_RECORD, " ".join(str(error).split())


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


def _moment(text: str | None) -> datetime:
    if text is None:
        raise ValueError("no WARC-Date")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
