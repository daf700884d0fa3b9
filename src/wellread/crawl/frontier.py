"""Whose turn it is: the order and the pace of a crawl, without network and with the caller's clock.

Hosts take turns. A host has as many requests under way as the settings allow, and rests between
them: for the delay of the settings, or of its robots.txt, or as long as it needs to answer,
whichever is most. A host in trouble is parked: its links wait while those of others are asked for,
and it is tried again after ever longer rests, before it is given up. How often and long is ours.
"""

import heapq
from collections import deque
from typing import Literal

import msgspec

from wellread.base.urls import host_of
from wellread.crawl.config import CrawlConfig
from wellread.crawl.queue import Cursor, Queue, host_key
from wellread.formats.refused import TOO_PATIENT

MAX_OPEN = 5_000  # hosts in turn at a time; each may have rules and a connection in memory
MAX_PARKED = 50_000  # hosts beside them that are in trouble, of 1.5 kB each
REST_SECONDS = 10.0  # after its last link that a host is remembered, for redirects to it
REFUSALS_IN_A_ROW = 5  # 429 and 503 after which a host's other links are left alone
FAILURES_IN_A_ROW = 5  # connections, names and time-outs: of a known host, fewer are its links'
PARKED_DELAYS = 60, 300, 1500  # so many delays a parked host rests, from the first time on
GAVE_UP, UNREACHABLE = "host_gave_up", "host_unreachable"
LONGEST_DELAY = (
    60.0  # that a slow host is given by its slowness: the default of Scrapy's AutoThrottle
)

