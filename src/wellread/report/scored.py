"""What the models scored: the report's section on scores."""

from collections.abc import Iterator

import msgspec

from wellread.report.blocks import (
    NOT_COMPARABLE,
    NOT_RUN,
    NOTHING,
    Block,
    Cell,
    Column,
    Section,
    Table,
    Way,
    better,
    estimate,
    metric_name,
    score,
)
from wellread.report.built import absent
from wellread.report.evidence import EVALUATE, HELD_OUT, Evidence, Scored
from wellread.report.measured import Measured, Tasks, measured, number_of_items
from wellread.report.score_figures import against_chance

Models = list[tuple[Scored, str]]  # and the id of each one's entry in the chain of manifests
MODELS_BESIDE = 4  # that have columns of their own; more have rows


def the_scores(evidence: Evidence) -> Section:
    tasks = measured(evidence.scored)
    if not tasks:
        return Section(
            key="scores", title="Scores", blocks=[absent(evidence, EVALUATE)], is_run=False
        )
    models = [(scored, evidence.anchor(scored.artifact.name)) for scored in evidence.scored]
    why = [evidence.why(scored.artifact.name) for scored in evidence.scored]
    blocks = [*against_chance(tasks, evidence), *score_tables(models, why), _protocols(tasks)]
    return Section(key="scores", title="Scores", blocks=blocks)


def score_tables(models: Models, why: list[Way]) -> list[Block]:
    """The paper's test sets first; a column for each model, or for many models a row."""
    tasks = measured(scored for scored, _ in models)
    groups = [
        ("scores-paper", "Test sets of the paper", True),
        ("scores-own", "Test sets of this corpus and of this project", False),
    ]
    made: list[Block] = []
    for key, caption, is_papers in groups:
        chosen = {
            task: found
            for task, found in tasks.items()
            if any(one.result.comparable_to is not None for one in found) == is_papers
        }
        if chosen:
            make = _by_model if len(models) <= MODELS_BESIDE else _by_row
            table = make(key, caption, chosen, models)
            made.append(msgspec.structs.replace(table, why=why, note=_note(chosen)))
    return made


def _metrics(tasks: Tasks) -> Iterator[tuple[str, str, dict[str, Measured]]]:
    """Each metric of each task: by model."""
    for task, found in tasks.items():
        for metric in dict.fromkeys(one.score.metric for one in found):
            same = {one.scored.name: one for one in found if one.score.metric == metric}
            yield task, metric, same


def _by_model(key: str, caption: str, tasks: Tasks, models: Models) -> Table:
    rows = []
    for task, metric, same in _metrics(tasks):
        first = next(iter(same.values()))
        cells = [same.get(scored.name) for scored, _ in models]
        rows.append(
            [
                Cell(task),
                _metric(first),
                *(_estimate(one) if one else NOT_RUN for one in cells),
                score(first.score.chance, metric),
                _theirs(first),
                number_of_items(first),
            ]
        )
    return Table(
        key=key,
        caption=caption,
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            *(Column(_named(one), "number", target) for one, target in models),
            Column("chance", "number"),
            Column("paper", "number"),
            Column("items", "number"),
        ],
        rows=rows,
    )


def _by_row(key: str, caption: str, tasks: Tasks, models: Models) -> Table:
    targets = {scored.name: target for scored, target in models}
    rows = [
        [
            Cell(task),
            _metric(one),
            Cell(_named(one.scored), target=targets[one.scored.name]),
            _estimate(one),
            score(one.score.chance, metric),
            _theirs(one),
            number_of_items(one),
        ]
        for task, metric, same in _metrics(tasks)
        for one in same.values()
    ]
    return Table(
        key=key,
        caption=caption,
        columns=[
            Column("task", "group"),
            Column("metric"),
            Column("model", "name"),
            Column("score", "number"),
            Column("chance", "number"),
            Column("paper", "number"),
            Column("items", "number"),
        ],
        rows=rows,
        is_folded=True,
    )


def _named(scored: Scored) -> str:
    return scored.name if scored.is_ours else f"{scored.name}, released weights"


def _metric(one: Measured) -> Cell:
    arrow = better(higher=one.score.higher_is_better)
    return Cell(f"{metric_name(one.score.metric)} {arrow}", one.score.metric)


def _estimate(one: Measured) -> Cell:
    return estimate(one.score.value, one.score.low, one.score.high, one.score.metric)


def _theirs(one: Measured) -> Cell:
    """The paper's value for the nearest size that it gives, which is named."""
    theirs = one.published
    if theirs is None:
        return NOT_COMPARABLE
    size, value = theirs.nearest(one.size)
    return score(value, one.score.metric)._replace(detail=size)


def _note(tasks: Tasks) -> str:
    said = "↑ higher is better, ↓ lower. Below a score its 95 % interval, over items or documents."
    if any(one.result.comparable_to is not None for found in tasks.values() for one in found):
        said += " Below the paper’s value the model that it is of, the nearest in size that it has."
    if HELD_OUT in tasks:
        said += (
            " held-out: whole documents of the validation split, each in windows as the protocol's "
            "stride has them; not the number under The models, which is of the split's first "
            "tokens in windows side by side."
        )
    return said


def _protocols(tasks: Tasks) -> Table:
    rows = []
    for task, found in tasks.items():
        protocols = dict.fromkeys(one.result.protocol for one in found)
        said = dict.fromkeys(text for one in found if (text := _papers_words(one)))
        rows.append(
            [Cell(task), Cell("; ".join(protocols)), Cell(" ".join(said)) if said else NOTHING]
        )
    return Table(
        key="protocols",
        caption="How each task was scored",
        columns=[Column("task", "name"), Column("protocol"), Column("the paper’s values")],
        rows=rows,
        is_folded=True,
        note="How protocols differ from the paper’s says docs/paper-map.md in wellread's sources.",
    )


def _papers_words(one: Measured) -> str:
    theirs = one.published
    if theirs is None:
        return ""
    sizes = ", ".join(f"{size} {value:g}" for size, value in theirs.by_size.items())
    before = f"; best before it {theirs.earlier_best:g}" if theirs.earlier_best else ""
    extra = f"; {theirs.note}" if theirs.note else ""
    words = metric_name(theirs.metric)
    return f"{theirs.source}, {words} ({theirs.unit}): {sizes}{before}{extra}."
