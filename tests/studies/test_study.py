"""Two or three runs with results written by hand, and the differences a person can check."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.studies.made import write_results, write_run, write_tokens
from wellread.base.errors import InputError
from wellread.evaluate.compare import compare
from wellread.formats.studies import read_study
from wellread.pipeline.study import fit_study
from wellread.studies.config import StudyConfig

BY_SIZE = StudyConfig(vary={"model.size": ["2x64", "4x128"]})


@pytest.fixture
def two_results(tmp_path: Path) -> list[Path]:
    """The larger is named first: order must not matter."""
    large = write_run(tmp_path / "runs" / "large", "4x128", 900)
    small = write_run(tmp_path / "runs" / "small", "2x64", 100)
    return [
        write_results(tmp_path / "results-large", large, [1, 1, 1, 0], nats=1.0),
        write_results(tmp_path / "results-small", small, [0, 1, 0, 0], nats=2.0),
    ]


def test_every_score_is_a_point_beside_the_settings_varied(
    two_results: list[Path], tmp_path: Path
) -> None:
    manifest = fit_study(two_results, tmp_path / "study", BY_SIZE)
    points = read_study(tmp_path / "study").points
    accuracies = [(p.run, p.settings, p.num_parameters, p.value) for p in points][::2]
    assert accuracies == [
        ("small", {"model.size": "2x64"}, 100, 0.25),
        ("large", {"model.size": "4x128"}, 900, 0.75),
    ]
    assert manifest.counts == {"in": 4, "out": 4, "runs": 2, "differences": 2}
    assert read_study(tmp_path / "study").caution == ""


def test_differences_are_larger_less_smaller_over_the_same_items(
    two_results: list[Path], tmp_path: Path
) -> None:
    fit_study(two_results, tmp_path / "study", BY_SIZE)
    accuracy, perplexity = read_study(tmp_path / "study").differences
    assert (accuracy.smaller, accuracy.larger) == ("small", "large")
    assert (accuracy.metric, accuracy.difference, accuracy.num_items) == ("accuracy", 0.5, 4)
    assert (accuracy.low, accuracy.high, accuracy.num_units) == (0.0, 1.0, 4)
    # Every item has the same perplexity, so that all resamples agree.
    assert perplexity.difference == pytest.approx(math.e - math.e**2)
    assert perplexity.low == pytest.approx(perplexity.high)
    assert not perplexity.higher_is_better


def test_intervals_are_over_documents_as_those_of_compare_are(tmp_path: Path) -> None:
    """All of the gain is in one document of two: a resample may have none of it, or it alone."""
    small = write_run(tmp_path / "small", "2x64", 100)
    large = write_run(tmp_path / "large", "4x128", 900)
    documents = ["a"] * 10 + ["b"] * 10
    results = [
        write_results(tmp_path / "s", small, [0] * 20, documents=documents),
        write_results(tmp_path / "l", large, [1] * 10 + [0] * 10, documents=documents),
    ]
    fit_study(results, tmp_path / "study", BY_SIZE)
    accuracy = read_study(tmp_path / "study").differences[0]
    assert (accuracy.difference, accuracy.low, accuracy.high) == (0.5, 0.0, 1.0)
    assert (accuracy.num_items, accuracy.num_units) == (20, 2)
    [found, _] = compare(*results)
    assert (found.difference, found.low, found.high) == (0.5, 0.0, 1.0)


def test_a_task_without_items_in_common_is_named(tmp_path: Path) -> None:
    small = write_run(tmp_path / "small", "2x64", 100)
    large = write_run(tmp_path / "large", "4x128", 900)
    results = [
        write_results(tmp_path / "s", small, [0, 1]),
        write_results(tmp_path / "l", large, [0, 1], prefix="other "),
    ]
    fit_study(results, tmp_path / "study", BY_SIZE)
    study = read_study(tmp_path / "study")
    assert (study.differences, study.unpaired) == ([], ["demo-lambada of small and large"])


def test_items_that_only_one_model_scored_are_left_out(tmp_path: Path) -> None:
    small = write_run(tmp_path / "small", "2x64", 100)
    large = write_run(tmp_path / "large", "4x128", 900)
    results = [
        write_results(tmp_path / "s", small, [0, 0, 0, 0, 1, 1]),
        write_results(tmp_path / "l", large, [1, 0, 1, 0]),
    ]
    fit_study(results, tmp_path / "study", BY_SIZE)
    accuracy = read_study(tmp_path / "study").differences[0]
    assert (accuracy.difference, accuracy.num_items) == (0.5, 4)


def test_what_the_runs_differ_in_besides_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results = []
    for size, parameters, steps in (("2x64", 100, 20), ("4x128", 900, 30)):
        tokens = write_tokens(tmp_path / size, size.encode())
        run = write_run(tmp_path / f"run-{size}", size, parameters, steps=steps, tokens=tokens)
        results.append(write_results(tmp_path / f"results-{size}", run, [0, 1]))
    fit_study(results, tmp_path / "study", BY_SIZE)
    found = read_study(tmp_path / "study")
    assert list(found.differs_too) == ["train.steps", "tokens", "corpus", "tokenizer"]
    assert found.differs_too["train.steps"] == [20, 30]
    assert "the runs differ also in train.steps (20, 30); tokens (" in caplog.text


def test_runs_are_paired_only_if_they_differ_in_one_setting(tmp_path: Path) -> None:
    results = []
    for size, parameters in (("2x64", 100), ("4x128", 900)):
        for seed in (0, 1):
            run = write_run(tmp_path / f"{size}-{seed}", size, parameters, seed=seed)
            results.append(write_results(tmp_path / f"results-{size}-{seed}", run, [0, 1, 1, 0]))
    vary: dict[str, list[Any]] = {"model.size": ["2x64", "4x128"], "train.seed": [0, 1]}
    fit_study(results, tmp_path / "study", StudyConfig(vary=vary))
    found = read_study(tmp_path / "study").differences
    assert {(difference.smaller, difference.larger) for difference in found} == {
        ("2x64-0", "4x128-0"),
        ("2x64-1", "4x128-1"),
    }


def test_what_is_no_family_is_refused(two_results: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    with pytest.raises(InputError, match="at least 2 runs"):
        fit_study(two_results[:1], out, BY_SIZE)
    with pytest.raises(InputError, match=r"no setting 'model\.sise'; did you mean 'model\.size'"):
        fit_study(two_results, out, StudyConfig(vary={"model.sise": ["2x64"]}))
    with pytest.raises(InputError, match=r"model\.size is '.*', which is none of"):
        fit_study(two_results, out, StudyConfig(vary={"model.size": ["8x256"]}))
    with pytest.raises(InputError, match=r"'demo-lambada' of run 'large' is in .* too"):
        fit_study([*two_results, two_results[0]], out, BY_SIZE)
    assert not out.exists()


def test_scores_of_different_protocols_are_not_compared(
    two_results: list[Path], tmp_path: Path
) -> None:
    large = tmp_path / "runs" / "large"
    write_results(two_results[0], large, [1, 1, 1, 0], protocol="demo-lambada:2")
    with pytest.raises(InputError, match="scored as demo-lambada:2, for 'small' as demo-lamb"):
        fit_study(two_results, tmp_path / "study", BY_SIZE)
