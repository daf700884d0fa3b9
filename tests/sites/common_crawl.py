"""A server of byte ranges with an index and WARC files of Common Crawl's layout, made here."""

import gzip
import http.server
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.sites.local_site import Answer, LocalSite, send

OCTETS = "application/octet-stream"
# All columns of the flat schema (cc-index-schema-flat.json), in its order; `crawl` and `subset`
# are in the names of folders.
INDEX_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=name not in ("url_surtkey", "url"))
        for name, kind in [
            ("url_surtkey", pa.string()),
            ("url", pa.string()),
            ("url_host_name", pa.string()),
            ("url_host_tld", pa.string()),
            ("url_host_2nd_last_part", pa.string()),
            ("url_host_3rd_last_part", pa.string()),
            ("url_host_4th_last_part", pa.string()),
            ("url_host_5th_last_part", pa.string()),
            ("url_host_registry_suffix", pa.string()),
            ("url_host_registered_domain", pa.string()),
            ("url_host_private_suffix", pa.string()),
            ("url_host_private_domain", pa.string()),
            ("url_host_name_reversed", pa.string()),
            ("url_protocol", pa.string()),
            ("url_port", pa.int32()),
            ("url_path", pa.string()),
            ("url_query", pa.string()),
            ("fetch_time", pa.timestamp("ms")),
            ("fetch_status", pa.int16()),
            ("fetch_redirect", pa.string()),
            ("content_digest", pa.string()),
            ("content_mime_type", pa.string()),
            ("content_mime_detected", pa.string()),
            ("content_charset", pa.string()),
            ("content_languages", pa.string()),
            ("content_truncated", pa.string()),
            ("warc_filename", pa.string()),
            ("warc_record_offset", pa.int32()),
            ("warc_record_length", pa.int32()),
            ("warc_segment", pa.string()),
        ]
    ]
)


class Captured(NamedTuple):
    """A page as a crawler met it, and the key that its index has."""

    key: str
    url: str
    body: bytes = b"<p>text</p>"
    at: datetime = datetime(2017, 12, 11, tzinfo=UTC)
    status: int = 200
    content_type: str = "text/html"
    detected: str = "text/html"
    truncated: str | None = None  # in the record, and in the index
    is_truncated_unknown: bool = False  # in the record only
    raw: bytes | None = None  # the whole answer as it was sent, instead of what is above


