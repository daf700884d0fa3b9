"""What the models scored and wrote: the report's sections on scores and samples."""

from collections.abc import Iterator
from typing import NamedTuple

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
    Heading,
    Passage,
    Prose,
    Section,
    Table,
    count,
    is_share,
    metric_name,
    score,
    slug,
)
from wellread.report.built import absent
from wellread.report.evidence import EVALUATE, HELD_OUT, Evidence, Scored
from wellread.report.figures import SERIES, Group, Mark, diamonds, forest

ENDED = "(ended at once)"
UNCONDITIONAL = ("", "<|endoftext|>")


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


def _measured(evidence: Evidence) -> dict[str, list[Measured]]:
    """Every score by task, models in order within each metric."""
    tasks: dict[str, list[Measured]] = {}
    for scored in evidence.scored:
        for result in scored.results:
            for one in result.scores:
                tasks.setdefault(result.task, []).append(Measured(scored, result, one))
    for found in tasks.values():
        order = list(dict.fromkeys(one.score.metric for one in found))
        found.sort(key=lambda one: order.index(one.score.metric))
    return dict(sorted(tasks.items()))


def the_scores(evidence: Evidence) -> Section:
    tasks = _measured(evidence)
    if not tasks:
        return Section(
            key="scores", title="Scores", blocks=[absent(evidence, EVALUATE)], is_run=False
        )
    blocks: list[Block] = [
        Prose(
            text="Three columns are kept apart: ours with our weights, which tests the training; "
            "ours with released weights, which tests the evaluation; what the paper printed, "
            "for the same test set. How the protocols differ says docs/paper-map.md in wellread's "
            "sources."
        ),
        *_against_chance(tasks, evidence),
    ]
    for task, found in tasks.items():
        blocks.append(_task_table(task, found, evidence))
    return Section(key="scores", title="Scores", blocks=blocks)


def _against_chance(tasks: dict[str, list[Measured]], evidence: Evidence) -> list[Figure]:
    names = [scored.name for scored in evidence.scored]
    drawn = set(names[: len(SERIES)])
    groups = []
    for task, found in tasks.items():
        for metric in dict.fromkeys(one.score.metric for one in found):
            same = [one for one in found if one.score.metric == metric]
            if is_share(metric) and any(one.scored.name in drawn for one in same):
                same = [one for one in same if one.scored.name in drawn]
                groups.append(_group(task, same, evidence))
    if not groups:
        return []
    caption = (
        "Scores from 0 to 100 %, each with its 95 % interval; dashed lines are what guessing "
        f"would give{diamonds(groups, ', open diamonds what the paper printed')}. An interval "
        "clear of its dashed line is more than luck."
    )
    if len(names) > len(drawn):
        caption += f" Drawn: {', '.join(names[: len(SERIES)])}; the tables have all."
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


def _task_table(task: str, found: list[Measured], evidence: Evidence) -> Table:
    protocols = dict.fromkeys(one.result.protocol for one in found)
    has_released = any(not one.scored.is_ours for one in found)
    elsewhere = NOTHING if has_released else NOT_RUN
    rows = []
    for one in found:
        s, metric = one.score, one.score.metric
        value = score(s.value, metric)
        rows.append(
            [
                Cell(metric_name(metric)),
                Cell(one.scored.name),
                value if one.scored.is_ours else NOTHING,
                elsewhere if one.scored.is_ours else value,
                _theirs(one, found[0].size),
                score(s.low, metric),
                score(s.high, metric),
                score(s.chance, metric),
                _number_of_items(one),
            ]
        )
    models = dict.fromkeys(one.scored.artifact.name for one in found)
    return Table(
        key=f"task-{slug(task)}",
        caption=task,
        detail=f"protocol {' ; '.join(protocols)}",
        columns=[
            Column("metric", "name"),
            Column("model"),
            Column("ours, our weights", "number"),
            Column("ours, released weights", "number"),
            Column(f"paper, {found[0].size}", "number"),
            Column("95 % from", "number"),
            Column("to", "number"),
            Column("chance", "number"),
            Column("items", "number"),
        ],
        rows=rows,
        why=[evidence.why(f"{name}/{task}.json") for name in models],
        note=" ".join(_notes(found)),
    )


def _number_of_items(one: Measured) -> Cell:
    number, of = one.score.num_items, one.result.of(one.score)
    return count(number) if number == of else Cell(f"{number:,} of {of:,}", number)


def _theirs(one: Measured, column: str) -> Cell:
    """The paper's value for the nearest size, which is named if it is not the column's."""
    theirs = one.published
    if theirs is None:
        return NOT_COMPARABLE
    size, value = theirs.nearest(one.size)
    cell = score(value, one.score.metric)
    return cell if size == column else Cell(f"{cell.text} ({size})")


def _notes(found: list[Measured]) -> Iterator[str]:
    if found[0].result.task == HELD_OUT:
        yield (
            "Whole documents of the validation split, each in windows as the protocol's stride has "
            "them: not the number under The models, which is of the split's first tokens in "
            "windows side by side."
        )
    for metric, one in {one.score.metric: one for one in found}.items():
        words = metric_name(metric)
        better = "higher" if one.score.higher_is_better else "lower"
        yield f"{words[0].upper()}{words[1:]}: {better} is better."
        if theirs := one.published:
            sizes = ", ".join(f"{size} {value:g}" for size, value in theirs.by_size.items())
            before = f"; best before it {theirs.earlier_best:g}" if theirs.earlier_best else ""
            extra = f"; {theirs.note}" if theirs.note else ""
            yield f"Paper, {theirs.source} ({theirs.unit}): {sizes}{before}{extra}."


def the_samples(evidence: Evidence) -> Section:
    writers = [scored for scored in evidence.scored if scored.samples]
    if not writers:
        found = [s.artifact.name for s in evidence.scored]
        text = (
            f"Not run: no samples among the results in {', '.join(found)}."
            if found
            else absent(evidence, EVALUATE).text
        )
        return Section(key="samples", title="Samples", blocks=[Prose(text=text)], is_run=False)
    blocks: list[Block] = [
        Prose(
            text="What the models write: the first samples in the results, as they came. "
            "What the model was given is set apart from what it wrote."
        )
    ]
    for writer in writers:
        blocks.append(Heading(text=writer.name, key=f"samples-{slug(writer.name)}"))
        for sample in writer.samples:
            is_free = sample.prompt.strip() in UNCONDITIONAL
            kind = "from nothing" if is_free else "given a beginning"
            blocks.append(
                Passage(
                    label=f"{sample.item}, {kind}",
                    prompt="" if is_free else sample.prompt,
                    continuation=sample.continuation or ENDED,
                )
            )
    return Section(key="samples", title="Samples", blocks=blocks)
