"""A page as WARC records: the answer, the request, and what was measured of them.

Written by hand: warcio takes many times as long over a page's three records, time that fetching
then lacks. Tests read them with warcio, FastWARC and Daft. Each record is a gzip member of its own.
The standard: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.0/
"""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from wellread.formats.pages import Page

# zlib's own default. On web pages level 9, warcio's, takes twice its time for 1 % less, and level
# 1 a third of it for 20 % more.
LEVEL = 6
LINK = "Wellread-Link"  # field of a response: the link's URL, where the target URI is another
# The body is stored decoded, so these no longer hold; kept under the names that Common Crawl uses.
OF_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
RENAMED = "X-Crawler-"

Headers = Sequence[tuple[str, str]]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the wire for a page."""

    url: str  # asked for last, after all redirects
    sent: Headers
    received: Headers  # as the server sent them
    milliseconds: int | None = None  # until the answer's headers


def encode_page(page: "Page") -> bytes:
    """The page as gzipped WARC records; the same page gives the same bytes.

    The response comes first; a request and a metadata record follow if its exchange is known.
    """
    moment = _date(page.fetched_at)
    target = page.exchange.url if page.exchange else page.url
    name = _record_id("response", moment, page.url)
    fields = [
        ("WARC-Type", "response"),
        ("WARC-Record-ID", name),
        ("WARC-Target-URI", target),
        ("WARC-Date", moment),
        ("WARC-Payload-Digest", _digest(page.body)),
    ]
    if target != page.url:
        fields.append((LINK, page.url))
    response = _record(fields, "application/http; msgtype=response", _answer(page))
    if page.exchange is None:
        return response
    beside = [("WARC-Target-URI", target), ("WARC-Date", moment), ("WARC-Concurrent-To", name)]

    def record(kind: str, content_type: str, block: bytes) -> bytes:
        own = [("WARC-Type", kind), ("WARC-Record-ID", _record_id(kind, moment, page.url))]
        return _record([*own, *beside], content_type, block)

    request = record("request", "application/http; msgtype=request", _request(page.exchange))
    return response + request + record("metadata", "application/warc-fields", _measured(page))


def warcinfo(name: str, moment: datetime) -> bytes:
    """The record that heads the file `name`."""
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", _record_id("warcinfo", _date(moment), name)),
        ("WARC-Filename", name),
        ("WARC-Date", _date(moment)),
    ]
    about = _lines([("software", "wellread"), ("format", "WARC File Format 1.0")])
    return _record(fields, "application/warc-fields", about)


def _answer(page: "Page") -> bytes:
    if page.exchange is None:
        headers = [("Content-Type", page.content_type)] if page.content_type else []
    else:
        headers = [
            (RENAMED + key if key.lower() in OF_TRANSFER else key, value)
            for key, value in page.exchange.received
        ]
    phrase = HTTPStatus(page.status).phrase if page.status in set(HTTPStatus) else ""
    line = f"HTTP/1.1 {page.status} {phrase}".strip().encode()
    headers = [*headers, ("Content-Length", str(len(page.body)))]
    return b"\r\n".join([line, _lines(headers), page.body])


def _request(exchange: Exchange) -> bytes:
    parts = urlsplit(exchange.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = f"GET {path} HTTP/1.1".encode("utf-8", "replace")
    return b"\r\n".join([line, _lines([("Host", parts.netloc), *exchange.sent]), b""])


def _measured(page: "Page") -> bytes:
    """In the words that Heritrix and Common Crawl use."""
    exchange = page.exchange
    assert exchange is not None
    about = [] if exchange.url == page.url else [("via", page.url)]
    if exchange.milliseconds is not None:
        about.append(("fetchTimeMs", str(exchange.milliseconds)))
    return _lines(about)


def _record(fields: Iterable[tuple[str, str]], content_type: str, block: bytes) -> bytes:
    about = [
        ("WARC-Block-Digest", _digest(block)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
    ]
    head = _lines([*fields, *about])
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    content = b"".join([b"WARC/1.0\r\n", head, b"\r\n", block, b"\r\n\r\n"])
    return packer.compress(content) + packer.flush()


def _lines(pairs: Iterable[tuple[str, str]]) -> bytes:
    r"""`NAME: VALUE` a line; a value that would begin a line of its own does not.

    >>> _lines([("A", "b\r\nC: d")])
    b'A: b  C: d\r\n'
    """
    text = "".join(
        f"{key}: {value.replace(chr(13), ' ').replace(chr(10), ' ')}\r\n" for key, value in pairs
    )
    return text.encode("utf-8", "replace")


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(body: bytes) -> str:
    digest = hashlib.sha1(body, usedforsecurity=False).digest()
    return f"sha1:{base64.b32encode(digest).decode()}"


def _record_id(kind: str, moment: str, url: str) -> str:
    digest = hashlib.sha256(f"{kind} {moment} {url}".encode("utf-8", "replace")).digest()
    return f"<urn:uuid:{uuid.UUID(bytes=digest[:16])}>"
