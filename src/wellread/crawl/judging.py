"""What becomes of a link whose request has ended: another request, or an outcome and its page.

Functions of the answer alone, so that whatever a site sends spoils no more than its own link.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from wellread.base.urls import canonical_url
from wellread.crawl.answers import (
    AGAIN,
    ASKED_TOO_MUCH,
    RETRIED,
    UNANSWERED,
    UNCONNECTED,
    header,
    milliseconds_of,
    pairs,
    redirect_target,
)
from wellread.crawl.config import CrawlConfig
from wellread.crawl.frontier import Answer, Ticket
from wellread.crawl.guards import SECONDS, STATUS
from wellread.crawl.pages import page_of
from wellread.crawl.patience import retry_after
from wellread.crawl.robots import ASKED, FAILED, RULES_READ, Rules
from wellread.formats.pages import FETCHED, Exchange, Outcome, Page
from wellread.formats.refused import Refused
from wellread.formats.replies import Reply

RECEIVED_HEAD = "received"  # in a request's meta: the head of its answer, once that is there
NOTHING = Answer(kind="unasked")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Either `again` or `outcome` is there."""

    answer: Answer = NOTHING  # what it says about the host
    again: Ticket | None = None
    outcome: Outcome | None = None
    page: Page | None = None


def judge_response(ticket: Ticket, request: Any, response: Any, config: CrawlConfig) -> Verdict:
    seconds = request.meta.get("download_latency") or 0.0
    answer = Answer(kind="answered", seconds=seconds)
    if response.status in ASKED_TOO_MUCH:
        wait = retry_after(header(response, "Retry-After"), datetime.now(UTC))
        answer = Answer(kind="busy", seconds=seconds, retry_after=wait)
    try:
        target = redirect_target(response)
    except Refused as refused:
        outcome = outcome_for(ticket, request, refused.outcome, response)
        return Verdict(answer=answer, outcome=outcome)
    ticket = msgspec.structs.replace(ticket, status=response.status)
    if target is not None:
        is_circle = target in (ticket.link, ticket.url)
        if is_circle or ticket.redirects >= config.max_redirects:
            outcome = outcome_for(ticket, request, "too_many_redirects", response)
            return Verdict(answer=answer, outcome=outcome)
        step = {"url": target, "redirects": ticket.redirects + 1, "has_rules": False}
        return Verdict(answer=answer, again=_next(ticket, request, **step))
    if response.status in AGAIN and _may_retry(ticket, request, config):
        return Verdict(answer=answer, again=_next(ticket, request, retries=ticket.retries + 1))
    try:
        page = _page(ticket, request, response, config)
    except Refused as refused:
        outcome = outcome_for(ticket, request, refused.outcome, response)
        return Verdict(answer=answer, outcome=outcome)
    outcome = outcome_for(ticket, request, FETCHED, response)
    outcome = msgspec.structs.replace(outcome, num_bytes=len(page.body))
    return Verdict(answer=answer, outcome=outcome, page=page)


def judge_failure(
    ticket: Ticket, request: Any, reason: str, config: CrawlConfig, rules: Rules | None
) -> Verdict:
    """Ask again, or say why there is no answer that can be used.

    `rules` are what the host's robots.txt came to.
    """
    is_asked, is_rules_asked = is_page_asked(ticket, request), request.meta.get(ASKED, False)
    answer = NOTHING
    if reason in UNANSWERED and (is_asked or is_rules_asked):
        seconds = config.timeout_seconds if reason == "timeout" else 0.0
        answer = Answer(kind="failed", seconds=seconds)
    elif (is_asked or is_rules_asked) and reason not in UNCONNECTED:
        answer = Answer(kind="answered")
    if reason == RULES_READ:
        return Verdict(answer=answer, again=msgspec.structs.replace(ticket, has_rules=True))
    if reason == FAILED and is_rules_asked and rules is not None and not rules.is_current:
        closed = Answer(kind="closed", tries=rules.tries, retry_after=rules.retry_after)
        return Verdict(answer=closed, again=ticket)
    if is_asked and reason in RETRIED and _may_retry(ticket, request, config):
        return Verdict(answer=answer, again=_next(ticket, request, retries=ticket.retries + 1))
    return Verdict(answer=answer, outcome=outcome_for(ticket, request, reason))


def is_page_asked(ticket: Ticket, request: Any) -> bool:
    """Whether the request went out, and not only one for its host's robots.txt."""
    return bool(request.meta[SECONDS] > ticket.seconds)


def outcome_for(ticket: Ticket, request: Any, reason: str, response: Any = None) -> Outcome:
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


def outcome_of_refused(ticket: Ticket) -> Outcome:
    """The row of a link whose host, or the one that it was redirected to, is asked no more."""
    return Outcome(
        url=ticket.link,
        outcome=ticket.refused or "",
        status=ticket.status,
        redirected_to=canonical_url(ticket.url) if ticket.redirects else None,
        redirects=ticket.redirects,
        robots=ticket.robots,
    )


def _may_retry(ticket: Ticket, request: Any, config: CrawlConfig) -> bool:
    return request.meta[SECONDS] < config.page_seconds and ticket.retries < config.retries


def _next(ticket: Ticket, request: Any, **changes: Any) -> Ticket:
    robots = request.meta.get("robots")
    return msgspec.structs.replace(ticket, seconds=request.meta[SECONDS], robots=robots, **changes)


def _page(ticket: Ticket, request: Any, response: Any, config: CrawlConfig) -> Page:
    reply = Reply(
        url=ticket.link,
        status=response.status,
        headers=pairs(response.headers),
        body=response.body,
        fetched_at=datetime.now(UTC),
    )
    exchange = Exchange(
        url=response.url,
        sent=pairs(request.headers),
        received=request.meta.get(RECEIVED_HEAD, ()),
        milliseconds=milliseconds_of(request.meta),
        ip_address=str(response.ip_address) if response.ip_address else None,
    )
    return msgspec.structs.replace(page_of(reply, config.max_page_bytes), exchange=exchange)
