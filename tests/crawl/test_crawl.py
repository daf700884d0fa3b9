"""Every link has an outcome, and only what is a page becomes one."""

import io
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from warcio.warcwriter import WARCWriter

from tests.crawl.conftest import Crawled, link_to, quick, write_links_to
from tests.sites.common_crawl import Captured, write_capture
from tests.sites.local_site import local_site
from wellread.base.config import convert
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import is_artifact, writing
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages
from wellread.formats.links import write_links
from wellread.formats.pages import Page, read_outcomes
from wellread.formats.warc import encode_page

EXPECTED = {
    "/good": "fetched",
    "/plain": "fetched",
    "/packed": "fetched",
    "http://mapped.example/good": "fetched",
    "/r1": "fetched",
    "/l1": "too_many_redirects",
    "/to-private-address": "private_address",
    "/slow": "timeout",
    "/broken": "connection",
    "/private/page": "robots_txt",
    "/large": "too_large",
    "/bomb": "too_large",
    "/binary": "not_a_page",
    "/missing": "http_404",
    "/failing": "http_503",
    "/nobody-listens": "connection",
    "http://no-such-host.invalid/page": "dns",
    "http://[::1]:1/loopback": "private_address",
}


@pytest.mark.parametrize("path", EXPECTED)
def test_each_link_has_the_outcome_it_deserves(crawled: Crawled, path: str) -> None:
    assert crawled.outcomes[path].outcome == EXPECTED[path]


def test_every_link_is_counted_once(crawled: Crawled) -> None:
    manifest = crawled.manifest
    assert manifest.counts["in"] == 18
    assert manifest.counts["out"] == 5 == len(crawled.pages)
    assert sum(manifest.dropped.values()) == 13
    assert manifest.examples["http_404"] == [crawled.site.url("/missing")]


def test_a_page_is_stored_as_its_server_sent_it(crawled: Crawled) -> None:
    good = crawled.pages["/good"]
    assert good.body == b"<p>A good page.</p>"
    assert good.content_type == "text/html; charset=utf-8"
    assert crawled.pages["/packed"].body == b"<p>packed</p>"


def test_a_redirected_page_keeps_the_address_of_its_link(crawled: Crawled) -> None:
    assert crawled.pages["/r1"].body == b"<p>A good page.</p>"
    assert crawled.outcomes["/r1"].redirected_to == crawled.site.url("/good")
    assert crawled.outcomes["/good"].redirected_to is None


def test_what_robots_txt_forbids_is_never_asked_for(crawled: Crawled) -> None:
    assert crawled.site.hits["/robots.txt"] >= 1
    assert crawled.site.hits["/private/page"] == 0


def test_a_failing_server_is_tried_once_more(tmp_path: Path) -> None:
    # A site of its own: where connections are cut, Twisted repeats a request below Scrapy.
    with local_site() as site:
        urls = [site.status("/failing", 503), site.url("/missing"), site.page("/good")]
        crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", quick())
        assert site.hits["/failing"] == 2
        assert site.hits["/missing"] == 1


def test_visitors_say_who_they_are(crawled: Crawled) -> None:
    assert crawled.site.user_agents == {"wellread/0.1.0 (+owner@example.com)"}


def test_no_more_requests_than_allowed_are_under_way_at_one_host(tmp_path: Path) -> None:
    with local_site() as site:
        urls = [site.slow(f"/{number}", 0.05) for number in range(30)]
        links = write_links_to(tmp_path / "links", urls)
        crawl(links, tmp_path / "pages", quick(requests_per_host=3))
        assert site.most_at_once == 3


def test_requests_that_wait_for_robots_txt_together_all_obey_it(tmp_path: Path) -> None:
    with local_site() as site:
        site.page("/robots.txt", "User-agent: *\nDisallow: /private/\n", "text/plain")
        urls = [site.page(f"/private/{number}") for number in range(20)]
        links = write_links_to(tmp_path / "links", [*urls, site.page("/open")])
        manifest = crawl(links, tmp_path / "pages", quick())
        assert manifest.dropped == {"robots_txt": 20}
        assert sorted(site.hits) == ["/open", "/robots.txt"]


def test_a_host_whose_robots_txt_fails_is_left_alone(tmp_path: Path) -> None:
    with local_site() as site, local_site() as other:
        site.status("/robots.txt", 503)
        urls = [site.page(f"/{number}") for number in range(5)]
        links = write_links_to(tmp_path / "links", [*urls, other.page("/open")])
        manifest = crawl(links, tmp_path / "pages", quick())
        assert manifest.dropped == {"robots_failed": 5}
        assert set(site.hits) == {"/robots.txt"}


