"""A table of links in numbers: by month, by karma, by site, and beside WebText's sites."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from wellread.base.manifest import read_artifact
from wellread.base.urls import registered_name
from wellread.formats.link_report import DomainRow, KarmaRange, LinkReport, Month
from wellread.formats.links import KARMA_FROM, STAGE, links_files
from wellread.formats.sorting import named
from wellread.formats.webtext_domains import rank_correlation, read_domains

SAME_PAGE = "same page as another submission"
DOMAINS_SHOWN = 1000  # as many as WebText's list has


def report_links(links: Path, *, webtext_domains: Path | None = None) -> LinkReport:
    """Count what the artifact `links` holds.

    `webtext_domains` is OpenAI's list of WebText's 1,000 most frequent domains: a line each, the
    count and the name without its public suffix.
    """
    manifest = read_artifact(links, STAGE)
    webtext = read_domains(webtext_domains) if webtext_domains else {}
    return describe(links, manifest.counts, manifest.dropped, webtext)


def describe(
    links: Path, counts: Mapping[str, int], dropped: Mapping[str, int], webtext: dict[str, int]
) -> LinkReport:
    """Of the table in the folder `links`, of which a manifest has, or will have, the counts."""
    with duckdb.connect() as database:
        table = database.read_parquet(named(links_files(links)))

        def rows(query: str) -> list[Any]:
            found = table.query("links", query)
            return found.fetchall() if found else []

        months = rows(
            "SELECT strftime(created_utc AT TIME ZONE 'UTC', '%Y-%m') AS month, count(*) "
            "FROM links GROUP BY month ORDER BY month"
        )
        karma = rows("SELECT karma, count(*) FROM links GROUP BY karma ORDER BY karma")
        domains = rows("SELECT domain, count(*) FROM links GROUP BY domain")
    by_name: Counter[str] = Counter()
    for domain, count in domains:
        by_name[registered_name(domain)] += count
    ordered = sorted(by_name.items(), key=lambda row: (-row[1], row[0]))
    correlation, shared = rank_correlation(by_name, webtext) if webtext else (None, None)
    return LinkReport(
        submissions=counts["in"],
        kept=counts["submissions_kept"],
        links=counts["out"],
        dropped={k: n for k, n in sorted(dropped.items()) if k != SAME_PAGE},
        months=_every_month(dict(months)),
        karma=_ranges(karma),
        domains=[
            DomainRow(name=name, links=count, webtext_links=webtext.get(name))
            for name, count in ordered[:DOMAINS_SHOWN]
        ],
        rank_correlation=correlation,
        shared_names=shared,
    )


def _every_month(counts: dict[str, int]) -> list[Month]:
    """From the first to the last, those without links too."""
    if not counts:
        return []
    first, last = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (min(counts), max(counts)))
    names = [f"{number // 12}-{number % 12 + 1:02}" for number in range(first, last + 1)]
    return [Month(month=name, links=counts.get(name, 0)) for name in names]


def _ranges(karma: list[tuple[int, int]]) -> list[KarmaRange]:
    """Links by ranges of karma, from the first to the last that is not empty."""
    if not karma:
        return []
    starts = [*KARMA_FROM]
    if karma[0][0] < starts[0]:
        starts.insert(0, karma[0][0])
    ends = [*(start - 1 for start in starts[1:]), None]
    ranges = [
        KarmaRange(
            low=low,
            high=high,
            links=sum(n for value, n in karma if low <= value and (high is None or value <= high)),
        )
        for low, high in zip(starts, ends, strict=True)
    ]
    filled = [number for number, one in enumerate(ranges) if one.links]
    return ranges[filled[0] : filled[-1] + 1]
