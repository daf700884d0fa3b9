"""The fetching process: `python -m wellread.crawl.fetch`, started by `crawl` and by nobody else.

A process of its own, because Twisted's reactor runs once in a process. It reads its job as one line
of JSON from standard input, and lives no longer than that pipe. It writes to standard output a line
of JSON now and then: how many links are done. What it fetched goes to the journal.
"""

import hashlib
import importlib.metadata
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import scrapy
from scrapy import signals
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import StopDownload

from wellread.base.config import convert
from wellread.base.urls import canonical_url
from wellread.crawl.blocklists import beyond_limit
from wellread.crawl.config import CrawlConfig
from wellread.crawl.guards import outcome_of
from wellread.crawl.journal import Journal, read_journal
from wellread.crawl.policy import url_refusal
from wellread.crawl.resolver import SETTING
from wellread.formats.links import read_links
from wellread.formats.pages import FETCHED, Outcome, Page, refusal

REPORT_SECONDS = 0.25
CONCURRENT_REQUESTS = 128  # over all hosts
UNSAID = "text/html"  # what an answer without content type is taken for, as in the corpus stage
MIDDLEWARE = "scrapy.downloadermiddlewares"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    links: str
    out: str
    config: dict[str, Any]  # of a CrawlConfig, as JSON has it


class Report(msgspec.Struct, kw_only=True):
    """What the parent is told while the work goes on."""

    pages: int = 0
    failed: int = 0
    errno: int | None = None  # the disk refused; the process ends
    file: str = ""


class LinkSpider(scrapy.Spider):  # type: ignore[misc]  # Scrapy is untyped here
    """Fetches each link once and notes what became of it."""

    name = "wellread"

    def __init__(
        self, journal: Journal, config: CrawlConfig, pending: list[tuple[str, bool]]
    ) -> None:
        super().__init__()
        self.journal, self.crawl_config, self.pending = journal, config, pending
        self.report, self.reported_at = Report(), 0.0

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "LinkSpider":
        spider: LinkSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.headers_received, signal=signals.headers_received)
        crawler.signals.connect(spider.request_scheduled, signal=signals.request_scheduled)
        return spider

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url, is_over in self.pending:
            # Scrapy's Request refuses some of what is no address, and that would end the crawl.
            if reason := "domain_limit" if is_over else url_refusal(url):
                self.note(Outcome(url=url, outcome=reason))
                continue
            yield scrapy.Request(
                url, self.answered, errback=self.failed, dont_filter=True, meta={"link": url}
            )

    def headers_received(self, headers: Any, request: scrapy.Request, **_: Any) -> None:
        """Stop before the body of what is no page anyway."""
        content_type = (headers.get("Content-Type") or b"").decode("latin-1")
        if "link" in request.meta and refusal(200, content_type or UNSAID):
            raise StopDownload(fail=False)

    def request_scheduled(self, request: scrapy.Request, **_: Any) -> None:
        """Let a redirected request wait its turn at its new host, not at the one it came from."""
        request.meta.pop("download_slot", None)

    def answered(self, response: Any) -> None:
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        url, body = response.meta["link"], response.body
        reason = refusal(response.status, content_type or UNSAID)
        if reason is None and len(body) > self.crawl_config.max_page_bytes:
            reason = "too_large"
        outcome = Outcome(
            url=url,
            outcome=reason or FETCHED,
            status=response.status,
            num_bytes=0 if reason else len(body),
            milliseconds=_milliseconds(response.meta),
            redirected_to=canonical_url(response.url) if "redirect_urls" in response.meta else None,
        )
        page = Page(
            url=url,
            status=response.status,
            content_type=content_type,
            body=body,
            fetched_at=datetime.now(UTC),
        )
        self.note(outcome, None if reason else page)

    def failed(self, failure: Any) -> None:
        meta = failure.request.meta
        is_redirected = "redirect_urls" in meta
        outcome = Outcome(
            url=meta["link"],
            outcome=outcome_of(failure.value),
            milliseconds=_milliseconds(meta),
            redirected_to=canonical_url(failure.request.url) if is_redirected else None,
        )
        self.note(outcome)

    def note(self, outcome: Outcome, page: Page | None = None) -> None:
        try:
            self.journal.add(outcome, page)
        except OSError as error:  # a disk without room: nothing more can be noted
            self.report.errno, self.report.file = error.errno, str(error.filename or "")
            self.tell()
            os._exit(1)
        if page is None:
            self.report.failed += 1
        else:
            self.report.pages += 1
        if time.monotonic() - self.reported_at > REPORT_SECONDS:
            self.tell()

    def tell(self) -> None:
        self.reported_at = time.monotonic()
        sys.stdout.buffer.write(msgspec.json.encode(self.report) + b"\n")
        sys.stdout.buffer.flush()


