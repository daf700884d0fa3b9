"""Whether a score grows smoothly with size, under a metric of right and wrong and a continuous one.

Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?".
"""

from collections.abc import Iterator, Sequence

import numpy as np

from wellread.base.intervals import Floats
from wellread.formats.estimates import Estimate, compared_in
from wellread.formats.findings import Change, Suddenness
from wellread.formats.studies import LOG_PROB, SIZE, Series
from wellread.studies.draws import Grouped, estimate
from wellread.studies.trends import x_of

LEAST_SIZES = 3
# Of the whole gain, beyond what a line gives the step: with five sizes about a half in one step.
SUDDEN = 1 / 3
IMPROBABLE = 0.05


def suddenness(every: Sequence[Series], scores: Sequence[Grouped]) -> Iterator[Suddenness]:
    """Of each share with the log probability of the same answers beside it."""
    continuous = {one.measure.task for one in scores if one.measure.metric == LOG_PROB}
    for series in every:
        for one in scores if series.axis == SIZE else []:
            is_asked = one.measure.unit == "share" or one.measure.metric == LOG_PROB
            found = one.along(series.groups)
            if (
                is_asked
                and one.measure.task in continuous
                and len(set(x_of(series, found))) == len(found.groups) >= LEAST_SIZES
            ):
                yield _suddenness(series, found)


def _suddenness(series: Series, found: Grouped) -> Suddenness:
    logs_G, scores_GD = np.log(x_of(series, found)), found.scores_GD
    excess_SD = excesses(logs_G, scores_GD)
    step = int(excess_SD[:, 0].argmax())
    whole = estimate(scores_GD[-1] - scores_GD[0])
    excess = probability = None
    if whole.is_above_zero or whole.is_below_zero:
        excess = estimate(excess_SD[step])
        probability = _probability(logs_G, scores_GD, excess.value)
    return Suddenness(
        series=series.name,
        task=found.measure.task,
        metric=found.measure.metric,
        is_continuous=found.measure.metric == LOG_PROB,
        unit=compared_in(found.measure.unit),
        whole=whole,
        smaller=found.groups[step].name,
        larger=found.groups[step + 1].name,
        excess=excess,
        probability=probability,
        verdict=_verdict(excess, probability),
        runs=found.runs,
    )


def excesses(logs_G: Floats, scores_GD: Floats) -> Floats:
    """Each step's share of the whole gain less that of a straight line in log N, (G - 1, D)."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a draw without any gain
        shares_SD = np.diff(scores_GD, axis=0) / (scores_GD[-1] - scores_GD[0])
    line_S = np.diff(logs_G) / (logs_G[-1] - logs_G[0])
    excess_SD: Floats = np.nan_to_num(shares_SD - line_S[:, None])
    return excess_SD


def _probability(logs_G: Floats, scores_GD: Floats, seen: float) -> float:
    """How often the largest step of a straight line, drawn as the scores were, exceeds so much."""
    score_G, off_GB = scores_GD[:, 0], scores_GD[:, 1:] - scores_GD[:, :1]
    line_G = np.polyval(np.polyfit(logs_G, score_G, 1), logs_G)
    largest_B = excesses(logs_G, line_G[:, None] + off_GB).max(axis=0)
    return float((largest_B >= seen).mean())


def _verdict(excess: Estimate | None, probability: float | None) -> Change:
    if excess is None or excess.low is None or excess.high is None or probability is None:
        return "not decided"
    if excess.low > SUDDEN and probability < IMPROBABLE:
        return "sudden"
    return "smooth" if excess.high < SUDDEN else "not decided"
