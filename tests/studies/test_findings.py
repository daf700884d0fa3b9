"""What a study finds in runs whose scores are known."""

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.studies.made import ago, write_results, write_run, write_tokens
from wellread.base.manifest import writing
from wellread.formats.metrics import Step
from wellread.formats.predictions import NAME, STAGE, Predicted, Prediction
from wellread.formats.studies import Study, read_study
from wellread.pipeline.study import fit_study
from wellread.studies.config import StudyConfig
from wellread.studies.predict import predict_study

SIZES = {"1x64": 200_000, "1x128": 600_000, "2x192": 2_000_000, "3x256": 6_000_000}
BY_SIZE = StudyConfig(vary={"model.size": list(SIZES)}, seeds=(0, 1))
OFF = (0.01, -0.01)  # of a seed


def study_of(results: list[Path], folder: Path, config: StudyConfig, **more: Any) -> Study:
    fit_study(results, folder / "study", config, **more)
    return read_study(folder / "study")


def by_size(folder: Path, right: dict[str, int], nats: dict[str, float]) -> list[Path]:
    """Two seeds of each size: so many of 40 items right, so many nats a word."""
    results = []
    for size, number in SIZES.items():
        for seed, off in enumerate(OFF):
            run = write_run(folder / "runs" / f"{size}-{seed}", size, number, seed=seed)
            answers = [1.0] * right[size] + [0.0] * (40 - right[size])
            given = {"nats": nats[size] + off, "chance": 0.1}
            results.append(write_results(folder / "results" / run.name, run, answers, **given))
    return results


STEP = {"1x64": 4, "1x128": 4, "2x192": 4, "3x256": 40}
FALLING = {size: 5 - math.log10(number) / 2 for size, number in SIZES.items()}


def test_a_jump_in_accuracy_beside_a_smooth_fall_of_loss_is_told_apart(tmp_path: Path) -> None:
    study = study_of(by_size(tmp_path, STEP, FALLING), tmp_path, BY_SIZE)
    accuracy, log_prob = study.suddenness
    assert (accuracy.metric, accuracy.verdict) == ("accuracy", "sudden")
    assert (accuracy.smaller, accuracy.larger) == ("2x192", "3x256")
    assert (log_prob.metric, log_prob.verdict) == ("log_prob", "smooth")
    assert log_prob.is_continuous
    assert log_prob.whole.value == pytest.approx(math.log10(30))  # half a nat a tenfold, 2 words


def test_chance_is_left_where_it_is_left_for_good(tmp_path: Path) -> None:
    """Of 40 items right: 4 are chance, 12 are more; the second size falls back to chance."""
    right = {"1x64": 12, "1x128": 4, "2x192": 16, "3x256": 40}
    study = study_of(by_size(tmp_path, right, FALLING), tmp_path, BY_SIZE)
    accuracy, perplexity = study.trends
    assert (accuracy.metric, accuracy.leaves_chance_at) == ("accuracy", "2x192")
    assert (perplexity.metric, perplexity.leaves_chance_at) == ("perplexity", None)
    assert accuracy.whole.value == pytest.approx(0.7)
    assert accuracy.standardised is not None
    assert accuracy.per_tenfold is not None
    assert accuracy.standardised.value == pytest.approx(accuracy.per_tenfold.value / 0.9)
    assert (accuracy.rank, accuracy.num_ranked) == (accuracy.rank, 1)
    # In nats a word, though perplexities: 0.5 a tenfold.
    assert perplexity.unit == "nats"
    assert perplexity.per_tenfold is not None
    assert perplexity.per_tenfold.value == pytest.approx(-0.5)
    last = study.group_scores[3]
    assert (last.group, last.value, last.varied) == ("3x256", 1.0, "seeds and items")
    assert last.low == pytest.approx(1 - 0.0876, abs=1e-4)  # Wilson's, of 40 of 40


def test_every_row_names_its_runs_and_a_run_its_directories(tmp_path: Path) -> None:
    study = study_of(by_size(tmp_path, STEP, FALLING), tmp_path, BY_SIZE)
    names = [f"{size}-{seed}" for size in SIZES for seed in (0, 1)]
    assert [run.name for run in study.runs] == sorted(names, key=lambda n: SIZES[n[:-2]])
    assert study.runs[0].run == "../runs/1x64-0"
    assert study.runs[0].results == ["../results/1x64-0"]
    for rows in (study.trends, study.fits, study.suddenness):
        assert all(row.runs == names for row in rows)
    assert [group.runs for group in study.groups][:1] == [["1x64-0", "1x64-1"]]


