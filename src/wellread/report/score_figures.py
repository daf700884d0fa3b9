"""Every task's first score against what guessing gives."""

from wellread.report.blocks import Figure, is_share, metric_name
from wellread.report.evidence import Evidence
from wellread.report.figures import SERIES, Group, Mark, diamonds, forest
from wellread.report.measured import Measured, Tasks, number_of_items


def against_chance(tasks: Tasks, evidence: Evidence) -> list[Figure]:
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
        "interval above its dashed line is more than luck."
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
    part = f", {number_of_items(first).text} items" if first.result.is_subset else ""
    return Group(f"{task}, {words}{part}", marks, first.score.chance)
