"""The paper's figures 1 to 3, ours beside: scores of its tasks by the size of the model."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator

from wellread.formats.published import PublishedScore, paper
from wellread.report.blocks import Figure, big, is_share, metric_name, score
from wellread.report.figures import (
    GRID,
    MUTED,
    NARROW,
    PAPER,
    SERIES,
    WORDS,
    draw,
    in_percent_axis,
)
from wellread.report.measured import Measured, Tasks
from wellread.report.papers_tables import ours_of

# Number -> what it is of, and (task, metric) of its panels.
FIGURES: dict[int, tuple[str, tuple[tuple[str, str], ...]]] = {
    1: (
        "reading comprehension, translation, summaries, questions",
        (
            ("coqa", "f1"),
            ("wmt14-fr-en", "bleu"),
            ("cnn-dm", "rouge_average"),
            ("natural-questions", "exact_match"),
        ),
    ),
    2: ("Children’s Book Test", (("cbt-cn", "accuracy"), ("cbt-ne", "accuracy"))),
    3: ("Winograd schemas", (("winograd", "accuracy"),)),
}


class Panel(NamedTuple):
    theirs: PublishedScore
    ours: list[Measured]


def panels_of(number: int, tasks: Tasks) -> list[Panel]:
    """Of those tasks of a figure that were run here."""
    printed = [one for one in paper().scores if one.under.get("hint") != "none"]
    found = [
        Panel(theirs, ours_of(theirs, tasks))
        for wanted in FIGURES[number][1]
        for theirs in printed
        if (theirs.task, theirs.metric) == wanted
    ]
    return [panel for panel in found if panel.ours]


def papers_figure(number: int, panels: list[Panel]) -> Figure:
    def paint(canvas: Canvas) -> None:
        across = min(1 if canvas.get_figwidth() == NARROW else 2, len(panels))
        grid = canvas.subplots(-(-len(panels) // across), across, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _panel(axes, panel)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_visible(False)

    said = "; ".join(
        f"{panel.theirs.task}: "
        + ", ".join(
            f"{m.scored.name} {score(m.score.value, m.score.metric).text}" for m in panel.ours
        )
        + f", paper, {size}: {score(value, panel.theirs.metric).text}"
        for panel in panels
        for size, value in [panel.theirs.nearest("1542M")]
    )
    return draw(
        f"paper-{number}",
        f"Figure {number}: {FIGURES[number][0]}, by the number of parameters. Points are ours with "
        "95 % intervals, open diamonds the paper’s, dashed lines what guessing would give.",
        f"Scores by parameters. {said}.",
        paint,
        inches=(2.4 * -(-len(panels) // 2) + 0.2, 2.2 * len(panels) + 0.2),
    )


def _label(axes: Axes, text: str, size: float, value: float, colour: str) -> None:
    axes.annotate(
        text, (size, value), xytext=(-6, 3), textcoords="offset points", ha="right", color=colour,
        fontsize=8,
    )  # fmt: skip


def _panel(axes: Axes, panel: Panel) -> None:
    sizes = {one.printed: float(one.actual.rstrip("M")) * 1e6 for one in paper().sizes}
    scale = 100 if panel.theirs.unit == "percent" else 1
    axes.plot(
        [sizes[size] for size in panel.theirs.by_size],
        [value / scale for value in panel.theirs.by_size.values()], color=MUTED, marker="D",
        markersize=5, markerfacecolor=PAPER, linewidth=1,
    )  # fmt: skip
    last = list(panel.theirs.by_size)[-1]
    _label(axes, "paper", sizes[last], panel.theirs.by_size[last] / scale, MUTED)
    largest = panel.ours[-1]
    parameters = largest.scored.artifact.manifest.facts.get("num_parameters", 0)
    _label(axes, "ours", parameters, largest.score.value, WORDS[0])
    for one in panel.ours:
        size = one.scored.artifact.manifest.facts.get("num_parameters", 0)
        axes.plot([size], [one.score.value], color=SERIES[0], marker="o", markersize=4.5)
        if one.score.low is not None and one.score.high is not None:
            axes.plot(
                [size] * 2, [one.score.low, one.score.high], color=SERIES[0], linewidth=2.2,
                alpha=0.6,
            )  # fmt: skip
    chance = panel.ours[0].score.chance
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=1.3, linestyle=(0, (3, 2)))
    if is_share(panel.theirs.metric):
        axes.yaxis.set_major_formatter(in_percent_axis())
    axes.set_title(f"{panel.theirs.task}, {metric_name(panel.theirs.metric)}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: big(size)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.1, y=0.15)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_xlabel("parameters (log scale)")
