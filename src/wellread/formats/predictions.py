"""`prediction.json`: scores of sizes of model, written down before these are trained."""

from pathlib import Path
from typing import Literal

import msgspec

from wellread.base.errors import InputError
from wellread.formats.estimates import Row, Unit
from wellread.formats.findings import Form

STAGE, NAME = "study predict", "prediction.json"


class Predicted(Row, frozen=True, kw_only=True):
    """What a metric of a size should be, before it is trained; in the metric's own unit.

    The 95 % interval is for the mean over as many seeds as the series' groups have, on the same
    items: from the scatter of seeds or about the curve, whichever is larger, by Student's t.
    """

    series: str
    size: str
    num_parameters: int
    task: str
    metric: str
    unit: Unit
    higher_is_better: bool
    value: float
    low: float
    high: float
    form: Form  # the one with the smaller error in leaving sizes out
    largest: str  # the largest group so far
    largest_value: float
    runs: list[str]  # that it was made from


class Prediction(Row, frozen=True, kw_only=True):
    """`prediction.json`."""

    version: Literal[1] = 1
    predicted: list[Predicted]
    not_predicted: list[str]  # metrics of tasks, each with the reason


class ScoredPrediction(Row, frozen=True, kw_only=True):
    """A prediction, and what came."""

    predicted: Predicted
    actual: float  # mean over the seeds, geometric for perplexities
    is_inside: bool
    # Of what came less what was predicted, over the interval's half width as standard deviations.
    standardised_error: float | None  # None: the interval has no width
    error: float  # nats for perplexities
    naive_error: float  # of "as the largest so far"
    counts: bool  # made before training began
    reason: str  # why it does not count
    runs: list[str]  # that came


def read_prediction(directory: Path) -> Prediction:
    path = directory / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Prediction)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not a prediction of this version ({error}); delete {directory} and predict "
            "again, before the sizes are trained"
        ) from None