@pytest.mark.parametrize(
    ("held_out", "training", "verdict"),
    [
        ([4.0, 3.5, 3.0, 2.5], [3.9, 3.4, 2.9, 2.4], "still underfit"),
        ([4.0, 3.6, 3.2, 2.8], [3.9, 3.3, 2.7, 2.1], "underfit, but the gap grows"),
        ([4.0, 3.5, 3.3, 3.5], [3.9, 3.4, 2.9, 2.0], "overfits"),
    ],
)
def test_models_underfit_while_both_losses_fall(
    held_out: list[float], training: list[float], verdict: str, tmp_path: Path
) -> None:
    results = []
    for place, (size, number) in enumerate(SIZES.items()):
        for seed, off in enumerate(OFF):
            run = write_run(tmp_path / "runs" / f"{size}-{seed}", size, number, seed=seed)
            for split, losses in (("validation", held_out), ("train", training)):
                results.append(
                    write_results(
                        tmp_path / split / run.name, run, [0.0] * 6, nats=losses[place] + off,
                        task="held-out", protocol=f"held-out:1|split={split}",
                        stem=f"held-out,split={split}",
                    )
                )  # fmt: skip
    study = study_of(results, tmp_path, BY_SIZE)
    [found] = study.underfitting
    assert found.verdict == verdict
    assert found.gaps[0].gap.value == pytest.approx(0.1)
    # Seeds are off in both alike, so that the gap is sure.
    assert found.gaps[0].gap.high == pytest.approx(0.1)
    assert study.runs[0].evaluated_training == pytest.approx(training[0] + 0.01)


def test_variants_are_compared_with_the_first_seed_by_seed(tmp_path: Path) -> None:
    config = StudyConfig(
        vary={"model.size": ["2x64"]},
        variants={"pre-LN": {}, "post-LN": {"model.norm": "post"}},
        seeds=(0, 1, 2),
    )
    results = []
    for norm, gains in (("pre", (0.0, 0.0, 0.0)), ("post", (0.2, 0.3, 0.1))):
        for seed, gain in enumerate(gains):
            run = write_run(
                tmp_path / "runs" / f"{norm}-{seed}", {"size": "2x64", "norm": norm}, 100,
                seed=seed, facts={"held_out_loss": 3.0 + seed + gain},
                logged=[
                    Step(step=step, tokens=0, gradient_norms=[4.0 + gain, 1.0])
                    for step in (1, 2)
                ],
            )  # fmt: skip
            nats = [2.0 + gain] * 4
            results.append(write_results(tmp_path / run.name, run, [1.0] * 4, nats=nats))
    study = study_of(results, tmp_path, config)
    found = {one.metric: one for one in study.effects}
    loss = found["held_out_loss"]
    assert (loss.variant, loss.reference, loss.seeds) == ("post-LN", "pre-LN", [0, 1, 2])
    assert loss.by_seed == pytest.approx([0.2, 0.3, 0.1])
    assert loss.difference.value == pytest.approx(0.2)
    # Student's t of two degrees of freedom: 4.303 * 0.1 / sqrt(3).
    assert loss.difference.low == pytest.approx(0.2 - 0.2484, abs=1e-4)
    assert (loss.varied, loss.verdict) == ("seeds", "")
    assert found["perplexity"].unit == "nats"
    assert found["perplexity"].varied == "seeds and items"
    assert found["perplexity"].difference.low == pytest.approx(0.2 - 0.2484, abs=1e-4)
    assert found["gradient_norm_first_block"].difference.value == pytest.approx(0.2)
    assert found["gradient_norm_first_block"].verdict == ""
    assert (study.runs[0].name, study.runs[0].gradient_norms) == ("post-0", [4.2, 1.0])
    assert (study.differs_too, study.not_compared) == ({}, [])


def test_tokens_of_two_vocabularies_are_not_compared(tmp_path: Path) -> None:
    config = StudyConfig(variants={"BPE": {}, "bytes": {"tokenizer.vocab_size": 257}})
    results = []
    for name, vocab_size, words in (("BPE", 2048, 2), ("bytes", 257, 9)):
        tokens = write_tokens(tmp_path / name, b"", vocab_size=vocab_size)
        run = write_run(
            tmp_path / "runs" / name, "2x64", 100, tokens=tokens, facts={"held_out_loss": 3.0}
        )
        results.append(write_results(tmp_path / "results" / name, run, [1, 0], words=words))
    study = study_of(results, tmp_path, config)
    assert [one.metric for one in study.effects] == ["accuracy"]
    assert study.effects[0].verdict == ""  # of one seed each
    assert study.not_compared == [
        "demo-lambada perplexity of BPE and bytes: per token of different vocabularies",
        "training held_out_loss of BPE and bytes: per token of different vocabularies",
    ]
    assert study.differs_too == {}


