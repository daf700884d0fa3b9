"""A number with its interval, and what a study's numbers are measured in."""

from typing import Literal

import msgspec

Unit = Literal["share", "perplexity", "nats", "bits", "number"]
Varied = Literal["seeds and items", "seeds", "items", "nothing"]  # what an interval covers


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
