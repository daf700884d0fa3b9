"""What the figures of studies share: values with intervals, axes of parameters, ranked effects."""

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wellread.report.blocks import Figure, big, printable
from wellread.report.figures import GRID, INK, MUTED, NARROW, PAPER, SERIES, draw, shortened

DASHED = (0, (3, 2))
OPAQUE = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
BAND = 0.16  # how much of its colour a band has


class Dot(NamedTuple):
    """A value with its 95 % interval, at a number of parameters or of demonstrations."""

    at: float
    value: float
    low: float | None
    high: float | None


class Effect(NamedTuple):
    """A difference on a line of its own."""

    label: str
    value: float
    low: float | None
    high: float | None
    text: str  # the value as read by people
    series: int | None  # None: undecided
    runs: Sequence[float] = ()  # of single seeds


def draw_band(axes: Axes, band: Sequence[Dot], colour: str) -> None:
    """A fitted line with its interval."""
    places = [dot.at for dot in band]
    if any(dot.low is not None and dot.high is not None for dot in band):
        axes.fill_between(
            places,
            [dot.value if dot.low is None else dot.low for dot in band],
            [dot.value if dot.high is None else dot.high for dot in band],
            color=colour, alpha=BAND, linewidth=0,
        )  # fmt: skip
    axes.plot(places, [dot.value for dot in band], color=colour, linewidth=1.3)


def draw_dots(axes: Axes, dots: Sequence[Dot], colour: str, *, is_open: bool = False) -> None:
    """Points with their intervals; open ones were predicted."""
    for dot in dots:
        if dot.low is not None and dot.high is not None:
            axes.plot(
                [dot.at] * 2, [dot.low, dot.high], color=colour, linewidth=2.2, alpha=0.6,
                solid_capstyle="butt",
            )  # fmt: skip
    axes.plot(
        [dot.at for dot in dots], [dot.value for dot in dots], color=colour, linestyle="none",
        marker="o", markersize=5, markerfacecolor=PAPER if is_open else colour,
        markeredgewidth=1.5, zorder=4,
    )  # fmt: skip


def draw_chance(axes: Axes, chance: float | None) -> None:
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=1.1, linestyle=DASHED, zorder=1)


def parameter_axis(axes: Axes, sizes: Sequence[float], *, most: int) -> None:
    """A logarithmic axis with at most so many round numbers on it."""
    low, high = min(sizes), max(sizes)
    room = (high / low) ** 0.09 if high > low else 1.5
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(FixedLocator(list(round_ticks(low / room, high * room, most))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: big(size)))


def round_ticks(low: float, high: float, most: int) -> Iterator[float]:
    """The densest round numbers between two that are no more than `most`.

    >>> list(round_ticks(150_000, 7_000_000, 5))
    [200000.0, 500000.0, 1000000.0, 2000000.0, 5000000.0]
    >>> list(round_ticks(150_000, 7_000_000, 3))
    [300000.0, 1000000.0, 3000000.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [s * 10.0**power for power in powers for s in steps]
        found = [tick for tick in found if low <= tick <= high]
        if len(found) <= most:
            break
    yield from found[:: -(-len(found) // most) or 1]


def share_axis(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def grid_of(canvas: Canvas, number: int, across: int, *, sharey: bool = False) -> list[Axes]:
    """So many panels with one axis of numbers below; the last row may be short."""
    rows = -(-number // across)
    cells = list(canvas.subplots(rows, across, squeeze=False, sharex=True, sharey=sharey).flat)
    for place, axes in enumerate(cells):
        axes.set_visible(place < number)
        axes.tick_params(labelbottom=place + across >= number)
    return cells[:number]


def label_effects(
    axes: Axes, rows: Sequence[tuple[str, str, str]], heading: str, *, is_narrow: bool
) -> None:
    """Of each row its name, its number as text and the number's colour; a heading over the numbers.

    Beside the axes on a wide figure; on a narrow one above the row, so that the axes keep the
    width.
    """
    for number, (label, text, colour) in enumerate(rows):
        if is_narrow:
            axes.annotate(
                _within(label, 42 - len(text)), (0, number), xytext=(0, 10),
                xycoords=("axes fraction", "data"), textcoords="offset points", color=INK,
                va="center", bbox=OPAQUE,
            )  # fmt: skip
        axes.annotate(
            text, (1, number), xytext=(0, 10) if is_narrow else (8, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", color=colour,
            va="center", ha="right" if is_narrow else "left", fontweight="bold",
            annotation_clip=False, bbox=OPAQUE,
        )  # fmt: skip
    axes.annotate(
        heading, (1, 1), xytext=(0, 3) if is_narrow else (8, 3), xycoords="axes fraction",
        textcoords="offset points", color=MUTED, fontsize=8, va="bottom",
        ha="right" if is_narrow else "left", annotation_clip=False,
    )  # fmt: skip
    names = [] if is_narrow else [_within(label, 44) for label, _, _ in rows]
    axes.set_yticks(range(len(names)), names)
    for name in axes.get_yticklabels():
        name.set_color(INK)
    axes.set_ylim(len(rows) - 0.5, -0.9 if is_narrow else -0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=6)


def _within(label: str, most: int) -> str:
    return shortened(printable(label), most)


def ranked(
    key: str, effects: Sequence[Effect], caption: str, alt: str, *, units: tuple[str, str],
    ticks: Callable[[float], str],
) -> Figure:  # fmt: skip
    """A line for each effect: a point, its interval, a line at zero, the number at the right.

    `units` are the axis's, and in a word that of the numbers.
    """
    unit, heading = units

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        axes.axvline(0, color=MUTED, linewidth=1.1, linestyle=DASHED, zorder=1)
        rows = []
        for row, effect in enumerate(effects):
            colour = MUTED if effect.series is None else SERIES[effect.series]
            rows.append((effect.label, effect.text, colour))
            axes.plot(
                effect.runs, [row] * len(effect.runs), color=colour, linestyle="none", marker="|",
                markersize=8, alpha=0.6,
            )  # fmt: skip
            if effect.low is not None and effect.high is not None:
                axes.plot(
                    [effect.low, effect.high], [row, row], color=colour, linewidth=2.4, alpha=0.55
                )
            axes.plot([effect.value], [row], color=colour, marker="o", markersize=5.5)
        label_effects(axes, rows, heading, is_narrow=is_narrow)
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.locator_params(axis="x", nbins=4 if is_narrow else 8)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ticks(value)))
        axes.set_xlabel(textwrap.fill(unit, 48) if is_narrow else unit)

    rows = len(effects)
    return draw(key, caption, alt, paint, inches=(0.26 * rows + 0.6, 0.42 * rows + 0.7))
