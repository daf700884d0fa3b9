"""What changes of design do to the loss while training, and to gradients by depth.

A panel for each change, the changes in one order and in one colour in both figures.
"""

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from wellread.report.blocks import Figure, big, printable
from wellread.report.figures import GRID, MUTED, NARROW, SERIES, draw, label_ends
from wellread.report.study_figures import OPAQUE, grid_of

Curve = list[tuple[int, float]]  # step, value
EARLY, LATE = (0, (2, 1.5)), "-"


class Family(NamedTuple):
    """The runs of one variant, a seed each."""

    name: str
    losses: list[Curve]
    early: list[list[float]]  # gradient norm by block, of each run, in its first tenth
    late: list[list[float]]


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean at the steps that all have.

    >>> mean_curve([[(10, 3.0), (20, 2.0)], [(10, 4.0)]])
    [(10, 3.5)]
    """
    values = [dict(curve) for curve in curves]
    common = sorted(set.intersection(*map(set, values))) if values else []
    return [(step, float(np.mean([one[step] for one in values]))) for step in common]


def loss_gaps(families: Sequence[Family], caption: str, alt: str, unit: str) -> Figure:
    """Of each change the loss less the mean of the reference's, at the same steps."""
    reference = dict(mean_curve(families[0].losses))
    first = sorted(reference)[len(reference) // 5]  # the falls before are not of one height

    def gaps(curves: Sequence[Curve]) -> list[Curve]:
        common = [[(s, v - reference[s]) for s, v in c if s in reference] for c in curves]
        return [[(s, v) for s, v in curve if s >= first] for curve in common]

    own = gaps(families[0].losses)

    def panel(axes: Axes, family: Family, colour: str) -> None:
        axes.axhline(0, color=MUTED, linewidth=1.1, zorder=1)
        if family is families[1]:
            axes.annotate(
                printable(families[0].name), (0.98, 0.02), xycoords="axes fraction", ha="right",
                va="bottom", color=MUTED, fontsize=8, bbox=OPAQUE,
            )  # fmt: skip
        for curve in own:
            axes.plot(*_columns(curve), color=MUTED, linewidth=0.8, alpha=0.5)
        theirs = gaps(family.losses)
        for curve in theirs:
            axes.plot(*_columns(curve), color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(*_columns(mean_curve(theirs)), color=colour, linewidth=1.9)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: big(step)))
        axes.locator_params(nbins=4)

    return _panels("design-losses", families, (caption, alt), panel, labels=("steps", unit))


def gradients_by_depth(families: Sequence[Family], caption: str, alt: str) -> Figure:
    """The norm of each block's gradient: dotted early in training, whole late."""
    drawn = [norm for one in families for norms in (one.early, one.late) for norm in _mean(norms)]
    is_wide = bool(drawn) and max(drawn) > 1000 * min(drawn)

    def lines(axes: Axes, family: Family, colour: str) -> None:
        for norms, style in ((family.early, EARLY), (family.late, LATE)):
            if mean := _mean(norms):
                blocks = range(1, len(mean) + 1)
                axes.plot(
                    blocks, mean, color=colour, linewidth=1.6, linestyle=style, marker="o",
                    markersize=3,
                )  # fmt: skip

    def panel(axes: Axes, family: Family, colour: str) -> None:
        lines(axes, families[0], MUTED)
        lines(axes, family, colour)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if is_wide else (1, 2, 5), numticks=8))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda norm, _: f"{norm:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))

    def ends(axes: Axes) -> None:
        shown = ((families[0].early, "early"), (families[0].late, "late"))
        label_ends(
            axes, [(mean[-1], word, MUTED) for norms, word in shown if (mean := _mean(norms))]
        )

    labels = ("block, from the input", "gradient norm (log scale)")
    return _panels("design-gradients", families, (caption, alt), panel, labels=labels, ends=ends)


def _mean(norms: Sequence[Sequence[float]]) -> list[float]:
    """Geometric, over runs."""
    return (
        [float(mean) for mean in np.exp(np.mean(np.log(np.array(norms)), axis=0))] if norms else []
    )


def _panels(
    key: str, families: Sequence[Family], words: tuple[str, str],
    panel: Callable[[Axes, Family, str], None], *, labels: tuple[str, str],
    ends: Callable[[Axes], None] | None = None,
) -> Figure:  # fmt: skip
    """`words` are caption and alt text; `ends` writes at the right of the first row."""
    others = families[1:]
    across = min(3 if len(others) in (3, 5, 6, 9) else 4, len(others))
    across_narrow = min(2, len(others))

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        columns = across_narrow if is_narrow else across
        cells = grid_of(canvas, len(others), columns, sharey=True)
        for number, (axes, family) in enumerate(zip(cells, others, strict=True)):
            colour = SERIES[number % len(SERIES)]
            panel(axes, family, colour)
            axes.grid(axis="y", color=GRID, linewidth=0.6)
            title = textwrap.fill(printable(family.name), 20)
            axes.set_title(title, color=colour, fontweight="bold")
        if ends is not None:
            ends(cells[min(columns, len(cells)) - 1])
        canvas.supxlabel(labels[0], color=MUTED, fontsize=9)
        canvas.supylabel(labels[1], color=MUTED, fontsize=9)

    rows, rows_narrow = -(-len(others) // across), -(-len(others) // across_narrow)
    inches = (1.75 * rows + 0.35, 1.65 * rows_narrow + 0.35)
    return draw(key, *words, paint, inches=inches)


def _columns(curve: Curve) -> tuple[list[int], list[float]]:
    return [step for step, _ in curve], [value for _, value in curve]