def test_a_finished_crawl_is_not_done_again(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", [site.page("/a")])
        first = crawl(links, tmp_path / "pages", quick())
        assert crawl(links, tmp_path / "pages", quick()) == first
        assert site.hits["/a"] == 1


def test_a_crawl_of_the_web_without_a_contact_is_refused(tmp_path: Path) -> None:
    links = write_links_to(tmp_path / "links", ["http://someone.com/"])
    with pytest.raises(InputError, match=r"no user_agent_contact, and someone\.com"):
        crawl(links, tmp_path / "pages", CrawlConfig())
    assert not (tmp_path / "pages").exists()


def test_a_crawl_that_reaches_nobody_fails_and_leaves_nothing_finished(tmp_path: Path) -> None:
    links = write_links_to(tmp_path / "links", ["http://127.0.0.1:1/a"])
    with pytest.raises(WellreadError, match=r"none of 1 links could be reached \(connection\)"):
        crawl(links, tmp_path / "pages", quick(retries=0))
    assert not is_artifact(tmp_path / "pages")


def test_no_links_are_an_error(tmp_path: Path) -> None:
    links = write_links_to(tmp_path / "links", [])
    with pytest.raises(InputError, match="no links to fetch"):
        crawl(links, tmp_path / "pages", quick())


def test_pages_can_be_taken_from_archives_instead(tmp_path: Path, crawled: Crawled) -> None:
    archive = tmp_path / "some.warc.gz"
    missing = msgspec.structs.replace(crawled.pages["/good"], status=404)
    archive.write_bytes(encode_page(crawled.pages["/good"]) + encode_page(missing))
    links = [crawled.site.url("/good"), crawled.site.url("/elsewhere")]
    config = CrawlConfig(source="warc", warcs=[archive])
    out = tmp_path / "pages"
    manifest = crawl(write_links_to(tmp_path / "links", links), out, config)
    assert list(read_pages(out)) == [crawled.pages["/good"]]
    assert manifest.counts == {"in": 2, "out": 1, "bytes": 19, "redirected": 0}
    assert manifest.dropped == {"not in the given pages": 1}


def test_of_many_links_each_finds_its_page_or_its_refusal_in_archives(tmp_path: Path) -> None:
    def archived(number: int, **changes: object) -> bytes:
        page = Page(
            url=f"http://a.com/{number}",
            status=200,
            content_type="text/html",
            body=b"%d" % number,
            fetched_at=datetime(2017, 1, 1, tzinfo=UTC),
        )
        return encode_page(msgspec.structs.replace(page, **changes))

    archive = tmp_path / "some.warc.gz"
    pages = [archived(number) for number in range(0, 600, 2)]
    refused = [archived(1, status=404), archived(3, content_type="image/png"), archived(0)]
    archive.write_bytes(b"".join([*refused, *pages, archived(1)]))
    links = write_links_to(tmp_path / "links", [f"http://a.com/{n}" for n in range(600)])
    manifest = crawl(links, tmp_path / "pages", CrawlConfig(source="warc", warcs=[archive]))
    assert manifest.dropped == {"not in the given pages": 298, "not_a_page": 1}
    assert {p.url: p.body for p in read_pages(tmp_path / "pages")} == {
        f"http://a.com/{n}": b"%d" % n for n in (1, *range(0, 600, 2))
    }


def test_a_truncated_record_is_no_page(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    write_capture(writer, buffer, Captured("com,a)/", "http://a.com/", truncated="length"))
    (tmp_path / "some.warc.gz").write_bytes(buffer.getvalue())
    config = CrawlConfig(source="warc", warcs=[tmp_path / "some.warc.gz"])
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    assert crawl(links, tmp_path / "pages", config).dropped == {"truncated": 1}


def test_a_source_of_archives_without_archives_is_refused() -> None:
    with pytest.raises(InputError, match="give `warcs` together with source"):
        convert({"source": "warc"}, CrawlConfig, where="[crawl]")


def test_links_to_one_page_under_two_spellings_both_have_outcomes(tmp_path: Path) -> None:
    with local_site() as site:
        urls = [site.page("/a?x=1", "one"), site.page("/a?x=2", "two")]
        with writing(tmp_path / "l", stage="links", config=quick(), inputs={}) as draft:
            write_links(draft, [link_to(url) for url in urls])
        crawl(tmp_path / "l", tmp_path / "pages", quick())
    assert [o.outcome for o in read_outcomes(tmp_path / "pages")] == ["fetched", "fetched"]
