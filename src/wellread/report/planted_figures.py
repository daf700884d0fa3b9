"""Score against how often a task was shown in the training text."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wellread.report.blocks import Figure, printable
from wellread.report.figures import GRID, MUTED, NARROW, SERIES, draw, label_ends
from wellread.report.study_figures import BAND, Dot, draw_chance, share_axis


class Line(NamedTuple):
    """The models of one size: a point for each number of demonstrations."""

    label: str
    dots: list[Dot]
    runs: list[tuple[float, float]]


class Planted(NamedTuple):
    """One task."""

    title: str
    metric: str
    chance: float | None
    lines: list[Line]


def learnt_from_text(panels: Sequence[Planted], caption: str, alt: str) -> Figure:
    """A panel for each task, a line a size."""
    numbers = sorted({dot.at for panel in panels for line in panel.lines for dot in line.dots})
    has_zero = numbers[0] == 0
    places = {number: math.log10(number) for number in numbers if number}
    if has_zero:
        places[0] = min(places.values(), default=1.0) - 1

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        down = len(panels) if is_narrow else 1
        grid = canvas.subplots(down, len(panels) // down, squeeze=False, sharey=True)
        ends: list[list[tuple[float, str, str]]] = []
        for axes, panel in zip(grid.flat, panels, strict=True):
            draw_chance(axes, panel.chance)
            named = []
            for number, line in enumerate(panel.lines):
                colour = SERIES[number % len(SERIES)]
                _line(axes, line, places, colour, has_zero=has_zero)
                if line.dots:
                    named.append((line.dots[-1].value, printable(line.label), colour))
            axes.set_title(printable(panel.title))
            axes.set_xticks(list(places.values()), [f"{number:,.0f}" for number in places])
            axes.set_xlim(min(places.values()) - 0.25, max(places.values()) + 0.25)
            axes.margins(y=0.1)
            axes.grid(axis="y", color=GRID, linewidth=0.6)
            share_axis(axes)
            if has_zero and len(numbers) > 1:
                _break(axes, places[0] + 0.5)
            if panel.chance is not None:
                named.append((panel.chance, "chance", MUTED))
            ends.append(named)
            axes.set_xlabel("demonstrations planted (log scale)")
        for axes, named in zip(grid.flat, ends, strict=True):  # the panels share their limits
            label_ends(axes, named)

    return draw("planted", caption, alt, paint, inches=(3.0, 2.8 * len(panels)))


def _line(
    axes: Axes, line: Line, places: dict[float, float], colour: str, *, has_zero: bool
) -> None:
    dots = [dot._replace(at=places[dot.at]) for dot in line.dots]
    bounded = [dot for dot in dots if dot.low is not None and dot.high is not None]
    axes.fill_between(
        [dot.at for dot in bounded], [dot.low or 0.0 for dot in bounded],
        [dot.high or 0.0 for dot in bounded], color=colour, alpha=BAND, linewidth=0,
    )  # fmt: skip
    start = 1 if has_zero else 0
    for part, style in ((dots[: start + 1], (0, (1, 2))), (dots[start:], "-")):
        axes.plot(
            [dot.at for dot in part], [dot.value for dot in part], color=colour, linewidth=1.8,
            linestyle=style,
        )  # fmt: skip
    axes.plot(
        [places[at] for at, _ in line.runs], [value for _, value in line.runs], color=colour,
        linestyle="none", marker="o", markersize=3, alpha=0.4, markeredgewidth=0,
    )  # fmt: skip
    axes.plot(
        [dot.at for dot in dots], [dot.value for dot in dots], color=colour, linestyle="none",
        marker="o", markersize=5,
    )  # fmt: skip


def _break(axes: Axes, middle: float) -> None:
    """Two strokes through the axis: nothing lies between no demonstration and the first."""
    for at in (middle - 0.03, middle + 0.03):
        axes.annotate(
            "/", (at, 0), xycoords=("data", "axes fraction"), ha="center", va="center",
            color=MUTED, fontsize=10,
        )  # fmt: skip
