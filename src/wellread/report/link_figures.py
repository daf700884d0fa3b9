"""Figures of a table of links: by month, by karma, by site."""

from collections.abc import Sequence

from matplotlib.figure import Figure as Canvas

from wellread.formats.link_report import KarmaRange, LinkReport
from wellread.report.blocks import Figure
from wellread.report.figures import GRID, MUTED, SERIES, draw, label_rows, rows_only

SITES_DRAWN = 25
YEARS_LABELLED = 12


def link_figures(found: LinkReport) -> list[Figure]:
    """Those that have something to show."""
    return [months(found), karma(found.karma), sites(found)] if found.links else []


def months(found: LinkReport) -> Figure:
    labels = [row.month for row in found.months]
    counts = [row.links for row in found.months]

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.bar(range(len(counts)), counts, width=0.9, color=SERIES[0])
        starts = [place for place, label in enumerate(labels) if label.endswith("-01")]
        years = starts[:: -(-len(starts) // YEARS_LABELLED) or 1]
        ticks = {place: labels[place][:4] for place in years} or {0: labels[0]}
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_ylabel("links first seen")
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)

    return draw(
        "link-months", "Links by the month of their first submission.",
        f"{len(labels)} months from {labels[0]} to {labels[-1]}", paint, inches=(2.4, 2.4),
    )  # fmt: skip


def karma(ranges: Sequence[KarmaRange]) -> Figure:
    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        most = max(row.links for row in ranges)
        for place, row in enumerate(ranges):
            axes.barh(place, row.links, height=0.72, color=SERIES[0])
            axes.text(row.links + most / 90, place, f"{row.links:,}", va="center")
        label_rows(axes, [row.label for row in ranges], is_narrow=False)
        rows_only(axes)
        axes.set_xlim(0, most * 1.15)

    height = 0.25 * len(ranges) + 0.2
    return draw(
        "link-karma", "Links by karma.", "A bar for each range of karma", paint,
        inches=(height, height),
    )  # fmt: skip


def sites(found: LinkReport) -> Figure:
    """The largest sites, each beside its links in WebText where these are known."""
    rows = found.domains[:SITES_DRAWN]
    is_compared = any(row.webtext_links for row in found.domains)

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        most = max(row.links for row in rows)
        for place, row in enumerate(rows):
            axes.barh(place, row.links, height=0.72, color=SERIES[0])
            text = axes.text(row.links + most / 90, place, f"{row.links:,}", va="center")
            if is_compared:
                beside = (
                    f"WebText {row.webtext_links:,}"
                    if row.webtext_links
                    else "not in WebText's 1,000"
                )
                axes.annotate(
                    f"   {beside}", (1, 0.5), xycoords=text, va="center", color=MUTED, fontsize=8
                )
        label_rows(axes, [row.name for row in rows], is_narrow=False)
        rows_only(axes)
        axes.set_xlim(0, most * (1.45 if is_compared else 1.12))

    height = 0.25 * len(rows) + 0.2
    return draw(
        "link-sites", f"The {len(rows)} sites with most links.", "A bar for each site", paint,
        inches=(height, height),
    )  # fmt: skip
