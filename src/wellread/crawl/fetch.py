"""The fetching process: `python -m wellread.crawl.fetch`, started by `crawl` and by nobody else.

A process of its own, because Twisted's reactor runs once in a process. It reads its job as one line
of JSON from standard input, and lives no longer than that pipe. It writes to standard output a line
of JSON now and then: how far it is. What it fetched goes to the journal.

Scrapy makes each request; which one, and when, the frontier says. A link is under way until its
outcome is on disk, so that a kill costs no more than the requests under way.
"""

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
from twisted.python.failure import Failure

from wellread.base.config import convert
from wellread.base.urls import canonical_url
from wellread.crawl.answers import (
    AGAIN,
    BUSY,
    RETRIED,
    UNANSWERED,
    UNCONNECTED,
    header,
    milliseconds_of,
    outcome_of,
    pairs,
    redirect_target,
    retry_after,
)
from wellread.crawl.config import CrawlConfig, user_agent
from wellread.crawl.frontier import Answer, Frontier, Ticket
from wellread.crawl.guards import SECONDS, STATUS
from wellread.crawl.journal import Journal
from wellread.crawl.pages import page_of
from wellread.crawl.policy import url_refusal
from wellread.crawl.provenance import provenance
from wellread.crawl.queue import host_of
from wellread.crawl.report import NUM_HOSTS, Report
from wellread.crawl.resolver import SETTING
from wellread.crawl.robots import FAILED, StrictRobotsTxt
from wellread.crawl.waiting import waiting_links
from wellread.formats.pages import FETCHED, Exchange, Outcome, Page, refusal
from wellread.formats.refused import Refused
from wellread.formats.replies import Reply

