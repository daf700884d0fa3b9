"""The report's section on tasks that were learnt from demonstrations in the training text."""

from collections.abc import Iterator

from wellread.formats.findings import Trend
from wellread.formats.studies import SIZE, GroupScore, Series, Study
from wellread.report.blocks import (
    Answers,
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    Way,
    big,
    count,
    metric_name,
    score,
)
from wellread.report.evidence import STUDY, Evidence
from wellread.report.planted_figures import Line, Planted, learnt_from_text
from wellread.report.sized import PLANTED
from wellread.report.study_figures import Dot
from wellread.report.study_words import ranged_cell, task_name

TASKS = "planted-"  # the names of the tasks begin so


def the_planted(evidence: Evidence) -> Section | None:
    """None where no study varies the number of demonstrations."""
    study = evidence.study
    if study is None or PLANTED not in study.vary:
        return None
    series = [one for one in study.series if one.axis == PLANTED]
    tasks = dict.fromkeys(
        (s.task, s.metric) for s in study.group_scores if s.task.startswith(TASKS)
    )
    panels = [
        _panel(study, series, *task) for task in tasks if task[1] == _metric_of(task[0], tasks)
    ]
    panels = [panel for panel in panels if any(line.dots for line in panel.lines)]
    why = evidence.ways_to(STUDY)
    blocks: list[Block] = [Answers(rows=list(_answers(study, series, panels)))]
    blocks += _figure(panels)
    blocks.append(_table(study, series, why))
    return Section(
        key="planted", title="Tasks learnt from demonstrations in the text", blocks=blocks
    )


def _metric_of(task: str, tasks: dict[tuple[str, str], None]) -> str:
    """The metric of a task that is drawn: its first."""
    return next(metric for name, metric in tasks if name == task)


def _panel(study: Study, series: list[Series], task: str, metric: str) -> Planted:
    scores = {s.group: s for s in study.group_scores if (s.task, s.metric) == (task, metric)}
    chance = next((s.chance for s in scores.values() if s.chance is not None), None)
    lines = [_line(study, one, scores, metric) for one in series]
    return Planted(task_name(task), metric, chance, lines)


def _line(study: Study, series: Series, scores: dict[str, GroupScore], metric: str) -> Line:
    places = dict(zip(series.groups, series.x, strict=True))
    groups = {run.name: run.group for run in study.runs}
    task = next((s.task for s in scores.values()), "")
    return Line(
        _label(study, series),
        [
            Dot(place, scores[name].value, scores[name].low, scores[name].high)
            for name, place in places.items()
            if name in scores
        ],
        [
            (places[groups[p.run]], p.value)
            for p in study.points
            if (p.task, p.metric) == (task, metric) and groups.get(p.run) in places
        ],
    )


def _label(study: Study, series: Series) -> str:
    """The models of a series by their number of parameters, else by their settings."""
    if SIZE in series.fixed:
        sizes = {g.name: g.num_parameters for g in study.groups}
        return f"{big(sizes[series.groups[0]])} parameters".replace(" ", "\u00a0")
    return ", ".join(map(str, series.fixed.values())) or "all models"


def _answers(
    study: Study, series: list[Series], panels: list[Planted]
) -> Iterator[tuple[str, str]]:
    for panel in panels:
        largest = panel.lines[-1]
        if len(largest.dots) < 2:
            continue
        first, last = largest.dots[0], largest.dots[-1]
        guessing = f"; guessing gives {score(panel.chance, panel.metric).text}"
        yield (
            f"Is {panel.title} learnt from the text?",
            f"The models of {largest.label} score {score(first.value, panel.metric).text} with "
            f"{first.at:,.0f} demonstrations of it in the corpus and "
            f"{score(last.value, panel.metric).text} with {last.at:,.0f}"
            f"{guessing if panel.chance is not None else ''}. {_enough(panel)}",
        )
    names = {one.name for one in series}
    slopes = [
        t for t in study.trends
        if t.axis == PLANTED and t.series in names and t.task.startswith(TASKS)
    ]  # fmt: skip
    if slopes:
        yield "Do scores rise with demonstrations?", _of_slopes(slopes)


def _enough(panel: Planted) -> str:
    """From how many demonstrations on the interval is above that of none, for each size.

    Not above guessing: a model that was shown nothing may prefer right answers by accident.
    """
    said = []
    for line in (one for one in panel.lines if one.dots):
        none, *others = line.dots
        if none.at or none.high is None:
            return ""
        above = None
        for dot in reversed(others):
            if dot.low is None or dot.low <= none.high:
                break
            above = dot.at
        said.append(f"{line.label} from {above:,.0f}" if above is not None
                    else f"{line.label} not yet")  # fmt: skip
    return f"Its interval lies above that of none: {'; '.join(said)}."


def _of_slopes(slopes: list[Trend]) -> str:
    rising = sum(t.whole.is_above_zero for t in slopes)
    return (
        f"From none to most, the score rises for certain in {rising} of {len(slopes)} pairs of a "
        "task and a size."
    )


def _figure(panels: list[Planted]) -> list[Figure]:
    if not panels:
        return []
    metrics = ", ".join(dict.fromkeys(metric_name(panel.metric) for panel in panels))
    return [
        learnt_from_text(
            panels,
            f"Zero-shot {metrics} by the number of demonstrations in the training text, a line a "
            "size, bands 95 % intervals, small points single runs; dashed what guessing gives. The "
            "corpus without any is at the left of the break.",
            ". ".join(
                f"{panel.title}, {line.label}: "
                + ", ".join(
                    f"{dot.at:,.0f} demonstrations {score(dot.value, panel.metric).text}"
                    for dot in line.dots
                )
                for panel in panels
                for line in panel.lines
            ),
        )
    ]


def _table(study: Study, series: list[Series], why: list[Way]) -> Table:
    rows = [
        [
            Cell(task_name(s.task), s.task),
            Cell(metric_name(s.metric)),
            Cell(_label(study, one)),
            count(place),
            ranged_cell(s.value, s.low, s.high, s.unit),
            score(s.chance, s.metric),
            count(len(s.runs)),
        ]
        for one in series
        for name, place in zip(one.groups, one.x, strict=True)
        for s in study.group_scores
        if s.group == name and s.task.startswith(TASKS)
    ]
    return Table(
        key="planted",
        caption="Scores of planted tasks",
        columns=[
            Column("task", "group"),
            Column("metric", "name"),
            Column("models"),
            Column("demonstrations", "number"),
            Column("score", "number"),
            Column("chance", "number"),
            Column("seeds", "number"),
        ],
        rows=sorted(rows, key=lambda row: (row[0].text, row[1].text)),
        why=why,
        is_folded=True,
    )
