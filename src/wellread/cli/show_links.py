"""What `wellread links report` and `--explain` print."""

from typing import TYPE_CHECKING

from wellread.cli.show import out, plain_table

if TYPE_CHECKING:
    from wellread.formats.link_report import LinkReport
    from wellread.links.explain import Explanation

SITES, BAR = 20, 40


def report(found: "LinkReport") -> None:
    """Tables: what was dropped, years, karma, sites."""
    out.print(f"{found.submissions:,} submissions, {found.kept:,} kept, of {found.links:,} links\n")
    table = plain_table("dropped", "submissions", "share", left=["dropped"])
    for reason, count in sorted(found.dropped.items(), key=lambda row: -row[1]):
        table.add_row(reason, f"{count:,}", f"{100 * count / found.submissions:.1f} %")
    out.print(table)
    years: dict[str, int] = {}
    for row in found.months:
        years[row.month[:4]] = years.get(row.month[:4], 0) + row.links
    _bars("year", list(years.items()))
    _bars("karma", [(row.label, row.links) for row in found.karma])
    _sites(found)


def _bars(title: str, rows: list[tuple[str, int]]) -> None:
    table = plain_table(title, "links", "", left=[""])
    most = max((count for _, count in rows), default=1)
    for label, count in rows:
        table.add_row(label, f"{count:,}", "▇" * round(BAR * count / most))
    out.print()
    out.print(table)


def _sites(found: "LinkReport") -> None:
    is_compared = found.shared_names is not None
    table = plain_table("site", "links", *(["in WebText"] if is_compared else []), left=["site"])
    for row in found.domains[:SITES]:
        beside = f"{row.webtext_links:,}" if row.webtext_links else "not in its 1,000"
        table.add_row(row.name, f"{row.links:,}", *([beside] if is_compared else []))
    out.print()
    out.print(table)
    if found.rank_correlation is not None:
        out.print(
            f"\n{found.shared_names:,} names are in both; rank correlation "
            f"{found.rank_correlation:.2f} (Spearman)"
        )


def explanation(found: "Explanation") -> None:
    verdict = f"out: {found.refused}" if found.refused else f"in, with karma {found.karma:,}"
    out.print(f"{found.url}\n{verdict}", markup=False, soft_wrap=True)
    if found.twin:
        out.print(f"but some point to {found.twin}, which is another address", markup=False)
    if not found.mentions:
        return
    table = plain_table(
        "submission", "day", "subreddit", "karma", "", left=["submission", "subreddit", ""]
    )
    for row in found.mentions:
        karma = "" if row.karma is None else f"{row.karma:,}"
        day = f"{row.created_utc:%Y-%m-%d}"
        table.add_row(row.where, day, row.subreddit, karma, row.refused or "kept")
    out.print()
    out.print(table)