def test_scores_follow_the_number_of_demonstrations_at_each_size(tmp_path: Path) -> None:
    """Of 40: none right without a demonstration, then 10 more for each tenfold."""
    counts = [0, 10, 100, 1000]
    config = StudyConfig(vary={"plant.demonstrations": counts, "model.size": ["1x64", "1x128"]})
    results = []
    for place, count in enumerate(counts):
        tokens = write_tokens(tmp_path / f"{count}", b"", demonstrations=count)
        for size in config.vary["model.size"]:
            run = write_run(tmp_path / "runs" / f"{count}-{size}", size, SIZES[size], tokens=tokens)
            right = [1.0] * 10 * place + [0.0] * (40 - 10 * place)
            results.append(write_results(tmp_path / "results" / run.name, run, right))
    study = study_of(results, tmp_path, config)
    assert [(one.axis, one.name, len(one.groups)) for one in study.series] == [
        *(("plant.demonstrations", size, 4) for size in ("1x64", "1x128")),
        *(("model.size", str(count), 2) for count in counts),
    ]
    found = next(one for one in study.trends if one.series == "1x128")
    assert (found.metric, found.axis) == ("accuracy", "plant.demonstrations")
    assert found.whole.value == 0.75
    assert found.per_tenfold is not None
    assert found.per_tenfold.value == pytest.approx(0.25)
    assert study.series[0].x == [0, 10, 100, 1000]
    assert study.differs_too == {}


@pytest.mark.parametrize(
    ("finished_at", "reason"),
    [(ago(-1), ""), (ago(1), "made afterwards: the training of 4x64 had begun")],
)
def test_a_prediction_counts_only_if_training_began_after_it(
    finished_at: datetime, reason: str, tmp_path: Path
) -> None:
    """Runs of real sizes with a vocabulary of 2,048, of which the last was predicted."""
    numbers = {"1x64": 247_040, "2x64": 297_024, "3x64": 347_008, "4x64": 396_992}
    config = StudyConfig(vary={"model.size": list(numbers)[:3]}, predict=("4x64",))
    results = []
    for size, number in numbers.items():
        model = {"size": size, "context": 1024}
        run = write_run(
            tmp_path / "runs" / size, model, number,
            finished_at=finished_at if size == "4x64" else None,
            logged=[Step(step=1, tokens=1, seconds=60.0)],
        )  # fmt: skip
        place = list(numbers).index(size)
        right = [1.0] * (2 + 2 * place) + [0.0] * (10 - 2 * place)
        results.append(write_results(tmp_path / "results" / size, run, right, nats=3 - 0.1 * place))
    predict_study(results[:3], tmp_path / "prediction", config)
    study = study_of(results, tmp_path, config, prediction=tmp_path / "prediction")
    assert study.prediction == "../prediction"
    assert [run.name for run in study.runs if run.is_predicted] == ["4x64"]
    accuracy, perplexity = study.predictions
    assert (accuracy.actual, accuracy.reason) == (pytest.approx(8 / 12), reason)
    assert accuracy.counts == (not reason)
    assert accuracy.predicted.largest_value == pytest.approx(0.5)
    assert accuracy.naive_error == pytest.approx(1 / 6)
    assert abs(accuracy.error) < 0.05
    assert perplexity.actual == pytest.approx(math.exp(2.7))
    assert perplexity.error == pytest.approx(2.7 - math.log(perplexity.predicted.value), abs=1e-9)
    # No part of the fits, and the end of the trends.
    assert all(fit.runs == ["1x64", "2x64", "3x64"] for fit in study.fits)
    assert study.trends[0].runs[-1] == "4x64"


def test_an_interval_without_width_has_no_standardised_error(tmp_path: Path) -> None:
    """As one whose ends both were above 100 %."""
    results = by_size(tmp_path, dict.fromkeys(SIZES, 40), FALLING)
    sure = Predicted(
        series="", size="3x256", num_parameters=6_000_000, task="demo-lambada", metric="accuracy",
        unit="share", higher_is_better=True, value=1.0, low=1.0, high=1.0, form="line",
        largest="2x192", largest_value=0.9, runs=[],
    )  # fmt: skip
    prediction = tmp_path / "prediction"
    with writing(prediction, stage=STAGE, config=BY_SIZE, inputs={}) as draft:
        found = Prediction(predicted=[sure], not_predicted=[])
        draft.write(NAME, msgspec.json.encode(found))
    (one,) = study_of(results, tmp_path, BY_SIZE, prediction=prediction).predictions
    assert (one.actual, one.is_inside, one.standardised_error) == (1.0, True, None)
