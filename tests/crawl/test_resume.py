"""A killed crawl goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.crawl.conftest import quick, write_links_to
from tests.sites.local_site import LocalSite, local_site
from wellread.base.config import to_plain
from wellread.base.manifest import is_artifact
from wellread.crawl.config import CrawlConfig
from wellread.crawl.journal import JOURNAL, RECORDS, Journal, read_journal, read_records
from wellread.crawl.stage import crawl
from wellread.formats.pages import FETCHED, Outcome, Page, encode_page, read_pages

NUM_PAGES = 200
PROGRAM = """
import sys, msgspec
from pathlib import Path
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
config = msgspec.convert(msgspec.json.decode(sys.argv[3]), CrawlConfig)
crawl(Path(sys.argv[1]), Path(sys.argv[2]), config)
"""


def page(url: str) -> Page:
    moment = datetime(2017, 1, 1, tzinfo=UTC)
    return Page(url=url, status=200, content_type="text/html", body=b"text", fetched_at=moment)


def test_a_record_and_a_line_cut_by_a_kill_are_as_if_never_written(tmp_path: Path) -> None:
    first, second = page("http://a.com/1"), page("http://a.com/2")
    with Journal(tmp_path) as journal:
        journal.add(Outcome(url=first.url, outcome=FETCHED), first)
    with (tmp_path / RECORDS).open("ab") as file:
        file.write(encode_page(second)[:30])
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"outcome": {"url": "http')
    with Journal(tmp_path) as journal:
        journal.add(Outcome(url=second.url, outcome=FETCHED), second)
    entries = list(read_journal(tmp_path))
    assert [entry.outcome.url for entry in entries] == [first.url, second.url]
    assert list(read_records(tmp_path, iter(entries))) == [encode_page(first), encode_page(second)]


def slow_site(site: LocalSite) -> list[str]:
    return [site.slow(f"/{number:03}", 0.05) for number in range(NUM_PAGES)]


def started(links: Path, out: Path, config: CrawlConfig) -> subprocess.Popen[bytes]:
    """A crawl in a process of its own, some way into its work."""
    encoded = msgspec.json.encode(to_plain(config)).decode()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(links), str(out), encoded])
    deadline = time.monotonic() + 30
    while sum(1 for _ in read_journal(out)) < 40:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.slow
def test_a_crawl_killed_twice_has_the_pages_of_one_that_was_not(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls = slow_site(site)
        links, config = write_links_to(tmp_path / "links", urls), quick()
        for _ in range(2):
            process = started(links, out, config)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not is_artifact(out)
        manifest = crawl(links, out, config)
        assert [p.url for p in read_pages(out)] == sorted(urls)
        assert (manifest.counts["in"], manifest.counts["out"]) == (NUM_PAGES, NUM_PAGES)
        # Only what was under way when the process died was asked for again.
        repeated = sum(site.hits[f"/{number:03}"] - 1 for number in range(NUM_PAGES))
        assert repeated <= 2 * 8
    assert sorted(p.name for p in out.iterdir()) == [
        "manifest.json",
        "outcomes.parquet",
        "pages-00000.warc.gz",
    ]


@pytest.mark.slow
def test_the_fetching_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", slow_site(site))
        process = started(links, tmp_path / "pages", quick())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)
        before = sum(site.hits.values())
        time.sleep(0.5)
        assert sum(site.hits.values()) == before
