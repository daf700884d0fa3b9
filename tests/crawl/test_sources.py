"""The same answer is the same page, or none for the same reason, from the web and from archives."""

import gzip
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import brotli
import pytest

from tests.crawl.common_crawl import CRAWL, settings
from tests.crawl.conftest import GOOD, MB, quick, write_links_to
from tests.sites.common_crawl import Captured, CommonCrawl, raw_record
from tests.sites.hostile_site import head, hostile_site
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import writing
from wellread.cli.show import summary
from wellread.crawl.config import CrawlConfig
from wellread.crawl.journal import Journal
from wellread.crawl.stage import crawl
from wellread.crawl.surt import surt_key
from wellread.formats.archives import read_pages
from wellread.formats.compressed import zstd
from wellread.formats.pages import Outcome, read_outcomes

UNTYPED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(99)
WIDE = "<p>Näher</p>".encode("utf-16-le")


class Sent(NamedTuple):
    answer: bytes
    outcome: str = "fetched"
    body: bytes = GOOD


def encoded(name: bytes, body: bytes, outcome: str = "fetched") -> Sent:
    lines = (b"Content-Encoding: " + name, b"Content-Length: %d" % len(body))
    return Sent(head(*lines) + body, outcome)


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MB)) for _ in range(100)), packer.flush()])


SENT = {
    "plain": Sent(head() + GOOD),
    "gzip": encoded(b"gzip", gzip.compress(GOOD)),
    "x-gzip": encoded(b"X-GZIP", gzip.compress(GOOD)),
    "gzip-twice": encoded(b"gzip, gzip", gzip.compress(gzip.compress(GOOD))),
    "deflate": encoded(b"deflate", zlib.compress(GOOD)),
    "br": encoded(b"br", brotli.compress(GOOD)),
    "zstd": encoded(b"zstd", zstd.compress(GOOD)),
    "br-empty": Sent(head(b"Content-Encoding: br", b"Content-Length: 0"), body=b""),
    "gzip-cut": encoded(b"gzip", gzip.compress(GOOD)[:-9], "bad_encoding"),
    "br-cut": encoded(b"br", brotli.compress(GOOD)[:-3], "bad_encoding"),
    "zstd-cut": encoded(b"zstd", zstd.compress(GOOD)[:-3], "bad_encoding"),
    "unknown-encoding": encoded(b"aes128gcm", bytes(range(99)), "bad_encoding"),
    "bomb": encoded(b"gzip", bomb(), "too_large"),
    "large": Sent(head() + b"x" * 2 * MB, "too_large"),
    "large-in-full": Sent(head(b"Content-Length: %d" % (2 * MB)) + b"x" * 2 * MB, "too_large"),
    "large-in-chunks": Sent(head(CHUNKED) + chunks(*[b"x" * 65536] * 32), "too_large"),
    "many-chunks": Sent(head(CHUNKED) + chunks(*[b"x"] * 300_000), "too_large"),
    "short": Sent(head(b"Content-Length: 500") + b"x" * 283, "truncated"),
    "short-gzip": Sent(
        head(b"Content-Encoding: gzip", b"Content-Length: 500") + gzip.compress(GOOD)[:9],
        "truncated",
    ),
    "chunked": Sent(head(CHUNKED) + chunks(GOOD[:5], GOOD[5:])),
    "chunked-gzip": Sent(head(CHUNKED, b"Content-Encoding: gzip") + chunks(gzip.compress(GOOD))),
    "chunks-cut": Sent(head(CHUNKED) + chunks(GOOD, end=b"99\r\nmore"), "truncated"),
    "chunks-without-end": Sent(head(CHUNKED) + chunks(GOOD, end=b""), "truncated"),
    "chunks-damaged": Sent(head(CHUNKED) + chunks(GOOD, end=b"zz\r\nmore\r\n"), "bad_response"),
    "untyped": Sent(UNTYPED + GOOD),
    "untyped-picture": Sent(UNTYPED + PNG, "not_a_page"),
    "picture-as-page": Sent(head() + PNG, "not_a_page"),
    "picture": Sent(head(kind=b"image/png") + PNG, "not_a_page"),
    "wide": Sent(head(kind=b"text/html; charset=utf-16le") + WIDE, body=WIDE),
    "zeros-as-wide": Sent(head(kind=b"text/html; charset=utf-16") + bytes(99), "not_a_page"),
    "gone": Sent(head(status=b"410 Gone") + GOOD, "http_410"),
}


def found(out: Path) -> tuple[dict[str, Outcome], dict[str, bytes]]:
    """Outcomes and bodies by the last part of the URL."""
    outcomes = {o.url.rpartition("/")[2]: o for o in read_outcomes(out)}
    return outcomes, {p.url.rpartition("/")[2]: p.body for p in read_pages(out)}


@pytest.mark.parametrize("source", ["web", "warc", "commoncrawl"])
def test_an_answer_is_judged_alike_wherever_it_comes_from(
    tmp_path: Path, served: CommonCrawl, source: str
) -> None:
    out = tmp_path / "pages"
    if source == "web":
        with hostile_site() as site:
            urls = [site.raw(f"/{name}", sent.answer) for name, sent in SENT.items()]
            config = quick(max_page_bytes=MB, retries=0)
            crawl(write_links_to(tmp_path / "links", urls), out, config)
    else:
        raw = {f"http://a.com/{name}": sent.answer for name, sent in SENT.items()}
        links = write_links_to(tmp_path / "links", raw)
        if source == "warc":
            archive = tmp_path / "some.warc.gz"
            archive.write_bytes(b"".join(raw_record(*pair) for pair in raw.items()))
            config = CrawlConfig(source="warc", warcs=[archive], max_page_bytes=MB)
        else:
            captured = [Captured(surt_key(url), url, raw=raw[url]) for url in raw]
            served.add_crawl(CRAWL, captured)
            config = settings(served, max_page_bytes=MB)
        crawl(links, out, config)
    outcomes, bodies = found(out)
    assert {n: o.outcome for n, o in outcomes.items()} == {n: s.outcome for n, s in SENT.items()}
    assert bodies == {n: s.body for n, s in SENT.items() if s.outcome == "fetched"}
    # The web tells of what it hung up on only why.
    statuses = {o.status for n, o in outcomes.items() if o.outcome != "too_large" and n != "gone"}
    assert statuses == {200}


