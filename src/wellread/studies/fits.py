"""Curves over the sizes of a series: what they are, how sure, and which predicts better."""

from collections.abc import Iterator, Sequence

import numpy as np

from wellread.base.intervals import Floats
from wellread.formats.estimates import Estimate, Unit, compared_in
from wellread.formats.findings import CurvePoint, Fit, Form
from wellread.formats.studies import SIZE, Series
from wellread.studies import curves
from wellread.studies.draws import Grouped, estimate
from wellread.studies.measures import AUXILIARY, printed
from wellread.studies.trends import x_of

POINTS_DRAWN = 25  # of a curve


def fits(every: Sequence[Series], scores: Sequence[Grouped]) -> Iterator[Fit]:
    """Every form that may hold of each metric; sizes that were predicted have no part in it."""
    for series in every:
        for one in scores if series.axis == SIZE else []:
            found = one.along(series.groups)
            known = found.along([group.name for group in found.groups if not group.is_predicted])
            if one.measure.metric not in AUXILIARY and known.groups:
                yield from _fits(series, known)


def _fits(series: Series, found: Grouped) -> Iterator[Fit]:
    measure, sizes_G = found.measure, x_of(series, found)
    errors = curves.left_out_errors(measure.unit, sizes_G, found.scores_GD[:, 0])
    for form, error in errors.items():
        fitted = curves.fit(form, sizes_G, found.scores_GD.T)
        parameters = {
            name: estimate(drawn_D)
            for name, drawn_D in zip(curves.NAMES[form], fitted.parameters_DP.T, strict=True)
        }
        yield Fit(
            series=series.name,
            task=measure.task,
            metric=measure.metric,
            unit=compared_in(measure.unit),
            form=form,
            parameters=parameters,
            is_limit_determined=_is_determined(form, parameters, found.scores_GD[:, 0]),
            residual=curves.residual(fitted, sizes_G, found.scores_GD[:, 0]),
            left_out_error=error,
            is_better=form == next(iter(errors)),
            curve=list(_curve(fitted, measure.unit, min(series.x), max(series.x))),
            varied=found.varied,
            runs=found.runs,
        )


def _is_determined(form: Form, parameters: dict[str, Estimate], scores_G: Floats) -> bool | None:
    """A limit that is not known better than by all that was measured is not known."""
    if form != "power":
        return None
    limit = parameters["limit"]
    if limit.low is None or limit.high is None:
        return False
    return bool(limit.high - limit.low < np.ptp(scores_G))


def _curve(
    fitted: curves.Curves, unit: Unit, smallest: float, largest: float
) -> Iterator[CurvePoint]:
    sizes = np.geomspace(smallest, largest, POINTS_DRAWN)
    for size, drawn_D in zip(sizes, fitted.at(sizes).T, strict=True):
        one = estimate(printed(unit, drawn_D))
        yield CurvePoint(num_parameters=float(size), value=one.value, low=one.low, high=one.high)
