"""Waterfalls: what there was, and what each reason took of it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wellread.report.blocks import Figure
from wellread.report.figures import GRID, INK, MUTED, NARROW, SERIES, draw, label_rows, rows_only


class Level(NamedTuple):
    """A bar of the funnel: how many there are, or how many a reason took away."""

    label: str
    number: int
    is_drop: bool


def waterfall(
    axes: Axes,
    levels: Sequence[Level],
    *,
    is_narrow: bool,
    shown: Callable[[int], str] = "{:,}".format,
) -> None:
    """Each reason's bar begins where what it left ends."""
    most = max(level.number for level in levels) or 1
    right = 0
    for row, level in enumerate(levels):
        start = right - level.number if level.is_drop else 0
        end = right if level.is_drop else level.number
        colour = SERIES[1] if level.is_drop else SERIES[0]
        if level.is_drop:  # what is left
            axes.barh(row, start, height=0.72, color=GRID, alpha=0.55)
        axes.barh(row, end - start, left=start, height=0.72, color=colour)
        sign = "−" if level.is_drop and level.number else ""
        text = sign + shown(level.number)
        weight = "normal" if level.is_drop else "bold"
        axes.text(end + most / 90, row, text, va="center", fontweight=weight)
        right = start if level.is_drop else end
    label_rows(axes, [level.label for level in levels], is_narrow=is_narrow)
    for tick, level in zip(axes.get_yticklabels(), levels, strict=True):
        tick.set_color(MUTED if level.is_drop else INK)
        tick.set_fontweight("normal" if level.is_drop else "bold")
    rows_only(axes)
    axes.set_xlim(0, most * (1.28 if is_narrow else 1.1))


def funnel(levels: Sequence[Level], caption: str, alt: str) -> Figure:
    """A waterfall on its own."""

    def paint(canvas: Canvas) -> None:
        waterfall(canvas.add_subplot(), levels, is_narrow=canvas.get_figwidth() == NARROW)

    height = 0.27 * len(levels) + 0.2
    return draw("funnel", caption, alt, paint, inches=(height, 1.35 * height))