REPORT_SECONDS = 1.0
MIDDLEWARE = "scrapy.downloadermiddlewares"
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
        self.under_way: dict[str, _Task] = {}  # by link
        self.all_done: Deferred[None] = Deferred()
        self.call_later, self.call_when_running = reactor.callLater, reactor.callWhenRunning
        self.alarm: Any = None  # the next call of `pump`, if it waits for the clock
        journal.written = partial(reactor.callFromThread, self.written)

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "LinkSpider":
        spider: LinkSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.headers_received, signal=signals.headers_received)
        return spider

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Nothing for Scrapy's own queue; the spider lives until the frontier is empty."""
        self.robots: StrictRobotsTxt = self.crawler.get_downloader_middleware(StrictRobotsTxt)
        self.call_when_running(self.pump)  # not before: Scrapy has no resolver until then
        await self.all_done
        return
        yield

    def pump(self) -> None:
        """Begin what may begin now, and come back when the next host's turn comes."""
        now, most = time.monotonic(), self.crawl_config.under_way
        while len(self.under_way) < most and (ticket := self.frontier.take(now)):
            self.under_way[ticket.link] = _Task(ticket)
            if ticket.refused is not None:
                self.note(Outcome(url=ticket.link, outcome=ticket.refused))
            else:
                Deferred.fromCoroutine(self.fetch(ticket)).addErrback(crash)
        due = self.frontier.next_due()
        if due is not None and len(self.under_way) < most:
            self.wake_at(due)
        if self.frontier.is_empty and not self.all_done.called:
            self.tell()
            self.all_done.callback(None)

    def wake_at(self, moment: float) -> None:
        if self.alarm is not None and self.alarm.active():
            self.alarm.cancel()
        self.alarm = self.call_later(max(moment - time.monotonic(), 0.0), self.pump)

    async def fetch(self, ticket: Ticket) -> None:
        if reason := url_refusal(ticket.url):  # some of it is no address to Scrapy either
            self.note(Outcome(url=ticket.link, outcome=reason))
            return
        meta = {"ticket": ticket, SECONDS: ticket.seconds}
        request = scrapy.Request(ticket.url, dont_filter=True, meta=meta)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001  # of Scrapy, Twisted, OpenSSL: any of dozens
            self.keep_delay(ticket)
            self.failed(ticket, request, outcome_of(error))
        else:
            self.keep_delay(ticket)
            self.answered(ticket, request, response)

    def headers_received(self, headers: Any, request: scrapy.Request, **_: Any) -> None:
        """Stop before the body of what is no page anyway."""
        if "ticket" not in request.meta:
            return
        request.meta["received"] = pairs(headers)
        content_type = (headers.get("Content-Type") or b"").decode("latin-1")
        if refusal(200, content_type):
            raise StopDownload(fail=False)

    def keep_delay(self, ticket: Ticket) -> None:
        """Rest as long as the host asks for in its robots.txt."""
        rules = self.robots.known(ticket.url)
        if rules is not None and rules.crawl_delay is not None:
            self.frontier.ask_patience(host_of(ticket.url), rules.crawl_delay)

    def answered(self, ticket: Ticket, request: scrapy.Request, response: Any) -> None:
        seconds = request.meta.get("download_latency") or 0.0
        answer = Answer(kind="answered", seconds=seconds)
        if response.status in BUSY:
            wait = retry_after(header(response, "Retry-After"), datetime.now(UTC))
            answer = Answer(kind="busy", seconds=seconds, retry_after=wait)
        try:
            target = redirect_target(response)
        except Refused as refused:
            self.note(outcome_for(ticket, request, refused.outcome, response), None, answer)
            return
        if target is not None:
            is_circle = target in (ticket.link, ticket.url)
            if is_circle or ticket.redirects >= self.crawl_config.max_redirects:
                outcome = outcome_for(ticket, request, "too_many_redirects", response)
                self.note(outcome, None, answer)
            else:
                step = {"url": target, "redirects": ticket.redirects + 1}
                self.follow(ticket, request, answer, **step)
        elif response.status in AGAIN and self.may_retry(ticket, request):
            self.follow(ticket, request, answer, retries=ticket.retries + 1)
        else:
            self.conclude(ticket, request, response, answer)

    def conclude(
        self, ticket: Ticket, request: scrapy.Request, response: Any, answer: Answer
    ) -> None:
        reply = Reply(
            url=ticket.link,
            status=response.status,
            headers=pairs(response.headers),
            body=response.body,
            fetched_at=datetime.now(UTC),
        )
        try:
            page = page_of(reply, self.crawl_config.max_page_bytes)
        except Refused as refused:
            self.note(outcome_for(ticket, request, refused.outcome, response), None, answer)
            return
        exchange = Exchange(
            url=response.url,
            sent=pairs(request.headers),
            received=request.meta.get("received", ()),
            milliseconds=milliseconds_of(request.meta),
            ip_address=str(response.ip_address) if response.ip_address else None,
        )
        outcome = outcome_for(ticket, request, FETCHED, response)
        outcome = msgspec.structs.replace(outcome, num_bytes=len(page.body))
        self.note(outcome, msgspec.structs.replace(page, exchange=exchange), answer)

    def failed(self, ticket: Ticket, request: scrapy.Request, reason: str) -> None:
        """Ask again, or note why there is no answer that can be used."""
        is_asked = request.meta[SECONDS] > ticket.seconds
        has_failed = reason in UNANSWERED and (is_asked or request.meta.get("robots") == "failed")
        answer, is_passing = NOTHING, reason in RETRIED
        if has_failed:
            seconds = self.crawl_config.timeout_seconds if reason == "timeout" else 0.0
            answer = Answer(kind="failed", seconds=seconds)
        elif is_asked and reason not in UNCONNECTED:
            answer = Answer(kind="answered")
        elif reason == FAILED:
            rules = self.robots.known(ticket.url)
            if rules is not None and not rules.is_current:
                answer = Answer(kind="busy", retry_after=rules.retry_after, is_rules=True)
                is_passing = True
        if is_passing and self.may_retry(ticket, request):
            self.follow(ticket, request, answer, retries=ticket.retries + 1)
        else:
            self.note(outcome_for(ticket, request, reason), None, answer)

    def may_retry(self, ticket: Ticket, request: scrapy.Request) -> bool:
        is_time_left = request.meta[SECONDS] < self.crawl_config.page_seconds
        return is_time_left and ticket.retries < self.crawl_config.retries

    def follow(
        self, ticket: Ticket, request: scrapy.Request, answer: Answer, **changes: Any
    ) -> None:
        """Put another request for the same link in its host's line."""
        del self.under_way[ticket.link]
        now, spent = time.monotonic(), request.meta[SECONDS]
        self.frontier.again(msgspec.structs.replace(ticket, seconds=spent, **changes), now)
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
        except Exception:  # noqa: BLE001  # of the thread that writes
            crash(Failure())
        for outcome in outcomes:
            task = self.under_way.pop(outcome.url)
            self.frontier.finish(task.ticket, task.answer, task.answered_at)
            self.report.add(outcome)
        for host in self.frontier.closed:
            for scheme in ("http", "https"):  # rules of other ports go when their room is wanted
                self.robots.forget(f"{scheme}://{host}")
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
        self.report.warning = None  # once is enough

    def give_up(self, error: OSError) -> NoReturn:
        """The disk has no room: nothing more can be noted."""
        self.report.errno, self.report.file = error.errno, str(error.filename or "")
        self.tell()
        os._exit(1)


