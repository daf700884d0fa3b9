"""The fetching process: `python -m wellread.crawl.fetch`, started by `crawl` and by nobody else.

A process of its own, because Twisted's reactor runs once in a process. It reads its job as one line
of JSON from standard input, and lives no longer than that pipe. It writes to standard output a line
of JSON now and then: how far it is. What it fetched goes to the journal.

Scrapy makes each request; which one, and when, the frontier says. A link is under way until its
outcome is on disk, so that a kill costs no more than the requests under way.
"""

import importlib.metadata
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import scrapy
from scrapy import signals
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import StopDownload
from twisted.internet.defer import Deferred
from twisted.web.client import HTTPConnectionPool

from wellread.base.urls import canonical_url
from wellread.crawl.answers import (
    header,
    milliseconds_of,
    pairs,
    reason_of,
    redirect_target,
    robots_verdict,
)
from wellread.crawl.config import UNDER_WAY, CrawlConfig, parse_shard
from wellread.crawl.frontier import Answer, Frontier, Kind, Ticket, retry_after
from wellread.crawl.journal import Journal, done_keys
from wellread.crawl.queue import Queue, host_of, without, write_queue
from wellread.crawl.report import NUM_HOSTS, Report
from wellread.crawl.resolver import GuardedResolver
from wellread.crawl.robots import StrictRobotsTxt
from wellread.crawl.shard import urls_of_shard
from wellread.formats.pages import FETCHED, Outcome, Page, refusal
from wellread.formats.warc import Exchange

REPORT_SECONDS = 1.0
IDLE_SECONDS = 30.0  # that a connection is kept for a host's next turn
DNS_THREADS = 32  # names that are asked for at a time
MIDDLEWARE = "scrapy.downloadermiddlewares"
BUSY = {429, 503}
AGAIN = {408, 429, 500, 502, 503, 504, 522, 524}  # worth a second try: Scrapy's RETRY_HTTP_CODES
FAILURES = {"connection", "dns", "timeout"}  # of the host; others are of the page
UNASKED = {"robots_txt", "private_address"}  # outcomes for which no page was asked for
NOTHING = Answer(kind="unasked")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    links: str
    out: str
    config: dict[str, Any]  # of a CrawlConfig, as JSON has it


class _Task:
    """A link under way."""

    __slots__ = ("answer", "answered_at", "ticket")

    def __init__(self, ticket: Ticket) -> None:
        self.ticket, self.answer, self.answered_at = ticket, NOTHING, 0.0


