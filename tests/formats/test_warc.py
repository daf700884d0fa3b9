"""A page's records say what went over the wire, and other programs read them."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import daft
import msgspec
import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from wellread.formats.archives import read_pages
from wellread.formats.pages import Exchange, Page
from wellread.formats.warc import encode_page, warcinfo

MOMENT = datetime(2017, 5, 4, 3, 2, 1, tzinfo=UTC)
PAGE = Page(
    url="http://a.com/link",
    status=200,
    content_type="text/html; charset=utf-8",
    body=b"<p>text</p>",
    fetched_at=MOMENT,
    exchange=Exchange(
        url="http://b.com/page?x=1",
        sent=[("User-Agent", "wellread/0.1.0"), ("Accept-Encoding", "gzip")],
        received=[
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "31"),
            ("Transfer-Encoding", "chunked"),
            ("X-Odd", "a\r\nb"),
        ],
        milliseconds=12,
    ),
)
Read = tuple[str, str | None, bytes]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "pages-00000.warc.gz"
    info, head = warcinfo(path.name, PAGE)
    path.write_bytes(head + encode_page(PAGE, info))
    return path


def test_the_records_of_a_page_in_full() -> None:
    text = gzip.decompress(encode_page(PAGE)).decode()
    assert text.split("\r\n") == [
        "WARC/1.0",
        "WARC-Record-ID: <urn:uuid:33b95dc6-3cee-2783-5df7-28b7683e3116>",
        "WARC-Date: 2017-05-04T03:02:01Z",
        "Wellread-Link: http://a.com/link",
        "WARC-Type: response",
        "WARC-Target-URI: http://b.com/page?x=1",
        "WARC-Payload-Digest: sha1:Q3PRYFEX5UD4PEXUISW33P5C7G2JYUKU",
        "WARC-Block-Digest: sha1:C2PYN4Q5YQEU66Z3BFIDUYHBSLBW4NBN",
        "Content-Type: application/http; msgtype=response",
        "Content-Length: 204",
        "",
        "HTTP/1.1 200 OK",
        "Content-Type: text/html; charset=utf-8",
        "X-Crawler-Content-Encoding: gzip",
        "X-Crawler-Content-Length: 31",
        "X-Crawler-Transfer-Encoding: chunked",
        "X-Odd: a b",
        "Content-Length: 11",
        "",
        "<p>text</p>",
        "",
        "WARC/1.0",
        "WARC-Record-ID: <urn:uuid:4004df3b-7329-9d7d-4a6c-090157291c89>",
        "WARC-Date: 2017-05-04T03:02:01Z",
        "WARC-Concurrent-To: <urn:uuid:33b95dc6-3cee-2783-5df7-28b7683e3116>",
        "WARC-Type: request",
        "WARC-Target-URI: http://b.com/page?x=1",
        "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
        "WARC-Block-Digest: sha1:5545RTU42DWJDUKJMQSLGRNU6HSMKTZY",
        "Content-Type: application/http; msgtype=request",
        "Content-Length: 90",
        "",
        "GET /page?x=1 HTTP/1.1",
        "Host: b.com",
        "User-Agent: wellread/0.1.0",
        "Accept-Encoding: gzip",
        "",
        "",
        "",
        "WARC/1.0",
        "WARC-Record-ID: <urn:uuid:3179d033-214d-ac90-04d7-8876b140497e>",
        "WARC-Date: 2017-05-04T03:02:01Z",
        "WARC-Concurrent-To: <urn:uuid:33b95dc6-3cee-2783-5df7-28b7683e3116>",
        "WARC-Type: metadata",
        "WARC-Target-URI: http://b.com/page?x=1",
        "WARC-Payload-Digest: sha1:7Z3DQOHOAB6A2UVBG3PYVUKDTQ3MU52D",
        "WARC-Block-Digest: sha1:7Z3DQOHOAB6A2UVBG3PYVUKDTQ3MU52D",
        "Content-Type: application/warc-fields",
        "Content-Length: 41",
        "",
        "via: http://a.com/link",
        "fetchTimeMs: 12",
        "",
        "",
        "",
    ]


def by_warcio(path: Path) -> list[Read]:
    with path.open("rb") as file:
        return [
            (r.rec_type, r.rec_headers.get_header("WARC-Target-URI"), r.content_stream().read())
            for r in ArchiveIterator(file, check_digests="raise")
        ]


def by_fastwarc(path: Path) -> list[Read]:
    with path.open("rb") as file:
        return [
            (str(r.record_type), r.headers.get("WARC-Target-URI"), r.reader.read())
            for r in FastIterator(file, record_types=WarcRecordType.any_type, verify_digests=True)
        ]


def by_daft(path: Path) -> list[Read]:
    rows = daft.read_warc(str(path)).to_pylist()
    return [
        (row["WARC-Type"], row["WARC-Target-URI"], row["warc_content"].partition(b"\r\n\r\n")[2])
        for row in rows
    ]


@pytest.mark.parametrize("read", [by_warcio, by_fastwarc, by_daft])
def test_others_read_the_records(archive: Path, read: Callable[[Path], list[Read]]) -> None:
    records = read(archive)
    assert [kind for kind, _, _ in records] == ["warcinfo", "response", "request", "metadata"]
    assert records[1] == ("response", "http://b.com/page?x=1", b"<p>text</p>")


def test_a_page_is_read_under_the_address_of_its_link(archive: Path) -> None:
    assert list(read_pages(archive)) == [msgspec.structs.replace(PAGE, exchange=None)]
