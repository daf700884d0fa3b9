"""Curves of a score over the number of parameters, fitted to many draws at once.

line: intercept + slope * log10(N). power: limit + factor * (N / smallest)**-exponent, limit >= 0:
for a fixed exponent a linear least squares, so a grid over exponents has all draws in one product.

Shapes: D draws, G sizes, E exponents.
"""

from typing import NamedTuple

import numpy as np

from wellread.base.intervals import Floats
from wellread.formats.estimates import Unit
from wellread.formats.findings import LEAST_EXPONENT, MOST_EXPONENT, Form
from wellread.studies.measures import is_loss

NAMES: dict[Form, tuple[str, ...]] = {
    "line": ("intercept", "slope"),
    "power": ("limit", "factor", "exponent"),
}
LEAST_SIZES: dict[Form, int] = {"line": 3, "power": 4}  # one more than there are parameters
EXPONENTS = np.geomspace(LEAST_EXPONENT, MOST_EXPONENT, 200)  # measured ones are below 1
FINER = np.linspace(-1, 1, 21)  # between the neighbours on the grid before
WIDTHS = np.log(EXPONENTS[1] / EXPONENTS[0]) * np.array([1, 1 / 10, 1 / 100, 1 / 1000])


class Curves(NamedTuple):
    """One form fitted to each draw."""

    form: Form
    smallest: float
    parameters_DP: Floats

    def at(self, sizes_G: Floats) -> Floats:
        """Their values (D, G) at numbers of parameters."""
        first_D1, second_D1, *rest = np.hsplit(self.parameters_DP, len(NAMES[self.form]))
        if self.form == "line":
            return first_D1 + second_D1 * np.log10(sizes_G)
        values: Floats = first_D1 + second_D1 * (sizes_G / self.smallest) ** -rest[0]
        return values


def fit(form: Form, sizes_G: Floats, scores_DG: Floats) -> Curves:
    """Least squares over the sizes, for each draw."""
    smallest = float(sizes_G.min())
    if form == "line":
        design_G2 = np.stack([np.ones_like(sizes_G), np.log10(sizes_G)], axis=1)
        return Curves(form, smallest, scores_DG @ np.linalg.pinv(design_G2).T)
    logs_G = np.log(sizes_G / smallest)
    draws = np.arange(len(scores_DG))
    exponents_DE = EXPONENTS[None]
    found = _power(exponents_DE, logs_G, scores_DG)
    for width in WIDTHS:
        best_D1 = exponents_DE[draws % len(exponents_DE), found.errors_DE.argmin(axis=1), None]
        exponents_DE = best_D1 * np.exp(width * FINER)
        found = _power(exponents_DE, logs_G, scores_DG)
    best_D = found.errors_DE.argmin(axis=1)
    parameters = [each[draws, best_D] for each in (found.limits_DE, found.factors_DE, exponents_DE)]
    return Curves(form, smallest, np.stack(parameters, axis=1))


class _Power(NamedTuple):
    limits_DE: Floats
    factors_DE: Floats
    errors_DE: Floats  # sums of squares


def _power(exponents_DE: Floats, logs_G: Floats, scores_DG: Floats) -> _Power:
    """Limit and factor that fit best for each exponent; these may be the same for all draws."""
    terms_DEG = np.exp(-exponents_DE[:, :, None] * logs_G)
    mean_DE = terms_DEG.mean(axis=2)
    centred_DEG = terms_DEG - mean_DE[:, :, None]
    score_D1 = scores_DG.mean(axis=1, keepdims=True)
    across_DE = np.einsum("deg,dg->de", centred_DEG, scores_DG - score_D1)
    factors_DE = across_DE / (centred_DEG**2).sum(axis=2)
    limits_DE = score_D1 - factors_DE * mean_DE
    # No loss is below zero: a curve that would be is fitted again without a limit.
    is_below_DE = limits_DE < 0
    alone_DE = np.einsum("deg,dg->de", terms_DEG, scores_DG) / (terms_DEG**2).sum(axis=2)
    factors_DE = np.where(is_below_DE, alone_DE, factors_DE)
    limits_DE = np.where(is_below_DE, 0.0, limits_DE)
    left_DEG = limits_DE[:, :, None] + factors_DE[:, :, None] * terms_DEG - scores_DG[:, None, :]
    return _Power(limits_DE, factors_DE, (left_DEG**2).sum(axis=2))


def residual(curves: Curves, sizes_G: Floats, scores_G: Floats) -> float | None:
    """Standard deviation about the first draw's curve; None: no degree of freedom is left."""
    left = freedom(curves.form, len(sizes_G))
    if left < 1:
        return None
    errors_G = scores_G - curves.at(sizes_G)[0]
    return float(np.sqrt((errors_G**2).sum() / left))


def freedom(form: Form, num_sizes: int) -> int:
    """Degrees of freedom of the scatter about a curve."""
    return num_sizes - len(NAMES[form])


def left_out_error(form: Form, sizes_G: Floats, scores_G: Floats) -> float:
    """Root mean square of the errors at each size of the curve through all others."""
    errors = []
    for number, size in enumerate(sizes_G):
        others = np.arange(len(sizes_G)) != number
        curves = fit(form, sizes_G[others], scores_G[None, others])
        errors.append(scores_G[number] - curves.at(np.array([size]))[0, 0])
    return float(np.sqrt(np.mean(np.square(errors))))


def left_out_errors(unit: Unit, sizes_G: Floats, scores_G: Floats) -> dict[Form, float]:
    """Of each form that may hold, and that so many sizes can tell from others, the best first."""
    forms: tuple[Form, ...] = ("power", "line") if is_loss(unit) else ("line",)
    errors = {
        form: left_out_error(form, sizes_G, scores_G)
        for form in forms
        if len(sizes_G) >= LEAST_SIZES[form]
    }
    return dict(sorted(errors.items(), key=lambda pair: pair[1]))