class LinkSpider(scrapy.Spider):  # type: ignore[misc]  # Scrapy is untyped here
    """Fetches each link once and notes what became of it."""

    name = "wellread"

    def __init__(
        self, journal: Journal, frontier: Frontier, config: CrawlConfig, report: Report
    ) -> None:
        from twisted.internet import reactor  # which one is settled only once Scrapy runs

        super().__init__()
        self.journal, self.frontier, self.crawl_config = journal, frontier, config
        self.report, self.started_at, self.reported_at = report, time.monotonic(), 0.0
        self.resolver = install_resolver(config)
        self.under_way: dict[str, _Task] = {}  # by link
        self.all_done: Deferred[None] = Deferred()
        self.call_later = reactor.callLater
        self.alarm: Any = None  # the next call of `pump`, if it waits for the clock
        journal.written = partial(reactor.callFromThread, self.written)

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "LinkSpider":
        spider: LinkSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.headers_received, signal=signals.headers_received)
        crawler.signals.connect(spider.robots_parsed, signal=signals.robots_parsed)
        return spider

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Nothing for Scrapy's own queue; the spider lives until the frontier is empty."""
        self.pump()
        await self.all_done
        return
        yield

    def pump(self) -> None:
        """Begin what may begin now, and come back when the next host's turn comes."""
        now = time.monotonic()
        while len(self.under_way) < UNDER_WAY and (ticket := self.frontier.take(now)):
            self.under_way[ticket.link] = _Task(ticket)
            if ticket.refused is not None:
                self.note(Outcome(url=ticket.link, outcome=ticket.refused))
            else:
                Deferred.fromCoroutine(self.fetch(ticket)).addErrback(crash)
        due = self.frontier.next_due()
        if due is not None and len(self.under_way) < UNDER_WAY:
            self.wake_at(due)
        if self.frontier.is_empty and not self.all_done.called:
            self.tell()
            self.all_done.callback(None)

    def wake_at(self, moment: float) -> None:
        if self.alarm is not None and self.alarm.active():
            self.alarm.cancel()
        self.alarm = self.call_later(max(moment - time.monotonic(), 0.0), self.pump)

    async def fetch(self, ticket: Ticket) -> None:
        try:
            request = scrapy.Request(ticket.url, dont_filter=True, meta={"ticket": ticket})
        except ValueError:  # a host or a port that is none
            self.note(Outcome(url=ticket.link, outcome="bad_address"))
            return
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001  # of Scrapy, Twisted, OpenSSL: any of dozens
            self.failed(ticket, request, error)
        else:
            self.answered(ticket, request, response)

    def headers_received(self, headers: Any, request: scrapy.Request, **_: Any) -> None:
        """Stop before the body of what is no page anyway."""
        if "ticket" not in request.meta:
            return
        request.meta["received"] = pairs(headers)
        content_type = (headers.get("Content-Type") or b"").decode("latin-1")
        if refusal(200, content_type):
            raise StopDownload(fail=False)

    def robots_parsed(self, robotparser: Any, request: scrapy.Request) -> None:
        """Keep the rests that a host asks for."""
        agent = self.crawler.settings["USER_AGENT"]
        if seconds := robotparser.rp.crawl_delay(agent):
            self.frontier.ask_patience(host_of(request.url), float(seconds))

    def answered(self, ticket: Ticket, request: scrapy.Request, response: Any) -> None:
        seconds = request.meta.get("download_latency") or 0.0
        answer = Answer(kind="answered", seconds=seconds)
        if response.status in BUSY:
            wait = retry_after(header(response, "Retry-After"), datetime.now(UTC))
            answer = Answer(kind="busy", seconds=seconds, retry_after=wait)
        target = redirect_target(response)
        if target is not None and ticket.redirects < self.crawl_config.max_redirects:
            self.follow(ticket, answer, url=target, redirects=ticket.redirects + 1)
        elif response.status in AGAIN and ticket.retries < self.crawl_config.retries:
            self.follow(ticket, answer, retries=ticket.retries + 1)
        else:
            self.conclude(ticket, request, response, answer)

    def conclude(
        self, ticket: Ticket, request: scrapy.Request, response: Any, answer: Answer
    ) -> None:
        content_type = header(response, "Content-Type")
        reason = refusal(response.status, content_type)
        if redirect_target(response) is not None:
            reason = "too_many_redirects"
        elif reason is None and len(response.body) > self.crawl_config.max_page_bytes:
            reason = "too_large"
        milliseconds = round(answer.seconds * 1000)
        outcome = Outcome(
            url=ticket.link,
            outcome=reason or FETCHED,
            status=response.status,
            num_bytes=0 if reason else len(response.body),
            milliseconds=milliseconds,
            redirected_to=canonical_url(response.url) if ticket.redirects else None,
            redirects=ticket.redirects,
            robots="allowed",
        )
        page = None
        if reason is None:
            exchange = Exchange(
                url=response.url,
                sent=pairs(request.headers),
                received=request.meta.get("received", ()),
                milliseconds=milliseconds,
            )
            page = Page(
                url=ticket.link,
                status=response.status,
                content_type=content_type,
                body=response.body,
                fetched_at=datetime.now(UTC),
                exchange=exchange,
            )
        self.note(outcome, page, answer)

    def failed(self, ticket: Ticket, request: scrapy.Request, error: Exception) -> None:
        is_private = host_of(ticket.url) in self.resolver.refused
        reason = "private_address" if is_private else reason_of(error)
        was_asked: Kind = "unasked" if reason in UNASKED else "answered"
        answer = Answer(
            kind="failed" if reason in FAILURES else was_asked,
            seconds=self.crawl_config.timeout_seconds if reason == "timeout" else 0.0,
        )
        if reason in FAILURES and ticket.retries < self.crawl_config.retries:
            self.follow(ticket, answer, retries=ticket.retries + 1)
            return
        outcome = Outcome(
            url=ticket.link,
            outcome=reason,
            milliseconds=milliseconds_of(request.meta),
            redirected_to=canonical_url(ticket.url) if ticket.redirects else None,
            redirects=ticket.redirects,
            robots=robots_verdict(error),
        )
        self.note(outcome, None, answer)

    def follow(self, ticket: Ticket, answer: Answer, **changes: Any) -> None:
        """Put another request for the same link in its host's line."""
        del self.under_way[ticket.link]
        now = time.monotonic()
        self.frontier.again(msgspec.structs.replace(ticket, **changes), now)
        self.frontier.finish(ticket, answer, now)
        self.wake_at(now)

    def note(self, outcome: Outcome, page: Page | None = None, answer: Answer = NOTHING) -> None:
        task = self.under_way[outcome.url]
        task.answer, task.answered_at = answer, time.monotonic()
        try:
            self.journal.add(outcome, page)
        except OSError as error:
            self.give_up(error)

    def written(self, outcomes: Sequence[Outcome]) -> None:
        """Let hosts go on whose pages are on disk."""
        try:
            self.journal.check()
        except OSError as error:
            self.give_up(error)
        for outcome in outcomes:
            task = self.under_way.pop(outcome.url)
            self.frontier.finish(task.ticket, task.answer, task.answered_at)
            self.report.add(outcome)
        for host in self.frontier.closed:
            self.forget(host)
        self.frontier.closed.clear()
        if time.monotonic() - self.reported_at > REPORT_SECONDS:
            self.tell()
        self.pump()

    def tell(self) -> None:
        self.reported_at = time.monotonic()
        self.report.seconds = self.reported_at - self.started_at
        self.report.slowest = self.frontier.slowest(NUM_HOSTS)
        sys.stdout.buffer.write(msgspec.json.encode(self.report) + b"\n")
        sys.stdout.buffer.flush()

    def give_up(self, error: OSError) -> NoReturn:
        """The disk has no room: nothing more can be noted."""
        self.report.errno, self.report.file = error.errno, str(error.filename or "")
        self.tell()
        os._exit(1)

    def forget(self, host: str) -> None:
        """Give back the memory of a host that is done with."""
        self.resolver.refused.discard(host)
        robots = self.crawler.get_downloader_middleware(StrictRobotsTxt)
        if robots is not None:
            robots.forget(host)


