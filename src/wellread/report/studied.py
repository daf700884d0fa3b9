"""The report's section on a study: scores by size, and what a larger model gains."""

from wellread.formats.comparisons import verdict
from wellread.formats.studies import Difference, Study
from wellread.report.blocks import (
    Block,
    Cell,
    Column,
    Prose,
    Section,
    Table,
    Way,
    count,
    items_in,
    metric_name,
    score,
)
from wellread.report.built import absent
from wellread.report.evidence import STUDY, Evidence
from wellread.report.figures import PANELS_DRAWN, by_size


def the_size_study(evidence: Evidence) -> Section:
    study, artifact = evidence.study, evidence.first(STUDY)
    if study is None or artifact is None:
        return Section(
            key="size", title="Model size", blocks=[absent(evidence, STUDY)], is_run=False
        )
    why = [evidence.why(artifact.name)]
    panels = len({(point.task, point.metric) for point in study.points})
    more = f" The first {PANELS_DRAWN} of {panels}; the table has all." if panels > 6 else ""
    blocks: list[Block] = []
    if study.caution:
        blocks.append(Prose(text=f"What is compared here may not come of size: {study.caution}."))
    if study.points:
        blocks += [
            by_size(
                study.points,
                "Scores against the number of parameters, with 95 % intervals." + more,
                "Small charts of score against parameters: "
                + "; ".join(
                    f"{p.task} {metric_name(p.metric)}, {p.num_parameters:,} parameters: "
                    f"{score(p.value, p.metric).text}"
                    for p in study.points
                ),
            ),
            _points_table(study, why),
        ]
    blocks.append(_differences_table(study, why))
    return Section(key="size", title="Model size", blocks=blocks)


def _points_table(study: Study, why: list[Way]) -> Table:
    settings = list(study.vary)
    return Table(
        key="size-points",
        caption="Every score of the study",
        columns=[
            Column("task", "name"),
            Column("metric"),
            Column("run"),
            *(Column(name) for name in settings),
            Column("parameters", "number"),
            Column("score", "number"),
            Column("95 % from", "number"),
            Column("to", "number"),
            Column("chance", "number"),
        ],
        rows=[
            [
                Cell(p.task),
                Cell(metric_name(p.metric)),
                Cell(p.run),
                *(Cell(str(p.settings.get(name, ""))) for name in settings),
                count(p.num_parameters),
                score(p.value, p.metric),
                score(p.low, p.metric),
                score(p.high, p.metric),
                score(p.chance, p.metric),
            ]
            for p in study.points
        ],
        why=why,
        is_folded=True,
    )


def _differences_table(study: Study, why: list[Way]) -> Table:
    return Table(
        key="size-differences",
        caption="What the larger model gains, on the items that both have",
        columns=[
            Column("task", "name"),
            Column("metric"),
            Column("smaller"),
            Column("larger"),
            Column("difference", "number"),
            Column("95 % from", "number"),
            Column("to", "number"),
            Column("items", "number"),
            Column("verdict"),
        ],
        rows=[
            [
                Cell(d.task),
                Cell(metric_name(d.metric)),
                Cell(d.smaller),
                Cell(d.larger),
                score(d.difference, d.metric, is_difference=True),
                score(d.low, d.metric, is_difference=True),
                score(d.high, d.metric, is_difference=True),
                items_in(d.num_items, d.num_units),
                _verdict(d),
            ]
            for d in study.differences
        ],
        why=why,
        note="Larger less smaller, shares in percentage points. The interval is over items, or "
        "over the documents that they come from (items in documents), drawn for both models alike; "
        "the verdict asks whether it leaves out zero."
        + (f" Without items in common: {'; '.join(study.unpaired)}." if study.unpaired else ""),
    )


def _verdict(found: Difference) -> Cell:
    said = verdict(found.low, found.high, higher_is_better=found.higher_is_better)
    return Cell(said) if said else Cell("undecided", is_muted=True)
