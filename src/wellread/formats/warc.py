"""A page as WARC records: the answer, the request, and what was measured of them.

Each record is a gzip member of its own.
"""

import hashlib
import io
import uuid
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from wellread.formats.pages import Exchange, Page

# zlib's own default. On the real pages of docs/test-data.md level 9, warcio's, takes 1.6 times as
# long for 0.5 % less, and level 1 a third of the time for 18 % more.
LEVEL = 6
LINK = "Wellread-Link"  # field of a response: the link's URL, where the target URI is another
# The body is stored decoded, so these no longer hold; kept under the names that Common Crawl uses.
OF_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
RENAMED = "X-Crawler-"
Fields = Sequence[tuple[str, str]]


def encode_page(page: Page, info: str = "") -> bytes:
    """The page as gzipped WARC records; the same page gives the same bytes.

    The response comes first; a request and a metadata record follow if its exchange is known.
    `info` is the record ID of the warcinfo that says where they come from.
    """
    exchange, moment = page.exchange, _date(page.fetched_at)
    target = exchange.url if exchange else page.url
    said = {"WARC-Date": moment}
    if info:
        said["WARC-Warcinfo-ID"] = info
    if exchange and exchange.ip_address:
        said["WARC-IP-Address"] = exchange.ip_address

    def record_id(kind: str) -> str:
        return _record_id(kind, moment, f"{page.url} {info}".strip())

    def record(kind: str, fields: dict[str, str], **content: Any) -> bytes:
        about = {"WARC-Record-ID": record_id(kind), **said, **fields}
        return _packed(kind, target, about, **content)

    answer = record(
        "response",
        {LINK: page.url} if target != page.url else {},
        body=page.body,
        http=_http(page),
    )
    if exchange is None:
        return answer
    beside = {"WARC-Concurrent-To": record_id("response")}
    request = record("request", beside, http=_request(exchange))
    return answer + request + record("metadata", beside, body=_measured(exchange, page.url))


def warcinfo(name: str, first: Page, about: Fields = ()) -> tuple[str, bytes]:
    """The record that heads the file `name`, and its ID.

    It is dated as the `first` page in the file, and its ID made of that page and of what it says:
    no other file has it, and the same pages fetched in the same way give the same bytes.
    """
    text = _lines([*about, ("format", "WARC File Format 1.0")])
    moment = first.fetched_at
    info = _record_id("warcinfo", moment.isoformat(), f"{name} {first.url} {text.decode()}")
    fields = {"WARC-Record-ID": info, "WARC-Date": _date(moment), "WARC-Filename": name}
    return info, _packed("warcinfo", "", fields, body=text)


def read_info(path: Path) -> str:
    """The ID of the record that heads the file."""
    with path.open("rb") as file:
        headers = next(ArchiveIterator(file)).rec_headers
    return str(headers.get_header("WARC-Record-ID"))


def _packed(
    kind: str,
    target: str,
    fields: dict[str, str],
    *,
    body: bytes = b"",
    http: StatusAndHeaders | None = None,
) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=False)
    record = writer.create_warc_record(
        target,
        kind,
        payload=io.BytesIO(body),
        length=len(body),
        http_headers=http,
        warc_content_type="" if http else "application/warc-fields",
        warc_headers_dict=fields,
    )
    writer.write_record(record)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    return packer.compress(buffer.getvalue()) + packer.flush()


def _http(page: Page) -> StatusAndHeaders:
    if page.exchange is None:
        headers = [("Content-Type", page.content_type)] if page.content_type else []
    else:
        headers = [
            (RENAMED + key if key.lower() in OF_TRANSFER else key, " ".join(value.splitlines()))
            for key, value in page.exchange.received  # a value may go on over several lines
        ]
    phrase = HTTPStatus(page.status).phrase if page.status in set(HTTPStatus) else ""
    headers = [*headers, ("Content-Length", str(len(page.body)))]
    return StatusAndHeaders(f"{page.status} {phrase}".strip(), headers, protocol="HTTP/1.1")


def _request(exchange: Exchange) -> StatusAndHeaders:
    parts = urlsplit(exchange.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [("Host", parts.netloc), *exchange.sent]
    return StatusAndHeaders(f"GET {path} HTTP/1.1", headers, is_http_request=True)


def _measured(exchange: Exchange, link: str) -> bytes:
    """In the words that Heritrix and Common Crawl use."""
    about = [] if exchange.url == link else [("via", link)]
    if exchange.milliseconds is not None:
        about.append(("fetchTimeMs", str(exchange.milliseconds)))
    return _lines(about)


def _lines(pairs: Fields) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in pairs).encode()


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _record_id(kind: str, moment: str, url: str) -> str:
    digest = hashlib.sha256(f"{kind} {moment} {url}".encode()).digest()
    return f"<urn:uuid:{uuid.UUID(bytes=digest[:16])}>"
