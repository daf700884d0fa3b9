"""How scores change along a series, and on which tasks the most."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from wellread.base.intervals import Floats
from wellread.formats.estimates import compared_in
from wellread.formats.findings import Trend
from wellread.formats.studies import TRAINING, GroupScore, Series
from wellread.studies.draws import Grouped, estimate
from wellread.studies.measures import AUXILIARY


class _Slope(NamedTuple):
    trend: Trend
    standardised_D: Floats | None  # towards better


def trends(
    every: Sequence[Series], scores: Sequence[Grouped], shown: Sequence[GroupScore]
) -> Iterator[Trend]:
    """Of each metric along each series, with its rank among those of the same series and unit."""
    intervals = {(one.task, one.metric, one.group): one for one in shown}
    for series in every:
        slopes = [
            _slope(series, found, intervals)
            for one in scores
            if one.measure.metric not in AUXILIARY
            if len((found := one.along(series.groups)).groups) > 1
        ]
        for slope in slopes:
            yield _ranked(slope, slopes)


def per_tenfold(x_G: Floats, scores_GD: Floats) -> Floats | None:
    """Slope of the line in log10 x through the groups whose x is not zero; None: one at most."""
    positive_G = x_G > 0
    if len(set(x_G[positive_G])) < 2:
        return None
    logs_G = np.log10(x_G[positive_G])
    weights_G = logs_G - logs_G.mean()
    slopes_D: Floats = weights_G @ scores_GD[positive_G] / (weights_G @ weights_G)
    return slopes_D


def bend(x_G: Floats, scores_GD: Floats) -> Floats | None:
    """How much steeper the parabola in log10 x is at its last group than at its first.

    Zero on a straight line. None: fewer than three groups whose x is not zero.
    """
    positive_G = x_G > 0
    if len(set(x_G[positive_G])) < 3:
        return None
    logs_G = np.log10(x_G[positive_G])
    curvatures_D = np.polyfit(logs_G - logs_G.mean(), scores_GD[positive_G], deg=2)[0]
    found_D: Floats = 2 * curvatures_D * np.ptp(logs_G)
    return found_D


def x_of(series: Series, found: Grouped) -> Floats:
    """Where the groups that have a measure are."""
    places = dict(zip(series.groups, series.x, strict=True))
    return np.array([places[group.name] for group in found.groups])


def _slope(
    series: Series, found: Grouped, intervals: dict[tuple[str, str, str], GroupScore]
) -> _Slope:
    measure = found.measure
    x_G = x_of(series, found)
    slopes_D, bends_D = per_tenfold(x_G, found.scores_GD), bend(x_G, found.scores_GD)
    room = 1 - (measure.chance or 0) if measure.unit == "share" else 1
    towards = 1 if measure.higher_is_better else -1
    standardised_D = None if slopes_D is None or room <= 0 else towards * slopes_D / room
    along = [intervals[measure.task, measure.metric, group.name] for group in found.groups]
    trend = Trend(
        series=series.name,
        axis=series.axis,
        task=measure.task,
        metric=measure.metric,
        unit=compared_in(measure.unit),
        higher_is_better=bool(measure.higher_is_better),
        per_tenfold=None if slopes_D is None else estimate(slopes_D),
        bend=None if bends_D is None else estimate(bends_D),
        whole=estimate(found.scores_GD[-1] - found.scores_GD[0]),
        standardised=None if standardised_D is None else estimate(standardised_D),
        rank=None,
        num_ranked=0,
        chance=measure.chance,
        leaves_chance_at=leaves_chance_at(along),
        varied=found.varied,
        runs=found.runs,
    )
    return _Slope(trend, standardised_D)


def leaves_chance_at(along: Sequence[GroupScore]) -> str | None:
    """The first group from which on every interval lies above chance."""
    first = None
    for one in reversed(along):
        if one.chance is None or one.low is None or one.low <= one.chance:
            break
        first = one.group
    return first


def _ranked(slope: _Slope, slopes: Sequence[_Slope]) -> Trend:
    trend = slope.trend
    own_D = slope.standardised_D
    alike = [
        other.standardised_D
        for other in slopes
        if other.trend.unit == trend.unit
        and other.trend.task != TRAINING
        and other.standardised_D is not None
        and other.trend.varied == trend.varied
    ]
    if own_D is None or trend.task == TRAINING:
        return trend
    ranks_D = 1 + (np.array(alike) > own_D).sum(axis=0)
    return msgspec.structs.replace(trend, rank=estimate(ranks_D), num_ranked=len(alike))
