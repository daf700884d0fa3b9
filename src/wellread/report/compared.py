"""The report on several runs: what differs first, then each stage with a column a run."""

import msgspec

from wellread.formats.comparisons import Comparison, Matched, Paired, verdict
from wellread.report.account import the_chain
from wellread.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Figure,
    Heading,
    Prose,
    Section,
    Table,
    Way,
    better,
    estimate,
    is_share,
    items_in,
    metric_name,
    score,
    slug,
)
from wellread.report.evidence import Evidence, Scored
from wellread.report.figures import Group, Mark, forest, in_points
from wellread.report.scored import score_tables
from wellread.report.settings import Family, corpora, durations, models, what_differs


def compared(runs: list[Evidence], found: Comparison, way: Way) -> list[Section]:
    """The sections of the page; `way` leads back from the differences."""
    families = _families(found, runs)
    chain = the_chain(*runs)
    return [
        _differences(found, way),
        Section(key="settings", title="What was set", blocks=what_differs(runs, families)),
        Section(key="corpora", title="From links to tokens", blocks=[corpora(runs)]),
        Section(key="models", title="The models", blocks=[models(runs, families)]),
        Section(key="scores", title="Scores", blocks=_scores(runs, families)),
        Section(key="time", title="How long it took", blocks=[durations(runs)]),
        msgspec.structs.replace(chain, blocks=[*chain.blocks, _comparison(found, way)]),
    ]


def _comparison(found: Comparison, way: Way) -> Table:
    return Table(
        key="comparison",
        caption="The comparison",
        columns=[Column("artifact", "name"), Column("made from")],
        rows=[
            [
                Cell(way.place, detail=way.command),
                Cell(f"the results of {' and '.join(found.runs)}"),
            ]
        ],
        row_ids=[way.target],
    )


def difference_numbers(found: Comparison) -> list[Fact]:
    """What stands at the top of the page."""
    said = [_verdict(one) for matched in found.models for one in matched.scores]
    numbers = {
        "runs": len(found.runs),
        f"pair{'s' * (len(found.models) != 1)} of models": len(found.models),
        "scores compared": len(said),
        "better than the reference": said.count("better"),
        "worse": said.count("worse"),
        "undecided": said.count("undecided"),
    }
    return [Fact(f"{number:,}", name) for name, number in numbers.items()]


def _families(found: Comparison, runs: list[Evidence]) -> list[Family]:
    """A family for each model of the first run that another is held against."""
    firsts = list(dict.fromkeys(one.first for one in found.models))
    families = []
    for first in firsts:
        seconds = [
            next((m.second for m in found.models if (m.first, m.run) == (first, number)), None)
            for number in range(1, len(runs))
        ]
        families.append(Family([first, *seconds]))
    return families


def _differences(found: Comparison, way: Way) -> Section:
    blocks: list[Block] = []
    for matched in found.models:
        name = f"{found.runs[matched.run]}: {matched.second}"
        reference = f"{found.runs[0]}: {matched.first}"
        if len(found.models) > 1:
            blocks.append(Heading(text=f"{name} against {reference}", key=f"pair-{_key(matched)}"))
        blocks.append(Prose(text=_said(matched, name, reference), is_lead=True))
        if matched.scores:
            blocks += [*_figure(matched, name), _table(matched, name, reference, way)]
    if not found.models:
        text = "No model of one run can be held against one of another: one has no scores."
        blocks.append(Prose(text=text))
    return Section(key="differences", title="What differs in the scores", blocks=blocks)


def _key(matched: Matched) -> str:
    return slug(f"{matched.run}-{matched.first}-{matched.second}")


def _verdict(one: Paired) -> str:
    return verdict(one.low, one.high, higher_is_better=one.higher_is_better) or "undecided"


def _said(matched: Matched, name: str, reference: str) -> str:
    said = [_verdict(one) for one in matched.scores]
    unpaired = (
        f" Without items in common: {', '.join(p.partition('|')[0] for p in matched.unpaired)}."
        if matched.unpaired
        else ""
    )
    if not said:
        return f"{name} and {reference} have no score of one protocol on the same items.{unpaired}"
    return (
        f"Of {len(said)} scores on the items of both, {name} is better than {reference} in "
        f"{said.count('better')} and worse in {said.count('worse')}; "
        f"{said.count('undecided')} are undecided, their intervals hold zero. The two are compared "
        f"by {matched.by}.{unpaired}"
    )


def _figure(matched: Matched, name: str) -> list[Figure]:
    """Shares alone: they have one scale."""
    groups = [
        Group(
            f"{one.stem}, {metric_name(one.metric)}",
            [Mark("", one.difference, one.low, one.high, 0)],
            0.0,
        )
        for one in matched.scores
        if is_share(one.metric)
    ]
    if not groups:
        return []
    return [
        forest(
            f"differences-{_key(matched)}",
            groups,
            f"{name} less the reference, in points, with 95 % intervals over the same items. "
            "Dashed lines are no difference: an interval clear of it is one.",
            "Points with intervals: "
            + "; ".join(f"{g.title} {100 * g.marks[0].value:+.1f} points" for g in groups),
            unit="difference in points",
            ticks=in_points,
        )
    ]


def _table(matched: Matched, name: str, reference: str, way: Way) -> Table:
    rows = []
    for one in matched.scores:
        said = _verdict(one)
        rows.append(
            [
                Cell(one.stem),
                Cell(f"{metric_name(one.metric)} {better(higher=one.higher_is_better)}"),
                score(one.first, one.metric),
                score(one.second, one.metric),
                estimate(one.difference, one.low, one.high, one.metric, of=True),
                items_in(one.num_items, one.num_units),
                Cell(said, is_muted=said == "undecided"),
            ]
        )
    return Table(
        key=f"differences-{_key(matched)}",
        caption=f"{name} less {reference}",
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            Column(reference, "number"),
            Column(name, "number"),
            Column("difference", "number"),
            Column("items", "number"),
            Column("verdict"),
        ],
        rows=rows,
        why=[way],
        note="Differences of shares are in points. Intervals are over items, or over the documents "
        "that they come from (items in documents), the same drawn for both models.",
    )


def _scores(runs: list[Evidence], families: list[Family]) -> list[Block]:
    """Of the models that are compared, each with its run's name."""
    chosen: list[tuple[Scored, str]] = []
    why: list[Way] = []
    for family in families:
        for run, name in zip(runs, family.names, strict=True):
            scored = next((one for one in run.scored if one.name == name), None)
            if scored is not None:
                named = scored._replace(name=f"{run.name}: {scored.name}")
                chosen.append((named, run.anchor(scored.artifact.name)))
                why.append(run.why(scored.artifact.name)._replace(place=named.name))
    if not chosen:
        return [Prose(text="No model of one run has scores to stand beside another’s.")]
    return score_tables(chosen, why)
