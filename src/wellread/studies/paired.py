"""The difference between two models on the same items, with the interval of a paired bootstrap."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

NUM_RESAMPLES = 2_000
PERCENTILES = (2.5, 97.5)
SAME = 1e-6  # relative: results are computed in another order of summation, no more


class ItemScores(msgspec.Struct, frozen=True, kw_only=True):
    """What a model scored on items; arrays of one length, NaN where an item has no such number."""

    value: Values
    log_prob: Values
    num_units: Values
    num_tokens: Values

    def at(self, items: npt.NDArray[np.int64]) -> "ItemScores":
        return ItemScores(
            value=self.value[items],
            log_prob=self.log_prob[items],
            num_units=self.num_units[items],
            num_tokens=self.num_tokens[items],
        )


def _mean_value(scores: ItemScores) -> float:
    return float(scores.value.mean())


def _nats_per_unit(scores: ItemScores) -> float:
    return float(-scores.log_prob.sum() / scores.num_units.sum())


def _perplexity(scores: ItemScores) -> float:
    return math.exp(min(_nats_per_unit(scores), 700.0))  # beyond, exp overflows


def _perplexity_per_token(scores: ItemScores) -> float:
    return math.exp(min(float(-scores.log_prob.sum() / scores.num_tokens.sum()), 700.0))


def _bits_per_unit(scores: ItemScores) -> float:
    return _nats_per_unit(scores) / math.log(2)


Estimator = Callable[[ItemScores], float]
# Metrics that are none of these (BLEU, ROUGE of samples) are not paired.
ESTIMATORS: tuple[Estimator, ...] = (
    _mean_value,
    _perplexity,
    _perplexity_per_token,
    _bits_per_unit,
    _nats_per_unit,
)


def estimator_of(metric_value: float, scores: ItemScores) -> Estimator | None:
    """The function of per-item numbers that a metric is, known by giving the metric's value."""
    for estimate in ESTIMATORS:
        found = estimate(scores)
        if math.isclose(found, metric_value, rel_tol=SAME, abs_tol=1e-9):
            return estimate
    return None


def paired_difference(
    smaller: ItemScores, larger: ItemScores, estimate: Estimator, random: np.random.Generator
) -> tuple[float, float, float]:
    """`estimate` of `larger` less that of `smaller` on the same items, and its 95 % interval."""
    num_items = len(smaller.value)
    differences = np.empty(NUM_RESAMPLES)
    for resample in range(NUM_RESAMPLES):
        chosen = random.integers(num_items, size=num_items)
        differences[resample] = estimate(larger.at(chosen)) - estimate(smaller.at(chosen))
    low, high = np.percentile(differences, PERCENTILES)
    return estimate(larger) - estimate(smaller), float(low), float(high)
