"""Whether models still underfit: do losses on held-out and training documents fall together?"""

import math
from collections.abc import Iterator, Sequence

from wellread.formats.estimates import Estimate
from wellread.formats.findings import Gap, Underfit, Underfitting
from wellread.formats.studies import SIZE, Series
from wellread.studies.draws import Grouped, estimate
from wellread.studies.family import Run
from wellread.studies.trends import per_tenfold, x_of

TASK, METRIC = "held-out", "perplexity"  # per token
HELD_OUT, TRAINED_ON = "split=validation", "split=train"  # in the task's protocols


def loss_on(split: str, run: Run) -> float | None:
    """Of a run on held-out or on training documents, nats per token; None: not evaluated."""
    for result in run.results.values():
        task, *settings = result.protocol.split("|")
        if task.startswith(f"{TASK}:") and split in settings:
            return next((math.log(s.value) for s in result.scores if s.metric == METRIC), None)
    return None


def underfitting(
    every: Sequence[Series], scores: Sequence[Grouped], protocols: dict[str, str]
) -> Iterator[Underfitting]:
    """Along each series of sizes whose held-out and training documents were both scored.

    `protocols`: those of tasks.
    """
    for held_out, training in _pairs(scores, protocols):
        for series in every:
            if series.axis != SIZE:
                continue
            here, there = (one.along(series.groups) for one in (held_out, training))
            shared = [group.name for group in here.groups if group in there.groups]
            if len(shared) > 1:
                yield _underfitting(series, here.along(shared), there.along(shared))


def _pairs(
    scores: Sequence[Grouped], protocols: dict[str, str]
) -> Iterator[tuple[Grouped, Grouped]]:
    """Scores of held-out and of training documents that differ in the split only."""
    found: dict[str, dict[str, Grouped]] = {}
    for one in scores:
        parts = protocols.get(one.measure.task, "").split("|")
        split = next((part for part in parts if part in (HELD_OUT, TRAINED_ON)), None)
        if split and parts[0].startswith(f"{TASK}:") and one.measure.metric == METRIC:
            rest = "|".join(part for part in parts if part != split)
            found.setdefault(rest, {})[split] = one
    for both in found.values():
        if len(both) == 2:
            yield both[HELD_OUT], both[TRAINED_ON]


def _underfitting(series: Series, held_out: Grouped, training: Grouped) -> Underfitting:
    gaps_GD = held_out.scores_GD - training.scores_GD
    x_G = x_of(series, held_out)
    all_three = (held_out.scores_GD, training.scores_GD, gaps_GD)
    slopes = [per_tenfold(x_G, scores_GD) for scores_GD in all_three]
    held_out_slope, training_slope, gap_slope = (
        Estimate(value=0.0) if slope_D is None else estimate(slope_D) for slope_D in slopes
    )
    held_out_last, training_last = (
        estimate(scores_GD[-1] - scores_GD[-2]) for scores_GD in all_three[:2]
    )
    return Underfitting(
        series=series.name,
        gaps=[
            Gap(
                group=group.name,
                num_parameters=group.num_parameters,
                held_out=estimate(held_out_D),
                training=estimate(training_D),
                gap=estimate(gap_D),
                runs=group.runs,
            )
            for group, held_out_D, training_D, gap_D in zip(
                held_out.groups, *all_three, strict=True
            )
        ],
        held_out_per_tenfold=held_out_slope,
        training_per_tenfold=training_slope,
        gap_per_tenfold=gap_slope,
        held_out_last_step=held_out_last,
        training_last_step=training_last,
        verdict=_verdict(held_out_last, training_last, gap_slope),
        reason=(
            f"from {held_out.groups[-2].name} to {held_out.groups[-1].name} the loss changes by "
            f"{_said(held_out_last)} on held-out and by {_said(training_last)} on training "
            f"documents, nats per token; the gap between them by {_said(gap_slope)} per tenfold of "
            "parameters"
        ),
        runs=held_out.runs,
    )


def _verdict(held_out: Estimate, training: Estimate, gap_slope: Estimate) -> Underfit:
    if held_out.is_below_zero and training.is_below_zero:
        return "underfit, but the gap grows" if gap_slope.is_above_zero else "still underfit"
    if training.is_below_zero and held_out.is_above_zero:
        return "overfits"
    return "not decided"


def _said(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:+.3f}"
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
