"""Whose turn it is: the order and the pace of a crawl, without network and with the caller's clock.

Hosts take turns. A host has as many requests under way as the settings allow, and rests between
them: for the delay of the settings, or of its robots.txt, or as long as it needs to answer,
whichever is most. How often a host may refuse or fail before it is given up is ours.
"""

import heapq
from collections import deque
from typing import Literal

import msgspec

from wellread.crawl.config import CrawlConfig
from wellread.crawl.queue import Cursor, Queue, host_key, host_of

MAX_OPEN = 5_000  # hosts in turn at a time; each may have rules and a connection in memory
REST_SECONDS = 10.0  # after its last link that a host is remembered, for redirects to it
REFUSALS_IN_A_ROW = 5  # 429 and 503 after which a host's other links are left alone
FAILURES_IN_A_ROW = 5  # connections, names and time-outs after which they are
GAVE_UP, UNREACHABLE = "host_gave_up", "host_unreachable"
TOO_PATIENT = "crawl_delay"  # robots.txt asks for longer rests than the crawl has
LONGEST_DELAY = (
    60.0  # that a slow host is given by its slowness: the default of Scrapy's AutoThrottle
)

Kind = Literal["answered", "busy", "failed", "unasked"]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose turn it is."""

    link: str  # as the links' artifact has it
    url: str  # to ask for: the link, or what it redirects to
    redirects: int = 0
    retries: int = 0
    seconds: float = 0.0  # that requests for the link took before
    refused: str | None = None  # not to be asked for any more: the outcome


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about its host."""

    kind: Kind
    seconds: float = 0.0  # until it answered
    retry_after: float | None = None  # seconds, of a busy one
    is_rules: bool = False  # its robots.txt was busy, which counts its tries itself


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has still to be waited for."""

    host: str
    num_links: int
    seconds: float  # at its present pace


class _Lane:
    """A host in turn."""

    __slots__ = (
        "again", "cursor", "delay", "due", "failures", "floor", "gave_up", "host", "is_known",
        "is_waiting", "key", "refusals", "seconds", "under_way",
    )  # fmt: skip

    def __init__(self, host: str, key: int, cursor: Cursor, floor: float, now: float) -> None:
        self.host, self.key, self.cursor = host, key, cursor
        self.again: deque[Ticket] = deque()  # steps of redirects, and second tries
        self.floor = self.delay = floor
        self.due = now
        self.seconds = 0.0  # its last answer took
        self.failures = self.refusals = self.under_way = 0
        self.gave_up: str | None = None
        self.is_waiting = False  # in the heap
        self.is_known = False  # it has answered, so that its robots.txt was read

    @property
    def has_work(self) -> bool:
        return bool(self.again) or self.cursor.left > 0


class Frontier:
    """The links of a queue, given out when their hosts' turns come."""

    def __init__(self, queue: Queue, config: CrawlConfig) -> None:
        self._queue, self._config = queue, config
        self._lanes: dict[int, _Lane] = {}
        self._due: list[tuple[float, int]] = []  # heap: when, and the key of the lane
        self._resting: deque[tuple[float, int]] = deque()  # lanes without work: since, and the key
        self._next_host = 0
        self._num_unsettled = queue.num_links
        self.closed: list[str] = []  # hosts that are done with; for the caller to empty

    def take(self, now: float) -> Ticket | None:
        """A request that may be made now; None if there is none at this moment.

        Each ticket is handed back by `finish`.
        """
        self._close_rested(now)
        if (lane := self._due_lane(now)) is None:
            return None
        ticket = self._next_of(lane)
        lane.under_way += 1
        if lane.gave_up is not None:
            ticket = msgspec.structs.replace(ticket, refused=lane.gave_up)
        else:
            lane.due = now + lane.delay
        self._wait(lane)
        return ticket

    def next_due(self) -> float | None:
        """When `take` will have something if nothing is finished before; None: not before."""
        moments = [self._due[0][0]] if self._due else []
        if self._resting and self._next_host < self._queue.num_hosts:  # others may need its room
            moments.append(self._resting[0][0] + REST_SECONDS)
        return min(moments, default=None)

    @property
    def is_empty(self) -> bool:
        """Whether all is given out and handed back."""
        return self._num_unsettled == 0

    def again(self, ticket: Ticket, now: float) -> None:
        """Another request for a link: a second try, or a step of a redirect, at its host's turn."""
        lane = self._lane(host_of(ticket.url), now)
        lane.again.append(ticket)
        self._num_unsettled += 1
        self._wait(lane)

    def finish(self, ticket: Ticket, answer: Answer, now: float) -> None:
        """Take note of how a host answered."""
        lane = self._lanes[host_key(host_of(ticket.url))]
        lane.under_way -= 1
        self._num_unsettled -= 1
        lane.is_known = True
        if ticket.refused is None:
            self._learn(lane, answer, now)
        self._wait(lane)
        if not lane.has_work and not lane.under_way:
            self._resting.append((now, lane.key))

    def ask_patience(self, host: str, seconds: float) -> None:
        """The rests that a host's robots.txt asks for."""
        lane = self._lanes.get(host_key(host))
        if lane is None:
            return
        if seconds > self._config.max_wait_seconds:
            lane.gave_up = TOO_PATIENT
        lane.floor = max(lane.floor, seconds)
        lane.delay = max(lane.delay, seconds)

    def slowest(self, number: int) -> list[Delay]:
        """The hosts that will take longest, of those in turn and the next that is not."""
        delays = [
            Delay(
                host=lane.host,
                num_links=lane.cursor.left,
                seconds=lane.cursor.left * (lane.delay + lane.seconds),
            )
            for lane in self._lanes.values()
        ]
        return heapq.nlargest(number, delays, key=lambda delay: (delay.seconds, delay.host))

    def _due_lane(self, now: float) -> _Lane | None:
        """The host that waited longest for its turn; else one that had none yet."""
        while True:
            if not self._due or self._due[0][0] > now:
                self._open_next(now)
            if not self._due or self._due[0][0] > now:
                return None
            lane = self._lanes[heapq.heappop(self._due)[1]]
            lane.is_waiting = False
            if lane.due <= now:
                return lane
            self._wait(lane)  # while it waited, another of its requests was told to come later

    def _open_next(self, now: float) -> None:
        """Let one more host take turns, if there is one and room for it."""
        while self._next_host < self._queue.num_hosts and len(self._lanes) < MAX_OPEN:
            key = self._queue.nth(self._next_host)
            self._next_host += 1
            cursor = self._queue.begin(key)
            if cursor.left:  # else a redirect led to it before
                self._wait(self._add(self._queue.host_at(cursor), key, cursor, now))
                return

    def _close_rested(self, now: float) -> None:
        """Forget hosts without work, but not before a redirect to them would have to wait."""
        while self._resting and self._resting[0][0] + REST_SECONDS <= now:
            _, key = self._resting.popleft()
            lane = self._lanes.get(key)
            if lane is None or lane.has_work or lane.under_way:
                continue
            if lane.due > now:
                self._resting.append((now, key))
            else:
                del self._lanes[key]
                self.closed.append(lane.host)

    def _lane(self, host: str, now: float) -> _Lane:
        key = host_key(host)
        return self._lanes.get(key) or self._add(host, key, self._queue.begin(key), now)

    def _add(self, host: str, key: int, cursor: Cursor, now: float) -> _Lane:
        lane = _Lane(host, key, cursor, self._config.delay_seconds, now)
        self._lanes[key] = lane
        return lane

    def _next_of(self, lane: _Lane) -> Ticket:
        if lane.again:
            return lane.again.popleft()
        url = self._queue.next(lane.cursor)
        return Ticket(link=url, url=url)

    def _wait(self, lane: _Lane) -> None:
        """Put a lane among those that wait, if it may have another request and is not there."""
        most = self._config.requests_per_host if lane.is_known else 1
        if lane.has_work and not lane.is_waiting and (lane.gave_up or lane.under_way < most):
            lane.is_waiting = True
            heapq.heappush(self._due, (lane.due, lane.key))

    def _learn(self, lane: _Lane, answer: Answer, now: float) -> None:
        if answer.kind == "unasked":
            if not lane.under_way:
                lane.due = now
            return
        lane.seconds = answer.seconds
        if answer.kind == "busy":
            lane.refusals += not answer.is_rules
            rest = answer.retry_after or lane.delay * 2**lane.refusals
            rest = min(max(rest, lane.delay), self._config.max_wait_seconds)
        else:
            lane.refusals = 0
            rest = lane.delay = self._pace(lane, answer)
        lane.failures = lane.failures + 1 if answer.kind == "failed" else 0
        if lane.failures >= FAILURES_IN_A_ROW:
            lane.gave_up = UNREACHABLE
        elif lane.refusals >= REFUSALS_IN_A_ROW:
            lane.gave_up = GAVE_UP
        lane.due = now if lane.gave_up else max(lane.due, now + rest)

    def _pace(self, lane: _Lane, answer: Answer) -> float:
        """Half way from its pace to its last answer's: Scrapy's AutoThrottle has it so."""
        if not lane.floor:
            return 0.0
        wanted = answer.seconds / self._config.requests_per_host
        slower = min((lane.delay + wanted) / 2, LONGEST_DELAY)
        return max(lane.floor, slower)
