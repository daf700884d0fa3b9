"""Figures of a table of links: by month, by karma, by site."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wellread.formats.link_report import KarmaRange, LinkReport
from wellread.report.blocks import Figure
from wellread.report.figures import GRID, MUTED, NARROW, SERIES, draw, label_rows, rows_only

SITES_DRAWN = 25
YEARS_LABELLED = 12


def link_figures(found: LinkReport) -> list[Figure]:
    """Those that have something to show."""
    return [months(found), karma(found.karma), sites(found)] if found.links else []


def months_and_karma(found: LinkReport) -> Figure:
    """Both, side by side where the width allows it."""

    def paint(canvas: Canvas) -> None:
        if canvas.get_figwidth() == NARROW:
            first, second = canvas.subplots(2, 1)
        else:
            first, second = canvas.subplots(1, 2, width_ratios=(3, 2))
        _months(first, found, YEARS_LABELLED // 2)
        _karma(second, found.karma)
        second.set_title("links by karma")

    return draw(
        "links", "Links by the month of their first submission, and by karma.",
        f"{_months_said(found)}; a bar for each range of karma", paint, inches=(3.1, 5.4),
    )  # fmt: skip


def months(found: LinkReport) -> Figure:
    return draw(
        "link-months", "Links by the month of their first submission.", _months_said(found),
        lambda canvas: _months(canvas.add_subplot(), found, YEARS_LABELLED), inches=(2.4, 2.4),
    )  # fmt: skip


def _months_said(found: LinkReport) -> str:
    return f"{len(found.months)} months from {found.months[0].month} to {found.months[-1].month}"


def _months(axes: Axes, found: LinkReport, labelled: int) -> None:
    labels = [row.month for row in found.months]
    counts = [row.links for row in found.months]
    axes.bar(range(len(counts)), counts, width=0.9, color=SERIES[0])
    starts = [place for place, label in enumerate(labels) if label.endswith("-01")]
    years = starts[:: -(-len(starts) // labelled) or 1]
    ticks = {place: labels[place][:4] for place in years} or {0: labels[0]}
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel("links first seen")
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def karma(ranges: Sequence[KarmaRange]) -> Figure:
    height = 0.25 * len(ranges) + 0.2
    return draw(
        "link-karma", "Links by karma.", "A bar for each range of karma",
        lambda canvas: _karma(canvas.add_subplot(), ranges), inches=(height, height),
    )  # fmt: skip


def _karma(axes: Axes, ranges: Sequence[KarmaRange]) -> None:
    most = max(row.links for row in ranges)
    for place, row in enumerate(ranges):
        axes.barh(place, row.links, height=0.72, color=SERIES[0])
        axes.text(row.links + most / 90, place, f"{row.links:,}", va="center")
    label_rows(axes, [row.label for row in ranges], is_narrow=False)
    rows_only(axes)
    axes.set_xlim(0, most * 1.15)


def sites(found: LinkReport) -> Figure:
    rows = [(row.name, row.links, row.webtext_links) for row in found.domains]
    return beside_webtext("link-sites", "links", rows, found.rank_correlation, found.shared_names)


def beside_webtext(
    key: str,
    what: str,
    rows: Sequence[tuple[str, int, int | None]],
    rank_correlation: float | None,
    shared_names: int | None,
) -> Figure:
    """The largest sites (name, how many of `what`, WebText's links), most first.

    Each stands beside its links in WebText where these are known.
    """
    is_compared = shared_names is not None
    shown = rows[:SITES_DRAWN]
    caption = f"The {len(shown)} sites with most {what}"
    if is_compared:
        known = sum(1 for _, _, webtext in shown if webtext)
        caption += f"; {known} of them are among WebText's 1,000"
    if rank_correlation is not None:
        caption += (
            f". By the {shared_names:,} names that both have, the rank correlation is "
            f"{rank_correlation:.2f}"
        )

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        most = max(number for _, number, _ in shown)
        for place, (_, number, webtext) in enumerate(shown):
            axes.barh(place, number, height=0.72, color=SERIES[0])
            text = axes.text(number + most / 90, place, f"{number:,}", va="center")
            if is_compared:
                beside = f"WebText {webtext:,}" if webtext else "not in WebText's 1,000"
                axes.annotate(
                    beside, (1, 0.5), xycoords=text, xytext=(6, 0), textcoords="offset points",
                    va="center", color=MUTED, fontsize=8,
                )  # fmt: skip
        label_rows(axes, [name for name, _, _ in shown], is_narrow=is_narrow)
        rows_only(axes)
        room = (2.75 if is_narrow else 1.45) if is_compared else (1.3 if is_narrow else 1.12)
        axes.set_xlim(0, most * room)

    height = 0.25 * len(shown) + 0.2
    return draw(
        key, f"{caption}.", "Bars: " + "; ".join(f"{name} {n:,}" for name, n, _ in shown), paint,
        inches=(height, height),
    )  # fmt: skip
