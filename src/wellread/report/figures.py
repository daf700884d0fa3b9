"""Every figure, in one style: direct labels, colours safe for colour-blind eyes, light and dark."""

import io
import logging
import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator

from wellread.base.text import human_seconds
from wellread.formats.metrics import Step
from wellread.formats.sweeps import Sweep
from wellread.report.blocks import Figure, big, printable

INK, MUTED, GRID, PAPER = "#22262b", "#6a7078", "#dcdcd6", "#fefefd"
# Okabe and Ito (2008), "Color Universal Design": told apart by all common kinds of colour vision.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#997700", "#56b4e9")
# The same for words, which need more contrast with the paper: 4.5 at least.
WORDS = ("#0072b2", "#bd5300", "#00805d", "#aa4499", "#846700", "#1f77ae")
# On the page each colour is a variable, so that it follows the page into dark mode.
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "rule", PAPER: "paper"} | {
    colour: f"{name}-{number}"
    for name, colours in (("series", SERIES), ("words", WORDS))
    for number, colour in enumerate(colours)
    if name == "series" or colour not in SERIES
}
_WORDS_FILL = re.compile(r"(<text [^>]*fill: )(#[0-9a-f]{6})")
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be selected, searched and read aloud
    "svg.hashsalt": "wellread",  # else the ids, and so the file, differ between two runs
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": PAPER,
}
WIDE, NARROW = 7.6, 3.7  # inches: for a column of text, and for a telephone
POINTS_DRAWN = 300  # of a curve
LOSS_SHOWN = 3  # times the least of a sweep

Paint = Callable[[Canvas], None]


class Mark(NamedTuple):
    """A value with its interval on a line of its own."""

    label: str  # empty: on the line of its group's title
    value: float
    low: float | None
    high: float | None
    series: int | None  # None: a published value


class Group(NamedTuple):
    title: str
    marks: list[Mark]
    line: float | None = None  # chance, or no difference


def draw(key: str, caption: str, alt: str, paint: Paint, *, inches: tuple[float, float]) -> Figure:
    """Paint once for each width; `inches` are the heights, wide and narrow."""
    wide = _svg(paint, WIDE, inches[0])
    return Figure(
        key=key,
        caption=caption,
        alt=alt,
        wide=_for_page(wide, f"{key}-wide"),
        narrow=_for_page(_svg(paint, NARROW, inches[1]), f"{key}-narrow"),
        file=wide.encode(),
    )


def _svg(paint: Paint, width: float, height: float) -> str:
    buffer = io.BytesIO()
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The viewer's fonts draw the text; that ours lacks a letter only shifts it a little.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        canvas = Canvas(figsize=(width, height), layout="constrained")
        paint(canvas)
        canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    of_words = dict(zip(SERIES, WORDS, strict=True))
    return _WORDS_FILL.sub(
        lambda found: found[1] + of_words.get(found[2], found[2]),
        printable(buffer.getvalue().decode()),
    )