def test_what_an_archive_holds_decoded_is_a_page_whatever_its_headers_say(tmp_path: Path) -> None:
    gzipped = (b"Content-Encoding: gzip", b"Content-Length: 999")
    wide = head(*gzipped, kind=b"text/html; charset=utf-16")
    sent = {
        "gzip": (head(*gzipped), GOOD),
        "wide": (wide, WIDE),
        "br": (head(b"Content-Encoding: br"), GOOD),
        "chunked": (head(CHUNKED), GOOD),
        "both": (head(CHUNKED, b"Content-Encoding: gzip"), GOOD),
    }
    archive = tmp_path / "some.warc.gz"
    archive.write_bytes(
        b"".join(raw_record(f"http://a.com/{n}", b"".join(parts)) for n, parts in sent.items())
    )
    links = write_links_to(tmp_path / "links", [f"http://a.com/{name}" for name in sent])
    crawl(links, tmp_path / "pages", CrawlConfig(source="warc", warcs=[archive]))
    assert found(tmp_path / "pages")[1] == {name: body for name, (_, body) in sent.items()}


@pytest.mark.parametrize(
    "answer", [SENT["bomb"].answer, head() + bytes(50 * MB), head()[:-2] + b"X: " + b"y" * 50 * MB]
)
def test_a_bomb_in_an_archive_takes_no_memory(tmp_path: Path, answer: bytes) -> None:
    archive = tmp_path / "some.warc.gz"
    archive.write_bytes(raw_record("http://a.com/", answer))
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    config = CrawlConfig(source="warc", warcs=[archive], max_page_bytes=MB)
    tracemalloc.start()
    try:
        manifest = crawl(links, tmp_path / "pages", config)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert manifest.dropped == {"too_large": 1}
    assert peak < 30 * MB


def test_our_own_pages_are_read_again_as_they_were(tmp_path: Path) -> None:
    good = [name for name, sent in SENT.items() if sent.outcome == "fetched"]
    with hostile_site() as site:
        urls = [site.raw(f"/{name}", SENT[name].answer) for name in good]
        links = write_links_to(tmp_path / "links", urls)
        crawl(links, tmp_path / "first", quick())
    again = CrawlConfig(source="warc", warcs=[tmp_path / "first"])
    crawl(links, tmp_path / "again", again)
    assert found(tmp_path / "again")[1] == found(tmp_path / "first")[1]
    assert {outcome.outcome for outcome in read_outcomes(tmp_path / "again")} == {"fetched"}


def test_files_that_are_no_archives_are_named_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "warcs").mkdir()
    (tmp_path / "warcs" / "a.warc.gz").write_bytes(b"")
    (tmp_path / "warcs" / "b.warc.gz").write_bytes(raw_record("http://a.com/", head() + GOOD))
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    config = CrawlConfig(source="warc", warcs=[tmp_path / "warcs"])
    manifest = crawl(links, tmp_path / "pages", config)
    (named,) = manifest.examples["neither WARC nor ARC"]
    assert "a.warc.gz" in named
    assert summary(manifest) == "1 in, 1 out; bad records in the input: 1"
    (tmp_path / "warcs" / "b.warc.gz").unlink()
    with pytest.raises(WellreadError, match=r"no answers in the given archives .*a\.warc\.gz"):
        crawl(links, tmp_path / "none", config)


def test_archives_named_by_mistake_do_not_lock_the_folder(tmp_path: Path) -> None:
    mistaken, right, out = tmp_path / "README.md", tmp_path / "b.warc.gz", tmp_path / "pages"
    mistaken.write_text("No archive.")
    right.write_bytes(raw_record("http://a.com/", head() + GOOD))
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    first, second = (CrawlConfig(source="warc", warcs=[path]) for path in (mistaken, right))
    with pytest.raises(WellreadError, match="no answers in the given archives"):
        crawl(links, out, first, replaces=False)
    assert crawl(links, out, second, replaces=False).counts["out"] == 1


def test_of_an_interrupted_crawl_each_difference_is_named_once(tmp_path: Path) -> None:
    archives, out = [tmp_path / "a.warc.gz", tmp_path / "b.warc.gz"], tmp_path / "pages"
    for path in archives:
        path.write_bytes(raw_record("http://a.com/", head() + GOOD))
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    first, second = (CrawlConfig(source="warc", warcs=[path]) for path in archives)
    inputs = {"links": [links], "warcs": first.warcs}
    with (
        suppress(KeyboardInterrupt),
        writing(out, stage="crawl", config=first, inputs=inputs, resume=True),
    ):
        with Journal(out) as journal:
            journal.add(Outcome(url="http://a.com/", outcome="http_404", status=404))
        raise KeyboardInterrupt
    with pytest.raises(InputError, match="an interrupted crawl with another warcs is there"):
        crawl(links, out, second, replaces=False)
