"""One row for each page, from any number of submissions, in memory that does not grow with them."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from wellread.base.urls import registrable_domain
from wellread.formats.links import Link

LINKS_IN_MEMORY = 1_000_000  # about 350 MB


class Tally(msgspec.Struct, gc=False, array_like=True):
    """What the submissions of one URL add up to so far."""

    url: str
    karma: int  # of the best submission: most karma, then earliest, then first in name
    best_created_utc: int
    subreddit: str
    created_utc: int  # of the first submission
    submissions: int


class LinkMerge:
    """Collects submissions of links; beyond a number of URLs it spills sorted runs to a folder."""

    def __init__(self, folder: Path, *, links_in_memory: int = LINKS_IN_MEMORY) -> None:
        self._folder = folder
        self._limit = links_in_memory
        self._tallies: dict[str, Tally] = {}
        self._runs: list[Path] = []

    def add(self, url: str, karma: int, created_utc: int, subreddit: str) -> None:
        new = Tally(url, karma, created_utc, subreddit, created_utc, 1)
        old = self._tallies.get(url)
        if old is not None:
            _merge_into(old, new)
            return
        if len(self._tallies) >= self._limit:
            self._spill()
        self._tallies[url] = new

    def links(self) -> Iterator[Link]:
        """Every link once, in order of URL, whatever the order in which submissions came."""
        runs = [_read_run(path) for path in self._runs]
        runs.append(iter(_sorted(self._tallies)))
        by_url = attrgetter("url")
        for _, group in groupby(heapq.merge(*runs, key=by_url), key=by_url):
            yield _link(reduce(_merge_into, group))

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"run-{len(self._runs):05}.jsonl"
        encoder = msgspec.json.Encoder()
        with path.open("wb") as file:
            for tally in _sorted(self._tallies):
                file.write(encoder.encode(tally) + b"\n")
        self._runs.append(path)
        self._tallies.clear()


def _sorted(tallies: dict[str, Tally]) -> list[Tally]:
    return [tallies[url] for url in sorted(tallies)]


def _read_run(path: Path) -> Iterator[Tally]:
    decoder = msgspec.json.Decoder(Tally)
    with path.open("rb") as file:
        yield from map(decoder.decode, file)


def _merge_into(tally: Tally, other: Tally) -> Tally:
    if _rank(other) < _rank(tally):
        tally.karma = other.karma
        tally.best_created_utc = other.best_created_utc
        tally.subreddit = other.subreddit
    tally.created_utc = min(tally.created_utc, other.created_utc)
    tally.submissions += other.submissions
    return tally


def _rank(tally: Tally) -> tuple[int, int, str]:
    return -tally.karma, tally.best_created_utc, tally.subreddit


def _link(tally: Tally) -> Link:
    return Link(
        url=tally.url,
        domain=registrable_domain(tally.url),
        karma=tally.karma,
        subreddit=tally.subreddit,
        created_utc=datetime.fromtimestamp(tally.created_utc, UTC),
        submissions=tally.submissions,
    )
