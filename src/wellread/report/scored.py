"""What the models scored: the report's section on scores."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from wellread.formats.published import PublishedScore, nearest_size, published
from wellread.formats.results import Result, Score
from wellread.report.blocks import (
    NOT_COMPARABLE,
    NOT_RUN,
    NOTHING,
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    Way,
    better,
    count,
    estimate,
    is_share,
    metric_name,
    score,
)
from wellread.report.built import absent
from wellread.report.evidence import EVALUATE, HELD_OUT, Evidence, Scored
from wellread.report.figures import SERIES, Group, Mark, diamonds, forest

MODELS_BESIDE = 4  # that have columns of their own; more have rows


class Measured(NamedTuple):
    """A score with where it comes from."""

    scored: Scored
    result: Result
    score: Score

    @property
    def published(self) -> PublishedScore | None:
        return published(self.result.comparable_to, self.score.metric, self.result.protocol)

    @property
    def size(self) -> str:
        """The paper's model that is nearest in size."""
        return nearest_size(self.scored.artifact.manifest.facts.get("num_parameters"))


Tasks = dict[str, list[Measured]]
Models = list[tuple[Scored, str]]  # and the id of each one's entry in the chain of manifests


def measured(models: Iterable[Scored]) -> Tasks:
    """Every score by task, models in order within each metric."""
    tasks: Tasks = {}
    for scored in models:
        for result in scored.results:
            for one in result.scores:
                tasks.setdefault(result.task, []).append(Measured(scored, result, one))
    for found in tasks.values():
        order = list(dict.fromkeys(one.score.metric for one in found))
        found.sort(key=lambda one: order.index(one.score.metric))
    return dict(sorted(tasks.items()))


def the_scores(evidence: Evidence) -> Section:
    tasks = measured(evidence.scored)
    if not tasks:
        return Section(
            key="scores", title="Scores", blocks=[absent(evidence, EVALUATE)], is_run=False
        )
    models = [(scored, evidence.anchor(scored.artifact.name)) for scored in evidence.scored]
    why = [evidence.why(scored.artifact.name) for scored in evidence.scored]
    blocks = [*_against_chance(tasks, evidence), *score_tables(models, why), _protocols(tasks)]
    return Section(key="scores", title="Scores", blocks=blocks)


def _against_chance(tasks: Tasks, evidence: Evidence) -> list[Figure]:
    """Nothing of many models: a study draws them by what they differ in."""
    if len(evidence.scored) > len(SERIES):
        return []
    groups = []
    for task, found in tasks.items():
        shares = [one.score.metric for one in found if is_share(one.score.metric)]
        same = [one for one in found if one.score.metric == next(iter(shares), None)]
        if same:
            groups.append(_group(task, same, evidence))
    if not groups:
        return []
    caption = (
        "Each task’s first score from 0 to 100 % with its 95 % interval; dashed lines are what "
        f"guessing would give{diamonds(groups, ', open diamonds what the paper printed')}. An "
        "interval clear of its dashed line is more than luck."
    )
    alt = "Points with intervals, by task. " + "; ".join(
        f"{group.title}: " + ", ".join(f"{m.label} {100 * m.value:.1f} %" for m in group.marks)
        for group in groups
    )
    return [forest("scores", groups, caption, alt, unit="score")]


def _group(task: str, found: list[Measured], evidence: Evidence) -> Group:
    first = found[0]
    marks = [
        Mark(
            m.scored.name,
            m.score.value,
            m.score.low,
            m.score.high,
            evidence.series(m.scored.name),
        )
        for m in found
    ]
    theirs = first.published
    if theirs is not None:
        size, value = theirs.nearest(first.size)
        marks.append(Mark(f"paper, {size}", value, None, None, None))
    words = metric_name(first.score.metric)
    part = f", {_number_of_items(first).text} items" if first.result.is_subset else ""
    return Group(f"{task}, {words}{part}", marks, first.score.chance)


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
                _number_of_items(first),
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
            _number_of_items(one),
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


def _number_of_items(one: Measured) -> Cell:
    number, of = one.score.num_items, one.result.of(one.score)
    return count(number) if number == of else Cell(f"{number:,} of {of:,}", number)


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
