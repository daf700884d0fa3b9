"""The stage `study`: results of several runs in, what they say about the settings varied out."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from wellread.base.intervals import wilson
from wellread.base.manifest import Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats import studies as format_of
from wellread.formats.estimates import unit_of
from wellread.formats.findings import Difference, Effect
from wellread.formats.resampled import Resample
from wellread.formats.studies import NAME, STAGE, GroupScore, Point, Study
from wellread.studies.config import StudyConfig
from wellread.studies.draws import Grouped, Sampled, estimate, grouped, sample, seed_deviation
from wellread.studies.effects import effects
from wellread.studies.family import Run, groups_of, read_runs, series_of
from wellread.studies.fits import fits
from wellread.studies.measures import gradient_norms, of_training, printed
from wellread.studies.pairs import differences, next_larger_pairs
from wellread.studies.scored import scored
from wellread.studies.settings import differing
from wellread.studies.suddenness import suddenness
from wellread.studies.trends import trends
from wellread.studies.underfitting import HELD_OUT, TRAINED_ON, loss_on, underfitting

log = logging.getLogger(__name__)


def fit_study(
    results: Sequence[Path],
    out: Path,
    config: StudyConfig,
    *,
    resample: Resample,
    prediction: Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write every score of the runs behind `results`, and what follows from them.

    `resample` makes the scores of drawn items. A `prediction` is compared with what came. What else
    the runs differ in than the settings varied is named, in a warning too.
    """
    runs = read_runs(results, config)
    inputs = {"results": list(results)} | ({"prediction": [prediction]} if prediction else {})
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        study = _study(runs, out, config, resample, prediction, progress)
        if study.caution:
            log.warning("%s: %s", out, study.caution)
        draft.write(NAME, msgspec.json.format(msgspec.json.encode(study), indent=1))
        draft.counts.update({"in": len(study.points), "out": len(study.points)})
        draft.counts.update({"runs": len(runs), "differences": len(study.differences)})
    return read_manifest(out)


def _study(
    runs: Sequence[Run],
    out: Path,
    config: StudyConfig,
    resample: Resample,
    prediction: Path | None,
    progress: Progress,
) -> Study:
    groups = groups_of(runs)
    every = list(series_of(groups, config))
    progress(0, None, "drawing items and seeds")
    samples = list(sample(runs, resample, config.seed))
    both = [(one, grouped(one, groups, config.seed)) for one in samples]
    scores = [found for _, found in both if found is not None]
    shown = [row for one, found in both if found is not None for row in _group_scores(one, found)]
    protocols = {stem: one.protocol for run in runs for stem, one in run.results.items()}
    changes = list(effects(runs, groups, next(iter(config.variants), ""), samples))
    gains: list[Difference | str] = []
    pairs = list(next_larger_pairs(runs))
    for number, pair in enumerate(pairs, start=1):
        gains += differences(pair, samples, resample, config.seed)
        progress(number, len(pairs), f"{pair.larger.name} against {pair.smaller.name}")
    return Study(
        vary=config.vary,
        variants=config.variants,
        runs=[_run(run, out) for run in runs],
        points=[point for run in runs for point in _points(run)],
        groups=groups,
        group_scores=shown,
        series=every,
        trends=list(trends(every, scores, shown)),
        fits=list(fits(every, scores)),
        predictions=list(scored(prediction, runs, groups, every)) if prediction else [],
        prediction=os.path.relpath(prediction, out) if prediction else None,
        underfitting=list(underfitting(every, scores, protocols)),
        suddenness=list(suddenness(every, scores)),
        effects=[one for one in changes if isinstance(one, Effect)],
        differences=[one for one in gains if isinstance(one, Difference)],
        unpaired=[one for one in gains if isinstance(one, str)],
        not_compared=[
            *(one for one in changes if isinstance(one, str)),
            *_without_items(runs, samples),
        ],
        differs_too=differing([run.others for run in runs]),
    )


def _without_items(runs: Sequence[Run], samples: Sequence[Sampled]) -> Iterator[str]:
    sampled = {one.measure.task for one in samples}
    for task in dict.fromkeys(task for run in runs for task in sorted(run.results)):
        if task not in sampled:
            yield f"{task}: no item that all runs have"


def _run(run: Run, out: Path) -> format_of.Run:
    training = of_training(run)
    facts = run.manifest.facts
    return format_of.Run(
        name=run.name,
        variant=run.variant,
        settings=run.settings,
        seed=run.seed,
        group=run.group,
        is_predicted=run.is_predicted,
        num_parameters=run.num_parameters,
        tokens_seen=facts.get("tokens_seen"),
        held_out_loss=training.get(format_of.HELD_OUT_LOSS),
        held_out_bits_per_byte=training.get(format_of.HELD_OUT_BITS),
        evaluated_held_out=loss_on(HELD_OUT, run),
        evaluated_training=loss_on(TRAINED_ON, run),
        seconds=max((step.seconds for step in run.steps), default=None),
        gradient_norms=gradient_norms(run),
        run=os.path.relpath(run.location, out),
        results=[os.path.relpath(one, out) for one in dict.fromkeys(run.directories.values())],
    )


def _points(run: Run) -> Iterator[Point]:
    for task, result in sorted(run.results.items()):
        for score in result.scores:
            yield Point(
                run=run.name,
                settings=run.settings,
                num_parameters=run.num_parameters,
                task=task,
                protocol=result.protocol,
                metric=score.metric,
                unit=unit_of(score.metric),
                value=score.value,
                low=score.low,
                high=score.high,
                chance=score.chance,
                higher_is_better=score.higher_is_better,
            )


def _group_scores(sampled: Sampled, found: Grouped) -> Iterator[GroupScore]:
    measure = found.measure
    for group, scores_D in zip(found.groups, found.scores_GD, strict=True):
        one = estimate(printed(measure.unit, scores_D))
        low, high = one.low, one.high
        if measure.unit == "share" and sampled.num_items and low == high and one.value in (0, 1):
            # All answers of all seeds agree, so that draws cannot vary.
            low, high = wilson(round(one.value * sampled.num_items), sampled.num_items)
        yield GroupScore(
            group=group.name,
            task=measure.task,
            metric=measure.metric,
            unit=measure.unit,
            value=one.value,
            low=low,
            high=high,
            seed_deviation=seed_deviation(sampled, group),
            chance=measure.chance,
            higher_is_better=measure.higher_is_better,
            varied=found.varied,
            num_items=sampled.num_items,
            num_units=sampled.num_units,
            runs=group.runs,
        )
