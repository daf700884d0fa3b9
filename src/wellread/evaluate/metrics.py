"""Metrics as functions of sums over items, with 95 % intervals by bootstrap.

Nearly every metric depends only on sums: an accuracy on (right, asked), a perplexity on (log
probability, units), BLEU on counts of n-grams. So a resample is a weighted sum of rows. A metric
that orders the items is a function of the rows themselves.

Shapes: N units, K numbers in a row.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from wellread.base.intervals import RESAMPLES, middle, resampled_sums, wilson
from wellread.base.seeds import generator
from wellread.evaluate.language_model import Floats
from wellread.formats.results import Item, Score


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of a task's items make one number."""

    statistic: Callable[[Floats], float]  # of their sums (K,)
    is_of_rows: bool = False  # of the rows (N, K) instead
    share: float = 1.0  # of the rows on which it rests
    is_baseline: bool = False  # of the items alone, whatever the model answers
    higher_is_better: bool = True
    is_proportion: bool = False  # of items right or wrong
    is_guessable: bool = False  # the items' chance is the chance of this metric
    note: str = ""

    def num_used(self, num_rows: int) -> int:
        """Of so many rows, how many it rests on."""
        return max(1, round(self.share * num_rows))


class Outcome(NamedTuple):
    """A scored item, and what it adds to each metric."""

    item: Item
    sums: dict[str, tuple[float, ...]]  # metric -> row
    unit: str | None = None  # what the bootstrap draws: a document; None: the item itself
    chance: float | None = None  # of guessing this item
    is_truncated: bool = False  # it did not fit into the model's context


def mean(sums: Floats) -> float:
    return float(sums[0] / sums[1])


def perplexity(sums: Floats) -> float:
    """exp of the nats for each unit; `sums` are (log probability, units)."""
    return math.exp(-sums[0] / sums[1])


def bits(sums: Floats) -> float:
    return float(-sums[0] / sums[1] / math.log(2))


ACCURACY = Metric(statistic=mean, is_proportion=True, is_guessable=True)
EXACT_MATCH = Metric(statistic=mean, is_proportion=True)
MEAN = Metric(statistic=mean)
PERPLEXITY = Metric(statistic=perplexity, higher_is_better=False)
BITS_PER_BYTE = Metric(statistic=bits, higher_is_better=False)


def of_most_confident(rows_N2: Floats) -> float:
    """Share of right answers in the hundredth of the rows (confidence, right) of most confidence.

    Among equals at its edge, which of them belong to it is a matter of chance.

    >>> of_most_confident(np.array([[0.9, 1.0], [0.5, 0.0], [0.9, 0.0]]))
    0.5
    """
    confidence_N, right_N = rows_N2.T
    num = max(1, round(len(rows_N2) / 100))
    edge = np.partition(confidence_N, -num)[-num]
    surely_N = right_N[confidence_N > edge]
    tied_N = right_N[confidence_N == edge]
    return float((surely_N.sum() + (num - len(surely_N)) * tied_N.mean()) / num)


class Interval(NamedTuple):
    low: float | None
    high: float | None
    note: str


def interval(rows_NK: Floats, metric: Metric, source: np.random.Generator) -> Interval:
    """The middle 95 % of the metric over resamples of the rows.

    Where all units agree the bootstrap cannot vary: a proportion then has Wilson's interval, and
    another metric none.
    """
    num = metric.num_used(len(rows_NK))
    values = [metric.statistic(given) for given in resamples(rows_NK, metric, source)]
    if not math.isclose(min(values), max(values)):
        return Interval(*middle(values), "")
    if metric.is_proportion and values[0] in (0.0, 1.0):
        return Interval(*wilson(round(values[0] * num), num), "Wilson's interval: all items agree")
    return Interval(None, None, f"no interval: {num} unit{'s' * (num > 1)}, all alike")


def resamples(rows_NK: Floats, metric: Metric, source: np.random.Generator) -> Iterator[Floats]:
    """What the metric is a function of, for each resample."""
    if metric.is_of_rows:
        for _ in range(RESAMPLES):
            yield rows_NK[source.integers(len(rows_NK), size=len(rows_NK))]
        return
    yield from resampled_sums(rows_NK, source)


def score_all(
    metrics: Mapping[str, Metric], outcomes: Sequence[Outcome], *, seed: int
) -> list[Score]:
    """Every metric that some outcome has a part in: a subset may have none of a domain."""
    return [
        score(name, metric, outcomes, seed=seed)
        for name, metric in metrics.items()
        if any(name in outcome.sums for outcome in outcomes)
    ]


def by_unit(units: Sequence[str], rows: Sequence[Sequence[float]]) -> Floats:
    """The summed rows of each unit, in the order of first appearance, (N, K)."""
    numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    found = np.zeros((len(numbers), len(rows[0])))
    np.add.at(found, [numbers[unit] for unit in units], np.array(rows, dtype=float))
    return found


def value_of(metric: Metric, rows_NK: Floats) -> float:
    """The metric over all the rows."""
    return metric.statistic(rows_NK if metric.is_of_rows else rows_NK.sum(axis=0))


def score(name: str, metric: Metric, outcomes: Sequence[Outcome], *, seed: int) -> Score:
    """The metric `name` over those outcomes that have a part in it."""
    taking_part = [outcome for outcome in outcomes if name in outcome.sums]
    rows_NK = by_unit(
        [outcome.unit or outcome.item.item for outcome in taking_part],
        [outcome.sums[name] for outcome in taking_part],
    )
    assert not metric.is_of_rows or len(rows_NK) == len(taking_part), "rows cannot be summed"
    low, high, why = interval(rows_NK, metric, generator(seed, "bootstrap", name))
    guesses = [o.chance for o in taking_part if o.chance is not None]
    return Score(
        metric=name,
        value=value_of(metric, rows_NK),
        low=low,
        high=high,
        num_items=len(taking_part) if metric.share == 1 else metric.num_used(len(taking_part)),
        higher_is_better=metric.higher_is_better,
        chance=sum(guesses) / len(guesses) if metric.is_guessable and guesses else None,
        note="; ".join(filter(None, ["no model" * metric.is_baseline, metric.note, why])),
    )
