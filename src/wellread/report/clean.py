"""The part of the report's overlap section on scores without the items that overlap."""

from wellread.formats.clean_scores import CleanScore, CleanScores, Gap
from wellread.formats.published import published_clean
from wellread.report.blocks import (
    NOTHING,
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    Prose,
    Table,
    Way,
    estimate,
    is_share,
    items_in,
    metric_name,
    score,
)
from wellread.report.evidence import CLEAN, Evidence
from wellread.report.figures import Group, Mark, diamonds, forest


def the_clean_scores(evidence: Evidence) -> list[Block]:
    """Nothing where the stage has not run."""
    found, artifact = evidence.clean, evidence.first(CLEAN)
    if found is None or artifact is None:
        return []
    why = [evidence.why(artifact.name)]
    return [
        Heading(text="Scores without what overlaps", key="clean-scores"),
        Prose(
            text=f"Clean are the items of which not one {found.ngram_words}-word sequence is in "
            f"{found.corpus}, overlapping all others. What is between a score on all items and one "
            "on the clean ones is what overlap may have given to the first; the items also differ "
            "in other ways, so that a difference need not come of memory."
        ),
        *_figure(found, evidence),
        _table(found, why),
        *_by_share(found, why),
    ]


def _figure(found: CleanScores, evidence: Evidence) -> list[Figure]:
    """Shares alone: they have one scale."""
    groups = []
    for one in found.telling:
        if not is_share(one.metric) or None in (one.clean.value, one.overlapping.value):
            continue
        series = evidence.series(one.results) if one.results in evidence.models else 0
        marks = [
            Mark(part.name, part.value or 0.0, part.low, part.high, series)
            for part in (one.whole, one.clean, one.overlapping)
        ]
        theirs = published_clean(one.comparable_to, one.metric)
        if theirs and theirs.whole is not None and theirs.clean is not None:
            marks.append(Mark("all (paper)", theirs.whole / 100, None, None, None))
            marks.append(Mark("clean (paper)", theirs.clean / 100, None, None, None))
        groups.append(Group(f"{one.task}, {metric_name(one.metric)}, {one.results}", marks))
    if not groups:
        return []
    return [
        forest(
            "clean-scores",
            groups,
            "Scores on all items, on those without overlap and on the others, with 95 % intervals"
            f"{diamonds(groups, '; open diamonds are the paper’s, of its largest model')}.",
            "Points with intervals: "
            + "; ".join(
                f"{g.title}: " + ", ".join(f"{m.label} {100 * m.value:.1f} %" for m in g.marks)
                for g in groups
            ),
            unit="score",
        )
    ]


def _table(found: CleanScores, why: list[Way]) -> Table:
    words = ", ".join(f"{task} {number:,}" for task, number in found.short.items())
    note = (
        "Differences of shares are in points; their intervals draw the same items, or documents, "
        "for both sides. Paper: section 4, of its largest model."
    )
    if found.all_clean:
        note += f" No item overlaps, so that all is clean: {', '.join(found.all_clean)}."
    if found.short:
        note += f" Too short for {found.ngram_words} words, and counted as clean: {words}."
    if found.left_out:
        note += " Left out: " + "; ".join(f"{k}, {v}" for k, v in found.left_out.items()) + "."
    return Table(
        key="clean-scores",
        caption="Scores on all items, and without those that overlap",
        columns=[
            Column("task", "group"),
            Column("metric"),
            Column("model", "name"),
            Column("all", "number"),
            Column("clean", "number"),
            Column("overlapping", "number"),
            Column("all less clean", "number"),
            Column("overlapping less clean", "number"),
            Column("items clean", "number"),
            Column("items overlapping", "number"),
            Column("paper"),
        ],
        is_folded=True,
        rows=[_row(one) for one in sorted(found.telling, key=lambda one: (one.task, one.metric))],
        why=why,
        note=note,
    )


def _row(one: CleanScore) -> list[Cell]:
    theirs = published_clean(one.comparable_to, one.metric)
    return [
        Cell(one.task),
        Cell(metric_name(one.metric)),
        Cell(one.results),
        *(score(part.value, one.metric) for part in (one.whole, one.clean, one.overlapping)),
        _gap(one.whole_less_clean, one.metric),
        _gap(one.overlapping_less_clean, one.metric),
        items_in(one.clean.num_items, one.clean.num_units),
        items_in(one.overlapping.num_items, one.overlapping.num_units),
        Cell("; ".join(filter(None, [theirs.words, theirs.note]))) if theirs else NOTHING,
    ]


def _gap(gap: Gap, metric: str) -> Cell:
    return estimate(gap.difference, gap.low, gap.high, metric, of=True)


def _by_share(found: CleanScores, why: list[Way]) -> list[Table]:
    rows = [
        [
            Cell(one.task),
            Cell(metric_name(one.metric)),
            Cell(one.results),
            Cell(part.name),
            items_in(part.num_items, part.num_units),
            estimate(part.value, part.low, part.high, one.metric),
        ]
        for one in sorted(found.telling, key=lambda one: (one.task, one.metric))
        if one.buckets
        for part in (one.clean, *one.buckets)
    ]
    if not rows:
        return []
    return [
        Table(
            key="clean-scores-by-share",
            caption="Scores by how much of an item overlaps",
            columns=[
                Column("task", "group"),
                Column("metric"),
                Column("model"),
                Column("of its sequences", "name"),
                Column("items", "number"),
                Column("score", "number"),
            ],
            rows=rows,
            why=why,
            is_folded=True,
        )
    ]
