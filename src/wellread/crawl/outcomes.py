"""The end of a crawl: its journal becomes the table of outcomes, in order of URL."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from wellread.base.errors import WellreadError
from wellread.base.manifest import Draft
from wellread.crawl.config import Shard
from wellread.crawl.journal import JOURNAL, Entry, url_key, url_keys
from wellread.crawl.shard import urls_of_shard
from wellread.formats.pages import FETCHED, Outcome, read_outcomes, write_outcomes

GO_ON = "run the same command again to go on where it stopped"
LINE = np.dtype([("key", "<u8"), ("start", "<u8")])


class JournalIndex:
    """Where in the journal each URL's outcome is: 16 bytes of memory, 24 while it is made."""

    def __init__(self, directory: Path) -> None:
        self.reasons: Counter[str] = Counter()
        self._file: BinaryIO = (directory / JOURNAL).open("rb")
        self._decoder = msgspec.json.Decoder(Entry)
        self._lines = np.fromiter(self._read(), LINE)
        self._lines.sort(order=["key", "start"])  # in its place, and of equals the first counts

    def _read(self) -> Iterator[tuple[int, int]]:
        start = 0
        for line in self._file:
            outcome = self._decoder.decode(line).outcome
            self.reasons[outcome.outcome] += 1
            yield url_key(outcome.url), start
            start += len(line)

    def find(self, urls: list[str]) -> Iterator[Outcome | None]:
        keys = url_keys(urls)
        places = np.searchsorted(self._lines["key"], keys)
        for url, place in zip(urls, places.tolist(), strict=True):
            yield self._outcome(url, place)

    def _outcome(self, url: str, place: int) -> Outcome | None:
        if place == len(self._lines):
            return None
        self._file.seek(int(self._lines[place]["start"]))
        outcome = self._decoder.decode(self._file.readline()).outcome
        return outcome if outcome.url == url else None

    def close(self) -> None:
        self._file.close()


def write_table(draft: Draft, index: JournalIndex, links: Path, shard: Shard) -> None:
    """Write the outcome of every link; if one has none, the work is not done."""
    num_missing = 0

    def outcomes() -> Iterator[Outcome]:
        nonlocal num_missing
        for urls in urls_of_shard(links, shard):
            for outcome in index.find(urls.to_pylist()):
                if outcome is None:
                    num_missing += 1
                else:
                    yield outcome
        if num_missing:
            raise WellreadError(f"{draft.out}: {num_missing} links without outcome; {GO_ON}")

    write_outcomes(draft, outcomes())


def account(draft: Draft) -> None:
    """What the manifest says of the table."""
    for name in ("in", "out", "bytes", "redirected"):
        draft.counts[name] = 0
    for outcome in read_outcomes(draft.out):
        draft.counts["in"] += 1
        draft.counts["bytes"] += outcome.num_bytes
        draft.counts["redirected"] += outcome.redirected_to is not None
        if outcome.outcome == FETCHED:
            draft.counts["out"] += 1
        else:
            draft.drop(outcome.outcome, outcome.url)
