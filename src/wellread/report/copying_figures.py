"""The paper's figures 5 and 4: shares of texts that are copied, and two losses by size."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from wellread.formats.published import paper
from wellread.formats.results import Score
from wellread.report.blocks import Figure, big, printable
from wellread.report.figures import GRID, MUTED, NARROW, PAPER, SERIES, draw, label_ends

LINEAR_BELOW = 0.01  # of the scale of shares, which is logarithmic above
SHARE_TICKS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
DASHED = (0, (5, 2))
APART = (0.985, 1.015)  # of two intervals at one size, so that both are seen


class Line(NamedTuple):
    """The shares of some texts, ascending."""

    name: str
    shares: list[float]
    series: int | None  # None: no model's
    is_held_out: bool


class Loss(NamedTuple):
    """A model's score on training documents and on held-out ones."""

    name: str
    num_parameters: int
    training: Score
    held_out: Score


def shares_of_texts(lines: Sequence[Line], words: int) -> Figure:
    """How many texts have at most so much in common with the training text."""
    theirs = paper().copying
    median, without = theirs.held_out_median_percent / 100, theirs.percent_of_samples_without / 100

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        for number, line in enumerate(lines):
            colour = MUTED if line.series is None else SERIES[line.series % len(SERIES)]
            shares = [0.0, *line.shares, 1.0]
            heights = np.minimum(np.arange(len(shares)) / len(line.shares), 1.0)
            axes.step(
                shares, heights, where="post", color=colour,
                linewidth=1.8 + 1.6 * (len(lines) - 1 - number),  # seen below those drawn after it
                linestyle=DASHED if line.is_held_out else "-", label=printable(line.name),
            )  # fmt: skip
        labels = (
            (0.0, without, f"paper: over {100 * without:.0f} % of samples have none"),
            (median, 0.5, f"paper: median of held-out text {100 * median:.1f} %"),
        )
        for share, height, label in labels:
            _published(axes, share, height, textwrap.fill(label, 20) if is_narrow else label)
        axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=0.5)
        axes.set_xlim(-LINEAR_BELOW / 8, 1.0)
        axes.set_ylim(0, 1.03)
        axes.set_xticks(SHARE_TICKS)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %", decimals=0))
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        label = f"share of a text’s {words}-grams in the training text, at most"
        axes.set_xlabel(textwrap.fill(label, 34) if is_narrow else label)
        axes.set_ylabel("share of texts")
        axes.legend(loc="lower right", frameon=False, labelcolor="linecolor")

    said = "; ".join(
        f"{line.name}: nothing found in {100 * np.mean(np.equal(line.shares, 0)):.0f} % of texts, "
        f"median {100 * np.median(line.shares):.1f} %"
        for line in lines
    )
    return draw(
        "copied",
        "Of how many texts at most so much stands in the training text, as in the paper’s figure "
        "5: the higher a line, the less is copied. Whole lines are what models wrote, the dashed "
        "one what the documents themselves go on with; open diamonds are the paper’s.",
        f"Cumulative shares of texts. {said}.",
        paint,
        inches=(3.9, 3.7),
    )


def _published(axes: Axes, share: float, height: float, label: str) -> None:
    axes.plot(
        [share], [height], color=MUTED, marker="D", markersize=6, markerfacecolor=PAPER,
        linestyle="none", clip_on=False, zorder=4,
    )  # fmt: skip
    axes.annotate(
        label, (share, height), xytext=(9, -1), textcoords="offset points", va="top", color=MUTED,
        fontsize=8,
    )  # fmt: skip


def losses_by_size(losses: Sequence[Loss]) -> Figure:
    """A line for training documents and one for held-out ones, over the number of parameters."""
    sizes = [loss.num_parameters for loss in losses]
    lines = [
        ("training", [loss.training for loss in losses], SERIES[0], "-"),
        ("held-out", [loss.held_out for loss in losses], SERIES[1], DASHED),
    ]

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        ends: list[tuple[float, str, str]] = []
        for (name, scores, colour, style), shift in zip(lines, APART, strict=True):
            values = [one.value for one in scores]
            places = [size * shift for size in sizes]
            axes.plot(
                places, values, color=colour, linewidth=1.8, marker="o", markersize=4.5,
                linestyle=style,
            )  # fmt: skip
            for place, one in zip(places, scores, strict=True):
                if one.low is not None and one.high is not None:
                    axes.plot(
                        [place] * 2, [one.low, one.high], color=colour, linewidth=2.2, alpha=0.5
                    )
            ends.append((values[-1], f"{name} {values[-1]:.3f}", colour))
        axes.set_xscale("log")
        shown = sorted(set(sizes))
        axes.set_xticks(shown[:: max(1, -(-len(shown) // (3 if is_narrow else 6)))])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: big(size)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.08, y=0.15)
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_xlabel("parameters (log scale)")
        axes.set_ylabel("bits per byte")
        label_ends(axes, ends)

    said = "; ".join(
        f"{loss.name}, {loss.num_parameters:,} parameters: training {loss.training.value:.3f}, "
        f"held-out {loss.held_out.value:.3f}"
        for loss in losses
    )
    return draw(
        "both-losses",
        "Bits per byte on training and on held-out documents by size, with 95 % intervals, as in "
        "the paper’s figure 4. Lines that part would say that the larger models learn by heart.",
        f"Two lines. {said}.",
        paint,
        inches=(3.1, 2.9),
    )
