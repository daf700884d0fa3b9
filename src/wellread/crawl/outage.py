"""Tells a network of one's own that is down from hosts that are.

A failure to reach a host is not believed at once. It is when any host answers after it; or when a
witness does, a host that answered before. Where none does, it was the network. Many failures in a
row are believed at their second time, as the network may have been down for a moment only.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.urls import host_of
from wellread.crawl.answers import ASKED_TOO_MUCH, UNCONNECTED
from wellread.crawl.frontier import Ticket
from wellread.crawl.journal import JOURNAL, Entry
from wellread.crawl.judging import RECEIVED_HEAD, Verdict, is_page_asked
from wellread.crawl.robots import ASKED, Rules, origin_of
from wellread.formats.refused import SILENT

# Ours: hosts in a row that give no sign of life. Of WebText's links, ten years old, perhaps every
# third host is gone: 20 of these in a row are one chance in three billion.
MANY_HOSTS = 20
NUM_WITNESSES = 5  # that are silent too, where fewer hosts are left to ask
FIRST_WAIT, LONGEST_WAIT = 30.0, 600.0  # seconds until the witnesses are asked again
TAIL_BYTES = 1 << 18  # of the journal, where a crawl that goes on finds its witnesses


class Held(msgspec.Struct, frozen=True):
    """A link whose host gave no sign of life."""

    ticket: Ticket
    verdict: Verdict  # what it comes to, if that is so


class Silence:
    """What was held since any host last answered, and how long the network has been waited for."""

    def __init__(self, witnesses: Iterable[str], max_seconds: float) -> None:
        self.held: list[Held] = []
        self._witnesses = dict.fromkeys(witnesses)  # origins, the last that answered at the end
        self._hosts: set[str] = set()
        self._max_seconds, self._waited = max_seconds, 0.0
        self._wait = min(FIRST_WAIT, max_seconds / 8)

    def hold(self, ticket: Ticket, verdict: Verdict) -> None:
        self.held.append(Held(ticket, verdict))
        self._hosts.add(host_of(ticket.url))

    def release(self) -> list[Held]:
        """All that was held, which is believed or tried again."""
        held, self.held, self._hosts = self.held, [], set()
        return held

    def heard(self, url: str, *, is_witness: bool) -> None:
        """Its host answered; as a witness if it may be asked for its robots.txt at any time."""
        self._waited, self._wait = 0.0, min(FIRST_WAIT, self._max_seconds / 8)
        self._witnesses.pop(origin_of(url), None)
        if is_witness:
            self._witnesses[origin_of(url)] = None
            if len(self._witnesses) > NUM_WITNESSES:
                del self._witnesses[next(iter(self._witnesses))]

    @property
    def is_long(self) -> bool:
        return len(self._hosts) >= MANY_HOSTS

    def witnesses(self) -> list[str]:
        """Whom to ask: those that are not themselves silent, the last that answered first."""
        return [w for w in reversed(self._witnesses) if host_of(w) not in self._hosts]

    @property
    def is_everywhere(self) -> bool:
        """Whether silence, of the witnesses too, is the network's; else few hosts are just gone."""
        hosts = self._hosts | {host_of(witness) for witness in self._witnesses}
        return len(hosts) >= MANY_HOSTS or len(self._witnesses) == NUM_WITNESSES

    @property
    def has_witnesses(self) -> bool:
        return bool(self._witnesses)

    def next_wait(self) -> float | None:
        """Seconds until the next try; None: there were enough."""
        wait = min(self._wait, self._max_seconds - self._waited)
        self._waited += wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)
        return wait if wait > 0 else None


def is_silent(ticket: Ticket, request: Any, response: Any) -> bool:
    """Whether a request that was made came to nothing that only its host could have said."""
    return response in SILENT and _was_made(ticket, request) and not _has_head(request)


def is_sign_of_life(ticket: Ticket, request: Any, response: Any) -> bool:
    if not isinstance(response, str):
        return True
    return _was_made(ticket, request) and response not in UNCONNECTED


def _was_made(ticket: Ticket, request: Any) -> bool:
    return bool(is_page_asked(ticket, request) or request.meta.get(ASKED, False))


def _has_head(request: Any) -> bool:
    return RECEIVED_HEAD in request.meta


def is_fit_as_witness(response: Any, rules: Rules | None) -> bool:
    """Whether an answer's host may be asked for its robots.txt at any time: it wants no rest."""
    if getattr(response, "status", None) in ASKED_TOO_MUCH:
        return False
    return rules is None or not (rules.crawl_delay or rules.failure)


def witnesses_in(directory: Path) -> list[str]:
    """The origins that answered last, of a crawl that goes on."""
    path, num_bytes = directory / JOURNAL, TAIL_BYTES
    while len(found := _witnesses_in_tail(path, num_bytes)) < NUM_WITNESSES:
        if num_bytes >= path.stat().st_size:
            break
        num_bytes *= 8
    return found[-NUM_WITNESSES:]


def _witnesses_in_tail(path: Path, num_bytes: int) -> list[str]:
    found = dict[str, None]()
    with path.open("rb") as file:
        start = max(0, path.stat().st_size - num_bytes)
        file.seek(start)
        if start:
            file.readline()  # half a line, most often
        for line in file:
            if not line.endswith(b"\n"):
                break
            outcome = msgspec.json.decode(line, type=Entry).outcome
            if outcome.status is not None and outcome.status not in ASKED_TOO_MUCH:
                origin = origin_of(outcome.redirected_to or outcome.url)
                found.pop(origin, None)
                found[origin] = None
    return list(found)