# closed: its robots.txt could not be read; failed: there was no connection, or no answer in time.
Kind = Literal["answered", "busy", "closed", "failed", "unasked"]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose turn it is."""

    link: str  # as the links' artifact has it
    url: str  # to ask for: the link, or what it redirects to
    redirects: int = 0
    retries: int = 0
    seconds: float = 0.0  # that requests for the link took before
    has_rules: bool = False  # it had a turn in which its host's robots.txt was read
    was_silent: bool = False  # its host gave no sign of life when many others did not either
    status: int | None = None  # of the last answer
    robots: str | None = None  # what the rules of the host that was asked last said
    refused: str | None = None  # not to be asked for any more: the outcome


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about its host."""

    kind: Kind
    seconds: float = 0.0  # until it answered
    retry_after: float | None = None  # seconds, of a busy or closed one
    tries: int = 1  # for its robots.txt that failed so far, of a closed one


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has still to be waited for."""

    host: str
    num_links: int
    seconds: float  # at its present pace


class _Lane:
    """A host in turn."""

    __slots__ = (
        "again", "cursor", "delay", "due", "failures", "floor", "gave_up", "host", "is_known",
        "is_parked", "is_waiting", "key", "num_before", "parks", "refusals", "seconds", "under_way",
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
        self.is_known = False  # it has answered since it was last parked
        self.is_parked = False
        self.parks = 0  # times in a row, for want of a connection
        self.num_before = 0  # requests that were under way when it was parked

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
        self._given_up: dict[int, str] = {}  # hosts that are not in turn any more, and why
        self.num_parked = 0
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
        if ticket.refused is None:
            self._learn(lane, answer, now)
        self._wait(lane)
        if not lane.has_work and not lane.under_way:
            self._resting.append((now, lane.key))

    def is_in_doubt(self, url: str) -> bool:
        """Whether a request that fails now says nothing of its link, as its host is tried again."""
        lane = self._lanes[host_key(host_of(url))]
        if lane.gave_up is not None:
            return False
        return lane.num_before > 0 or (
            lane.parks < self._config.host_retries and self._is_trouble(lane, lane.failures + 1)
        )

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
        while self._next_host < self._queue.num_hosts and self._has_room:
            key = self._queue.nth(self._next_host)
            self._next_host += 1
            cursor = self._queue.begin(key)
            if cursor.left:  # else a redirect led to it before
                self._wait(self._add(self._queue.host_at(cursor), key, cursor, now))
                return

    @property
    def _has_room(self) -> bool:
        return self.num_parked < MAX_PARKED and len(self._lanes) - self.num_parked < MAX_OPEN

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
                self._park(lane, is_parked=False)
                if lane.gave_up is not None:
                    self._given_up[key] = lane.gave_up
                del self._lanes[key]
                self.closed.append(lane.host)

    def _lane(self, host: str, now: float) -> _Lane:
        key = host_key(host)
        return self._lanes.get(key) or self._add(host, key, self._queue.begin(key), now)

    def _add(self, host: str, key: int, cursor: Cursor, now: float) -> _Lane:
        lane = _Lane(host, key, cursor, self._config.delay_seconds, now)
        lane.gave_up = self._given_up.pop(key, None)
        self._lanes[key] = lane
        return lane

    def _next_of(self, lane: _Lane) -> Ticket:
        """Of a host that failed last, another link, so that a second try is not wasted on it."""
        if lane.again and not (lane.failures and lane.cursor.left):
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
            if not lane.under_way and not lane.is_parked:
                lane.due = now
            return
        if answer.kind == "failed":
            self._fail(lane, answer, now)
        elif answer.kind == "closed":
            rest = max(self._parked_seconds(answer.tries), answer.retry_after or 0.0)
            self._rest(lane, rest, now)
            self._park(lane, is_parked=True)
        else:
            lane.is_known, lane.failures, lane.parks, lane.num_before = True, 0, 0, 0
            self._park(lane, is_parked=False)
            lane.seconds = answer.seconds
            if answer.kind == "busy":
                self._refuse(lane, answer, now)
            else:
                lane.refusals = 0
                lane.delay = self._pace(lane, answer)
                self._rest(lane, lane.delay, now)

    def _refuse(self, lane: _Lane, answer: Answer, now: float) -> None:
        """It was busy: as long as it asks for, or ever longer."""
        lane.refusals += 1
        if lane.refusals >= REFUSALS_IN_A_ROW:
            lane.gave_up = GAVE_UP
        longer = min(lane.delay * 2**lane.refusals, self._config.max_wait_seconds)
        self._rest(lane, answer.retry_after or longer, now)

    def _fail(self, lane: _Lane, answer: Answer, now: float) -> None:
        """It could not be reached: parked, if that is no matter of the one link."""
        if lane.num_before:
            lane.num_before -= 1
            return
        lane.failures += 1
        lane.seconds, lane.delay = answer.seconds, self._pace(lane, answer)
        most = self._config.host_retries
        if not self._is_trouble(lane, lane.failures):
            self._rest(lane, lane.delay, now)
        elif lane.parks == most and (most or lane.failures >= FAILURES_IN_A_ROW):
            lane.gave_up, lane.due = UNREACHABLE, now
        else:
            lane.parks = min(lane.parks + 1, most)
            lane.is_known, lane.num_before = False, lane.under_way
            self._rest(lane, self._parked_seconds(lane.parks), now)
            self._park(lane, is_parked=True)

    def _is_trouble(self, lane: _Lane, failures: int) -> bool:
        return not lane.is_known or failures >= FAILURES_IN_A_ROW

    def _parked_seconds(self, times: int) -> float:
        if times == 0:  # there are no second tries
            return 0.0
        delays = PARKED_DELAYS[min(times, len(PARKED_DELAYS)) - 1]
        return min(delays * self._config.delay_seconds, self._config.max_wait_seconds)

    def _park(self, lane: _Lane, *, is_parked: bool) -> None:
        self.num_parked += is_parked - lane.is_parked
        lane.is_parked = is_parked

    def _rest(self, lane: _Lane, seconds: float, now: float) -> None:
        """At least its delay; a host that wants more than the crawl has is given up."""
        if seconds > self._config.max_wait_seconds:
            lane.gave_up = lane.gave_up or GAVE_UP
        lane.due = now if lane.gave_up else max(lane.due, now + max(seconds, lane.delay))

    def _pace(self, lane: _Lane, answer: Answer) -> float:
        """Half way from its pace to its last answer's: Scrapy's AutoThrottle has it so."""
        if not lane.floor:
            return 0.0
        wanted = answer.seconds / self._config.requests_per_host
        slower = min((lane.delay + wanted) / 2, LONGEST_DELAY)
        return max(lane.floor, slower)
