"""A site that does its worst is left with a named outcome, soon, and for little memory."""

import gzip
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import brotli
import pytest

from tests.crawl.conftest import GOOD, MB, crawl_apart, quick
from tests.sites.hostile_site import HostileSite, head, hostile_site
from wellread.formats.compressed import zstd
from wellread.formats.pages import Page

LIMIT = 2 * MB


class Survived(NamedTuple):
    site: HostileSite
    outcomes: dict[str, str]  # by path of this site, else by URL
    pages: dict[str, Page]
    seconds: float
    peak_bytes: int  # of the fetching process


def deflate_bomb() -> bytes:
    """1 GB of zeros in 1 MB: one packed megabyte, which needs nothing before it, 1,024 times."""
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return megabyte * 1024 + zlib.compress(b"", wbits=-15)


def zstd_bomb() -> bytes:
    packer = zstd.ZstdCompressor(1)
    return b"".join([*(packer.compress(bytes(MB)) for _ in range(1024)), packer.flush()])


def brotli_bomb() -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join([*(packer.process(bytes(MB)) for _ in range(1024)), packer.finish()])


def hang_up_hard(connection: socket.socket) -> None:
    connection.sendall(head(b"Content-Length: 1000") + b"x" * 500)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def encoded(site: HostileSite, path: str, encoding: bytes, body: bytes) -> str:
    return site.page(path, body, b"Content-Encoding: " + encoding)


def slow_or_endless(site: HostileSite) -> dict[str, str]:
    chunked = head(b"Transfer-Encoding: chunked")
    return {
        site.drip("/slow-status", b"HTTP/1.1 200", b"O", 0.2): "timeout",
        site.drip("/slow-header", b"HTTP/1.1 200 OK\r\nX-A: ", b"a", 0.2): "timeout",
        site.drip("/slow-body", head(b"Content-Length: 9999"), b"a", 0.2): "timeout",
        site.drip("/slow-chunks", chunked, b"1\r\na\r\n", 0.2): "timeout",
        site.drip("/silent", b"", b"", 0.2): "timeout",
        site.drip("/endless-body", head(), b"a" * 65536, 0.0): "too_large",
        site.drip(
            "/endless-chunks", chunked, (b"10\r\n" + b"a" * 16 + b"\r\n") * 999, 0.0
        ): "too_large",
        site.drip("/endless-chunk-size", chunked, b"0" * 65536, 0.0): "bad_response",
        site.drip("/endless-chunk-extension", chunked + b"1;", b"a" * 65536, 0.0): "bad_response",
        site.drip("/endless-picture", head(kind=b"image/png"), b"a" * 65536, 0.0): "not_a_page",
        site.drip("/endless-trailer", chunked + b"0\r\n", b"X: y\r\n" * 9999, 0.0): "bad_response",
    }


def floods(site: HostileSite) -> dict[str, str]:
    start = b"HTTP/1.1 200 OK\r\n"
    many = b"".join(b"X-%d: y\r\n" % number for number in range(1000))
    return {
        site.raw("/thousand-headers", start + many + b"Content-Type: text/html\r\n\r\n" + GOOD): (
            "fetched"
        ),
        site.drip("/endless-headers", start, b"X-Header: value\r\n" * 4000, 0.0): "header_flood",
        site.drip("/endless-header", start + b"X: ", b"x" * 65536, 0.0): "header_flood",
        site.drip("/endless-folding", start + b"X: y\r\n", b" z\r\n" * 9999, 0.0): "header_flood",
        site.drip("/endless-status", b"HTTP/1.1 200 ", b"O" * 65536, 0.0): "header_flood",
        site.drip("/endless-continue", b"", b"HTTP/1.1 100 Go\r\n\r\n" * 999, 0.0): "header_flood",
    }


