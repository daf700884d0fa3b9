"""The fetching process: `python -m wellread.crawl.fetch`, started by `crawl` and by nobody else.

A process of its own, because Twisted's reactor runs once in a process. It reads its job as one line
of JSON from standard input, and lives no longer than that pipe. It writes to standard output a line
of JSON now and then: how far it is. What it fetched goes to the journal.

Scrapy makes each request; which one, and when, the frontier says. A link is under way until its
outcome is on disk, so that a kill costs no more than the requests under way.
"""

import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
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
from wellread.base.urls import host_of
from wellread.crawl.answers import outcome_of, pairs
from wellread.crawl.config import CrawlConfig, user_agent
from wellread.crawl.frontier import Answer, Frontier, Ticket
from wellread.crawl.guards import SECONDS
from wellread.crawl.journal import Journal
from wellread.crawl.judging import (
    NOTHING,
    RECEIVED_HEAD,
    Verdict,
    judge_failure,
    judge_response,
    outcome_for,
    outcome_of_refused,
)
from wellread.crawl.outage import (
    Silence,
    is_fit_as_witness,
    is_sign_of_life,
    is_silent,
    witnesses_in,
)
from wellread.crawl.policy import url_refusal
from wellread.crawl.provenance import provenance
from wellread.crawl.report import NUM_HOSTS, Report
from wellread.crawl.resolver import SETTING
from wellread.crawl.robots import HAS_RULES, StrictRobotsTxt, origin_of
from wellread.crawl.waiting import waiting_links
from wellread.formats.pages import Outcome, Page, refusal