def _for_page(svg: str, prefix: str) -> str:
    """The figure for inlining: ids of its own, colours from the page, no size."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _FONT.sub("", svg)  # the page has its own
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-")
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg", '<svg aria-hidden="true"', 1)
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg


def _wrapped(label: str, *, is_narrow: bool) -> str:
    label = printable(label)
    return textwrap.fill(label, 20, break_long_words=True) if is_narrow else shortened(label, 44)


def shortened(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def rows_only(axes: Axes) -> None:
    """No scale: every bar carries its number."""
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, pad=6)
    axes.margins(y=0.01)
    axes.invert_yaxis()


def label_rows(axes: Axes, labels: Sequence[str], *, is_narrow: bool) -> None:
    shown = [_wrapped(label, is_narrow=is_narrow) for label in labels]
    axes.set_yticks(range(len(labels)), shown)


def durations(rows: Sequence[tuple[str, float]], caption: str, alt: str) -> Figure:
    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        most = max(seconds for _, seconds in rows) or 1.0
        for row, (_, seconds) in enumerate(rows):
            axes.barh(row, seconds, height=0.66, color=SERIES[0])
            axes.text(seconds + most / 90, row, human_seconds(seconds), va="center")
        label_rows(axes, [label for label, _ in rows], is_narrow=is_narrow)
        rows_only(axes)
        axes.set_xlim(0, most * (1.35 if is_narrow else 1.12))

    height = 0.27 * len(rows) + 0.2
    return draw("time", caption, alt, paint, inches=(height, 1.2 * height))


def curves(runs: Sequence[tuple[str, list[Step]]], caption: str, alt: str) -> Figure:
    """Training loss thin, held-out loss strong with a dot for each measurement."""

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        ends: list[tuple[float, str, str]] = []
        for number, (name, steps) in enumerate(runs):
            colour = SERIES[number % len(SERIES)]
            trained = list(thinned([(s.tokens, s.loss) for s in steps if s.loss is not None]))
            # What was measured before any step has no place on a scale of logarithms.
            held_out = [
                (s.tokens, s.held_out_loss)
                for s in steps
                if s.held_out_loss is not None and s.tokens
            ]
            axes.plot(*_columns(trained), color=colour, linewidth=0.9, alpha=0.55)
            axes.plot(*_columns(held_out), color=colour, linewidth=1.8, marker="o", markersize=3.5)
            if held_out:
                loss = float(held_out[-1][1])
                ends.append((loss, f"{shortened(printable(name), 18)} {loss:.2f}", colour))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: big(tokens)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_xlabel("tokens seen (log scale)")
        axes.set_ylabel("loss, nats per token")
        label_ends(axes, ends)

    return draw("curves", caption, alt, paint, inches=(3.7, 3.3))


def learning_rates(sweep: Sweep) -> Figure:
    """Held-out loss against the rate, the chosen one marked; crosses where there is no loss."""
    known = [
        (trial.learning_rate, trial.held_out_loss)
        for trial in sweep.trials
        if trial.held_out_loss is not None
    ]
    none = [t.learning_rate for t in sweep.trials if t.held_out_loss is None]
    chosen = next(loss for rate, loss in known if rate == sweep.chosen)

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        axes.plot(*_columns(known), color=SERIES[0], linewidth=1.8, marker="o", markersize=4.5)
        axes.axvline(sweep.chosen, color=MUTED, linewidth=1.3, linestyle=(0, (3, 2)))
        axes.plot([sweep.chosen], [chosen], color=SERIES[1], marker="o", markersize=7)
        # A loss that went through the roof would flatten all others.
        highest = max(loss for _, loss in known if loss <= LOSS_SHOWN * chosen)
        room = 0.25 * (highest - chosen) or 1.0
        top = highest + room
        axes.set_ylim(chosen - room, top)
        axes.margins(x=0.08)
        axes.annotate(
            f"{sweep.chosen:g}: {chosen:.3f}", (sweep.chosen, chosen), xytext=(0, -12),
            textcoords="offset points", ha="center", va="top", color=SERIES[1], fontweight="bold",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        axes.plot(none, [top] * len(none), color=SERIES[1], linewidth=0, marker="x", clip_on=False)
        if none:
            axes.annotate(
                "no number", (none[0], top), xytext=(0, -6), textcoords="offset points",
                ha="center", va="top", color=MUTED, fontsize=8,
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xticks([t.learning_rate for t in sweep.trials][:: 2 if is_narrow else 1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_xlabel("peak learning rate (log scale)")
        axes.set_ylabel("held-out loss, nats per token")

    caption = f"Held-out loss after {sweep.steps:,} steps is least with {sweep.chosen:g}"
    alt = "; ".join(f"{rate:g}: {loss:.3f}" for rate, loss in known)
    return draw("learning-rates", caption, alt, paint, inches=(3.3, 3.0))


def _columns(points: Iterable[tuple[float, float | None]]) -> tuple[list[Any], list[Any]]:
    pairs = list(points)
    return [x for x, _ in pairs], [y for _, y in pairs]


def thinned(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """At most POINTS_DRAWN points: the means of equal numbers of neighbours."""
    size = max(1, -(-len(points) // POINTS_DRAWN))
    for start in range(0, len(points), size):
        part = points[start : start + size]
        yield part[-1][0], sum(y for _, y in part) / len(part)


def label_ends(axes: Axes, ends: list[tuple[float, str, str]], *, apart: float = 0.065) -> None:
    """Names beside the right ends of curves, moved apart so that none covers another.

    `apart` is a part of the axes' height. The scale and its limits must be set.
    """
    to_axes = axes.transScale + axes.transLimits
    left = axes.get_xlim()[0]
    found = sorted((to_axes.transform((left, y))[1], text, colour) for y, text, colour in ends)
    places: list[float] = []
    for height, _, _ in found:
        places.append(max(height, places[-1] + apart) if places else height)
    for above in range(len(places) - 1, -1, -1):  # down again from the top, where they ran over it
        ceiling = places[above + 1] - apart if above + 1 < len(places) else 1.02
        places[above] = min(places[above], ceiling)
    for place, (_, text, colour) in zip(places, found, strict=True):
        axes.annotate(
            text, (1.015, place), xycoords="axes fraction", va="center", color=colour,
            fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def as_percent(share: float) -> str:
    return f"{100 * share:.3g} %".replace("-", "−")


def in_points(difference: float) -> str:
    """
    >>> in_points(-0.05), in_points(0.0), in_points(0.125)
    ('−5', '0', '+12.5')
    """
    points = round(100 * difference, 6)
    return f"{points:+.3g}".replace("-", "−") if points else "0"


def forest(
    key: str,
    groups: Sequence[Group],
    caption: str,
    alt: str,
    *,
    unit: str,
    ticks: Callable[[float], str] = as_percent,
) -> Figure:
    """A line for each value: a point, its interval, and what it is to be held against.

    Filled points are ours, open diamonds published.
    """
    rows = sum(1 + sum(bool(mark.label) for mark in group.marks) for group in groups)

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        axes = canvas.add_subplot()
        labels: list[str] = []
        for group in groups:
            top = len(labels)
            labels.append(group.title)
            for mark in group.marks:
                if mark.label:
                    labels.append(mark.label)
                _mark(axes, len(labels) - 1, mark)
            if group.line is not None:
                start = top + 0.55 if len(labels) > top + 1 else top - 0.45
                axes.plot(
                    [group.line] * 2, [start, len(labels) - 0.45], color=MUTED, linewidth=1.3,
                    linestyle=(0, (3, 2)),
                )  # fmt: skip
        label_rows(axes, labels, is_narrow=is_narrow)
        _colour_labels(axes, groups)
        axes.set_ylim(rows - 0.4, -0.6)
        if all((mark.low or mark.value) >= 0 for group in groups for mark in group.marks):
            axes.set_xlim(left=0)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=6)
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: ticks(place)))
        axes.locator_params(axis="x", nbins=4 if is_narrow else 8)
        axes.set_xlabel(textwrap.fill(unit, 30) if is_narrow else unit)

    height = 0.21 * rows + 0.55
    return draw(key, caption, alt, paint, inches=(height, 1.35 * height))


def in_percent_axis() -> FuncFormatter:
    return FuncFormatter(lambda share, _: as_percent(share))


def diamonds(groups: Sequence[Group], words: str) -> str:
    """`words` on published values, if the figure has any."""
    return words if any(mark.series is None for group in groups for mark in group.marks) else ""


def _mark(axes: Axes, row: int, mark: Mark) -> None:
    colour = MUTED if mark.series is None else SERIES[mark.series % len(SERIES)]
    if mark.low is not None and mark.high is not None:
        axes.plot([mark.low, mark.high], [row, row], color=colour, linewidth=2.2, alpha=0.6)
    is_published = mark.series is None
    axes.plot(
        [mark.value], [row], color=colour, linestyle="none", marker="D" if is_published else "o",
        markersize=5, markerfacecolor=PAPER if is_published else colour,
        clip_on=False,
    )  # fmt: skip


def _colour_labels(axes: Axes, groups: Sequence[Group]) -> None:
    ticks = iter(axes.get_yticklabels())
    for group in groups:
        title = next(ticks)
        title.set_color(INK)
        title.set_fontweight("bold")
        for mark in group.marks:
            if mark.label:
                colour = MUTED if mark.series is None else SERIES[mark.series % len(SERIES)]
                next(ticks).set_color(colour)