def install_resolver(config: CrawlConfig) -> GuardedResolver:
    from twisted.internet import reactor  # which one is settled only once Scrapy runs

    resolver = GuardedResolver(reactor.nameResolver, config)
    reactor.installNameResolver(resolver)
    # Scrapy installs its own between now and the reactor's first turn, before any connection.
    reactor.callWhenRunning(reactor.installNameResolver, resolver)
    return resolver


def crash(failure: Any) -> NoReturn:
    """A bug here must not become a link that is waited for in vain."""
    failure.printTraceback(sys.stderr)
    sys.stderr.flush()
    os._exit(1)


def settings_for(config: CrawlConfig) -> dict[str, Any]:
    """Scrapy with what a single request needs, and nothing else of it."""
    version = importlib.metadata.version("wellread")
    contact = f" (+{config.user_agent_contact})" if config.user_agent_contact else ""
    return {
        "USER_AGENT": f"wellread/{version}{contact}",
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": UNDER_WAY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": config.requests_per_host,
        # The frontier keeps the delays; this one parts a host's robots.txt from its first page.
        "DOWNLOAD_DELAY": config.delay_seconds,
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "DOWNLOAD_TIMEOUT": config.timeout_seconds,
        "DOWNLOAD_MAXSIZE": config.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),  # http and https stay
        "DOWNLOADER_MIDDLEWARES_BASE": {
            "wellread.crawl.robots.StrictRobotsTxt": 100,
            f"{MIDDLEWARE}.downloadtimeout.DownloadTimeoutMiddleware": 350,
            f"{MIDDLEWARE}.defaultheaders.DefaultHeadersMiddleware": 400,
            f"{MIDDLEWARE}.useragent.UserAgentMiddleware": 500,
            f"{MIDDLEWARE}.httpcompression.HttpCompressionMiddleware": 590,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "REACTOR_THREADPOOL_MAXSIZE": DNS_THREADS,
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        # Twisted's own reactor. On asyncio's, Scrapy 2.19 starts a host's whole queue at once: it
        # counts a request as under way only when the task that it made for it runs.
        "TWISTED_REACTOR": None,
    }


def allow_connections() -> None:
    """As many as the system lets this process have, and none idle for long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    HTTPConnectionPool.cachedConnectionTimeout = IDLE_SECONDS  # Scrapy makes the pool


def end_with_parent() -> None:
    """End this process when the other end of standard input closes."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would trip the normal exit
    os._exit(1)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=end_with_parent, daemon=True).start()
    run(Path(job.links), Path(job.out), msgspec.convert(job.config, CrawlConfig))


def waiting_links(links: Path, out: Path, config: CrawlConfig) -> tuple[Queue, int]:
    """What the journal does not have, and how many links it has."""
    done = done_keys(out)
    parts = urls_of_shard(links, parse_shard(config.shard))
    return write_queue(out, (without(urls, done) for urls in parts)), len(done)


def run(links: Path, out: Path, config: CrawlConfig) -> None:
    allow_connections()
    # It would print a traceback for every host that cannot be reached.
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    with Journal(out, segment_bytes=config.segment_bytes) as journal:
        queue, before = waiting_links(links, out, config)
        with queue:
            report = Report(total=before + queue.num_links, before=before)
            process = CrawlerProcess(settings_for(config))
            process.crawl(LinkSpider, journal, Frontier(queue, config), config, report)
            process.start(install_signal_handlers=False)


if __name__ == "__main__":
    main()
