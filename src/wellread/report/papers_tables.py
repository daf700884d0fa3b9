"""The paper's tables by their numbers, with ours beside them, or that ours was not run."""

from collections.abc import Iterator
from typing import NamedTuple

from wellread.base.text import in_percent
from wellread.formats.overlap import table_6
from wellread.formats.published import PublishedScore, paper
from wellread.report.blocks import NOT_RUN, NOTHING, Cell, Column, Table, count, estimate
from wellread.report.evidence import OVERLAP, Evidence
from wellread.report.families import families
from wellread.report.measured import Measured, Tasks

OURS_SHOWN = 3  # models beside the paper's four; the sections on models and scores have all
ROUGE = ("rouge1", "rouge2", "rougeL", "rouge_average")
HINTS = {"tldr": "TL;DR:", "none": "no hint"}


class Numbered(NamedTuple):
    """A table of the paper's with ours in it."""

    table: Table
    ran: int  # of what it is of, how much was run here
    of: int


def table_2(evidence: Evidence) -> Numbered:
    rows = [
        [Cell(f"paper, {s.printed}"), Cell(s.actual), count(s.layers), count(s.width)]
        for s in paper().sizes
    ]
    found = families(evidence.trainings)
    for family, (run, *_) in found.items():
        size = str(run.artifact.manifest.config["model"]["size"])
        layers, _, width = size.partition("x")
        dimensions = [Cell(layers), Cell(width)] if width else [Cell(size), NOTHING]
        parameters = count(run.artifact.manifest.facts.get("num_parameters"))
        name = Cell(family, target=evidence.anchor(run.artifact.name))
        rows.append([name, parameters, *dimensions])
    if not evidence.trainings:
        rows.append([Cell("ours"), NOT_RUN, NOTHING, NOTHING])
    table = Table(
        key="table-2",
        caption="Table 2: the sizes of models",
        columns=[
            Column("model", "name"),
            Column("parameters", "number"),
            Column("layers", "number"),
            Column("width", "number"),
        ],
        rows=rows,
        why=[evidence.why(run.artifact.name) for run, *_ in found.values()],
        note="The paper’s models are named by the counts it printed, which its authors corrected.",
    )
    return Numbered(table, min(1, len(evidence.trainings)), 1)


def ours_of(theirs: PublishedScore, tasks: Tasks) -> list[Measured]:
    """Our scores that stand beside a score of the paper's, from small models to large."""
    return [one for found in tasks.values() for one in found if one.published is theirs]


def table_3(evidence: Evidence, tasks: Tasks) -> Numbered:
    printed = [one for one in paper().scores if one.source == "Table 3"]
    found = {(one.task, one.metric): ours_of(one, tasks) for one in printed}
    those = {one.scored.name for measured in found.values() for one in measured}
    models = [scored for scored in evidence.scored if scored.name in those][-OURS_SHOWN:]
    sizes = [size.printed for size in paper().sizes]
    rows = []
    for theirs in printed:
        ours = {one.scored.name: one for one in found[theirs.task, theirs.metric]}
        cells = [ours.get(scored.name) for scored in models] or [None]
        best = theirs.earlier_best
        percent = best / 100 if best is not None and theirs.unit == "percent" else best
        rows.append(
            [
                Cell(theirs.task),
                Cell(theirs.unit if theirs.unit != "percent" else "accuracy"),
                Cell(_printed(best), percent),
                *(Cell(_printed(theirs.by_size[size]), theirs.value(size)) for size in sizes),
                *(_ours(one) for one in cells),
            ]
        )
    names = [Column(s.name, "number", evidence.anchor(s.artifact.name)) for s in models]
    table = Table(
        key="table-3",
        caption="Table 3: zero-shot results on data sets of language modelling",
        columns=[
            Column("data set", "group"),
            Column("metric", "name"),
            Column("best before", "number"),
            *(Column(size, "number") for size in sizes),
            *(names or [Column("ours", "number")]),
        ],
        rows=rows,
        why=[evidence.why(scored.artifact.name) for scored in models],
        note="Accuracies of the paper are in percent; LAMBADA’s is with its filter of stop words.",
    )
    return Numbered(table, sum(map(bool, found.values())), len(found))


def _printed(number: float | None) -> str:
    """With the digits of the paper, whose trailing zeros the data file does not keep.

    >>> _printed(15.6), _printed(44.575)
    ('15.60', '44.575')
    """
    return "" if number is None else f"{number:.{max(2, len(f'{number:g}'.partition('.')[2]))}f}"


def _ours(one: Measured | None) -> Cell:
    if one is None:
        return NOT_RUN
    cell = estimate(one.score.value, one.score.low, one.score.high, one.score.metric)
    if not one.result.is_subset:
        return cell
    part = f"{one.score.num_items:,} of {one.result.of(one.score):,} items"
    return cell._replace(detail=f"{cell.detail}; {part}" if cell.detail else part)


