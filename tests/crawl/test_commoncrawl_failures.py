"""Servers that are busy, cut bodies or serve something else than Common Crawl's index."""

import gzip
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.crawl.common_crawl import CRAWL, FILLER, settings
from tests.crawl.conftest import write_links_to
from tests.sites.common_crawl import CommonCrawl
from tests.sites.local_site import Answer, send
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import is_artifact
from wellread.crawl.ranges import RangeServer
from wellread.crawl.stage import crawl


def test_a_busy_server_is_asked_again_later(tmp_path: Path, served: CommonCrawl) -> None:
    (index,) = served.add_crawl(CRAWL, FILLER)
    refuse = lambda status: lambda handler: send(handler, status, b"slow down", "text/plain")  # noqa: E731
    served.trouble[index] = [refuse(503)]
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    manifest = crawl(links, tmp_path / "pages", settings(served, commoncrawl_patience_seconds=1.5))
    assert manifest.counts["out"] == 1
    assert [path for path, _ in served.asked].count(index) >= 3  # the footer twice, then columns


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_server_that_stays_busy_ends_the_run_in_one_sentence(
    tmp_path: Path, served: CommonCrawl, status: int
) -> None:
    (index,) = served.add_crawl(CRAWL, FILLER)
    served.site.status(f"/{index}", status)
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    with pytest.raises(WellreadError, match=rf"parquet: answered {status} .* run the same comm"):
        crawl(links, tmp_path / "pages", settings(served))
    assert not is_artifact(tmp_path / "pages")


def test_a_server_that_asks_for_more_time_than_there_is_patience_ends_the_run_at_once(
    tmp_path: Path, served: CommonCrawl
) -> None:
    (index,) = served.add_crawl(CRAWL, FILLER)
    served.trouble[index] = [
        lambda handler: send(handler, 429, b"", "text/plain", Retry_After="3600")
    ]
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    with pytest.raises(WellreadError, match="answered 429"):
        crawl(links, tmp_path / "pages", settings(served, commoncrawl_patience_seconds=3599.0))


def test_one_request_in_vain_ends_those_that_wait_as_well(
    tmp_path: Path, served: CommonCrawl
) -> None:
    paths = served.add_crawl(CRAWL, FILLER, files=6)
    served.take_away(paths[0])
    for path in paths[1:]:
        served.site.status(f"/{path}", 503)
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    started = time.monotonic()
    with pytest.raises(WellreadError, match="answered 404"):
        crawl(links, tmp_path / "pages", settings(served, commoncrawl_patience_seconds=3600.0))
    assert time.monotonic() - started < 30


def test_a_body_that_is_cut_is_asked_for_again(tmp_path: Path, served: CommonCrawl) -> None:
    served.add_crawl(CRAWL, FILLER)
    (name,) = [path for path in served.files if path.endswith("00000.warc.gz")]

    def cut(handler: object) -> None:
        content = served.files[name]
        asked = re.findall(r"\d+", served.asked[-1][1])
        start, end = int(asked[0]), int(asked[1])
        handler.send_response(206)  # type: ignore[attr-defined]
        handler.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")  # type: ignore[attr-defined]
        handler.send_header("Content-Length", str(end - start + 1))  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(content[start : start + 10])  # type: ignore[attr-defined]
        handler.close_connection = True  # type: ignore[attr-defined]

    served.trouble[name] = [cut]
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    manifest = crawl(links, tmp_path / "pages", settings(served, commoncrawl_patience_seconds=1.5))
    assert manifest.counts["out"] == 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"


def drip(handler: BaseHTTPRequestHandler, *, at_once: bytes) -> None:
    """Silences between bytes that no time limit of a single read minds."""
    handler.wfile.write(at_once)
    for byte in (HEAD + bytes(40)).removeprefix(at_once):
        time.sleep(0.2)
        handler.wfile.write(bytes([byte]))


def flood(handler: BaseHTTPRequestHandler) -> None:
    """A head without end, quickly."""
    for _ in range(3000):
        time.sleep(0.002)
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\nX-Filler: " + bytes(60000) + b"\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [partial(drip, at_once=b""), partial(drip, at_once=HEAD), flood],
    ids=["head", "body", "endless head"],
)
def test_an_answer_that_comes_too_slowly_is_given_up(
    tmp_path: Path, served: CommonCrawl, answer: Answer
) -> None:
    served.add_crawl(CRAWL, FILLER)
    served.site.answers[f"/crawl-data/{CRAWL}/cc-index-table.paths.gz"] = answer
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    started = time.monotonic()
    # Python 3.14 gives up after a hundred interim answers, before the time is over.
    is_counted = answer is flood and sys.version_info >= (3, 14)
    ended = "ConnectionError" if is_counted else "ReadTimeout"
    with pytest.raises(WellreadError, match=rf"could not be read \({ended}"):
        crawl(links, tmp_path / "pages", settings(served, timeout_seconds=0.5))
    assert time.monotonic() - started < 5


