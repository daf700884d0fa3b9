"""Predictions against what came."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from wellread.base.manifest import read_artifact
from wellread.formats.predictions import STAGE, Predicted, ScoredPrediction, read_prediction
from wellread.formats.studies import SIZE, Group, Series
from wellread.studies.family import Run
from wellread.studies.measures import Measure, by_group, compared, measures, printed

HALF_WIDTH = 1.96  # standard deviations in half an interval


def scored(
    prediction: Path, runs: Sequence[Run], groups: Sequence[Group], every: Sequence[Series]
) -> Iterator[ScoredPrediction]:
    """Each prediction whose size has been trained and scored since.

    It counts if it was finished before any of the runs that it is about began.
    """
    made_at = read_artifact(prediction, STAGE).finished_at
    by_name = {run.name: run for run in runs}
    along = {one.name: set(one.groups) for one in every if one.axis == SIZE}
    came = {(one.task, one.metric): one for one in measures(runs)}
    for one in read_prediction(prediction).predicted:
        measure = came.get((one.task, one.metric))
        for group in groups:
            is_meant = group.name in along.get(one.series, ()) and group.settings[SIZE] == one.size
            if is_meant and measure is not None:
                late = _late(made_at, [by_name[name] for name in group.runs])
                yield from _scored(one, measure, group, late)


def _late(made_at: datetime, runs: Sequence[Run]) -> str:
    """Why the prediction does not count; "" if it does."""
    begun = {run.name: run.started_at() for run in runs}
    before = [name for name, started_at in begun.items() if started_at <= made_at]
    return f"made afterwards: the training of {', '.join(before)} had begun" if before else ""


def _scored(
    one: Predicted, measure: Measure, group: Group, late: str
) -> Iterator[ScoredPrediction]:
    values = by_group(measure, [group.runs])
    if values is None:
        return
    actual = float(np.mean(values[0]))
    value, low, high, largest = compared(
        one.unit, np.array([one.value, one.low, one.high, one.largest_value])
    ).tolist()
    deviation = (high - low) / 2 / HALF_WIDTH
    yield ScoredPrediction(
        predicted=one,
        actual=float(printed(one.unit, np.array(actual))),
        is_inside=low <= actual <= high,
        standardised_error=(actual - value) / deviation if deviation else None,
        error=actual - value,
        naive_error=actual - largest,
        counts=not late,
        reason=late,
        runs=group.runs,
    )