def outcome_for(
    ticket: Ticket, request: scrapy.Request, reason: str, response: Any = None
) -> Outcome:
    """The row of a link whose last request came to this."""
    return Outcome(
        url=ticket.link,
        outcome=reason,
        status=request.meta.get(STATUS) if response is None else response.status,
        milliseconds=milliseconds_of(request.meta),
        redirected_to=canonical_url(ticket.url) if ticket.redirects else None,
        redirects=ticket.redirects,
        robots=request.meta.get("robots"),
    )


def crash(failure: Any) -> NoReturn:
    """A bug here must not become a link that is waited for in vain."""
    failure.printTraceback(sys.stderr)
    sys.stderr.flush()
    os._exit(1)


def settings_for(config: CrawlConfig) -> dict[str, Any]:
    """Scrapy with what a single request needs, and nothing else of it."""
    return {
        SETTING: config,
        "USER_AGENT": user_agent(config),
        "CONCURRENT_REQUESTS": config.under_way,
        "CONCURRENT_REQUESTS_PER_DOMAIN": config.requests_per_host,
        # The frontier keeps the delays; this one parts a host's robots.txt from its first page.
        "DOWNLOAD_DELAY": config.delay_seconds,
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": config.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_HANDLERS": {
            **dict.fromkeys(("data", "file", "ftp", "s3")),
            **dict.fromkeys(("http", "https"), "wellread.crawl.guards.GuardedHandler"),
        },
        "TWISTED_DNS_RESOLVER": "wellread.crawl.resolver.GuardedResolver",
        # A look-up that nobody answers holds a thread for half a minute; the others shall not wait.
        "REACTOR_THREADPOOL_MAXSIZE": config.under_way,
        "DOWNLOADER_MIDDLEWARES_BASE": {
            "wellread.crawl.guards.LinkGuard": 50,
            "wellread.crawl.robots.StrictRobotsTxt": 100,
            f"{MIDDLEWARE}.defaultheaders.DefaultHeadersMiddleware": 400,
            f"{MIDDLEWARE}.useragent.UserAgentMiddleware": 500,
            "wellread.crawl.guards.Decoding": 590,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        # Twisted's own reactor. On asyncio's, Scrapy 2.19 starts a host's whole queue at once: it
        # counts a request as under way only when the task that it made for it runs.
        "TWISTED_REACTOR": None,
    }


def allow_connections() -> None:
    """As many as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_with_parent() -> None:
    """End this process when the other end of standard input closes."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would trip the normal exit
    os._exit(1)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=end_with_parent, daemon=True).start()
    run(Path(job.links), Path(job.out), convert(job.config, CrawlConfig, where="crawl"))


def run(links: Path, out: Path, config: CrawlConfig) -> None:
    allow_connections()
    about = provenance(config)
    with Journal(out, segment_bytes=config.segment_bytes, about=about) as journal:
        queue, before = waiting_links(links, journal, out, config)
        with queue:
            total = before + queue.num_links
            report = Report(total=total, before=before, warning=journal.warning)
            process = CrawlerProcess(settings_for(config))
            process.crawl(LinkSpider, journal, Frontier(queue, config), config, report)
            process.start(install_signal_handlers=False)


if __name__ == "__main__":
    main()
