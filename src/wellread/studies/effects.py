"""What each variant changes: less the reference, paired by seed and item."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from wellread.base.intervals import Floats, middle
from wellread.formats.comparisons import verdict
from wellread.formats.estimates import Estimate, compared_in
from wellread.formats.findings import Effect
from wellread.formats.studies import FIRST_BLOCK, LAST_BLOCK, LOG_PROB, TRAINING, Group
from wellread.studies.draws import VARIED, Sampled
from wellread.studies.family import Run
from wellread.studies.measures import printed


def effects(
    runs: Sequence[Run], groups: Sequence[Group], reference: str, scores: Sequence[Sampled]
) -> Iterator[Effect | str]:
    """Of each variant on each metric; where two cannot be compared, a sentence that says why."""
    seeds = {run.name: run.seed for run in runs}
    by_name = {run.name: run for run in runs}
    base = {str(g.settings): g for g in groups if g.variant == reference}
    for group in groups:
        other = base.get(str(group.settings))
        if group.variant == reference or other is None:
            continue
        for sampled in scores:
            pairs = [
                (one, two)
                for one in other.runs
                for two in group.runs
                if seeds[one] == seeds[two] and {one, two} <= sampled.scores_D.keys()
            ]
            if not pairs or sampled.measure.metric == LOG_PROB:
                continue
            why = _why_not(sampled, *(by_name[name] for name in pairs[0]))
            if why:
                measure = sampled.measure
                yield f"{measure.name} of {other.name} and {group.name}: {why}"
            else:
                yield _effect(group, other, sampled, pairs, [seeds[one] for one, _ in pairs])


def _why_not(sampled: Sampled, one: Run, two: Run) -> str:
    """Why the two runs' values are not of the same thing; "" if they are."""
    measure, divisors = sampled.measure, sampled.divisors
    if divisors is not None and not math.isclose(divisors[one.name], divisors[two.name]):
        return "per token of different vocabularies"
    if measure.task != TRAINING or measure.metric in (FIRST_BLOCK, LAST_BLOCK):
        return ""
    if one.corpus != two.corpus:
        return "on documents of different corpora"
    if measure.unit == "nats" and one.tokenizer != two.tokenizer:
        return "per token of different vocabularies"
    return ""


def _effect(
    group: Group,
    reference: Group,
    sampled: Sampled,
    pairs: Sequence[tuple[str, str]],
    seeds: list[int],
) -> Effect:
    measure = sampled.measure
    off_SD = np.array([sampled.scores_D[two] - sampled.scores_D[one] for one, two in pairs])
    by_seed = off_SD[:, 0].tolist()
    difference = paired_difference(off_SD)
    has_seeds = len(pairs) > 1
    first, second = (
        float(printed(measure.unit, np.mean([sampled.scores_D[name][0] for name in names])))
        for names in zip(*pairs, strict=True)
    )
    return Effect(
        variant=group.variant,
        reference=reference.variant,
        settings=group.settings,
        task=measure.task,
        metric=measure.metric,
        unit=compared_in(measure.unit),
        higher_is_better=measure.higher_is_better,
        reference_value=first,
        variant_value=second,
        difference=difference,
        by_seed=by_seed,
        seeds=seeds,
        varied=VARIED[has_seeds, off_SD.shape[1] > 1],
        num_items=sampled.num_items,
        # Of one seed nothing is known about another.
        verdict=""
        if measure.higher_is_better is None or not has_seeds
        else verdict(difference.low, difference.high, higher_is_better=measure.higher_is_better),
        runs=[name for pair in pairs for name in pair],
    )


def paired_difference(off_SD: Floats) -> Estimate:
    """The mean over seeds of differences (S, D), with an interval for seeds and items both.

    That of seeds is Student's t over the seeds' differences; that of items the middle of their
    resamples. Their arms add up as squares, as the errors of independent sources do.
    """
    value = float(off_SD[:, 0].mean())
    num_seeds, num_draws = off_SD.shape
    arms = []
    if num_seeds > 1:
        error = off_SD[:, 0].std(ddof=1) / math.sqrt(num_seeds)
        arms.append([float(stats.t.ppf(0.975, num_seeds - 1) * error)] * 2)
    if num_draws > 1:
        low, high = middle(off_SD[:, 1:].mean(axis=0))
        arms.append([value - low, high - value])
    if not arms:
        return Estimate(value=value)
    below, above = (math.hypot(*sides) for sides in zip(*arms, strict=True))
    return Estimate(value=value, low=value - below, high=value + above)
