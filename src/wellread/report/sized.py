"""The report's section on model size: the paper's figures 1, 2 and 4, and its claim about them."""

from collections.abc import Iterator

from wellread.formats.findings import Trend
from wellread.formats.predictions import ScoredPrediction
from wellread.formats.studies import Study
from wellread.report.blocks import Answers, Block, Prose, Section, metric_name
from wellread.report.evidence import STUDY, Evidence
from wellread.report.size_drawn import foretold, gains, losses_drawn, steps, tasks_drawn
from wellread.report.size_tables import (
    fits_table,
    gains_table,
    gaps_table,
    predictions_table,
    steps_table,
)
from wellread.report.study_words import (
    IN_WORDS,
    amount,
    counted,
    in_words,
    interval,
    score_name,
    task_name,
    with_minus,
)
from wellread.report.trends import Sizes, sizes_in, sizes_of

PLANTED = "plant.demonstrations"
TABLES = (predictions_table, gaps_table, gains_table, steps_table, fits_table)


def the_sizes(evidence: Evidence) -> Section | None:
    """None where no study varies the size, or one varies the demonstrations too."""
    sizes = sizes_of(evidence)
    if sizes is None or PLANTED in sizes.study.vary:
        return None
    why = evidence.ways_to(STUDY)
    blocks: list[Block] = [Answers(rows=list(_answers(sizes)))]
    if sizes.num_others:
        text = f"Shown is the series {sizes.series.name}; the study has {sizes.num_others} more."
        blocks.append(Prose(text=text))
    for make in (losses_drawn, foretold, tasks_drawn, gains, steps):
        blocks += make(sizes)
    blocks += [table for make in TABLES if (table := make(sizes, why)).rows]
    return Section(key="size", title="Model size", blocks=blocks)


def _answers(sizes: Sizes) -> Iterator[tuple[str, str]]:
    if (loss := _loss(sizes)) is not None:
        yield "What does size do to the loss?", _of_the_loss(sizes, loss)
    if straight := _of_bends(sizes):
        yield "Do tasks improve log-linearly?", straight
    if scored := sizes.foretold:
        yield "Was the next size predicted?", _of_predictions(scored)
    for one in sizes.underfitting:
        yield (
            "Still underfitting?",
            f"{one.verdict[0].upper()}{one.verdict[1:]}: {with_minus(one.reason)}.",
        )
    if tasks := sizes.ranked:
        yield "Which tasks depend on size most?", _of_tasks(tasks)
        yield "Where do tasks leave chance?", _of_chance(tasks)
    if found := sizes.steps:
        sudden = [
            f"{task_name(one.task)} ({metric_name(one.metric)})"
            for one in found
            if one.verdict == "sudden"
        ]
        number = {v: sum(one.verdict == v for one in found) for v in ("smooth", "not decided")}
        yield (
            "Smooth or sudden?",
            f"Of {len(found)} metrics {number['smooth'] or 'none'} grow smoothly, "
            f"{number['not decided'] or 'none'} cannot be told, and "
            f"{len(sudden) or 'none'} grow suddenly{': ' + ', '.join(sudden) if sudden else ''}.",
        )


def _of_bends(sizes: Sizes) -> str:
    """How many accuracies a straight line in the logarithm of size may be true of."""
    bends = [(t.bend, 1 if t.higher_is_better else -1) for t in sizes.ranked if t.bend is not None]
    known = [(b.low, b.high, up) for b, up in bends if b.low is not None and b.high is not None]
    if not known:
        return ""
    steeper = sum((low > 0) if up > 0 else (high < 0) for low, high, up in known)
    flatter = sum((high < 0) if up > 0 else (low > 0) for low, high, up in known)
    return (
        f"A straight line in the logarithm of size is within the intervals of "
        f"{counted(len(known) - steeper - flatter, len(known), 'score')}; {flatter or 'none'} "
        f"flatten and {steeper or 'none'} steepen for certain, by the bend of a parabola."
    )


