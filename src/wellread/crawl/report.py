"""What the fetching process tells the one that started it, and how that is shown."""

from collections.abc import Sequence

import msgspec

from wellread.base.text import human_bytes, human_seconds
from wellread.crawl.frontier import Delay
from wellread.formats.pages import FETCHED, Outcome

NUM_REASONS, NUM_HOSTS = 3, 2  # that are named


class Report(msgspec.Struct, kw_only=True):
    """How far the work is."""

    total: int = 0  # links of this crawl, or of its shard
    before: int = 0  # that had an outcome when this process began
    outcomes: dict[str, int] = {}  # since then
    num_bytes: int = 0  # of pages, decoded
    seconds: float = 0.0
    slowest: Sequence[Delay] = ()
    num_parked: int = 0  # hosts in trouble, which are tried again
    down_seconds: float | None = None  # the network is down: until the next try
    is_lost: bool = False  # it stayed so for too long; the process ends
    errno: int | None = None  # the disk refused; the process ends
    file: str = ""
    warning: str | None = None  # for a person to read

    @property
    def new(self) -> int:
        return sum(self.outcomes.values())

    @property
    def done(self) -> int:
        return self.before + self.new

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None: it is not known."""
        return (self.total - self.done) * self.seconds / self.new if self.new else None

    def add(self, outcome: Outcome) -> None:
        self.outcomes[outcome.outcome] = self.outcomes.get(outcome.outcome, 0) + 1
        self.num_bytes += outcome.num_bytes


def describe(report: Report) -> str:
    """A few words for a line of progress.

    >>> describe(Report(outcomes={"fetched": 40, "http_404": 9}, num_bytes=2_000_000, seconds=10))
    '40 pages (4.0/s, 2.0 MB), http_404 9'
    """
    pages = report.outcomes.get(FETCHED, 0)
    rate = pages / report.seconds if report.seconds else 0.0
    parts = [f"{pages:,} pages ({rate:.1f}/s, {human_bytes(report.num_bytes)})"]
    if report.down_seconds is not None:
        return f"network down, next try in {human_seconds(report.down_seconds)}, {parts[0]}"
    reasons = [(count, reason) for reason, count in report.outcomes.items() if reason != FETCHED]
    parts += [
        f"{reason} {count:,}" for count, reason in sorted(reasons, reverse=True)[:NUM_REASONS]
    ]
    slow = [host for host in report.slowest if host.seconds > (report.seconds_left or 0) + 1]
    if slow:  # these will be waited for when all others are done
        named = [f"{h.host} {h.num_links:,} ({human_seconds(h.seconds)})" for h in slow]
        parts.append(f"slowest: {', '.join(named)}")
    if report.num_parked:
        parts.append(f"hosts in trouble: {report.num_parked:,}")
    return ", ".join(parts)
