"""95 % intervals: the middle of resamples, and Wilson's for a proportion.

Shapes: N units that are drawn, K numbers of each.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

RESAMPLES = 1000
RESAMPLES_AT_ONCE = 50  # bounds the memory to 50 x N
PERCENTILES = (2.5, 97.5)

Floats = npt.NDArray[np.float64]


def middle(values: Sequence[float] | Floats) -> tuple[float, float]:
    """Where the middle 95 % of `values` begins and ends."""
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def wilson(number: int, of: int) -> tuple[float, float]:
    """Of a proportion: `number` of `of`.

    >>> [round(bound, 3) for bound in wilson(0, 10)]
    [0.0, 0.278]
    """
    found = binomtest(number, of).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def resampled_sums(rows_NK: npt.NDArray[Any], source: np.random.Generator) -> Iterator[Floats]:
    """The sums (K,) of as many rows as there are, drawn with replacement; for each resample."""
    weights = np.full(len(rows_NK), 1 / len(rows_NK))
    for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
        yield from source.multinomial(len(rows_NK), weights, size=RESAMPLES_AT_ONCE) @ rows_NK