def malformed(site: HostileSite) -> dict[str, str]:
    chunked = head(b"Transfer-Encoding: chunked")
    return {
        site.raw("/http-0.9", GOOD + b"\n" + GOOD): "bad_response",
        site.raw("/no-status", b"HTTP/1.1\r\n\r\n" + GOOD): "bad_response",
        site.raw("/words", b"HTTP/1.1 fine thanks\r\n\r\n" + GOOD): "bad_response",
        site.raw("/ssh", b"SSH-2.0-OpenSSH_9.6\r\n"): "bad_response",
        site.raw("/status-0", head(status=b"0 Nothing")): "bad_response",
        site.raw("/status-big", head(status=b"20000000000 OK") + GOOD): "bad_response",
        site.raw("/length-word", head(b"Content-Length: many") + GOOD): "bad_response",
        site.raw("/length-negative", head(b"Content-Length: -5") + GOOD): "bad_response",
        site.raw("/two-lengths", head(b"Content-Length: 5", b"Content-Length: 6") + b"12345"): (
            "bad_response"
        ),
        site.raw("/transfer-unknown", head(b"Transfer-Encoding: zip") + GOOD): "bad_response",
        site.raw("/name-empty", head(b": y") + GOOD): "bad_response",
        site.raw("/name-with-space", head(b"X Y: z") + GOOD): "bad_response",
        site.raw("/name-with-letter", head(b"X-\xe9: y") + GOOD): "bad_response",
        site.raw("/chunks-garbage", chunked + b"zz\r\nhello\r\n"): "bad_response",
        site.raw("/chunks-no-end", chunked + b"5\r\nhello"): "truncated",
        site.raw("/short-body", head(b"Content-Length: 1000") + b"x" * 500): "truncated",
        site.raw("/long-body", head(b"Content-Length: 19") + GOOD + b"more"): "fetched",
        site.raw("/length-huge", head(b"Content-Length: 99999999999") + GOOD): "too_large",
        site.raw("/no-answer"): "connection",
        site.raw(
            "/bare-newlines", b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n" + GOOD
        ): "fetched",
        site.raw("/no-colon", head(b"garbage") + GOOD): "fetched",
        site.raw("/odd-headers", head(b"X-Odd: \xfe\x00\x85\xe9", b"X-None:") + GOOD): "fetched",
        site.raw("/zeros", bytes(1000)): "connection",  # it ends before a line does
    }


def bombs(site: HostileSite) -> dict[str, str]:
    flat = deflate_bomb()
    packed = gzip.compress(b"")[:10] + flat + bytes(8)  # the checksum is never reached
    return {
        encoded(site, "/gzip-bomb", b"gzip", packed): "too_large",
        encoded(site, "/gzip-twice", b"gzip, gzip", gzip.compress(packed)): "too_large",
        encoded(site, "/gzip-layers", b", ".join([b"gzip"] * 500), gzip.compress(packed)): (
            "bad_encoding"
        ),
        encoded(site, "/deflate-bomb", b"deflate", flat): "too_large",
        encoded(site, "/br-bomb", b"br", brotli_bomb()): "too_large",
        encoded(site, "/zstd-bomb", b"zstd", zstd_bomb()): "too_large",
        encoded(site, "/gzip-members", b"gzip", gzip.compress(b"") * 90_000): "bad_encoding",
    }


def encodings(site: HostileSite) -> dict[str, str]:
    packed = gzip.compress(GOOD)
    return {
        encoded(site, "/gzip", b"gzip", packed): "fetched",
        encoded(site, "/gzip-both", b"gzip", gzip.compress(GOOD[:5]) + gzip.compress(GOOD[5:])): (
            "fetched"
        ),
        encoded(site, "/gzip-padded", b"x-gzip", packed + bytes(100)): "fetched",
        encoded(site, "/gzip-gzip", b"gzip, gzip", gzip.compress(packed)): "fetched",
        encoded(site, "/deflate", b"deflate", zlib.compress(GOOD)): "fetched",
        encoded(site, "/deflate-raw", b"deflate", zlib.compress(GOOD, wbits=-15)): "fetched",
        encoded(site, "/br", b"br", brotli.compress(GOOD)): "fetched",
        encoded(site, "/zstd", b"zstd", zstd.compress(GOOD)): "fetched",
        encoded(site, "/encoded-as-charset", b"utf-8", GOOD): "fetched",
        encoded(site, "/gzip-cut", b"gzip", packed[:-9]): "bad_encoding",
        encoded(site, "/br-cut", b"br", brotli.compress(GOOD)[:-3]): "bad_encoding",
        encoded(site, "/zstd-cut", b"zstd", zstd.compress(GOOD)[:-3]): ("bad_encoding"),
        encoded(site, "/gzip-lie", b"gzip", GOOD): "bad_encoding",
        encoded(site, "/encoding-unknown", b"aes128gcm", GOOD): "bad_encoding",
    }


