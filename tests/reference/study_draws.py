"""A study's intervals, slowly: each draw is a loop over the units drawn and the groups."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

# A run is its items' nats, by unit; a group is its runs; a family its groups.
Run = Sequence[float]
Family = Sequence[Sequence[Run]]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def seed_deviation(family: Family) -> tuple[float, int]:
    """Of a run's mean from its group's, pooled over groups; and its degrees of freedom."""
    squares, freedom = 0.0, 0
    for group in family:
        means = [mean(run) for run in group]
        squares += sum((one - mean(means)) ** 2 for one in means)
        freedom += len(group) - 1
    return math.sqrt(squares / freedom), freedom


def drawn_means(family: Family, source: np.random.Generator) -> list[float]:
    """Every group's mean once: units with replacement, the same for all, and other seeds."""
    num_units = len(family[0][0])
    chosen = [int(source.integers(num_units)) for _ in range(num_units)]
    deviation, freedom = seed_deviation(family)
    # One scatter of seeds for all groups: how far it was underestimated.
    scale = deviation * math.sqrt(freedom / stats.chi2.ppf(source.random(), freedom))
    found = []
    for group in family:
        score = mean([mean([run[unit] for unit in chosen]) for run in group])
        found.append(score + source.normal() * scale / math.sqrt(len(group)))
    return found


def slope(logs: Sequence[float], scores: Sequence[float]) -> float:
    return float(stats.linregress(logs, scores).slope)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 %."""
    ordered = sorted(values)
    return ordered[round(0.025 * len(ordered))], ordered[round(0.975 * len(ordered)) - 1]
