"""Links of a finished crawl that came to nothing are asked for once more, and its pages stay."""

import signal
from pathlib import Path

import pytest

from tests.crawl.conftest import quick, write_links_to
from tests.crawl.test_resume import check_places, num_lines, started, wait_for
from tests.sites.local_site import LocalSite, local_site
from wellread.base.errors import InputError
from wellread.base.files import sha256_of
from wellread.base.manifest import Manifest, marker_of, read_manifest
from wellread.crawl.config import CrawlConfig
from wellread.crawl.journal import DIGESTS, JOURNAL
from wellread.crawl.reopening import reopen
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages

GOOD, FAILING = 9, 60


def site_with_failures(site: LocalSite) -> list[str]:
    good = [site.page(f"/good/{number}", f"<p>{number}" * 99) for number in range(GOOD)]
    return [*good, *(site.status(f"/{number}", 500) for number in range(FAILING))]


def crawled(tmp_path: Path, site: LocalSite, **changes: object) -> tuple[list[str], Path, Manifest]:
    """Addresses, their links, and a finished crawl in `pages` in which many of them failed."""
    urls = site_with_failures(site)
    links = write_links_to(tmp_path / "links", urls)
    return urls, links, crawl(links, tmp_path / "pages", quick(retries=0, **changes))


def mend(site: LocalSite) -> None:
    for number in range(FAILING):
        site.slow(f"/{number}", 0.05)


def check(site: LocalSite, out: Path, urls: list[str]) -> None:
    """All pages are there once, where the table says, and the good ones were asked for once."""
    assert sorted(p.url for p in read_pages(out)) == sorted(urls)
    assert {site.hits[f"/good/{number}"] for number in range(GOOD)} == {1}
    check_places(out)
    for name, file in read_manifest(out).outputs.items():
        assert sha256_of(out / name) == file.sha256


def test_links_that_failed_are_asked_for_again_and_others_are_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls = site_with_failures(site)
        links = write_links_to(tmp_path / "links", [*urls, site.url("/missing")])
        config = quick(retries=0, segment_bytes=1000)
        first = crawl(links, out, config)
        assert first.dropped == {"http_404": 1, "http_500": FAILING}
        mend(site)
        assert crawl(links, out, quick(again=["dns"])) == first
        assert "no link ended as dns" in caplog.text
        second = crawl(links, out, quick(again=["dns", "http_500"]))
        assert second.dropped == {"http_404": 1}
        assert site.hits["/missing"] == 1
        assert sorted(p.url for p in read_pages(out)) == sorted(urls)
        assert crawl(links, out, config) == second


@pytest.mark.slow
def test_a_crawl_opened_again_and_killed_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls, links, _ = crawled(tmp_path, site, segment_bytes=1000)
        mend(site)
        config = quick(segment_bytes=1000, again=["http_500"])
        process = started(links, out, config)
        wait_for(process, out, GOOD + 20)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert num_lines(out) < len(urls)
        crawl(links, out, config)
        check(site, out, urls)


def test_a_kill_while_it_is_opened_leaves_the_finished_crawl(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls, links, first = crawled(tmp_path, site)
        for name in (JOURNAL, DIGESTS):
            (out / name).write_bytes(b"half a line")
        assert crawl(links, out, quick()) == first
        mend(site)
        crawl(links, out, quick(again=["http_500"]))
        check(site, out, urls)


def test_a_kill_when_it_has_just_been_opened_leaves_an_open_crawl(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls, links, _ = crawled(tmp_path, site)
        config = quick(again=["http_500"])
        mend(site)
        reopen(out, config.again, marker_of("crawl", config, {"links": [links]}))
        crawl(links, out, config)
        check(site, out, urls)


def test_pages_are_not_asked_for_again() -> None:
    with pytest.raises(InputError, match="again has 'fetched'; pages that are there are kept"):
        CrawlConfig(again=["fetched"])
    with pytest.raises(InputError, match="again has 'taken_down'"):
        CrawlConfig(again=["taken_down"])
