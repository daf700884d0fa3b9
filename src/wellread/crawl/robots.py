"""robots.txt as RFC 9309 has it: absent means open; a server that fails means closed."""

import codecs
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import msgspec
from protego import Protego
from scrapy import Request, signals
from scrapy.exceptions import StopDownload
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred

from wellread.crawl.answers import (
    ASKED_TOO_MUCH,
    UNANSWERED,
    UNCONNECTED,
    header,
    outcome_of,
    redirect_target,
)
from wellread.crawl.config import CrawlConfig
from wellread.crawl.guards import CUT_AT, MAX_ROBOTS_BYTES, RECEIVED
from wellread.crawl.patience import retry_after
from wellread.crawl.resolver import SETTING
from wellread.formats.refused import SILENT, TOO_PATIENT, Refused

TOKEN = "wellread"  # the product token that a group of rules names
MAX_REDIRECTS = 5  # section 2.3.1.2: at least
KEPT_SECONDS = 24 * 3600.0  # section 2.4: at most
# Ours: a site that fails is asked again after this.
FAILED_SECONDS = 3600.0
CACHE_BYTES = 64 * 1024**2  # ours: the rules for us of some 100,000 hosts
ENTRY_BYTES = 400  # of memory beside an entry's text, about
# Ours: of the files whose rules are parsed at a time, which then take up to 32 times as much
# memory. A host's next page comes in a second or so; parsing again takes 1 s for 1 MB.
PARSED_BYTES = 6 * 1024**2
# These say that nobody answered at all; the page's own request would have told the same.
UNREACHED = SILENT | UNCONNECTED
FAILED = "robots_failed"
RULES_READ = "rules_read"  # no outcome: the page may be asked for when its host's next turn comes
ASKED = "rules_asked"  # in a request's meta: its host was asked for its rules just now
HAS_RULES = "has_rules"  # in its meta: it was sent back so before
AGENT_LINE = re.compile(r"user[- ]?agent\s*[:\s]\s*(.*)", re.IGNORECASE)
# Section 2.2.1: a product token has letters, `-` and `_`. What follows (a version, a `*`) is no
# part of it, as Google's parser has it too.
AGENT_NAME = re.compile(r"[a-z_-]+|\*")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one host's robots.txt says to us."""

    text: str = ""  # the groups of lines that name us, or everybody
    failure: str | None = None  # the outcome of every link of the host, where there are no rules
    crawl_delay: float | None = None  # seconds between requests, as the host wishes
    retry_after: float | None = None  # seconds, of a host that was too busy
    tries: int = 0  # that failed
    expires_at: float = 0.0  # of time.monotonic

    @property
    def is_current(self) -> bool:
        """Whether they hold, so that the host is not asked for them now."""
        return self.expires_at > monotonic()

    def verdict(self, url: str, parse: Callable[[str], Protego] = Protego.parse) -> str:
        """`allowed`, `forbidden`, `absent` where nothing is said to us, or `failed`."""
        if self.failure or not self.text:
            return "failed" if self.failure else "absent"
        return "allowed" if parse(self.text).can_fetch(url, TOKEN) else "forbidden"


