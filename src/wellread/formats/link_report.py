"""What a table of links holds, in numbers: `wellread links report`, and `links-report.json`."""

from pathlib import Path

import msgspec

NAME = "links-report.json"


class Month(msgspec.Struct, frozen=True, kw_only=True):
    month: str  # 2013-07, of the first submission
    links: int


class KarmaRange(msgspec.Struct, frozen=True, kw_only=True):
    low: int
    high: int | None  # inclusive; None: no end
    links: int

    @property
    def label(self) -> str:
        """
        >>> KarmaRange(low=10, high=19, links=1).label
        '10 to 19'
        """
        if self.high is None:
            return f"{self.low:,} or more"
        return f"{self.low:,}" if self.high == self.low else f"{self.low:,} to {self.high:,}"


class DomainRow(msgspec.Struct, frozen=True, kw_only=True):
    """A site by the name that somebody registered, without its public suffix: `google`."""

    name: str
    links: int
    webtext_links: int | None = None  # openai/gpt-2, domains.txt; None: not among its 1,000


class LinkReport(msgspec.Struct, frozen=True, kw_only=True):
    submissions: int
    kept: int
    links: int
    dropped: dict[str, int]  # submissions
    months: list[Month]
    karma: list[KarmaRange]
    domains: list[DomainRow]  # most links first
    # Spearman's, of the numbers of links of names that both have; None: nothing to compare with.
    rank_correlation: float | None = None
    shared_names: int | None = None


def encode(found: LinkReport) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found))


def read_link_report(directory: Path) -> LinkReport:
    return msgspec.json.decode((directory / NAME).read_bytes(), type=LinkReport)
