"""A study, `study.json`: what the scores of a family of runs say about the settings they differ in.

It is flat lists of rows. A row names its runs; a run says where it and its results are.

A *task* is here what results call a stem: `cloze-ten-words,kind=names` is another than
`cloze-ten-words`. What training itself measured is the task `training`; the mean log probability
of the right answers, which results have for each item, is the metric `log_prob`.

A *group* is the runs that differ in nothing but their seed. A *series* is the groups that differ in
one setting only, in order of it; along `model.size` its x is the number of parameters.

Perplexities are averaged, fitted and compared as their logarithms: such rows are in nats.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from wellread.base.errors import InputError
from wellread.formats.estimates import Row, Unit, Varied
from wellread.formats.findings import (
    Difference,
    Effect,
    Fit,
    Suddenness,
    Trend,
    Underfitting,
)
from wellread.formats.predictions import ScoredPrediction

STAGE, NAME = "study", "study.json"
TRAINING = "training"  # the task of what a run measured of itself
LOG_PROB = "log_prob"  # of the right answer in nats, mean over a task's items
SIZE = "model.size"
HELD_OUT_LOSS, HELD_OUT_BITS = "held_out_loss", "held_out_bits_per_byte"
FIRST_BLOCK, LAST_BLOCK = "gradient_norm_first_block", "gradient_norm_last_block"


class Run(Row, frozen=True, kw_only=True):
    """A trained model of the study. Paths are relative to the study's directory."""

    name: str
    variant: str  # "": the study has none
    settings: dict[str, Any]  # those that the study varies, as `section.key`, without the seed
    seed: int
    group: str
    is_predicted: bool  # trained after its scores were predicted: no part of any fit
    num_parameters: int
    tokens_seen: int | None
    held_out_loss: float | None  # nats per token at the end of training, as training measured it
    held_out_bits_per_byte: float | None
    # Nats per token as evaluation measured them, of held-out and of training documents.
    evaluated_held_out: float | None
    evaluated_training: float | None
    seconds: float | None  # of training, interruptions not counted
    gradient_norms: list[float] | None  # by block, mean over the last tenth of the steps logged
    run: str  # its directory
    results: list[str]  # results directories


class Point(Row, frozen=True, kw_only=True):
    """One score of one run, as its results have it; the interval is over items."""

    run: str
    settings: dict[str, Any]  # those that the study varies
    num_parameters: int
    task: str
    protocol: str
    metric: str
    unit: Unit
    value: float
    low: float | None
    high: float | None
    chance: float | None
    higher_is_better: bool


class Group(Row, frozen=True, kw_only=True):
    """Runs that differ in nothing but their seed."""

    name: str
    variant: str
    settings: dict[str, Any]
    num_parameters: int
    is_predicted: bool
    runs: list[str]  # in order of their seeds


class GroupScore(Row, frozen=True, kw_only=True):
    """A metric's mean over a group's seeds, on the items that all runs of the study have.

    The mean of perplexities is the geometric one. `varied` is what the interval covers.
    """

    group: str
    task: str
    metric: str
    unit: Unit
    value: float
    low: float | None
    high: float | None
    seed_deviation: float | None  # standard, between seeds; of perplexities in nats
    chance: float | None
    higher_is_better: bool | None  # None: neither is better
    varied: Varied
    num_items: int | None  # None: the metric is not one of items
    num_units: int | None  # documents that are resampled; as many as items if these are
    runs: list[str]


class Series(Row, frozen=True, kw_only=True):
    """Groups that differ in one setting, the axis: names in the order of x."""

    name: str  # "" if it is the only one along its axis
    axis: str  # SIZE, or another setting whose values are numbers
    variant: str
    fixed: dict[str, Any]  # the other settings varied
    groups: list[str]
    x: list[float]  # number of parameters, or the setting's value


class Study(Row, frozen=True, kw_only=True):
    """`study.json`."""

    version: Literal[3] = 3
    vary: dict[str, list[Any]]
    variants: dict[str, dict[str, Any]]  # the first is the reference
    runs: list[Run]
    points: list[Point]
    groups: list[Group]
    group_scores: list[GroupScore]
    series: list[Series]
    trends: list[Trend]
    fits: list[Fit]
    predictions: list[ScoredPrediction]
    prediction: str | None  # directory of the prediction scored
    underfitting: list[Underfitting]
    suddenness: list[Suddenness]
    effects: list[Effect]
    differences: list[Difference]
    unpaired: list[str]  # tasks of two runs that share no item, and so have no differences
    not_compared: list[str]  # metrics with the reason: per token of different vocabularies
    differs_too: dict[str, list[Any]]  # what the runs differ in besides: name -> their values

    @property
    def caution(self) -> str:
        """A sentence on what else than the settings varied may have made the differences."""
        parts = [f"{k} ({', '.join(map(str, values))})" for k, values in self.differs_too.items()]
        return f"the runs differ also in {'; '.join(parts)}" if parts else ""


def read_study(directory: Path) -> Study:
    path = directory / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Study)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not a study of this version ({error}); delete {directory} and study again"
        ) from None