def kinds(site: HostileSite) -> dict[str, str]:
    untyped = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    liar = head(kind=b"text/html; charset=utf-16") + "café".encode("latin-1")
    return {
        site.raw("/untyped", untyped + GOOD): "fetched",
        site.raw("/untyped-picture", untyped + b"\x89PNG\r\n\x1a\n" + bytes(99)): "not_a_page",
        site.raw("/picture-as-page", head() + b"\xff\xd8\xff\xe0" + bytes(99)): "not_a_page",
        site.raw("/zip-as-text", head(kind=b"text/plain") + b"PK\x03\x04abc"): "not_a_page",
        site.raw("/odd-type", head(kind=b"\xff\xfe;;;=") + GOOD): "not_a_page",
        site.raw("/charset-lie", liar): "fetched",
        site.raw("/charset-none", head(kind=b"text/html; charset=klingon") + GOOD): "fetched",
        site.raw(
            "/utf-16", head(kind=b"text/html") + "\ufeff<p>a</p>".encode("utf-16-le")
        ): "fetched",
    }


def redirects(site: HostileSite) -> dict[str, str]:
    back = f"http://127.0.0.1:{site.port}".encode()
    secret = f"http://me:secret@127.0.0.1:{site.port}/with-credentials".encode()
    site.page("/with-credentials", GOOD)
    for day in range(20):
        site.redirect(f"/calendar?day={day}", b"/calendar?day=%d" % (day + 1))
    return {
        site.redirect("/to-file", b"file:///etc/passwd"): "scheme",
        site.redirect("/to-ftp", b"ftp://127.0.0.1/x"): "scheme",
        site.redirect("/to-data", b"data:text/html,hello"): "scheme",
        site.redirect("/to-script", b"javascript:alert(1)"): "scheme",
        site.redirect("/to-self", b"/to-self"): "too_many_redirects",
        site.redirect("/to-credentials", secret): "fetched",
        site.redirect("/to-bracket", b"http://[::1/"): "bad_url",
        site.redirect("/to-no-port", b"http://127.0.0.1:port/"): "bad_url",
        site.redirect("/to-nothing", b""): "http_302",
        site.redirect("/to-long", b"/" + b"a" * 3000): "bad_url",
        site.redirect("/to-split", b"/a\r\nSet-Cookie: b"): "http_404",
        site.redirect("/to-letters", b"/caf\xc3\xa9"): "http_404",
        site.redirect("/to-host", back + b"/gzip"): "fetched",
        site.url("/calendar?day=0"): "too_many_redirects",
        site.url("/calendar?day=18"): "http_404",
    }


def addresses(site: HostileSite) -> dict[str, str]:
    """Every spelling of an address on this machine or network, in a link and in a redirect."""
    site.page("/secret", b"the metadata")
    hosts = [
        "localhost", "127.0.0.2", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1",
        "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[fd00:ec2::254]", "[ff02::1]",
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
        "192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "LOCALHOST",
    ]  # fmt: skip
    # What a resolver does not take for an address at all is as good.
    harmless = {"[fe80::1%25lo]": "dns"}
    found = {}
    for number, host in enumerate(hosts):
        target = f"http://{host}:{site.port}/secret"
        expected = harmless.get(host, "private_address")
        found[target] = expected
        found[site.redirect(f"/private-{number}", target.encode())] = expected
    return found


