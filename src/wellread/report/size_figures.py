"""Scores against the number of parameters: the paper's figures 1, 2 and 4, with what was predicted.

Filled points are what came, open ones what was predicted before, each with its 95 % interval.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wellread.report.blocks import Figure, is_share, metric_name, printable, score
from wellread.report.figures import GRID, MUTED, NARROW, PAPER, SERIES, draw, label_ends
from wellread.report.study_figures import (
    Dot,
    draw_band,
    draw_chance,
    draw_dots,
    grid_of,
    label_effects,
    parameter_axis,
    share_axis,
)

METRIC_SHORT = {"log_prob": "log prob., nats"}
FARTHEST = 4.0  # of what came, in half-widths: what is farther has an arrow
APART = 0.035  # of the axis's decades, between what was predicted and what came


class Trend(NamedTuple):
    """A metric over sizes."""

    title: str
    metric: str
    dots: list[Dot]  # a size each, the mean over its seeds
    runs: list[tuple[float, float]]  # parameters and value of each run
    band: list[Dot]  # of the fit; none if there is none
    chance: float | None
    predicted: list[Dot]  # of sizes that had not been trained
    came: list[Dot]  # of them, those that have been since
    published: list[tuple[float, float]]  # the paper's models

    @property
    def sizes(self) -> list[float]:
        ours = [dot.at for dot in [*self.dots, *self.predicted, *self.came]]
        return ours + [at for at, _ in self.published]


def losses(
    held_out: Trend, training: Trend | None, gaps: Sequence[Dot], captions: tuple[str, str],
    units: tuple[str, str],
) -> Figure:  # fmt: skip
    """Both losses in one panel and their gap in another: do they fall together?"""
    named = [(held_out, SERIES[1], "held-out"), (training, SERIES[0], "training")]
    lines = [(trend, colour, name) for trend, colour, name in named if trend is not None]

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        if gaps and is_narrow:
            axes, below = canvas.subplots(2, 1, height_ratios=(2.2, 1), sharex=True)
        elif gaps:
            axes, below = canvas.subplots(1, 2, width_ratios=(1.9, 1))
        else:
            axes = canvas.add_subplot()
        sizes = [size for trend, _, _ in lines for size in trend.sizes]
        if gaps:
            draw_dots(below, gaps, SERIES[3])
            below.plot(*_columns(gaps), color=SERIES[3], linewidth=1.3)
            below.locator_params(axis="y", nbins=5)
            below.set_ylim(min(0, *(dot.low or dot.value for dot in gaps)), None)
            _plain(below, sizes, units[1], most=4)
        ends = []
        for trend, colour, name in lines:
            _trend(axes, trend, colour)
            last = [*trend.dots, *trend.came][-1].value
            ends.append((last, f"{name} {score(last, trend.metric).text}", colour))
        _plain(axes, sizes, units[0], most=4 if is_narrow else 5)
        label_ends(axes, ends)

    heights = (3.2, 4.3 if gaps else 3.1)
    return draw("size-losses", *captions, paint, inches=heights)


def _plain(axes: Axes, sizes: Sequence[float], unit: str, *, most: int) -> None:
    parameter_axis(axes, sizes, most=most)
    axes.margins(y=0.12)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_title(textwrap.fill(unit, 30))
    axes.set_xlabel("parameters (log scale)")


def _columns(dots: Sequence[Dot]) -> tuple[list[float], list[float]]:
    return [dot.at for dot in dots], [dot.value for dot in dots]


def _trend(axes: Axes, trend: Trend, colour: str) -> None:
    draw_band(axes, trend.band, colour)
    axes.plot(
        [at for at, _ in trend.runs], [value for _, value in trend.runs], color=colour,
        linestyle="none", marker="o", markersize=3, alpha=0.35, markeredgewidth=0,
    )  # fmt: skip
    draw_dots(axes, trend.dots, colour)
    aside = (max(trend.sizes) / min(trend.sizes)) ** APART
    trained = {dot.at for dot in trend.came}
    for dot in trend.predicted:
        at = dot.at / aside if dot.at in trained else dot.at
        draw_dots(axes, [dot._replace(at=at)], colour, is_open=True)
    draw_dots(axes, [dot._replace(at=dot.at * aside) for dot in trend.came], colour)
    axes.plot(
        [at for at, _ in trend.published], [value for _, value in trend.published], color=MUTED,
        linestyle="none", marker="D", markersize=5, markerfacecolor=PAPER,
    )  # fmt: skip


def tasks_by_size(trends: Sequence[Trend], caption: str, alt: str) -> Figure:
    """A panel for each task."""
    rows = -(-len(trends) // 3), -(-len(trends) // 2)

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        sizes = [size for trend in trends for size in trend.sizes]
        for place, axes in enumerate(grid_of(canvas, len(trends), 2 if is_narrow else 3)):
            trend = trends[place]
            draw_chance(axes, trend.chance)
            _trend(axes, trend, SERIES[0])
            _dress(axes, trend.metric, sizes, is_narrow=is_narrow)
            if trend.chance is not None:
                axes.annotate(
                    "chance", (0.985, trend.chance), xytext=(0, -2), textcoords="offset points",
                    xycoords=("axes fraction", "data"), color=MUTED, fontsize=8, ha="right",
                    va="top",
                )  # fmt: skip
            axes.set_title(textwrap.fill(printable(trend.title), 19 if is_narrow else 30))
        canvas.supxlabel("parameters (log scale)", color=MUTED, fontsize=9)

    return draw(
        "size-tasks", caption, alt, paint, inches=(1.95 * rows[0] + 0.3, 1.75 * rows[1] + 0.3)
    )


def _dress(axes: Axes, metric: str, sizes: Sequence[float], *, is_narrow: bool) -> None:
    parameter_axis(axes, sizes, most=3 if is_narrow else 4)
    axes.margins(y=0.14)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    if is_share(metric):
        share_axis(axes)


class Pair(NamedTuple):
    """One task by a metric that counts whole successes and by one that is continuous."""

    title: str
    stepped: Trend
    continuous: Trend
    stepped_verdict: str
    verdict: str  # of the continuous one


def smooth_or_sudden(pairs: Sequence[Pair], caption: str, alt: str) -> Figure:
    """Two panels for each task, side by side."""
    rows = -(-len(pairs) // 2), len(pairs)

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        panels = [
            (pair, trend, colour)
            for pair in pairs
            for trend, colour in ((pair.stepped, SERIES[3]), (pair.continuous, SERIES[2]))
        ]
        sizes = [size for _, trend, _ in panels for size in trend.sizes]
        cells = grid_of(canvas, len(panels), 2 if is_narrow else 4)
        for axes, (pair, trend, colour) in zip(cells, panels, strict=True):
            draw_chance(axes, trend.chance)
            dots = [*trend.dots, *trend.came]
            axes.plot(*_columns(dots), color=colour, linewidth=1.3)
            draw_dots(axes, dots, colour)
            _dress(axes, trend.metric, sizes, is_narrow=True)
            words = METRIC_SHORT.get(trend.metric, metric_name(trend.metric))
            title = textwrap.fill(printable(pair.title), 19)
            axes.set_title(f"{title}\n{words}" if trend is pair.stepped else words)
        canvas.supxlabel("parameters (log scale)", color=MUTED, fontsize=9)

    return draw(
        "size-sudden", caption, alt, paint, inches=(2.0 * rows[0] + 0.3, 1.85 * rows[1] + 0.3)
    )


class Foretold(NamedTuple):
    """What came, in half-widths of the interval that was predicted: inside is from -1 to 1."""

    label: str
    place: float
    is_inside: bool
    text: str


def predictions(rows: Sequence[Foretold], caption: str, alt: str) -> Figure:
    """Did what came fall into the interval that was predicted?"""
    most = min(FARTHEST, max(1.5, *(abs(row.place) * 1.12 for row in rows)))

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        colours = [SERIES[0] if row.is_inside else SERIES[1] for row in rows]
        for number, (row, colour) in enumerate(zip(rows, colours, strict=True)):
            axes.plot([-1, 1], [number] * 2, color=MUTED, linewidth=2.2, alpha=0.5)
            axes.plot([0], [number], color=MUTED, marker="o", markersize=5, markerfacecolor=PAPER)
            is_farther = abs(row.place) >= most
            shown = math.copysign(0.97 * most, row.place) if is_farther else row.place
            mark = "o" if not is_farther else ">" if row.place > 0 else "<"
            axes.plot([shown], [number], color=colour, marker=mark, markersize=5.5)
        texts = [(row.label, row.text, colour) for row, colour in zip(rows, colours, strict=True)]
        label_effects(axes, texts, "predicted, came", is_narrow=is_narrow)
        axes.set_xlim(-most, most)
        axes.set_xticks([-1, 0, 1], ["lower end", "predicted", "upper end"])
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)

    number = len(rows)
    return draw(
        "size-predictions", caption, alt, paint, inches=(0.26 * number + 0.4, 0.42 * number + 0.4)
    )
