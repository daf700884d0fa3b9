"""Predictions of sizes that are not trained yet, from runs whose scores follow a known law."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.studies.made import write_results, write_run
from wellread.base.errors import InputError
from wellread.formats.predictions import read_prediction
from wellread.model.sizes import ModelConfig
from wellread.studies import curves
from wellread.studies.config import StudyConfig
from wellread.studies.predict import Spread, predict_study, predictive_draws

SIZES = ["1x64", "1x128", "2x192", "3x256", "6x256"]
CONFIG = StudyConfig(vary={"model.size": SIZES}, seeds=[0, 1], predict=["5x320"])


def parameters(size: str) -> int:
    return ModelConfig(size=size, context=256).architecture(2048).num_parameters


def family(folder: Path, sizes: list[str]) -> list[Path]:
    """Two seeds each: nats = 1 + 3 * (N / 1e5) ** -0.3 a word, a hundredth more and less."""
    results = []
    for size in sizes:
        number = parameters(size)
        for seed in (0, 1):
            model = {"size": size, "context": 256}
            run = write_run(folder / "runs" / f"{size}-{seed}", model, number, seed=seed)
            nats = 1 + 3 * (number / 1e5) ** -0.3 + (0.01, -0.01)[seed]
            right = [1.0] * SIZES.index(size) + [0.0] * (9 - SIZES.index(size))
            results.append(write_results(folder / "results" / run.name, run, right, nats=nats))
    return results


def test_a_law_is_found_and_carried_on_to_the_next_size(tmp_path: Path) -> None:
    manifest = predict_study(family(tmp_path, SIZES), tmp_path / "prediction", CONFIG)
    accuracy, perplexity = read_prediction(tmp_path / "prediction").predicted
    assert (perplexity.size, perplexity.num_parameters) == ("5x320", 6_902_720)
    assert (perplexity.form, perplexity.unit, perplexity.largest) == (
        "power",
        "perplexity",
        "6x256",
    )
    truth = math.exp(1 + 3 * 69.0272**-0.3)
    assert perplexity.value == pytest.approx(truth, rel=1e-4)
    assert perplexity.low < truth < perplexity.high < 1.05 * truth
    assert (accuracy.form, len(accuracy.runs)) == ("line", 10)
    assert 0 <= accuracy.low < accuracy.value < accuracy.high <= 1
    assert manifest.facts["num_parameters"] == {"5x320": 6_902_720}


def test_along_a_line_the_interval_is_that_of_regression_for_a_new_observation() -> None:
    sizes_G, at = np.array([1e5, 3e5, 1e6, 3e6]), np.array([1e7])
    x = np.log10(sizes_G)
    scores_G = np.array([0.1, 0.16, 0.19, 0.26])
    line = stats.linregress(x, scores_G)
    deviation = math.sqrt(((scores_G - line.intercept - line.slope * x) ** 2).sum() / 2)
    far = 1 + 1 / 4 + (7 - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    half = stats.t.ppf(0.975, 2) * deviation * math.sqrt(far)
    curve = curves.fit("line", sizes_G, scores_G[None])
    assert curve.at(at)[0, 0] == pytest.approx(line.intercept + 7 * line.slope)
    about = curves.residual(curve, sizes_G, scores_G)
    assert about == pytest.approx(deviation)
    drawn = predictive_draws(curve, sizes_G, at, Spread(deviation, 2), np.random.default_rng(0))
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def test_what_cannot_be_predicted_is_refused_or_named(tmp_path: Path) -> None:
    out = tmp_path / "prediction"
    two = SIZES[:2]
    results = family(tmp_path, two)
    with pytest.raises(InputError, match="name sizes of models in `predict`"):
        predict_study(results, out, StudyConfig(vary={"model.size": two}, seeds=[0, 1]))
    predict_study(results, out, StudyConfig(vary={"model.size": two}, predict=["5x320"]))
    assert read_prediction(out).predicted == []
    assert read_prediction(out).not_predicted[0] == (
        "demo-lambada accuracy: 2 sizes, where a line needs 3"
    )
    late = StudyConfig(vary={"model.size": ["1x64"]}, predict=["1x128"])
    with pytest.raises(InputError, match="1x128-0 is of a size to be predicted, and was evaluated"):
        predict_study(results, tmp_path / "late", late)


def test_of_what_is_the_same_of_every_run_nothing_is_foretold(tmp_path: Path) -> None:
    results = []
    for size in SIZES[:3]:
        model = {"size": size, "context": 256}
        run = write_run(tmp_path / "runs" / size, model, parameters(size))
        nats = 5 - 0.1 * len(results)
        results.append(write_results(tmp_path / "results" / size, run, [0.0] * 4, nats=nats))
    config = StudyConfig(vary={"model.size": SIZES[:3]}, predict=["5x320"])
    predict_study(results, tmp_path / "prediction", config)
    found = read_prediction(tmp_path / "prediction")
    assert [one.metric for one in found.predicted] == ["perplexity"]
    assert found.not_predicted == [
        "demo-lambada accuracy: the same of every run, so that no scatter is known"
    ]
