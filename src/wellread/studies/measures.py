"""The scores of a family, metric by metric, and the scale on which they are compared."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wellread.base.intervals import Floats
from wellread.formats.estimates import Unit, unit_of
from wellread.formats.studies import (
    FIRST_BLOCK,
    HELD_OUT_BITS,
    HELD_OUT_LOSS,
    LAST_BLOCK,
    LOG_PROB,
    TRAINING,
)
from wellread.studies.family import Run

AUXILIARY = (LOG_PROB, FIRST_BLOCK, LAST_BLOCK)  # no scores: without a trend or a fit
LAST_SHARE = 0.1  # of the steps logged: over them gradients are averaged
NO_MODEL = "no model"  # how the note of a score begins that is of the items alone


class Measure(NamedTuple):
    """A metric of a task, and its value for each run that has it."""

    task: str
    metric: str
    higher_is_better: bool | None  # None: neither
    chance: float | None
    values: dict[str, float]  # run -> as printed

    @property
    def unit(self) -> Unit:
        return unit_of(self.metric)

    @property
    def name(self) -> str:
        return f"{self.task} {self.metric}"


def is_loss(unit: Unit) -> bool:
    """Whether a power law with a limit of at least zero may hold."""
    return unit in ("perplexity", "nats", "bits")


def compared(unit: Unit, values: Floats) -> Floats:
    """Values as they are averaged, fitted and compared."""
    return np.log(values) if unit == "perplexity" else values


def printed(unit: Unit, values: Floats) -> Floats:
    """The way back."""
    return np.exp(values) if unit == "perplexity" else values


def of_training(run: Run) -> dict[str, float]:
    """What a run measured of itself, lower is better."""
    facts = {metric: run.manifest.facts.get(metric) for metric in (HELD_OUT_LOSS, HELD_OUT_BITS)}
    return {metric: float(value) for metric, value in facts.items() if value is not None}


def gradient_norms(run: Run) -> list[float] | None:
    """By block, the mean over the last tenth of the steps logged; None: they were not measured."""
    logged = [norms for step in run.steps if (norms := step.gradient_norms) is not None]
    if not logged:
        return None
    last = logged[-max(1, round(LAST_SHARE * len(logged))) :]
    return [float(norm) for norm in np.mean(last, axis=0)]


def measures_of_gradients(runs: Sequence[Run]) -> Iterator[Measure]:
    """The norms at both ends of the network."""
    norms = {run.name: found for run in runs if (found := gradient_norms(run))}
    for metric, block in ((FIRST_BLOCK, 0), (LAST_BLOCK, -1)) if norms else ():
        values = {run: found[block] for run, found in norms.items()}
        yield Measure(TRAINING, metric, None, None, values)


def measures_of_training(runs: Sequence[Run]) -> Iterator[Measure]:
    """The losses at its end."""
    for metric in (HELD_OUT_LOSS, HELD_OUT_BITS):
        values = {run.name: of_training(run).get(metric) for run in runs}
        known = {run: value for run, value in values.items() if value is not None}
        if known:
            yield Measure(TRAINING, metric, higher_is_better=False, chance=None, values=known)


def measures_of_task(task: str, runs: Sequence[Run]) -> Iterator[Measure]:
    """Its metrics, but those of the items alone."""
    found: dict[str, Measure] = {}
    for run in runs:
        for score in run.results[task].scores if task in run.results else ():
            if not score.note.startswith(NO_MODEL):
                new = Measure(task, score.metric, score.higher_is_better, score.chance, {})
                found.setdefault(score.metric, new).values[run.name] = score.value
    yield from found.values()


def measures(runs: Sequence[Run]) -> Iterator[Measure]:
    """Every metric that some run has."""
    yield from measures_of_training(runs)
    for task in dict.fromkeys(task for run in runs for task in sorted(run.results)):
        yield from measures_of_task(task, runs)


class Means(NamedTuple):
    """Of a measure over the seeds of groups, on the scale of comparison."""

    mean_G: Floats
    deviation: float | None  # standard, between seeds of a group, pooled; None: one seed each
    freedom: int  # degrees of freedom of it
    num_seeds: int  # of the group that has fewest


def means(values: Sequence[Sequence[float]]) -> Means:
    """Of each group's values, the scatter pooled over the groups.

    >>> means([[1.0, 3.0], [5.0, 5.0]])
    Means(mean_G=array([2., 5.]), deviation=1.0, freedom=2, num_seeds=2)
    """
    freedom = sum(len(group) - 1 for group in values)
    squares = sum(float(np.square(np.subtract(group, np.mean(group))).sum()) for group in values)
    return Means(
        mean_G=np.array([np.mean(group) for group in values]),
        deviation=float(np.sqrt(squares / freedom)) if freedom else None,
        freedom=freedom,
        num_seeds=min(map(len, values)),
    )


def by_group(measure: Measure, groups: Sequence[Sequence[str]]) -> list[list[float]] | None:
    """Of each group's runs the values, on the scale of comparison; None: one has none."""
    values = measure.values
    if any(run not in values for runs in groups for run in runs):
        return None
    return [
        compared(measure.unit, np.array([values[run] for run in runs])).tolist() for runs in groups
    ]
