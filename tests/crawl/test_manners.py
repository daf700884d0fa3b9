"""What sites ask for is done, over a real connection."""

import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from tests.crawl.conftest import quick, write_links_to
from tests.sites.local_site import HTML, LocalSite, local_site, send
from wellread.crawl.estimate import Host, describe, estimate
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages
from wellread.formats.pages import read_outcomes


def busy(site: LocalSite, path: str, *, times: int, **headers: str) -> str:
    """Answers 503 so many times, and then a page."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        status = 503 if left[0] >= 0 else 200
        send(handler, status, b"<p>here</p>", HTML, **(headers if left[0] >= 0 else {}))

    site.answers[path] = answer
    return site.url(path)


def test_a_busy_site_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", [busy(site, "/a", times=1, Retry_After="1")])
        started = time.monotonic()
        manifest = crawl(links, tmp_path / "pages", quick())
        assert time.monotonic() - started > 1
    assert manifest.counts["out"] == 1


def test_rules_that_could_not_be_had_are_asked_for_again(tmp_path: Path) -> None:
    with local_site() as site:
        busy(site, "/robots.txt", times=2, Retry_After="1")
        urls = [site.page(f"/{number}") for number in range(9)]
        started = time.monotonic()
        manifest = crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", quick())
        assert time.monotonic() - started > 2
        assert site.hits["/robots.txt"] == 3
    assert manifest.counts["out"] == 9


def test_a_host_that_is_away_for_a_while_loses_no_link(tmp_path: Path) -> None:
    with local_site() as site, local_site() as other:
        back_at = time.monotonic() + 2.0

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if time.monotonic() < back_at:
                handler.connection.shutdown(socket.SHUT_RDWR)
            else:
                send(handler, 200, b"<p>here</p>", HTML)

        paths = [f"/{number}" for number in range(9)]
        site.answers |= dict.fromkeys(["/robots.txt", *paths], answer)
        named = [other.page(path).replace("127.0.0.1", "other.example") for path in paths]
        urls = [*map(site.url, paths), *named]
        config = quick(
            delay_seconds=0.02,
            resolve={"other.example": f"127.0.0.1:{other.port}"},
            user_agent_contact="a@b.c",
        )
        manifest = crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", config)
    assert manifest.counts["out"] == 18


def test_a_site_that_asks_for_too_long_a_wait_is_asked_no_more(tmp_path: Path) -> None:
    with local_site() as site, local_site() as other:
        urls = [busy(site, f"/{number}", times=9, Retry_After="86400") for number in range(9)]
        site.page("/after", "never seen")
        other.slow("/robots.txt", 0.5)
        late = [other.redirect(f"/{n}", site.url("/after")) for n in range(3)]
        urls += [url.replace("127.0.0.1", "other.example") for url in late]
        config = quick(
            max_wait_seconds=2.0,
            requests_per_host=1,
            resolve={"other.example": f"127.0.0.1:{other.port}"},
            user_agent_contact="a@b.c",
        )
        manifest = crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", config)
        assert sum(site.hits.values()) == 2  # robots.txt among them
        after = site.url("/after")
    assert manifest.dropped == {"host_gave_up": 12}
    found = list(read_outcomes(tmp_path / "pages"))
    assert [o.status for o in found if o.status not in (None, 503)] == [302] * 3
    assert {(o.redirected_to, o.redirects) for o in found if o.status == 302} == {(after, 1)}
    assert sum(o.status == 503 for o in found) == 1


def test_a_site_that_stays_busy_is_given_up(tmp_path: Path) -> None:
    with local_site() as site:
        urls = [site.status(f"/{number}", 429) for number in range(9)]
        links = write_links_to(tmp_path / "links", urls)
        manifest = crawl(links, tmp_path / "pages", quick(requests_per_host=1, retries=0))
        assert manifest.dropped == {"http_429": 5, "host_gave_up": 4}
        assert sum(site.hits[f"/{number}"] for number in range(9)) == 5


def test_a_dead_host_is_given_up_and_others_go_on(tmp_path: Path) -> None:
    with local_site() as site:
        dead = [f"http://dead.example/{number}" for number in range(50)]
        links = write_links_to(tmp_path / "links", [site.page("/a"), *dead])
        config = quick(
            resolve={"dead.example": "127.0.0.1:1"}, requests_per_host=1, user_agent_contact="a@b.c"
        )
        manifest = crawl(links, tmp_path / "pages", config)
    assert manifest.counts["out"] == 1
    assert manifest.dropped == {"connection": 1, "host_unreachable": 49}


def test_the_crawl_delay_of_robots_txt_is_kept_from_the_first_page_on(tmp_path: Path) -> None:
    moments = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        moments.append(time.monotonic())
        body = b"User-agent: *\nCrawl-delay: 0.4\n" if handler.path == "/robots.txt" else b"<p>"
        send(handler, 200, body, HTML)

    with local_site() as site:
        site.answers |= dict.fromkeys(("/robots.txt", "/a", "/b"), answer)
        urls = [site.url("/a"), site.url("/b")]
        crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", quick())
    rules, first, second = moments
    assert first - rules >= 0.4
    assert second - first >= 0.4


def test_no_page_is_taken_from_a_site_that_asks_for_rests_too_long(tmp_path: Path) -> None:
    with local_site() as site:
        site.page("/robots.txt", "User-agent: *\nCrawl-delay: 86400\n", "text/plain")
        links = write_links_to(tmp_path / "links", [site.page(f"/{n}") for n in range(9)])
        manifest = crawl(links, tmp_path / "pages", quick())
        assert set(site.hits) == {"/robots.txt"}
    assert manifest.dropped == {"crawl_delay": 9}


def test_the_first_page_waits_after_robots_txt(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", [site.page("/a")])
        started = time.monotonic()
        crawl(links, tmp_path / "pages", quick(delay_seconds=0.5))
        assert time.monotonic() - started > 0.5


def test_a_page_is_kept_with_its_request_and_what_was_measured(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        site.packed("/new", b"<p>text</p>")
        link = site.redirect("/old", "/new")
        config = quick(user_agent_contact="owner@example.com")
        crawl(write_links_to(tmp_path / "links", [link]), out, config)
        with (out / "pages-00000.warc.gz").open("rb") as file:
            records = {
                r.rec_type: (r.rec_headers, r.http_headers, r.content_stream().read())
                for r in ArchiveIterator(file, check_digests="raise")
            }
        assert list(records) == ["warcinfo", "response", "request", "metadata"]
        about, http, body = records["response"]
        assert about.get_header("WARC-Target-URI") == site.url("/new")
        assert (body, http.get_header("Content-Length")) == (b"<p>text</p>", "11")
        assert http.get_header("Content-Encoding") is None
        assert http.get_header("X-Crawler-Content-Encoding") == "gzip"
        for kind in ("request", "metadata"):
            concurrent = records[kind][0].get_header("WARC-Concurrent-To")
            assert concurrent == about.get_header("WARC-Record-ID")
        _, asked, _ = records["request"]
        assert asked.statusline == "/new HTTP/1.1"
        assert asked.get_header("Host") == f"127.0.0.1:{site.port}"
        assert asked.get_header("User-Agent") == "wellread/0.1.0 (+owner@example.com)"
        assert about.get_header("WARC-IP-Address") == "127.0.0.1"
        assert records["warcinfo"][2].decode().splitlines() == [
            "software: wellread/0.1.0",
            "http-header-user-agent: wellread/0.1.0 (+owner@example.com)",
            "robots: obey",
            "operator: owner@example.com",
            "format: WARC File Format 1.0",
        ]
        assert records["metadata"][2].startswith(f"via: {link}\r\nfetchTimeMs: ".encode())
        (outcome,) = read_outcomes(out)
        assert (outcome.redirects, outcome.redirected_to) == (1, site.url("/new"))
        assert [page.url for page in read_pages(out)] == [link]


def test_shards_part_the_links_by_domain_and_each_is_an_artifact(tmp_path: Path) -> None:
    with local_site() as site:
        hosts = [f"{name}.{number}.example" for number in range(8) for name in ("www", "blog")]
        site.page("/a")
        urls = [f"http://{host}/a" for host in hosts]
        links = write_links_to(tmp_path / "links", urls)
        resolve = {f"*.{number}.example": f"127.0.0.1:{site.port}" for number in range(8)}
        found = []
        for number in range(2):
            out = tmp_path / f"pages-{number}"
            manifest = crawl(links, out, quick(resolve=resolve, shard=f"{number}/2"))
            found.append([o.url for o in read_outcomes(out)])
            assert manifest.counts["in"] == len(found[-1])
    assert sorted(url for urls in found for url in urls) == sorted(urls)
    # conftest's links are all of one registrable domain, so that one shard has them all.
    assert sorted(map(len, found)) == [0, 16]


def test_an_estimate_names_the_hosts_with_most_links(tmp_path: Path) -> None:
    urls = [f"http://a.com/{n}" for n in range(30)] + [f"https://b{n}.com/" for n in range(9)]
    links = write_links_to(tmp_path / "links", [*urls, "https://a.com/"])
    found = estimate(links, quick(delay_seconds=2.0, requests_per_host=1))
    assert (found.num_links, found.num_hosts) == (40, 10)
    assert found.largest[:2] == [Host(host="a.com", num_links=31), Host(host="b0.com", num_links=1)]
    assert found.seconds == 93.0
    assert found.disk_bytes == 1_100_000
    assert "a.com alone; an answer takes 1 s, then its host rests 2 s" in describe(found)
