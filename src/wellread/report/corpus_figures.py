"""Figures of a corpus: what each rule left out, what is in it, where it comes from."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wellread.base.text import human_bytes
from wellread.formats.corpus_report import CorpusReport, Range, Step
from wellread.report.blocks import Figure
from wellread.report.figures import MUTED, NARROW, SERIES, draw, label_rows, rows_only
from wellread.report.funnel import Level, waterfall
from wellread.report.link_figures import beside_webtext

STEPS_DRAWN = 9  # the largest; the table has all


def corpus_figures(found: CorpusReport) -> list[Figure]:
    """Those that have something to show."""
    if not found.documents:
        return []
    drawn = [corpus_funnel(found), shapes(found)]
    return [*drawn, corpus_sites(found)] if found.domains else drawn


def corpus_funnel(found: CorpusReport) -> Figure:
    """Records and bytes of text left after each rule."""
    shown, merged = _largest(found.steps)
    records = [
        Level("records read", found.num_in, is_drop=False),
        *(Level(step.reason, step.documents, is_drop=True) for step in shown),
    ]
    text = [
        Level("text found", found.text_bytes, is_drop=False),
        *(Level(step.reason, step.num_bytes, is_drop=True) for step in shown),
    ]
    if merged:
        label = f"{len(merged)} more reasons"
        records.append(Level(label, sum(step.documents for step in merged), is_drop=True))
        text.append(Level(label, sum(step.num_bytes for step in merged), is_drop=True))
    if found.removed_bytes:
        records.append(Level("lines that a site repeats", 0, is_drop=True))
        text.append(Level("lines that a site repeats", found.removed_bytes, is_drop=True))
    records.append(Level("documents kept", found.documents, is_drop=False))
    text.append(Level("text kept", found.num_bytes, is_drop=False))

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        first, *second = canvas.subplots(1, 1 if is_narrow else 2, squeeze=False).flat
        waterfall(first, records, is_narrow=is_narrow)
        first.set_xlim(right=first.get_xlim()[1] * (1.65 if is_narrow else 1.12))
        if is_narrow:  # no room for bars of text: its bytes beside the numbers of records
            for number, level in zip(list(first.texts), text, strict=True):
                first.annotate(
                    _bytes(level.number), (1, 0.5), xycoords=number, xytext=(5, 0),
                    textcoords="offset points", va="center", color=MUTED, fontsize=8,
                )  # fmt: skip
        for axes in second:
            waterfall(axes, text, is_narrow=is_narrow, shown=_bytes)
            axes.set_xlim(right=axes.get_xlim()[1] * 1.12)
            axes.set_yticks([])
            axes.set_title("text in them", fontweight="bold")
            first.set_title("records", fontweight="bold")

    rows = len(records)
    return draw(
        "corpus-funnel", _funnel_caption(found),
        "Two waterfalls of bars. Records: " + _said(records, "{:,}".format)
        + ". Text: " + _said(text, human_bytes),
        paint, inches=(0.27 * rows + 0.5, 0.43 * rows + 0.2),
    )  # fmt: skip


def _largest(steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """Those to draw, in their order, and the others: two or more, or none."""
    if len(steps) <= STEPS_DRAWN + 1:  # a bar for one more reason is that reason's own
        return list(steps), []
    by_size = sorted(range(len(steps)), key=lambda n: (-steps[n].documents, -steps[n].num_bytes, n))
    chosen = sorted(by_size[:STEPS_DRAWN])
    return [steps[n] for n in chosen], [steps[n] for n in sorted(by_size[STEPS_DRAWN:])]


def _bytes(number: int) -> str:
    return human_bytes(number) if number else "–"


def _said(levels: Sequence[Level], shown: Callable[[int], str]) -> str:
    return "; ".join(f"{'less ' * x.is_drop}{shown(x.number)} {x.label}" for x in levels)


def _funnel_caption(found: CorpusReport) -> str:
    kept = f"{100 * found.documents / found.num_in:.0f} % of the records are documents of the "
    text = (
        f"corpus, with {100 * found.num_bytes / found.text_bytes:.0f} % of the text found in all. "
    )
    said = ""
    if found.steps:
        first = max(found.steps, key=attrgetter("documents"))
        said = f"Most records were left out for this reason: {first.reason}. "
    return (
        f"{kept}{text}{said}Blue bars are what there was, orange bars what each reason took away."
    )


def shapes(found: CorpusReport) -> Figure:
    """Histograms: length, share of the main language, karma, near-duplicates."""
    panels = [
        ("characters", [(row.label, row.count) for row in found.lengths]),
        ("share of main language", [(row.share_label, row.count) for row in found.confidences]),
        ("karma", [(row.label, row.count) for row in found.karma]),
        (
            "duplicates in a group",
            [(row.label, row.count) for row in found.group_sizes],
        ),
    ]
    panels = [(title, rows) for title, rows in panels if rows]
    beside = 2 if len(panels) == 4 else len(panels)

    def paint(canvas: Canvas) -> None:
        is_narrow = canvas.get_figwidth() == NARROW
        across = 1 if is_narrow else beside
        down = -(-len(panels) // across)
        heights = [
            max(len(rows) for _, rows in panels[start : start + across]) + 1.6
            for start in range(0, len(panels), across)
        ]
        grid = canvas.subplots(down, across, squeeze=False, height_ratios=heights)
        cells = list(grid.flat)
        for number, (axes, (title, rows)) in enumerate(zip(cells, panels, strict=False)):
            _histogram(axes, rows, room=heights[number // across] - 1.6)
            axes.set_title(title, fontweight="bold")
        for axes in cells[len(panels) :]:
            axes.set_visible(False)

    lengths = [len(rows) for _, rows in panels]
    pairs = [max(lengths[at : at + beside]) for at in range(0, len(lengths), beside)]
    return draw(
        "corpus-shapes", _shapes_caption(found),
        "Bars. " + ". ".join(
            f"{title}: " + "; ".join(f"{label} {count:,}" for label, count in rows)
            for title, rows in panels
        ),
        paint, inches=(
            sum(0.23 * most + 0.45 for most in pairs), sum(0.23 * n + 0.45 for n in lengths)
        ),
    )  # fmt: skip


def _histogram(axes: Axes, rows: Sequence[tuple[str, int]], *, room: float) -> None:
    """A bar for each range; `room` for so many rows, so that bars are alike in all panels."""
    most = max(count for _, count in rows) or 1
    for place, (_, count) in enumerate(rows):
        axes.barh(place, count, height=0.72, color=SERIES[0])
        axes.text(count + most / 60, place, f"{count:,}", va="center")
    label_rows(axes, [label for label, _ in rows], is_narrow=False)
    rows_only(axes)
    axes.set_ylim(room - 0.4, -0.6)
    axes.set_xlim(0, most * 1.3)


def _shapes_caption(found: CorpusReport) -> str:
    middle = _middle(found.lengths)
    said = f"The median document has {middle.label} characters." if middle else ""
    if found.confidences:
        surest = found.confidences[-1]
        share = 100 * surest.count / found.documents
        said += f" {share:.0f} % have {surest.share_label} of their text in one language."
    if found.group_sizes:
        groups = sum(row.count for row in found.group_sizes)
        said += (
            f" {groups:,} groups of near-duplicates gave one document each."
            if groups > 1
            else " One group of near-duplicates gave one document."
        )
    return said.strip()


def _middle(rows: Sequence[Range]) -> Range | None:
    """The range in which the median lies."""
    half, seen = sum(row.count for row in rows) / 2, 0
    for row in rows:
        seen += row.count
        if row.count and seen >= half:
            return row
    return None


def corpus_sites(found: CorpusReport) -> Figure:
    rows = [(row.name, row.documents, row.webtext_links) for row in found.domains]
    return beside_webtext(
        "corpus-sites", "documents", rows, found.rank_correlation, found.shared_names
    )
