"""Intervals over seeds and items: against slow code, against theory, and how often they hold."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import optimize, stats

from tests.reference import study_draws as slow
from wellread.base.intervals import Floats, resampled_sums
from wellread.formats.studies import Group
from wellread.studies import curves
from wellread.studies.draws import Grouped, Sampled, estimate, grouped
from wellread.studies.effects import paired_difference
from wellread.studies.measures import Measure
from wellread.studies.suddenness import excesses
from wellread.studies.trends import bend, per_tenfold

SIZES_G = np.array([2e5, 5e5, 1e6, 2e6, 5e6])
SEEDS = 3


def groups(sizes_G: Floats) -> list[Group]:
    return [
        Group(
            name=f"{size:g}", variant="", settings={"model.size": f"{size:g}"},
            num_parameters=int(size), is_predicted=False,
            runs=[f"{size:g}-{seed}" for seed in range(SEEDS)],
        )
        for size in sizes_G
    ]  # fmt: skip


def drawn(nats_GSN: Floats, seed: int = 0, sizes_G: Floats = SIZES_G) -> Grouped:
    """Of the nats of every item (sizes, seeds, items): all runs on the same drawn items."""
    family = groups(sizes_G)
    names = [run for group in family for run in group.runs]
    nats_RN = nats_GSN.reshape(len(names), -1)
    num = nats_RN.shape[1]
    sums_BR = np.stack(list(resampled_sums(nats_RN.T, np.random.default_rng(seed))))
    scores_RD = np.concatenate([nats_RN.sum(axis=1)[:, None], sums_BR.T], axis=1) / num
    measure = Measure("made", "bits", higher_is_better=False, chance=None, values={})
    found = grouped(Sampled(measure, dict(zip(names, scores_RD, strict=True))), family, seed)
    assert found is not None
    return found


def made(
    truth_G: Sequence[float] | Floats, source: np.random.Generator, *, items: int = 60
) -> Floats:
    """Nats about the truth: items differ (0.5), seeds differ (0.03), and both together (0.2)."""
    num = len(truth_G)
    return (
        np.asarray(truth_G)[:, None, None]
        + 0.5 * source.normal(size=items)
        + 0.03 * source.normal(size=(num, SEEDS, 1))
        + 0.2 * source.normal(size=(num, SEEDS, items))
    )


def test_means_and_slopes_have_the_intervals_of_a_slow_bootstrap() -> None:
    nats_GSN = made([3.0, 2.6, 2.4, 2.1, 1.9], np.random.default_rng(1))
    found, logs = drawn(nats_GSN), np.log10(SIZES_G)
    source = np.random.default_rng(0)
    draws = [slow.drawn_means(nats_GSN.tolist(), source) for _ in range(500)]
    slope_D = per_tenfold(SIZES_G, found.scores_GD)
    assert slope_D is not None
    assert found.varied == "seeds and items"
    for ours, theirs in (
        (estimate(found.scores_GD[0]), [means[0] for means in draws]),
        (estimate(slope_D), [slow.slope(logs, means) for means in draws]),
    ):
        low, high = slow.interval(theirs)
        tolerance = 0.12 * (high - low)
        assert ours.low == pytest.approx(low, abs=tolerance)
        assert ours.high == pytest.approx(high, abs=tolerance)
    assert estimate(slope_D).value == pytest.approx(slow.slope(logs, nats_GSN.mean(axis=(1, 2))))


def test_without_items_a_mean_of_seeds_has_student_s_interval() -> None:
    """Five groups of three seeds: ten degrees of freedom."""
    nats_GSN = 2 + 0.1 * np.random.default_rng(0).normal(size=(5, SEEDS, 1))
    scores = {
        run: nats for group, nats_S1 in zip(groups(SIZES_G), nats_GSN, strict=True)
        for run, nats in zip(group.runs, nats_S1, strict=True)
    }  # fmt: skip
    measure = Measure("training", "held_out_loss", higher_is_better=False, chance=None, values={})
    found = grouped(Sampled(measure, scores), groups(SIZES_G), 0)
    assert found is not None
    one = estimate(found.scores_GD[2])
    deviation = math.sqrt(nats_GSN.var(axis=1, ddof=1).mean())
    half = stats.t.ppf(0.975, 10) * deviation / math.sqrt(3)
    assert one.low is not None
    assert one.high is not None
    assert (one.high - one.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.varied == "seeds"


def test_a_slope_lies_in_its_interval_in_19_studies_of_20() -> None:
    held = 0
    for seed in range(60):
        truth_G = 3 - 0.4 * np.log10(SIZES_G / 2e5)
        found = drawn(made(truth_G, np.random.default_rng(seed)), seed)
        slope_D = per_tenfold(SIZES_G, found.scores_GD)
        assert slope_D is not None
        low, high = np.percentile(slope_D[1:], [2.5, 97.5])
        held += low <= -0.4 <= high
    assert 52 <= held <= 60  # 57 less 3 standard errors; rather too wide than too narrow


@pytest.mark.slow
def test_a_power_law_lies_in_its_intervals_in_19_studies_of_20() -> None:
    held = dict.fromkeys(curves.NAMES["power"], 0)
    truth = {"limit": 1.5, "factor": 2.0, "exponent": 0.5}
    truth_G = 1.5 + 2 * (SIZES_G / 2e5) ** -0.5
    for seed in range(100):
        nats_GSN = truth_G[:, None] + 0.03 * np.random.default_rng(seed).normal(size=(5, SEEDS))
        found = drawn(nats_GSN[:, :, None] + np.zeros(2), seed)
        fitted = curves.fit("power", SIZES_G, found.scores_GD.T)
        for name, drawn_D in zip(held, fitted.parameters_DP.T, strict=True):
            low, high = np.percentile(drawn_D[1:], [2.5, 97.5])
            held[name] += low <= truth[name] <= high
    assert all(89 <= number <= 100 for number in held.values()), held


def test_a_power_law_is_fitted_as_scipy_fits_it() -> None:
    source = np.random.default_rng(0)
    scores_DG = 2 + 1.5 * (SIZES_G / 2e5) ** -0.4 + 0.02 * source.normal(size=(5, 5))
    found = curves.fit("power", SIZES_G, scores_DG)
    for ours_P, scores_G in zip(found.parameters_DP, scores_DG, strict=True):
        theirs_P, _ = optimize.curve_fit(
            lambda n, limit, factor, exponent: limit + factor * (n / 2e5) ** -exponent,
            SIZES_G, scores_G, p0=[2, 1.5, 0.4], bounds=([0, -9, 0.01], [9, 9, 5]),
        )  # fmt: skip
        assert ours_P == pytest.approx(theirs_P, abs=1e-4)


def test_a_loss_has_no_limit_below_zero() -> None:
    """A straight line in log N that goes on falling is a power law without a limit at best."""
    found = curves.fit("power", SIZES_G, (2 - np.log10(SIZES_G / 2e5))[None])
    limit, factor, exponent = found.parameters_DP[0]
    assert limit == 0
    assert 0.3 < exponent < 0.5
    assert factor == pytest.approx(2, abs=0.1)


def test_a_left_out_size_tells_a_bend_from_a_line() -> None:
    bent_G = 2 + 1.5 * (SIZES_G / 2e5) ** -0.8
    errors = curves.left_out_errors("nats", SIZES_G, bent_G)
    assert list(errors) == ["power", "line"]
    assert errors["power"] == pytest.approx(0, abs=1e-6)
    straight_G = 0.1 + 0.2 * np.log10(SIZES_G / 2e5)
    assert curves.left_out_errors("share", SIZES_G, straight_G) == {"line": pytest.approx(0)}
    assert list(curves.left_out_errors("nats", SIZES_G[:3], bent_G[:3])) == ["line"]


def test_paired_seeds_have_the_interval_of_a_paired_t_test() -> None:
    first, second = np.array([3.1, 3.2, 3.0]), np.array([2.9, 3.1, 2.7])
    theirs = stats.ttest_rel(second, first).confidence_interval(0.95)
    ours = paired_difference((second - first)[:, None])
    assert ours.value == pytest.approx(-0.2)
    assert (ours.low, ours.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


def test_the_arms_of_seeds_and_of_items_add_up_as_squares() -> None:
    """Seeds 0.3 to either side, items 0.4: both 0.5."""
    error = 0.3 / stats.t.ppf(0.975, 1) * math.sqrt(2) / math.sqrt(2)
    by_seed_S1 = np.array([[1 - error], [1 + error]])
    items_B = np.linspace(-0.4, 0.4, 1001) / 0.95
    found = paired_difference(np.concatenate([by_seed_S1, by_seed_S1 + items_B], axis=1))
    assert (found.value, found.low, found.high) == (
        pytest.approx(1), pytest.approx(0.5, abs=1e-3), pytest.approx(1.5, abs=1e-3),
    )  # fmt: skip


def test_a_step_is_compared_with_its_part_of_a_straight_line() -> None:
    logs_G = np.array([0.0, 1.0, 2.0, 4.0])
    line_and_step_GD = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [4.0, 1.0]])
    assert excesses(logs_G, line_and_step_GD).T.tolist() == [[0, 0, 0], [-0.25, 0.75, -0.5]]


def test_a_parabola_bends_by_its_change_of_slope_and_a_line_not_at_all() -> None:
    sizes_G = np.array([0, 1e5, 1e6, 1e7])  # none planted has no place on the axis
    logs_G = np.array([9, 5, 6, 7])
    found_D = bend(sizes_G, np.stack([logs_G**2, 3 * logs_G + 1], axis=1).astype(float))
    assert found_D is not None
    assert found_D == pytest.approx([4, 0], abs=1e-9)  # slopes of 10 at first, 14 at last
    assert bend(sizes_G[:3], np.zeros((3, 1))) is None
