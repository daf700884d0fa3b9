"""The report's section on a study as a whole: its runs, every score, every paired difference."""

import math
import posixpath
from typing import Any

from wellread.formats.comparisons import verdict
from wellread.formats.estimates import compared_in
from wellread.formats.findings import Difference
from wellread.formats.studies import SIZE, GroupScore, Study
from wellread.report import sized
from wellread.report.blocks import (
    NOTHING,
    Block,
    Cell,
    Column,
    Prose,
    Section,
    Table,
    Way,
    better,
    count,
    estimate,
    items_in,
    metric_name,
    score,
)
from wellread.report.built import absent
from wellread.report.evidence import STUDY, TRAIN, Evidence
from wellread.report.study_words import amount, ranged_cell, task_name


def of_size(study: Study) -> str:
    """What the study found of size, in a sentence; empty if no size was compared with another."""
    return sized.in_short(study) or _of_differences(study)


def _of_differences(study: Study) -> str:
    if not study.differences:
        return ""
    said = [verdict(d.low, d.high, higher_is_better=d.higher_is_better) for d in study.differences]
    return (
        f"of {len(said)} differences from a model to the next larger one, {said.count('better')} "
        f"are gains, {said.count('worse')} losses, the others undecided"
    )


def the_study(evidence: Evidence) -> Section:
    study, artifact = evidence.study, evidence.first(STUDY)
    if study is None or artifact is None:
        words = absent(evidence, STUDY).text + _progress(evidence)
        blocks: list[Block] = [Prose(text=words)]
        return Section(key="study", title="The study", blocks=blocks, is_run=False)
    why = [evidence.why(artifact.name)]
    blocks = [Prose(text=_what(study, _planned(artifact.manifest.config)))]
    if study.caution:
        blocks.append(Prose(text=f"What is compared here may not come of that: {study.caution}."))
    targets = _targets(evidence, study, artifact.name)
    blocks += [
        _means_table(study, why),
        _points_table(study, why, targets),
        _differences_table(study, why, targets),
    ]
    return Section(key="study", title="The study’s runs and scores", blocks=blocks)


def _progress(evidence: Evidence) -> str:
    """How far the runs of a study are that has not been made; empty where none is planned."""
    if not evidence.planned:
        return ""
    begun = sum(stage == TRAIN for _, stage in evidence.unfinished)
    done, planned = len(evidence.trainings), _planned(evidence.planned)
    return f" Of its {planned} runs {done} are trained, {begun} begun."


def _targets(evidence: Evidence, study: Study, place: str) -> dict[str, str]:
    """Of each run the id of its entry in the chain of manifests."""
    known = {artifact.name for artifact in evidence.artifacts}
    places = {run.name: posixpath.normpath(posixpath.join(place, run.run)) for run in study.runs}
    return {name: evidence.anchor(found) for name, found in places.items() if found in known}


def _planned(config: dict[str, Any]) -> int:
    """How many runs the settings of a study make."""
    number = len(config.get("variants") or [""]) * len(config.get("seeds") or [0])
    values = {key: len(found) for key, found in (config.get("vary") or {}).items()}
    predicted = values | {SIZE: len(config.get("predict") or [])} if SIZE in values else {SIZE: 0}
    return number * (math.prod(values.values()) + math.prod(predicted.values()))


def _what(study: Study, planned: int) -> str:
    parts = [f"{key}: {', '.join(map(str, values))}" for key, values in study.vary.items()]
    if predicted := [group.name for group in study.groups if group.is_predicted]:
        parts.append(f"predicted before: {', '.join(predicted)}")
    if study.variants:
        parts.append(f"variants: {', '.join(study.variants)}")
    seeds = sorted({run.seed for run in study.runs})
    varied = "; ".join(parts)
    of = f" of {planned}" if planned and planned > len(study.runs) else ""
    return (
        f"{len(study.runs)}{of} runs have results, seeds {', '.join(map(str, seeds))}. They "
        f"differ in {varied or 'nothing else'}."
    )


def _means_table(study: Study, why: list[Way]) -> Table:
    return Table(
        key="study-means",
        caption="Every score, means over seeds",
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            Column("models"),
            Column("score", "number"),
            Column("between seeds", "number"),
            Column("chance", "number"),
            Column("items", "number"),
            Column("runs", "number"),
        ],
        rows=[
            [
                Cell(task_name(s.task), s.task),
                _metric(s),
                Cell(s.group),
                ranged_cell(s.value, s.low, s.high, s.unit),
                NOTHING if s.seed_deviation is None else
                Cell(amount(s.seed_deviation, compared_in(s.unit)), s.seed_deviation),
                score(s.chance, s.metric),
                NOTHING if s.num_items is None else items_in(s.num_items, s.num_units or 0),
                count(len(s.runs)),
            ]
            for s in study.group_scores
        ],
        why=why,
        note="↑ higher is better, ↓ lower. Between seeds: the standard deviation, of perplexities "
        "that of their logarithm.",
        is_folded=True,
    )  # fmt: skip


def _metric(found: GroupScore | Difference) -> Cell:
    known = found.higher_is_better
    arrow = "" if known is None else f" {better(higher=known)}"
    return Cell(metric_name(found.metric) + arrow, found.metric)


def _points_table(study: Study, why: list[Way], targets: dict[str, str]) -> Table:
    settings = list(study.vary)
    return Table(
        key="study-points",
        caption="Every score of every run",
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            Column("run"),
            *(Column(name) for name in settings),
            Column("parameters", "number"),
            Column("score", "number"),
            Column("chance", "number"),
        ],
        rows=[
            [
                Cell(task_name(p.task), p.task),
                Cell(metric_name(p.metric)),
                Cell(p.run, target=targets.get(p.run, "")),
                *(Cell(str(p.settings.get(name, ""))) for name in settings),
                count(p.num_parameters),
                ranged_cell(p.value, p.low, p.high, p.unit),
                score(p.chance, p.metric),
            ]
            for p in sorted(study.points, key=lambda point: (point.task, point.metric))
        ],
        why=why,
        is_folded=True,
    )


def _differences_table(study: Study, why: list[Way], targets: dict[str, str]) -> Table:
    return Table(
        key="study-differences",
        caption="What the larger model gains, on the items that both have",
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            Column("smaller"),
            Column("larger"),
            Column("difference", "number"),
            Column("items", "number"),
            Column("verdict"),
        ],
        rows=[
            [
                Cell(task_name(d.task), d.task),
                _metric(d),
                Cell(d.smaller, target=targets.get(d.smaller, "")),
                Cell(d.larger, target=targets.get(d.larger, "")),
                estimate(d.difference, d.low, d.high, d.metric, of=True),
                items_in(d.num_items, d.num_units),
                _verdict(d),
            ]
            for d in sorted(study.differences, key=lambda found: (found.task, found.metric))
        ],
        why=why,
        note="↑ higher is better, ↓ lower. Larger less smaller, shares in percentage points. The "
        "interval is over items, or "
        "over the documents that they come from (items in documents), drawn for both models alike; "
        "the verdict asks whether it leaves out zero."
        + (f" Without items in common: {'; '.join(study.unpaired)}." if study.unpaired else ""),
        is_folded=True,
    )


def _verdict(found: Difference) -> Cell:
    said = verdict(found.low, found.high, higher_is_better=found.higher_is_better)
    return Cell(said) if said else Cell("undecided", is_muted=True)