def odd_links(site: HostileSite) -> dict[str, str]:
    return {
        "ftp://127.0.0.1/x": "scheme",
        "file:///etc/passwd": "scheme",
        "nonsense": "scheme",
        "http://": "bad_url",
        "http://127.0.0.1:port/": "bad_url",
        f"http://me:secret@127.0.0.1:{site.port}/gzip": "bad_url",
        f"http://{'a' * 70}.com/": "bad_url",
        site.url("/" + "a" * 3000): "bad_url",
        "http://127.0.0.1:1/": "connection",
    }


def dying(site: HostileSite) -> dict[str, str]:
    site.answers["/reset"] = hang_up_hard
    return {site.url("/reset"): "truncated"}


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def survived(
    tmp_path_factory: pytest.TempPathFactory, expected: dict[str, str]
) -> Iterator[Survived]:
    with hostile_site() as site:
        for group in (
            slow_or_endless, floods, malformed, bombs, encodings, kinds, redirects, addresses,
            odd_links, dying,
        ):  # fmt: skip
            expected |= group(site)
        started = time.monotonic()
        config = quick(
            user_agent_contact="owner@example.com",
            timeout_seconds=2.0,
            max_page_bytes=LIMIT,
            retries=0,
            requests_per_host=16,
        )
        folder = tmp_path_factory.mktemp("hostile")
        outcomes, pages, peak_bytes = crawl_apart(folder, list(expected), config)
        yield Survived(site, outcomes, pages, time.monotonic() - started, peak_bytes)


def test_each_bad_answer_has_its_outcome(survived: Survived, expected: dict[str, str]) -> None:
    assert survived.outcomes == expected


def test_who_sends_without_end_is_hung_up_on_soon(survived: Survived) -> None:
    endless = {path for path in survived.site.answers if path.startswith("/endless")}
    assert len(endless) == 11
    assert endless <= survived.site.hung_up
    assert max(survived.site.sent[path] for path in endless) < 16 * MB
    assert survived.seconds < 20


def test_bombs_take_no_memory(survived: Survived) -> None:
    assert survived.peak_bytes < 300 * MB


def test_no_private_address_is_ever_asked(survived: Survived) -> None:
    assert survived.site.hits["/secret"] == 0


def test_credentials_are_not_sent_on(survived: Survived) -> None:
    assert b"authorization" not in survived.site.heads["/with-credentials"].lower()
    assert b"secret" not in survived.site.heads["/with-credentials"]


def test_what_was_cut_short_is_no_page(survived: Survived) -> None:
    good = {"/gzip", "/gzip-both", "/gzip-padded", "/deflate", "/deflate-raw", "/br", "/zstd"}
    good |= {"/long-body", "/untyped", "/no-colon", "/encoded-as-charset"}
    assert {survived.pages[survived.site.url(path)].body for path in good} == {GOOD}
    assert {survived.outcomes[url] for url in survived.pages} == {"fetched"}


def test_a_page_has_one_span_of_time_for_all_its_redirects_and_retries(tmp_path: Path) -> None:
    with hostile_site() as site:

        def late(connection: socket.socket) -> None:
            time.sleep(0.6)
            connection.sendall(head(b"Location: /next", b"Content-Length: 0", status=b"302 Found"))

        site.answers |= {"/late": late, "/next": lambda connection: time.sleep(0.6)}
        config = quick(
            user_agent_contact="owner@example.com", timeout_seconds=2.0, page_seconds=1.0, retries=9
        )
        urls = [site.url("/late"), site.page("/good", GOOD)]
        outcomes, _, _ = crawl_apart(tmp_path, urls, config)
        assert outcomes == {site.url("/late"): "timeout", site.url("/good"): "fetched"}
        assert (site.hits["/late"], site.hits["/next"]) == (1, 1)