def table_4(tasks: Tasks) -> Numbered:
    rows = [
        [
            Cell(one.system),
            Cell("the paper"),
            *(Cell(f"{v:.2f}", v / 100) for v in (one.rouge1, one.rouge2, one.rougeL, one.average)),
        ]
        for one in paper().summaries
    ]
    ours: dict[tuple[str, str], dict[str, Measured]] = {}
    for theirs in (one for one in paper().scores if one.task == "cnn-dm" and one.under):
        for one in ours_of(theirs, tasks):
            key = (HINTS[theirs.under["hint"]], one.scored.name)
            ours.setdefault(key, {})[theirs.metric] = one
    for (hint, name), found in ours.items():
        rows.append([Cell(hint), Cell(name), *(_ours(found.get(metric)) for metric in ROUGE)])
    if not ours:
        rows += [[Cell(hint), Cell("ours"), *[NOT_RUN] * 4] for hint in HINTS.values()]
    table = Table(
        key="table-4",
        caption="Table 4: summaries of CNN and Daily Mail",
        columns=[
            Column("system", "name"),
            Column("of"),
            *(Column(name, "number") for name in ("ROUGE-1", "ROUGE-2", "ROUGE-L", "average")),
        ],
        rows=rows,
        note="ROUGE F1, in percent.",
    )
    return Numbered(table, len({hint for hint, _ in ours}), len(HINTS))


def table_5(evidence: Evidence) -> Numbered:
    theirs = paper().answers
    rows = [
        [
            Cell(one.question),
            Cell(one.answer),
            Cell("yes" if one.is_right else "no"),
            Cell(f"{100 * one.probability:.1f} %", one.probability),
        ]
        for one in evidence.surest
    ]
    right = sum(one.is_right for one in evidence.surest)
    here = f"; ours, {right} of {len(rows)}" if rows else ""
    table = Table(
        key="table-5",
        caption="Table 5: the answers of which the largest model is surest",
        detail=f"Natural Questions; right are, of the paper’s, {theirs.num_right} of "
        f"{theirs.num_shown}{here}",
        columns=[
            Column("question", "name"),
            Column("generated answer"),
            Column("right"),
            Column("probability", "number"),
        ],
        rows=rows or [[Cell("ours"), NOT_RUN, NOT_RUN, NOT_RUN]],
        is_folded=len(rows) > 10,
    )
    return Numbered(table, min(1, len(evidence.surest)), 1)


def table_6_beside(evidence: Evidence) -> Numbered:
    """Its six test sets, and ours of them."""
    printed = [one for one in paper().overlaps if one.own_train is not None]
    names = [one.test_set for one in printed]
    rows = [
        _shares("own train, the paper’s", [one.own_train for one in printed]),
        _shares("WebText, the paper’s", [one.webtext_train for one in printed]),
    ]
    rows += _ours_of_6(evidence, names)
    measured = {one.name for one in evidence.overlap.test_sets} if evidence.overlap else set()
    there = measured.intersection(names)
    artifact = evidence.first(OVERLAP)
    table = Table(
        key="table-6",
        caption="Table 6: percent of test 8-grams that training text has",
        columns=[
            Column("training text", "name"),
            *(Column(name, "number") for name in names),
            Column("mean", "number"),
        ],
        rows=rows,
        why=[evidence.why(artifact.name)] if artifact else [],
        note=_own_texts(evidence),
    )
    return Numbered(table, len(there), len(names))


def _shares(name: str, percents: list[float | None]) -> list[Cell]:
    known = [number for number in percents if number is not None]
    mean = sum(known) / len(known)
    return [Cell(name), *(_percent(number) for number in percents), _percent(mean)]


def _percent(number: float | None) -> Cell:
    return NOT_RUN if number is None else Cell(f"{in_percent(number / 100)} %", number / 100)


def _ours_of_6(evidence: Evidence, names: list[str]) -> Iterator[list[Cell]]:
    if evidence.overlap is None:
        yield [Cell("ours"), *[NOT_RUN] * (len(names) + 1)]
        return
    for row in table_6(evidence.overlap):
        there = [name for name in names if name in row.by_set]
        found = [row.by_set[name].share if name in row.by_set else None for name in names]
        mean = row.mean(there) if there else None
        cells = [_percent(100 * one if one is not None else None) for one in (*found, mean)]
        yield [Cell(row.name), *cells]


def _own_texts(evidence: Evidence) -> str:
    said = [
        f"{one.name}: {one.own_train.name}, {one.own_train.num_documents:,} documents"
        for one in (evidence.overlap.test_sets if evidence.overlap else [])
        if one.own_train
    ]
    return f"Own training texts: {'; '.join(said)}." if said else ""