def test_each_answer_of_a_kept_connection_has_its_own_time(served: CommonCrawl) -> None:
    served.put("file", bytes(100))
    callers = []

    def late(handler: BaseHTTPRequestHandler) -> None:
        callers.append(handler.client_address)
        time.sleep(0.4)
        send(handler, 206, bytes(9), "text/plain", Content_Range="bytes 0-8/100")

    served.trouble["file"] = [late] * 3
    with RangeServer(served.base, user_agent="a", timeout=1.0, patience=0.0) as server:
        assert [server.read("file", 0, 9) for _ in range(3)] == [bytes(9)] * 3
    assert len(callers) == 3
    assert len(set(callers)) == 1


def test_a_server_may_say_by_the_clock_when_to_come_back(
    tmp_path: Path, served: CommonCrawl
) -> None:
    (index,) = served.add_crawl(CRAWL, FILLER)
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    served.trouble[index] = [
        lambda handler: send(handler, 429, b"", "text/plain", Retry_After=later)
    ]
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    with pytest.raises(WellreadError, match="answered 429"):
        crawl(links, tmp_path / "pages", settings(served, commoncrawl_patience_seconds=3500.0))


REFUSED_INDEXES = {
    "no such crawl": (InputError, "no index of CC-MAIN-2017-51"),
    "a listing that is no gzip": (WellreadError, "not a gzipped list"),
    "a listing of nothing": (WellreadError, "names no file of crawl=CC-MAIN-2017-51/subset=warc"),
    "a listed file that is not there": (WellreadError, "answered 404, though its crawl's listing"),
    "no Parquet": (WellreadError, "no Parquet file"),
    "a damaged footer": (WellreadError, "a damaged Parquet file"),
    "a damaged column": (WellreadError, "a damaged Parquet file"),
    "no column": (WellreadError, "no column warc_filename; expected Common Crawl's index"),
    "no ranges": (WellreadError, "answered 200, expected 206; it serves no byte ranges"),
    "other ranges": (WellreadError, r"asked for bytes -131072, the server answered with 'bytes 0"),
}


@pytest.mark.parametrize("what", REFUSED_INDEXES)
def test_an_index_that_cannot_be_read_ends_the_run_in_one_sentence(
    tmp_path: Path, served: CommonCrawl, what: str
) -> None:
    without = lambda table: table.drop_columns(["warc_filename"])  # noqa: E731
    change = {"change": without} if what == "no column" else {}
    (index,) = served.add_crawl(CRAWL, FILLER, **change)  # type: ignore[arg-type]
    listing = f"crawl-data/{CRAWL}/cc-index-table.paths.gz"
    content = served.files[index]
    if what == "no such crawl":
        served.take_away(listing)
    elif what == "a listing that is no gzip":
        served.put(listing, b"<html>")
    elif what == "a listing of nothing":
        served.put(listing, gzip.compress(b""))
    elif what == "a listed file that is not there":
        served.take_away(index)
    elif what == "no Parquet":
        served.put(index, b"<html>not found</html>")
    elif what == "a damaged footer":
        served.put(index, content[:-500] + b"\xff" * 400 + content[-100:])
    elif what == "a damaged column":
        served.put(index, b"PAR1" + b"\xff" * 2000 + content[2004:])
    elif what == "no ranges":
        served.site.page(f"/{index}", content, "application/octet-stream")
    elif what == "other ranges":
        served.site.answers[f"/{index}"] = lambda handler: send(
            handler, 206, content[:9], "text/plain", Content_Range=f"bytes 0-8/{len(content)}"
        )
    links = write_links_to(tmp_path / "links", ["http://filler.com/002"])
    kind, sentence = REFUSED_INDEXES[what]
    with pytest.raises(kind, match=sentence):
        crawl(links, tmp_path / "pages", settings(served))
    assert not is_artifact(tmp_path / "pages")


def test_a_stopped_look_up_goes_on_with_the_index_files_that_are_left(
    tmp_path: Path, served: CommonCrawl
) -> None:
    paths = served.add_crawl(CRAWL, FILLER, files=3)
    links = write_links_to(tmp_path / "links", [page.url for page in FILLER])
    good = served.site.answers[f"/{paths[2]}"]
    served.site.status(f"/{paths[2]}", 503)
    config = settings(served, commoncrawl_requests=1)
    with pytest.raises(WellreadError, match="answered 503"):
        crawl(links, tmp_path / "pages", config)
    served.site.answers[f"/{paths[2]}"] = good
    before = len(served.asked)
    assert crawl(links, tmp_path / "pages", config).counts["out"] == 60
    later = {path for path, _ in served.asked[before:]}
    assert not later & set(paths[:2])