class Parsed:
    """The last files that were parsed, up to `PARSED_BYTES` of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Protego] = OrderedDict()
        self._bytes = 0

    def parse(self, text: str) -> Protego:
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        self._kept[text] = parsed = Protego.parse(text)
        self._bytes += ENTRY_BYTES + len(text)
        while self._bytes > PARSED_BYTES:
            oldest, _ = self._kept.popitem(last=False)
            self._bytes -= ENTRY_BYTES + len(oldest)
        return parsed


def own_groups(text: str) -> str:
    """The groups of a robots.txt that name us or everybody: all of it that matters to us.

    Files often list hundreds of other robots; and Protego keeps rules once for each robot named,
    which a hostile file can make millions of.

    >>> own_groups("User-agent: x\\nDisallow: /\\n\\nUser-agent: Wellread/1.0 # you\\nDisallow: /a")
    'User-agent: wellread\\nDisallow: /a'
    """
    kept: list[str] = []
    is_ours = is_head = False
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if agent := AGENT_LINE.match(line):
            is_ours = is_ours and is_head
            is_head = True
            name = AGENT_NAME.match(agent[1].lower())
            if name is not None and name[0] in (TOKEN, "*"):
                kept.append(f"User-agent: {name[0]}")
                is_ours = True
        elif line and not line.lower().startswith(("sitemap", "host")):  # of no group
            is_head = False
            if is_ours:
                kept.append(line)
    return "\n".join(kept)


def rules_from(body: bytes, parse: Callable[[str], Protego] = Protego.parse) -> Rules:
    """The rules in what a server sent as its robots.txt, whatever that is."""
    is_utf16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    text = body[:MAX_ROBOTS_BYTES].decode(encoding, errors="replace")
    if len(body) > MAX_ROBOTS_BYTES:  # half a line could say anything
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    own = own_groups(text)
    delay = parse(own).crawl_delay(TOKEN)
    return Rules(text=own, crawl_delay=delay or None, expires_at=monotonic() + KEPT_SECONDS)


def _failed(outcome: str, wait: float | None = None) -> Rules:
    reason = outcome if outcome in UNREACHED else FAILED
    return Rules(failure=reason, retry_after=wait, expires_at=monotonic() + FAILED_SECONDS)


class StrictRobotsTxt:
    """Asks each host for its rules before anything else, and keeps to them.

    Instead of Scrapy 2.19's own, which crawls on where a host's rules could not be had, holds only
    the first of the requests that wait for the same rules to them, and forgets no host.
    """

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        config: CrawlConfig = crawler.settings[SETTING]
        self._retries, self._max_wait = config.host_retries, config.max_wait_seconds
        self._known: OrderedDict[str, Rules] = OrderedDict()
        self._bytes = 0
        self._parsed = Parsed()
        self._waiting: dict[str, list[Deferred[Rules]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Any) -> "StrictRobotsTxt":
        found = cls(crawler)
        crawler.signals.connect(found.bytes_received, signal=signals.bytes_received)
        return found

    async def process_request(self, request: Any) -> None:
        if request.meta.get("dont_obey_robotstxt"):
            return
        origin = origin_of(request.url)
        known = self._known.get(origin)
        request.meta[ASKED] = known is None or not known.is_current
        rules = await self._rules(origin)
        request.meta["robots"] = rules.verdict(request.url, self._parsed.parse)
        if rules.failure:
            raise Refused(rules.failure)
        if request.meta["robots"] == "forbidden":
            raise Refused("robots_txt")
        if (rules.crawl_delay or 0.0) > self._max_wait:
            raise Refused(TOO_PATIENT)
        if request.meta[ASKED] and not request.meta.get(HAS_RULES):
            raise Refused(RULES_READ)

    def bytes_received(self, data: bytes, request: Any, **_: Any) -> None:
        """End an answer of which the beginning is enough."""
        if CUT_AT in request.meta:
            request.meta[RECEIVED] = request.meta.get(RECEIVED, 0) + len(data)
            if request.meta[RECEIVED] > request.meta[CUT_AT]:
                raise StopDownload(fail=False)

    def known(self, url: str) -> Rules | None:
        """What the host of `url` said when it was last asked, if that is remembered."""
        return self._known.get(origin_of(url))

    def forget(self, url: str) -> None:
        """Drop the rules of a host that has no more links, but not that it is left alone."""
        rules = self._known.get(origin_of(url))
        if rules is not None and not (rules.failure and rules.is_current):
            self.drop(origin_of(url))

    def drop(self, origin: str) -> None:
        if rules := self._known.pop(origin, None):
            self._bytes -= _cost(rules)

    async def _rules(self, origin: str) -> Rules:
        known = self._known.get(origin)
        if known is not None and known.is_current:
            self._known.move_to_end(origin)
            return known
        if origin in self._waiting:
            own: Deferred[Rules] = Deferred()
            self._waiting[origin].append(own)
            shared: Rules = await maybe_deferred_to_future(own)
            return shared
        self._waiting[origin] = []
        try:
            rules = await self._fetched(origin)
        except Exception as error:  # noqa: BLE001 - whatever keeps the rules away keeps us away
            rules = _failed(outcome_of(error))
        self._keep(origin, rules, known)
        for waiting in self._waiting.pop(origin):
            waiting.callback(rules)
        return rules

    async def _fetched(self, origin: str) -> Rules:
        url: str | None = f"{origin}/robots.txt"
        for _ in range(1 + MAX_REDIRECTS):
            response = await self._crawler.engine.download_async(_request(url))
            url = redirect_target(response)
            if url is None:
                return _rules_of_answer(response, self._parsed.parse)
        return _failed("too_many_redirects")

    async def is_there(self, origin: str) -> bool:
        """Whether a host answers at all, by its robots.txt, which may always be asked for."""
        try:
            await self._crawler.engine.download_async(_request(f"{origin}/robots.txt"))
        except Exception as error:  # noqa: BLE001 - of Scrapy, Twisted, OpenSSL: any of dozens
            return outcome_of(error) not in SILENT
        return True

    def _keep(self, origin: str, rules: Rules, before: Rules | None) -> None:
        """Remember what a host answered; if it failed, only once it has done so often enough."""
        self.drop(origin)
        if rules.failure in UNANSWERED:  # each link asks again; who counts these is the frontier
            return
        if rules.failure == FAILED:
            tries = 1 + (before.tries if before else 0)
            until = rules.expires_at if tries > self._retries else 0.0
            rules = msgspec.structs.replace(rules, tries=tries, expires_at=until)
        self._known[origin] = rules
        self._bytes += _cost(rules)
        while self._bytes > CACHE_BYTES:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= _cost(oldest)


def _request(url: str | None) -> Request:
    return Request(
        url,
        NO_CALLBACK,
        headers={"Accept-Encoding": "identity"},
        meta={
            "dont_obey_robotstxt": True,
            "dont_redirect": True,
            "download_maxsize": 0,
            CUT_AT: MAX_ROBOTS_BYTES,
        },
    )


def _rules_of_answer(response: Any, parse: Callable[[str], Protego]) -> Rules:
    """RFC 9309, section 2.3.1: no such file, no rules; a server in trouble, no visit.

    429 is a server in trouble, as Google's crawler has it too.
    """
    status = response.status
    if 200 <= status < 300:
        return rules_from(response.body, parse)
    if 400 <= status < 500 and status != 429:
        return Rules(expires_at=monotonic() + KEPT_SECONDS)
    is_busy = status in ASKED_TOO_MUCH
    wait = retry_after(header(response, "Retry-After"), datetime.now(UTC)) if is_busy else None
    return _failed(f"http_{status}", wait)


def origin_of(url: str) -> str:
    """Whose robots.txt speaks of `url`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cost(rules: Rules) -> int:
    return ENTRY_BYTES + len(rules.text)
