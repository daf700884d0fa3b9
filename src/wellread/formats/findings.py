"""What a study finds: trends, fits, gaps, steps, effects and differences; rows of `study.json`."""

from typing import Any, Literal

from wellread.formats.estimates import Estimate, Row, Unit, Varied

Form = Literal["line", "power"]
Underfit = Literal["still underfit", "underfit, but the gap grows", "overfits", "not decided"]
Change = Literal["smooth", "sudden", "not decided"]
Verdict = Literal["better", "worse", ""]
# Exponents of power laws that are tried: at these a curve is a line in log N, or one step.
LEAST_EXPONENT, MOST_EXPONENT = 0.01, 5.0


class Trend(Row, frozen=True, kw_only=True):
    """How a metric changes along a series. `unit` is nats for perplexities.

    The task leaves chance at the first group from which on every interval excludes it.
    """

    series: str
    axis: str
    task: str
    metric: str
    unit: Unit
    higher_is_better: bool
    per_tenfold: Estimate | None  # slope in log10 x over the groups whose x is not 0; 2 are needed
    # Slope at the last less that at the first of those groups, by a parabola; 3 are needed.
    bend: Estimate | None = None
    whole: Estimate  # the last group's less the first's
    # Slope towards better: of shares divided by the room between chance and 1; None: no room.
    standardised: Estimate | None
    rank: Estimate | None  # by it, 1 is the steepest, among those of the same series and kind
    num_ranked: int
    chance: float | None
    leaves_chance_at: str | None  # a group
    varied: Varied
    runs: list[str]


class Fit(Row, frozen=True, kw_only=True):
    """A curve over the sizes of a series, without those predicted. Nats for perplexities.

    line: score = intercept + slope * log10(N). power: score = limit + factor * N**-exponent, with
    limit >= 0, and `factor` given at the smallest N: what is above the limit there.
    """

    series: str
    task: str
    metric: str
    unit: Unit
    form: Form
    parameters: dict[str, Estimate]  # by the names above
    # power: whether the limit's interval is narrower than all that was measured from the smallest
    # size to the largest. Where it is not, "not determined" is to be printed, and no number.
    is_limit_determined: bool | None
    residual: float | None  # standard deviation about the curve; None: no degree of freedom left
    left_out_error: float | None  # root mean square over sizes, each predicted from the others
    is_better: bool  # than the other form, by `left_out_error`
    curve: list["CurvePoint"]
    varied: Varied
    runs: list[str]

    def is_determined(self, parameter: str) -> bool:
        """Whether the sizes tell it; where they do not, no number is to be printed.

        Not an exponent whose interval goes to the end of those tried.
        """
        if parameter == "limit":
            return bool(self.is_limit_determined)
        found = self.parameters[parameter]
        if parameter == "exponent" and found.low is not None and found.high is not None:
            return 0.99 * found.low > LEAST_EXPONENT and 1.01 * found.high < MOST_EXPONENT
        return True


class CurvePoint(Row, frozen=True, kw_only=True):
    """A fit with its 95 % band at one number of parameters, in the metric's own unit."""

    num_parameters: float
    value: float
    low: float | None
    high: float | None


class Gap(Row, frozen=True, kw_only=True):
    """Loss on held-out documents less that on training documents, nats per token."""

    group: str
    num_parameters: int
    held_out: Estimate
    training: Estimate
    gap: Estimate
    runs: list[str]


class Underfitting(Row, frozen=True, kw_only=True):
    """Whether held-out and training loss fall together as models grow (paper, figure 4)."""

    series: str
    gaps: list[Gap]  # by size
    held_out_per_tenfold: Estimate
    training_per_tenfold: Estimate
    gap_per_tenfold: Estimate
    held_out_last_step: Estimate  # the largest model's less the next smaller's
    training_last_step: Estimate
    verdict: Underfit
    reason: str  # the statistic in words
    runs: list[str]


class Suddenness(Row, frozen=True, kw_only=True):
    """Whether one step of size makes far more of a metric's whole gain than a straight line would.

    Schaeffer et al. 2023 ("Are Emergent Abilities of Large Language Models a Mirage?"): what is
    sudden in a discontinuous metric may be smooth in a continuous one of the same answers.
    """

    series: str
    task: str
    metric: str  # accuracy, and LOG_PROB for the same items
    is_continuous: bool
    unit: Unit
    whole: Estimate  # the largest model's less the smallest's
    smaller: str  # the groups between which the step is largest
    larger: str
    # Its share of the whole gain less that of a straight line in log N; None: no gain for certain.
    excess: Estimate | None
    # Share of resamples of a straight line that have a step as large.
    probability: float | None
    verdict: Change
    runs: list[str]


class Effect(Row, frozen=True, kw_only=True):
    """A variant less the reference, paired by seed and item. Nats for perplexities."""

    variant: str
    reference: str
    settings: dict[str, Any]  # the other settings varied, in which they agree
    task: str
    metric: str
    unit: Unit
    higher_is_better: bool | None  # None: neither is better
    reference_value: float  # means over the seeds that both have
    variant_value: float
    difference: Estimate
    by_seed: list[float]
    seeds: list[int]
    # Student's t over the seeds' differences, with resampled items where there are any.
    varied: Varied
    num_items: int | None
    verdict: Verdict
    runs: list[str]


class Difference(Row, frozen=True, kw_only=True):
    """A metric of the larger run less that of the smaller, on the items that both have."""

    task: str
    metric: str
    smaller: str  # run names
    larger: str
    difference: float
    low: float | None  # 95 %, by resampled units; None: of one unit there are no resamples
    high: float | None
    num_items: int
    num_units: int  # documents, where several items come from one
    higher_is_better: bool