class CommonCrawl:
    """Files served in ranges by a `LocalSite`, all requests and bytes counted by path."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.files: dict[str, bytes] = {}
        self.sent: Counter[str] = Counter()  # bytes
        self.asked: list[tuple[str, str]] = []  # path, range
        self.trouble: dict[str, list[Answer]] = {}  # answers that come first

    @property
    def base(self) -> str:
        return self.site.url("/")

    def put(self, path: str, content: bytes) -> str:
        self.files[path] = content
        self.site.answers[f"/{path}"] = lambda handler: self._answer(handler, path)
        return path

    def take_away(self, path: str) -> None:
        del self.site.answers[f"/{path}"]

    def _answer(self, handler: http.server.BaseHTTPRequestHandler, path: str) -> None:
        asked = handler.headers.get("Range", "")
        self.asked.append((path, asked))
        if first := self.trouble.get(path):
            first.pop(0)(handler)
            return
        content = self.files[path]
        if not asked:
            send(handler, 200, content, OCTETS)
            return
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
        assert found is not None
        size = len(content)
        start = int(found[1]) if found[1] else max(size - int(found[2]), 0)
        end = min(int(found[2]) + 1, size) if found[1] else size
        if start >= size:
            send(handler, 416, b"", OCTETS)
            return
        self.sent[path] += end - start
        about = f"bytes {start}-{end - 1}/{size}"
        send(handler, 206, content[start:end], OCTETS, Content_Range=about)

    def add_crawl(
        self,
        crawl: str,
        captured: Sequence[Captured],
        *,
        files: int = 1,
        rows_per_group: int = 4,
        change: Callable[[pa.Table], pa.Table] = lambda table: table,
        **written: object,
    ) -> list[str]:
        """Serve a crawl with these captures; the paths of its index files."""
        rows = self._rows(crawl, captured)
        rows.sort(key=lambda row: row["url_surtkey"])
        each = -(-len(rows) // files)
        folder = f"cc-index/table/cc-main/warc/crawl={crawl}/subset=warc"
        paths = []
        for number in range(files):
            part = rows[number * each : (number + 1) * each]
            buffer = io.BytesIO()
            table = change(pa.Table.from_pylist(part, schema=INDEX_SCHEMA))
            options = {"compression": "gzip", "row_group_size": rows_per_group, **written}
            pq.write_table(table, buffer, **options)
            name = f"part-{number:05}-f48ad7b9.c000.gz.parquet"
            paths.append(self.put(f"{folder}/{name}", buffer.getvalue()))
        other = folder.replace("subset=warc", "subset=robotstxt")
        listing = "\n".join([f"{other}/part-00000.c000.gz.parquet", *paths])
        packed = gzip.compress(listing.encode(), mtime=0)
        self.put(f"crawl-data/{crawl}/cc-index-table.paths.gz", packed)
        return paths

    def _rows(self, crawl: str, captured: Sequence[Captured]) -> list[dict[str, object]]:
        """Write two WARC files, in the order given, and say where the captures lie in them."""
        rows = []
        for number, part in enumerate((captured[::2], captured[1::2])):
            segment = f"151{number}948512054.{number}"
            name = f"crawl-data/{crawl}/segments/{segment}/warc/CC-MAIN-{number:05}.warc.gz"
            buffer = io.BytesIO()
            writer = WARCWriter(buffer, gzip=True)
            writer.write_record(writer.create_warcinfo_record(name, {"isPartOf": crawl}))
            for page in part:
                offset, length = write_capture(writer, buffer, page)
                rows.append(
                    {
                        "url_surtkey": page.key,
                        "url": page.url,
                        "fetch_time": page.at.replace(tzinfo=None),
                        "fetch_status": page.status,
                        "content_mime_type": page.content_type or None,
                        "content_mime_detected": page.detected,
                        "content_truncated": page.truncated,
                        "warc_filename": name,
                        "warc_record_offset": offset,
                        "warc_record_length": length,
                        "warc_segment": segment,
                    }
                )
            self.put(name, buffer.getvalue())
        return rows


def raw_record(url: str, answer: bytes) -> bytes:
    """A response as Heritrix or Wget archive it: what the server sent, to the byte."""
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\n"
        "WARC-Date: 2017-12-11T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + answer + b"\r\n\r\n", mtime=0)


def write_capture(writer: WARCWriter, buffer: io.BytesIO, page: Captured) -> tuple[int, int]:
    """Write records of request, response and metadata; where the response lies."""
    moment = page.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    dated = {"WARC-Date": moment}
    request = StatusAndHeaders(
        "GET / HTTP/1.1", [("User-Agent", "CCBot/2.0")], is_http_request=True
    )
    writer.write_record(
        writer.create_warc_record(
            page.url,
            "request",
            payload=io.BytesIO(b""),
            length=0,
            http_headers=request,
            warc_headers_dict=dated,
        )
    )
    offset = buffer.tell()
    if page.raw is not None:
        length = buffer.write(raw_record(page.url, page.raw))
        return offset, length
    types = [("Content-Type", page.content_type)] if page.content_type else []
    http = StatusAndHeaders(f"{page.status} Said", types, protocol="HTTP/1.1")
    cut = page.truncated or ("length" if page.is_truncated_unknown else None)
    writer.write_record(
        writer.create_warc_record(
            page.url,
            "response",
            payload=io.BytesIO(page.body),
            length=len(page.body),
            http_headers=http,
            warc_headers_dict=dated | ({"WARC-Truncated": cut} if cut else {}),
        )
    )
    length = buffer.tell() - offset
    writer.write_record(
        writer.create_warc_record(
            page.url,
            "metadata",
            payload=io.BytesIO(b"fetchTimeMs: 84"),
            length=15,
            warc_headers_dict=dated,
        )
    )
    return offset, length