def _milliseconds(meta: Any) -> int | None:
    seconds = meta.get("download_latency")
    return None if seconds is None else round(seconds * 1000)


def settings_for(config: CrawlConfig) -> dict[str, Any]:
    """Scrapy with what a crawl of given links needs, and nothing else of it."""
    version = importlib.metadata.version("wellread")
    contact = f" (+{config.user_agent_contact})" if config.user_agent_contact else ""
    throttle = {"scrapy.extensions.throttle.AutoThrottle": 0} if config.delay_seconds else {}
    return {
        SETTING: config,
        "USER_AGENT": f"wellread/{version}{contact}",
        "CONCURRENT_REQUESTS": CONCURRENT_REQUESTS,
        "CONCURRENT_REQUESTS_PER_DOMAIN": config.requests_per_host,
        "DOWNLOAD_DELAY": config.delay_seconds,
        "AUTOTHROTTLE_ENABLED": bool(config.delay_seconds),
        "AUTOTHROTTLE_START_DELAY": config.delay_seconds,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(config.requests_per_host),
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": config.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_ENABLED": config.retries > 0,
        "RETRY_TIMES": config.retries,
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",  # the link's outcome says it; a log of them has no end
        "DOWNLOAD_HANDLERS": {
            **dict.fromkeys(("data", "file", "ftp", "s3")),
            **dict.fromkeys(("http", "https"), "wellread.crawl.guards.GuardedHandler"),
        },
        "TWISTED_DNS_RESOLVER": "wellread.crawl.resolver.GuardedResolver",
        # A look-up that nobody answers holds a thread for half a minute; the others shall not wait.
        "REACTOR_THREADPOOL_MAXSIZE": CONCURRENT_REQUESTS,
        "DOWNLOADER_MIDDLEWARES_BASE": {
            "wellread.crawl.guards.LinkGuard": 50,
            "wellread.crawl.robots.StrictRobotsTxt": 100,
            f"{MIDDLEWARE}.defaultheaders.DefaultHeadersMiddleware": 400,
            f"{MIDDLEWARE}.useragent.UserAgentMiddleware": 500,
            f"{MIDDLEWARE}.retry.RetryMiddleware": 550,
            "wellread.crawl.guards.Decoding": 590,
            "wellread.crawl.guards.Redirects": 600,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": throttle,
        "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        # Twisted's own reactor. On asyncio's, Scrapy 2.19 starts a host's whole queue at once: it
        # counts a request as under way only when the task that it made for it runs.
        "TWISTED_REACTOR": None,
    }


def pending_links(links: Path, out: Path, limit: int | None) -> list[tuple[str, bool]]:
    """The links that the journal does not have, mixed so that hosts take turns.

    With each, whether it is beyond the `limit` of its domain; which those are does not depend on
    what is done.
    """
    done = {entry.outcome.url for entry in read_journal(out)}
    urls = sorted(
        (link.url for link in read_links(links)),
        key=lambda url: hashlib.sha256(url.encode()).digest(),
    )
    return [(url, is_over) for url, is_over in beyond_limit(urls, limit) if url not in done]


def end_with_parent() -> None:
    """End this process when the other end of standard input closes."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would trip the normal exit
    os._exit(1)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=end_with_parent, daemon=True).start()
    config = convert(job.config, CrawlConfig, where="crawl")
    out = Path(job.out)
    with Journal(out) as journal:
        pending = pending_links(Path(job.links), out, config.max_links_per_domain)
        process = CrawlerProcess(settings_for(config))
        process.crawl(LinkSpider, journal, config, pending)
        process.start(install_signal_handlers=False)


if __name__ == "__main__":
    main()
