"""A site with bad manners, crawled once for many questions."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.sites.common_crawl import CommonCrawl
from tests.sites.local_site import LocalSite, local_site
from wellread.base.config import Config, to_plain
from wellread.base.manifest import Manifest, writing
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages
from wellread.formats.links import Link, write_links
from wellread.formats.pages import Outcome, Page, read_outcomes

WriteLinks = Callable[[Path, Iterable[str]], Path]

PROGRAM = """
import msgspec, resource, sys
from pathlib import Path
from wellread.base.config import convert
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
config = convert(msgspec.json.decode(sys.argv[3]), CrawlConfig, where="crawl")
crawl(Path(sys.argv[1]), Path(sys.argv[2]), config)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
GOOD = b"<p>A good page.</p>"
MB = 1 << 20


class Crawled(NamedTuple):
    site: LocalSite
    manifest: Manifest
    outcomes: dict[str, Outcome]  # by path
    pages: dict[str, Page]  # by path


def write_links_to(directory: Path, urls: Iterable[str]) -> Path:
    with writing(directory, stage="links", config=Config(), inputs={}) as draft:
        write_links(draft, [link_to(url) for url in sorted(urls)])
    return directory


def link_to(url: str) -> Link:
    return Link(
        url=url,
        domain="127.0.0.1",
        karma=3,
        subreddit="books",
        created_utc=datetime(2011, 1, 1, tzinfo=UTC),
        submissions=1,
    )


def quick(**changes: object) -> CrawlConfig:
    """A crawl of this machine without manners."""
    given = {"allow_hosts": ["127.0.0.1"], "delay_seconds": 0.0, "requests_per_host": 8, **changes}
    return CrawlConfig(**given)  # type: ignore[arg-type]  # tests name any key


def urls_of(site: LocalSite) -> list[str]:
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/\n", "text/plain")
    site.redirect("/r2", "/good")
    site.redirect("/l2", "/l1")
    return [
        site.page("/good", "<p>A good page.</p>"),
        site.page("/plain", "plain words", "text/plain"),
        site.redirect("/r1", "/r2"),
        site.redirect("/l1", "/l2"),
        site.redirect("/to-private-address", f"http://localhost:{site.port}/good"),
        site.slow("/slow", 3),
        site.broken("/broken"),
        site.page("/private/page", "secret"),
        site.page("/large", "x" * 300_000),
        site.packed("/bomb", b"x" * 300_000),
        site.packed("/packed", b"<p>packed</p>"),
        site.page("/binary", b"%PDF", "application/pdf"),
        site.url("/missing"),
        site.status("/failing", 503),
        "http://127.0.0.1:1/nobody-listens",
        "http://no-such-host.invalid/page",
        "http://[::1]:1/loopback",
        "http://mapped.example/good",
    ]


@pytest.fixture(scope="session")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("crawl")
    with local_site() as site:
        links = write_links_to(folder / "links", urls_of(site))
        config = quick(
            user_agent_contact="owner@example.com",
            resolve={"*.example": f"127.0.0.1:{site.port}"},
            timeout_seconds=1.0,
            max_page_bytes=200_000,
        )
        manifest = crawl(links, folder / "pages", config)
        yield Crawled(
            site,
            manifest,
            {path_of(o.url): o for o in read_outcomes(folder / "pages")},
            {path_of(p.url): p for p in read_pages(folder / "pages")},
        )


@pytest.fixture
def served() -> Iterator[CommonCrawl]:
    with local_site() as site:
        yield CommonCrawl(site)


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3] if "127.0.0.1" in url else url


def crawl_apart(
    folder: Path, urls: list[str], config: CrawlConfig, **environment: str
) -> tuple[dict[str, str], dict[str, Page], int]:
    """Crawl in a process of its own; outcomes and pages by URL, and the fetcher's peak memory."""
    links, out = write_links_to(folder / "links", urls), folder / "pages"
    arguments = [str(links), str(out), msgspec.json.encode(to_plain(config)).decode()]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = {o.url: o.outcome for o in read_outcomes(out)}
    return outcomes, {page.url: page for page in read_pages(out)}, int(done.stdout) * 1024