REPORT_SECONDS = 1.0
MIDDLEWARE = "scrapy.downloadermiddlewares"
logger = logging.getLogger(__name__)


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
        self,
        journal: Journal,
        frontier: Frontier,
        silence: Silence,
        config: CrawlConfig,
        report: Report,
    ) -> None:
        from twisted.internet import reactor  # which one is settled only once Scrapy runs

        super().__init__()
        self.journal, self.frontier, self.crawl_config = journal, frontier, config
        self.report, self.started_at, self.reported_at = report, time.monotonic(), 0.0
        self.under_way: dict[str, _Task] = {}  # by link
        self.silence = silence
        self.is_asking = self.is_down = False  # the network is in doubt, or known to be down
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
        if self.is_down:
            return
        while len(self.under_way) < most and (ticket := self.frontier.take(now)):
            self.under_way[ticket.link] = _Task(ticket)
            if ticket.refused is not None:
                self.note(outcome_of_refused(ticket))
            else:
                Deferred.fromCoroutine(self.fetch(ticket)).addErrback(crash)
        due = self.frontier.next_due()
        if due is not None and len(self.under_way) < most:
            self.wake_at(due)
        is_quiet = len(self.under_way) == len(self.silence.held) > 0
        if (is_quiet or self.silence.is_long) and not self.is_asking:
            self.is_asking = True
            Deferred.fromCoroutine(self.ask_witnesses()).addErrback(crash)
        if now - self.reported_at > REPORT_SECONDS:
            self.tell()
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
        meta = {"ticket": ticket, SECONDS: ticket.seconds, HAS_RULES: ticket.has_rules}
        request = scrapy.Request(ticket.url, dont_filter=True, meta=meta)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001  # of Scrapy, Twisted, OpenSSL: any of dozens
            response = outcome_of(error)
        self.keep_delay(ticket)
        verdict = self.judged(ticket, request, response)
        if is_silent(ticket, request, response):
            self.silence.hold(ticket, verdict)
            self.pump()
            return
        if is_sign_of_life(ticket, request, response):
            rules = self.robots.known(ticket.url)
            self.silence.heard(ticket.url, is_witness=is_fit_as_witness(response, rules))
            if not self.is_down:
                self.believe()
        self.settle(ticket, verdict)

    def believe(self) -> None:
        """Take silence for what it seems, as somebody answered after it.

        Of many hosts in a row at their second time only: the network may have been down for a
        moment.
        """
        is_long = self.silence.is_long
        for held in self.silence.release():
            if is_long and not held.ticket.was_silent:
                self.put_back(held.ticket, was_silent=True)
            else:
                self.settle(held.ticket, held.verdict)

    async def ask_witnesses(self) -> None:
        """Find out whether hosts are silent or the network is down, and wait for that."""
        await self.sleep(2 * self.crawl_config.delay_seconds)  # somebody may answer, or be asked
        if self.silence.held and not await self.is_witnessed() and self.silence.is_everywhere:
            await self.outlast()
        self.believe()
        self.is_asking = False
        self.pump()

    async def is_witnessed(self) -> bool:
        for origin in self.silence.witnesses():
            if await self.robots.is_there(origin):
                self.silence.heard(origin, is_witness=True)
                return True
        return False

    async def outlast(self) -> None:
        """Ask nobody until a witness answers again; where there never was one, try all again."""
        self.is_down = True
        while True:
            self.take_back()
            if (wait := self.silence.next_wait()) is None:
                self.report.is_lost = True
                self.tell()
                os._exit(1)
            self.report.down_seconds = wait
            self.tell()
            await self.sleep(wait)
            self.take_back()
            if not self.silence.has_witnesses or await self.is_witnessed():
                break
        self.take_back()
        self.is_down, self.report.down_seconds = False, None

    def take_back(self) -> None:
        """Links that were asked for without a network are as if they had not been."""
        for held in self.silence.release():
            self.put_back(held.ticket, was_silent=False)

    def put_back(self, ticket: Ticket, *, was_silent: bool) -> None:
        if (rules := self.robots.known(ticket.url)) and rules.failure:
            self.robots.drop(origin_of(ticket.url))
        again = msgspec.structs.replace(ticket, was_silent=was_silent)
        self.ask_again(ticket, again, NOTHING)

    async def sleep(self, seconds: float) -> None:
        over: Deferred[None] = Deferred()
        self.call_later(seconds, over.callback, None)
        await over

    def headers_received(self, headers: Any, request: scrapy.Request, **_: Any) -> None:
        """Stop before the body of what is no page anyway."""
        if "ticket" not in request.meta:
            return
        request.meta[RECEIVED_HEAD] = pairs(headers)
        content_type = (headers.get("Content-Type") or b"").decode("latin-1")
        if refusal(200, content_type):
            raise StopDownload(fail=False)

    def keep_delay(self, ticket: Ticket) -> None:
        """Rest as long as the host asks for in its robots.txt."""
        rules = self.robots.known(ticket.url)
        if rules is not None and rules.crawl_delay is not None:
            self.frontier.ask_patience(host_of(ticket.url), rules.crawl_delay)

    def judged(self, ticket: Ticket, request: scrapy.Request, response: Any) -> Verdict:
        """What the answer comes to; of one that nobody thought of, a `bad_response`."""
        try:
            if isinstance(response, str):
                rules = self.robots.known(ticket.url)
                return judge_failure(ticket, request, response, self.crawl_config, rules)
            return judge_response(ticket, request, response, self.crawl_config)
        except Exception:
            logger.exception("no sense in what %s answered", ticket.url)
            outcome = outcome_for(ticket, request, "bad_response")
            return Verdict(answer=Answer(kind="answered"), outcome=outcome)

    def settle(self, ticket: Ticket, verdict: Verdict) -> None:
        """Put another request for the link in its host's line, or note its outcome."""
        if verdict.answer.kind == "failed" and self.frontier.is_in_doubt(ticket.url):
            verdict = Verdict(answer=verdict.answer, again=ticket)
        if verdict.outcome is not None:
            self.note(verdict.outcome, verdict.page, verdict.answer)
            return
        assert verdict.again is not None
        self.ask_again(ticket, verdict.again, verdict.answer)

    def ask_again(self, ticket: Ticket, again: Ticket, answer: Answer) -> None:
        """The link of `ticket` goes back into its host's line, as `again`."""
        del self.under_way[ticket.link]
        now = time.monotonic()
        self.frontier.again(again, now)
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
        self.pump()

    def tell(self) -> None:
        self.reported_at = time.monotonic()
        self.report.seconds = self.reported_at - self.started_at
        self.report.slowest = self.frontier.slowest(NUM_HOSTS)
        self.report.num_parked = self.frontier.num_parked
        sys.stdout.buffer.write(msgspec.json.encode(self.report) + b"\n")
        sys.stdout.buffer.flush()
        self.report.warning = None  # once is enough

    def give_up(self, error: OSError) -> NoReturn:
        """The disk has no room: nothing more can be noted."""
        self.report.errno, self.report.file = error.errno, str(error.filename or "")
        self.tell()
        os._exit(1)


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
        # The frontier keeps the delays; this one parts the steps where a robots.txt redirects.
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
            frontier = Frontier(queue, config)
            silence = Silence(witnesses_in(out), config.max_outage_seconds)
            process.crawl(LinkSpider, journal, frontier, silence, config, report)
            process.start(install_signal_handlers=False)


if __name__ == "__main__":
    main()