def in_short(study: Study) -> str:
    """What the study found of size, in a sentence; empty if it has nothing on it."""
    sizes = sizes_in(study) if PLANTED not in study.vary else None
    loss = _loss(sizes) if sizes else None
    if sizes is None or loss is None or loss.per_tenfold is None:
        return ""
    inside = sum(one.is_inside for one in sizes.foretold)
    told = counted(inside, len(sizes.foretold), "score")
    return (
        f"ten times the parameters change held-out loss by {in_words(loss.per_tenfold, loss.unit)}"
        + (f"; {told} of a size came as foretold" if sizes.foretold else "")
    )


def _loss(sizes: Sizes) -> Trend | None:
    """The trend of the held-out loss."""
    drawn = sizes.losses[:1]
    found = [t for t in sizes.trends if [(t.task, t.metric)] == drawn]
    return next((trend for trend in found if trend.per_tenfold is not None), None)


def _of_the_loss(sizes: Sizes, trend: Trend) -> str:
    assert trend.per_tenfold is not None
    fit = sizes.fit((trend.task, trend.metric))
    more = ""
    if fit is not None and fit.form == "power":
        limit = fit.parameters["limit"]
        ends = interval(limit.low, limit.high, fit.unit)
        more = (
            " A power law foretells it better than a line; at this number of tokens it would end "
            f"at {amount(limit.value, fit.unit)} {IN_WORDS[fit.unit]} (95 % {ends})."
            if fit.is_determined("limit")
            else " A power law foretells it better than a line; where it would end is not "
            "determined by these sizes."
        )
    elif fit is not None and sizes.num_forms((trend.task, trend.metric)) > 1:
        more = " A line over the logarithm of size foretells it better than a power law."
    return (
        f"Held-out loss changes by {in_words(trend.per_tenfold, trend.unit)} with ten times the "
        f"parameters.{more}"
    )


def _of_predictions(scored: list[ScoredPrediction]) -> str:
    inside = sum(one.is_inside for one in scored)
    missed = [
        score_name(one.predicted.task, one.predicted.metric) for one in scored if not one.is_inside
    ]
    names = " and ".join(dict.fromkeys(one.predicted.size for one in scored))
    late = [one for one in scored if not one.counts]
    return (
        f"{counted(inside, len(scored), 'score')} of {names} came inside the 95 % interval "
        "that the smaller sizes gave"
        + (f"; outside: {'; '.join(missed)}." if missed else ".")
        + (f" {len(late)} do not count: {late[0].reason}." if late else "")
    )


def _of_tasks(tasks: list[Trend]) -> str:
    first, last = tasks[0], tasks[-1]
    said = f"{task_name(first.task)} most, {_per_tenfold(first)}"
    if last is not first:
        said += f"; {task_name(last.task)} least, {_per_tenfold(last)}"
    alike = [t for t in tasks[1:] if t.rank is not None and (t.rank.low or t.rank.value) <= 1]
    if alike:
        said += f". {len(alike)} more may well be the first: their intervals overlap"
    return f"{said}."


def _per_tenfold(trend: Trend) -> str:
    if trend.per_tenfold is None:
        return "unknown"
    return f"{in_words(trend.per_tenfold, trend.unit)} with ten times the parameters"


def _of_chance(tasks: list[Trend]) -> str:
    known = [trend for trend in tasks if trend.chance is not None]
    left = [trend for trend in known if trend.leaves_chance_at]
    if not known:
        return "None of them has a level that guessing would give."
    places = dict.fromkeys(trend.leaves_chance_at for trend in left)
    named = {
        place: ", ".join(task_name(t.task) for t in left if t.leaves_chance_at == place)
        for place in places
    }
    where = "; ".join(f"from {place} on {names}" for place, names in named.items())
    return (
        f"{counted(len(left), len(known), 'task')} leave it: {where}."
        if left
        else ("No task leaves it at these sizes.")
    )
