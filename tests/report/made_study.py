"""A study of made, plausible rows, and the runs that it is about: one of each kind of study."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.formats import predictions, studies
from wellread.formats.estimates import Estimate, Unit
from wellread.formats.findings import (
    CurvePoint,
    Effect,
    Fit,
    Gap,
    Suddenness,
    Trend,
    Underfitting,
)
from wellread.formats.metrics import Step, encode_step
from wellread.formats.predictions import Predicted, Prediction, ScoredPrediction
from wellread.formats.studies import (
    LOG_PROB,
    SIZE,
    Group,
    GroupScore,
    Point,
    Run,
    Series,
    Study,
)
from wellread.studies.config import StudyConfig

SIZES = {
    "1x64": 197_000, "1x128": 493_000, "2x192": 1_332_000, "3x256": 2_960_000, "6x256": 5_330_000,
    "5x320": 6_890_000,
}  # fmt: skip
NEXT = "5x320"  # predicted
SEEDS = (0, 1, 2)
# task: share at 200,000 parameters, gain by tenfold, chance
TASKS: dict[str, tuple[float, float, float | None]] = {
    "cloze-last-word": (0.021, 0.022, None),
    "cloze-ten-words": (0.22, 0.094, 0.1),
    "cloze-ten-words,items=300,kind=names": (0.13, 0.13, 0.1),
    "cloze-ten-words,items=300,kind=nouns": (0.16, 0.08, 0.1),
    "cloze-ten-words,items=300,kind=verbs": (0.24, 0.06, 0.1),
    "cloze-ten-words,items=300,kind=prepositions": (0.41, 0.04, 0.1),
}
PLANTED = "plant.demonstrations"


class NoSettings(Config, frozen=True):
    pass


class TrainSettings(Config, frozen=True):
    model: dict[str, Any]
    train: dict[str, Any]


def wobble(*names: object) -> float:
    """A number from -1 to 1 that depends on the names alone."""
    return math.sin(
        sum((place + 1.7) * ord(c) for place, c in enumerate("/".join(map(str, names))))
    )


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def loss_of(task: str, parameters: float) -> float:
    limit = 1.49 if "train" in task else 1.55
    return limit + 6 * math.exp(-0.18 * math.log(parameters))


def share_of(task: str, parameters: float) -> float:
    start, gain, _ = TASKS[task]
    return start + gain * math.log10(parameters / 200_000)


def metric_of(task: str) -> tuple[str, Unit, float]:
    """Its name, its unit, and how far seeds lie apart."""
    return ("bits_per_byte", "bits", 0.006) if "held" in task else ("accuracy", "share", 0.008)


def value_of(task: str, parameters: float) -> float:
    return loss_of(task, parameters) if "held" in task else share_of(task, parameters)


ALL_TASKS = ("held-out", "held-out,each=4,split=train", *TASKS)


def run_of(name: str, variant: str, settings: dict[str, Any], seed: int, parameters: int) -> Run:
    return Run(
        name=f"{name}-{seed}", variant=variant, settings=settings, seed=seed, group=name,
        is_predicted=name == NEXT, num_parameters=parameters, tokens_seen=1_228_800,
        held_out_loss=3.4, held_out_bits_per_byte=1.9, evaluated_held_out=3.41,
        evaluated_training=3.35, seconds=240.0, gradient_norms=None,
        run=f"../runs/{name}-{seed}", results=[f"../results/{name}-{seed}"],
    )  # fmt: skip


def group_of(runs: list[Run]) -> Group:
    first = runs[0]
    return Group(
        name=first.group, variant=first.variant, settings=first.settings,
        num_parameters=first.num_parameters, is_predicted=first.is_predicted,
        runs=[run.name for run in runs],
    )  # fmt: skip


def scores_of(
    runs: list[Run], task: str, metric: str, unit: Unit, middle: float, apart: float,
    chance: float | None,
) -> tuple[list[Point], GroupScore]:  # fmt: skip
    values = [middle + apart * wobble(run.name, task) for run in runs]
    points = [
        Point(
            run=run.name, settings=run.settings, num_parameters=run.num_parameters, task=task,
            protocol=f"{task}:1", metric=metric, unit=unit, value=value, low=value - 2 * apart,
            high=value + 2 * apart, chance=chance, higher_is_better=unit == "share",
        )
        for run, value in zip(runs, values, strict=True)
    ]  # fmt: skip
    mean = sum(values) / len(values)
    score = GroupScore(
        group=runs[0].group, task=task, metric=metric, unit=unit, value=mean,
        low=mean - 1.5 * apart, high=mean + 1.5 * apart, seed_deviation=apart, chance=chance,
        higher_is_better=unit == "share", varied="seeds and items", num_items=1200, num_units=90,
        runs=[run.name for run in runs],
    )  # fmt: skip
    return points, score


def size_study() -> tuple[Study, Prediction]:
    families = [
        [run_of(size, "", {SIZE: size}, seed, number) for seed in SEEDS]
        for size, number in SIZES.items()
    ]
    points, scores = [], []
    for runs in families:
        for task in ALL_TASKS:
            metric, unit, apart = metric_of(task)
            middle = value_of(task, runs[0].num_parameters)
            chance = TASKS[task][2] if task in TASKS else None
            found, score = scores_of(runs, task, metric, unit, middle, apart, chance)
            points += found
            scores.append(score)
            if task in TASKS:
                middle = -5 + 1.1 * math.log10(runs[0].num_parameters / 200_000)
                scores.append(scores_of(runs, task, LOG_PROB, "nats", middle, 0.08, None)[1])
    names = [name for name in SIZES if name != NEXT]
    series = Series(
        name="", axis=SIZE, variant="", fixed={}, groups=[*names, NEXT],
        x=[float(number) for number in SIZES.values()],
    )  # fmt: skip
    predicted = [_predicted(task) for task in ALL_TASKS]
    came = {(score.group, score.task): score.value for score in scores if score.metric != LOG_PROB}
    study = empty_study(
        vary={SIZE: names},
        runs=[run for runs in families for run in runs],
        points=points,
        groups=[group_of(runs) for runs in families],
        group_scores=scores,
        series=[series],
        trends=[_trend(task, rank) for rank, task in enumerate(ALL_TASKS, start=1)],
        fits=[fit for task in ALL_TASKS for fit in _fits(task)],
        predictions=[_scored(one, came[NEXT, one.task]) for one in predicted],
        prediction="../prediction",
        underfitting=[_underfitting(names)],
        suddenness=list(_suddenness()),
    )
    return study, Prediction(predicted=predicted, not_predicted=[])


def empty_study(**rows: Any) -> Study:
    nothing: dict[str, Any] = {
        key: []
        for key in (
            "runs", "points", "groups", "group_scores", "series", "trends", "fits", "predictions",
            "underfitting", "suddenness", "effects", "differences", "unpaired", "not_compared",
        )
    }  # fmt: skip
    return Study(
        **{**nothing, "vary": {}, "variants": {}, "differs_too": {}, "prediction": None, **rows}
    )


def _trend(task: str, rank: int) -> Trend:
    metric, unit, apart = metric_of(task)
    is_share = unit == "share"
    per_tenfold = value_of(task, 2e6) - value_of(task, 2e5)
    chance = TASKS[task][2] if is_share else None
    room = 1 - (chance or 0.0)
    ordered = sorted(TASKS, key=lambda name: -TASKS[name][1] / (1 - (TASKS[name][2] or 0.0)))
    place = ordered.index(task) + 1 if is_share else rank
    return Trend(
        series="", axis=SIZE, task=task, metric=metric, unit=unit, higher_is_better=is_share,
        per_tenfold=around(per_tenfold, 1.4 * apart), whole=around(1.43 * per_tenfold, 2 * apart),
        standardised=around(abs(per_tenfold) / room, 1.4 * apart), chance=chance,
        bend=around(-0.02, 0.05),
        rank=Estimate(value=place, low=max(1, place - 1), high=min(6, place + 1)),
        num_ranked=len(TASKS) if is_share else 2, leaves_chance_at="1x64" if chance else None,
        varied="seeds and items", runs=[],
    )  # fmt: skip


def _fits(task: str) -> Iterator[Fit]:
    metric, unit, apart = metric_of(task)
    places = [197_000 * 1.11**step for step in range(36)]
    values = [(place, value_of(task, place)) for place in places]
    curve = [
        CurvePoint(num_parameters=place, value=v, low=v - apart, high=v + apart)
        for place, v in values
    ]
    forms: tuple[tuple[Literal["line", "power"], dict[str, Estimate]], ...] = (
        ("line", {"intercept": around(0.1, 0.05), "slope": around(0.09, 0.01)}),
        ("power", {"limit": around(1.5, 0.4), "factor": around(0.6, 0.1),
                   "exponent": around(0.18, 0.05)}),
    )  # fmt: skip
    for form, parameters in forms:
        yield Fit(
            series="", task=task, metric=metric, unit=unit, form=form, parameters=parameters,
            is_limit_determined=False if form == "power" else None, residual=apart / 2,
            left_out_error=apart, is_better=(form == "power") == (unit == "bits"), curve=curve,
            varied="seeds and items", runs=[],
        )  # fmt: skip


def _predicted(task: str) -> Predicted:
    metric, unit, apart = metric_of(task)
    value = value_of(task, SIZES[NEXT])
    return Predicted(
        series="", size=NEXT, num_parameters=SIZES[NEXT], task=task, metric=metric, unit=unit,
        higher_is_better=unit == "share", value=value, low=value - 0.35 * apart,
        high=value + 0.35 * apart, form="line", largest="6x256",
        largest_value=value_of(task, SIZES["6x256"]), runs=[],
    )  # fmt: skip


def _scored(one: Predicted, actual: float) -> ScoredPrediction:
    return ScoredPrediction(
        predicted=one, actual=actual, is_inside=one.low <= actual <= one.high,
        standardised_error=2 * 1.96 * (actual - one.value) / (one.high - one.low),
        error=actual - one.value, naive_error=actual - one.largest_value, counts=True, reason="",
        runs=[],
    )  # fmt: skip


def _underfitting(names: Iterable[str]) -> Underfitting:
    gaps = []
    for name in names:
        held_out, training = (2.3 * loss_of(t, SIZES[name]) for t in ("held-out", "train"))
        gaps.append(
            Gap(
                group=name, num_parameters=SIZES[name], held_out=around(held_out, 0.02),
                training=around(training, 0.02), gap=around(held_out - training, 0.012), runs=[],
            )
        )  # fmt: skip
    return Underfitting(
        series="", gaps=gaps, held_out_per_tenfold=around(-0.52, 0.03),
        training_per_tenfold=around(-0.53, 0.03), gap_per_tenfold=around(0.01, 0.02),
        held_out_last_step=around(-0.06, 0.01), training_last_step=around(-0.06, 0.01),
        verdict="still underfit",
        reason="held-out loss falls with the last step of size, and the gap does not grow",
        runs=[],
    )  # fmt: skip


def _suddenness() -> Iterator[Suddenness]:
    for task in TASKS:
        for metric in ("accuracy", LOG_PROB):
            is_odd = task.endswith("names") and metric == "accuracy"
            yield Suddenness(
                series="", task=task, metric=metric, is_continuous=metric == LOG_PROB,
                unit="nats" if metric == LOG_PROB else "share", whole=around(0.14, 0.02),
                smaller="1x128", larger="2x192", excess=around(0.3 if is_odd else 0.05, 0.12),
                probability=0.01 if is_odd else 0.4, verdict="sudden" if is_odd else "smooth",
                runs=[],
            )  # fmt: skip


VARIANTS: dict[str, dict[str, Any]] = {
    "reference": {}, "post-LN": {"model.norm": "post"},
    "no residual scaling": {"model.scale_residuals": False},
    "no final LN": {"model.final_norm": False}, "context 128": {"model.context": 128},
    "bytes": {"tokenizer.vocab_size": 257}, "not cleaned": {"corpus.clean": False},
}  # fmt: skip
HARM = dict(zip(VARIANTS, (0.0, 0.062, 0.006, 0.021, 0.034, 0.155, -0.012), strict=True))


def design_study() -> Study:
    families = {
        name: [run_of(name.replace(" ", "-"), name, {}, seed, 1_332_000) for seed in SEEDS]
        for name in VARIANTS
    }
    effects = []
    for name in list(VARIANTS)[1:]:
        by_seed = [HARM[name] + 0.006 * wobble(name, seed) for seed in SEEDS]
        mean = sum(by_seed) / len(by_seed)
        effects.append(_effect(name, "held-out", "bits_per_byte", "bits", by_seed, 0.014))
        gains = [-1.1 * one + 0.01 * wobble(name, place) for place, one in enumerate(by_seed)]
        effects += [
            _effect(name, task, "accuracy", "share", gains, 0.03 - 0.1 * mean)
            for task in ("cloze-ten-words", "cloze-ten-words,items=300,kind=names")
        ]
    return empty_study(
        variants=VARIANTS,
        runs=[run for runs in families.values() for run in runs],
        groups=[group_of(runs) for runs in families.values()],
        effects=effects,
        not_compared=["held-out perplexity of bytes: its tokens are others"],
    )


def _effect(
    name: str, task: str, metric: str, unit: Unit, by_seed: list[float], half: float
) -> Effect:
    mean = sum(by_seed) / len(by_seed)
    found = around(mean, half)
    is_decided = found.is_above_zero or found.is_below_zero
    is_good = (mean > 0) == (unit == "share")
    return Effect(
        variant=name, reference="reference", settings={}, task=task, metric=metric, unit=unit,
        higher_is_better=unit == "share", reference_value=1.9 if unit == "bits" else 0.3,
        variant_value=(1.9 if unit == "bits" else 0.3) + mean, difference=found, by_seed=by_seed,
        seeds=list(SEEDS), varied="seeds and items", num_items=1200,
        verdict=("better" if is_good else "worse") if is_decided else "", runs=[],
    )  # fmt: skip


def planted_study() -> Study:
    counts, sizes = (0, 10, 100, 1000), {"1x64": 197_000, "2x128": 680_000, "3x192": 1_800_000}
    runs, points, scores, series = [], [], [], []
    for place, (size, number) in enumerate(sizes.items()):
        names = []
        for shown in counts:
            settings = {PLANTED: shown, SIZE: size}
            family = [run_of(f"{shown}-{size}", "", settings, seed, number) for seed in SEEDS]
            names.append(f"{shown}-{size}")
            runs += family
            for task, steep in (("planted-words", 2.6), ("planted-rule", 1.6)):
                known = 1 / (1 + math.exp(steep * (2.3 - 0.3 * place - math.log10(shown + 1))))
                found, score = scores_of(
                    family, task, "accuracy", "share", 0.1 + 0.85 * known, 0.02, 0.1
                )
                points += found
                scores.append(score)
        series.append(
            Series(
                name=size, axis=PLANTED, variant="", fixed={SIZE: size}, groups=names,
                x=[float(shown) for shown in counts],
            )
        )  # fmt: skip
    groups = [group_of(runs[start : start + 3]) for start in range(0, len(runs), 3)]
    return empty_study(
        vary={PLANTED: list(counts), SIZE: list(sizes)}, runs=runs, points=points,
        groups=groups, group_scores=scores, series=series,
    )  # fmt: skip


def write_study(run: Path, study: Study, prediction: Prediction | None = None) -> None:
    """The study, its prediction, and the training runs that it names."""
    for one in study.runs:
        _write_training(run / "runs" / one.name, one)
    inputs = {"runs": [run / "runs" / one.name for one in study.runs]}
    if prediction is not None:
        with writing(
            run / "prediction", stage=predictions.STAGE, config=NoSettings(), inputs=inputs
        ) as draft:
            draft.counts |= {"in": 1, "out": 1}
            draft.write(predictions.NAME, msgspec.json.encode(prediction))
    config = StudyConfig(
        vary=study.vary, variants=study.variants, seeds=SEEDS, predict=(NEXT,) if prediction else ()
    )
    with writing(run / "study", stage=studies.STAGE, config=config, inputs=inputs) as draft:
        draft.counts |= {"in": len(study.runs), "out": len(study.points)}
        draft.write(studies.NAME, msgspec.json.encode(study))


def _write_training(directory: Path, run: Run) -> None:
    end = loss_of("held-out", run.num_parameters) + HARM.get(run.variant, 0.0)
    settings = TrainSettings(
        model={"size": str(run.settings.get(SIZE, "2x192")), "context": 256},
        train={"steps": 600, "seed": run.seed},
    )
    with writing(directory, stage="train", config=settings, inputs={}) as draft:
        lines = []
        for step in range(10, 601, 10):
            bits = end + 2.2 * math.exp(-step / 110) + 0.01 * wobble(run.name, step)
            measured = bits if step % 60 == 0 else None
            tilt = 0.35 if run.variant == "post-LN" else 0.03 * (HARM.get(run.variant, 0.0) * 30)
            norms = [
                (0.2 + 0.3 * math.exp(-step / 150)) * math.exp(tilt * (block - 3))
                for block in range(6)
            ]
            lines.append(
                encode_step(
                    Step(
                        step=step, tokens=step * 2048, loss=bits * 2.2, gradient_norms=norms,
                        held_out_loss=measured and measured * 2.25,
                        held_out_bits_per_byte=measured, seconds=step * 0.4,
                    )
                )
            )  # fmt: skip
        draft.write("metrics.jsonl", b"".join(lines))
        draft.counts |= {"in": 600, "out": 600}
        draft.facts |= {
            "num_parameters": run.num_parameters, "num_steps": 600, "tokens_seen": 1_228_800,
            "held_out_loss": end * 2.25, "held_out_bits_per_byte": end, "tokens_per_second": 5000.0,
        }  # fmt: skip
