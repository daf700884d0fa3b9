"""A number with its interval, and what a study's numbers are measured in."""

from typing import Literal

import msgspec

Unit = Literal["share", "perplexity", "nats", "bits", "number"]
Varied = Literal["seeds and items", "seeds", "items", "nothing"]  # what an interval covers
UNITS: dict[Unit, tuple[str, ...]] = {
    "share": ("accuracy", "exact_match", "f1", "rouge"),  # from 0 to 1
    "perplexity": ("perplexity",),
    "nats": ("held_out_loss", "log_prob"),
    "bits": ("bits", "held_out_bits"),
}


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all rows derive from: nothing unknown."""


class Estimate(Row, frozen=True, kw_only=True):
    """A number with its 95 % interval; without one nothing could be resampled."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_above_zero(self) -> bool:
        return self.low is not None and self.low > 0

    @property
    def is_below_zero(self) -> bool:
        return self.high is not None and self.high < 0


def unit_of(metric: str) -> Unit:
    """What a metric is measured in, which its name begins with.

    >>> unit_of("accuracy_surest"), unit_of("bits_per_byte_64"), unit_of("bleu")
    ('share', 'bits', 'number')
    """
    return next((unit for unit, begins in UNITS.items() if metric.startswith(begins)), "number")


def compared_in(unit: Unit) -> Unit:
    """What differences and slopes are in: perplexities are compared as their logarithms."""
    return "nats" if unit == "perplexity" else unit
