"""Every group's score, drawn many times: the one scheme behind all intervals of a study.

A draw takes the items' units with replacement, the same for all runs, and moves the mean of each
group's seeds by Student's t from the scatter of seeds, pooled over the sizes of a series, the same
for all metrics. Fits, slopes, gaps and steps are functions of the drawn scores, and their intervals
the middle 95 %. Both seeds and items count as drawn from more: the two variances add up, and what
seeds and items have in common counts twice (Owen 2007, "The pigeonhole bootstrap": too wide rather
than too narrow).

Shapes: R runs, G groups, B resamples, D = 1 + B where the first is the score itself; without
anything to draw D = 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wellread.base.intervals import RESAMPLES, Floats, middle
from wellread.base.seeds import generator
from wellread.formats.comparisons import Side
from wellread.formats.estimates import Estimate, Varied
from wellread.formats.resampled import Resample
from wellread.formats.studies import LOG_PROB, SIZE, Group
from wellread.studies.family import Run
from wellread.studies.measures import (
    Measure,
    compared,
    measures_of_gradients,
    measures_of_task,
    measures_of_training,
)

VARIED: dict[tuple[bool, bool], Varied] = {  # whether seeds are, whether items are
    (True, True): "seeds and items",
    (True, False): "seeds",
    (False, True): "items",
    (False, False): "nothing",
}


class Sampled(NamedTuple):
    """A measure of every run that has it, on the scale of comparison."""

    measure: Measure
    scores_D: Mapping[str, Floats]  # run -> score, and that of resampled items
    num_items: int | None = None  # None: not a metric of items
    num_units: int | None = None
    divisors: Mapping[str, float] | None = None  # run -> of perplexities: words or tokens


class Grouped(NamedTuple):
    """A measure of groups, with seeds and items drawn."""

    measure: Measure
    groups: list[Group]
    scores_GD: Floats
    varied: Varied

    @property
    def runs(self) -> list[str]:
        return [run for group in self.groups for run in group.runs]

    def along(self, names: Sequence[str]) -> "Grouped":
        """Those of the groups named that are there, in that order."""
        places = {group.name: place for place, group in enumerate(self.groups)}
        chosen = [places[name] for name in names if name in places]
        groups = [self.groups[place] for place in chosen]
        return self._replace(groups=groups, scores_GD=self.scores_GD[chosen])


def estimate(drawn_D: Floats) -> Estimate:
    """The first with the middle 95 % of the others."""
    low, high = middle(drawn_D[1:]) if len(drawn_D) > 1 else (None, None)
    return Estimate(value=float(drawn_D[0]), low=low, high=high)


def sample(runs: Sequence[Run], resample: Resample, seed: int) -> Iterator[Sampled]:
    """Every measure on the items that all runs have which have its task.

    A task without items in common is left out.
    """
    for task in dict.fromkeys(task for run in runs for task in sorted(run.results)):
        yield from sample_task(task, [run for run in runs if task in run.results], resample, seed)
    for measure in (*measures_of_training(runs), *measures_of_gradients(runs)):
        values_R1 = compared(measure.unit, np.array([list(measure.values.values())]).T)
        yield Sampled(measure, dict(zip(measure.values, values_R1, strict=True)))


def sample_task(task: str, runs: Sequence[Run], resample: Resample, seed: int) -> Iterator[Sampled]:
    """A task's metrics, and beside shares of right answers their log probability."""
    known = {measure.metric: measure for measure in measures_of_task(task, runs)}
    if any(measure.unit == "share" for measure in known.values()):
        known[LOG_PROB] = Measure(task, LOG_PROB, higher_is_better=True, chance=None, values={})
    names = [run.name for run in runs]
    for found in resample([Side(r.directories[task], r.results[task]) for r in runs], seed):
        if found.metric not in known:
            continue
        measure = known[found.metric]
        drawn_RD = found.values_R[:, None]
        if found.drawn_RB is not None:
            drawn_RD = np.concatenate([drawn_RD, found.drawn_RB], axis=1)
        values, divisors = found.values_R.tolist(), found.divisors_R
        yield Sampled(
            measure=measure._replace(values=dict(zip(names, values, strict=True))),
            scores_D=dict(zip(names, compared(measure.unit, drawn_RD), strict=True)),
            num_items=found.num_items,
            num_units=found.num_units,
            divisors=None if divisors is None else dict(zip(names, divisors.tolist(), strict=True)),
        )


def grouped(sampled: Sampled, groups: Sequence[Group], seed: int) -> Grouped | None:
    """The groups whose every run has the measure; None: there is none."""
    found = [g for g in groups if all(run in sampled.scores_D for run in g.runs)]
    if not found:
        return None
    pools: dict[tuple[str, ...], list[Group]] = {}
    for group in found:
        pools.setdefault(_pool(group), []).append(group)
    has_items = any(len(scores_D) > 1 for scores_D in sampled.scores_D.values())
    freedom = {pool: sum(len(g.runs) - 1 for g in some) for pool, some in pools.items()}
    has_seeds = all(freedom.values())
    num = RESAMPLES if has_items or has_seeds else 0
    scores_GD = np.empty((len(found), 1 + num))
    for row_D, group in zip(scores_GD, found, strict=True):
        row_D[:] = np.mean([sampled.scores_D[run] for run in group.runs], axis=0)
        if num and freedom[pool := _pool(group)]:
            row_D[1:] += _of_seeds(sampled, group, pools[pool], seed)
    return Grouped(sampled.measure, found, scores_GD, VARIED[has_seeds, has_items])


def _pool(group: Group) -> tuple[str, ...]:
    """Groups of one pool differ in size only: their seeds scatter alike."""
    rest = (str(value) for key, value in group.settings.items() if key != SIZE)
    return group.variant, *rest


def _of_seeds(sampled: Sampled, group: Group, pool: Sequence[Group], seed: int) -> Floats:
    """How far the mean of a group's seeds may be off, (B,): Student's t.

    A normal sum of the pool's deviations from their groups' means has their pooled variance, and
    runs that are off together in two metrics are so in both sums.
    """
    deviations_R = np.concatenate(
        [values - values.mean() for values in (_values(sampled, one) for one in pool)]
    )
    freedom = sum(len(one.runs) - 1 for one in pool)
    normal_RB = generator(seed, "seeds", group.name).normal(size=(len(deviations_R), RESAMPLES))
    chi_B = generator(seed, "seeds", *_pool(group), "scatter").chisquare(freedom, RESAMPLES)
    off_B: Floats = deviations_R @ normal_RB / np.sqrt(len(group.runs) * chi_B)
    return off_B


def _values(sampled: Sampled, group: Group) -> Floats:
    return np.array([sampled.scores_D[run][0] for run in group.runs])


def seed_deviation(sampled: Sampled, group: Group) -> float | None:
    """Standard deviation between a group's seeds; None: it has one."""
    return float(_values(sampled, group).std(ddof=1)) if len(group.runs) > 1 else None
