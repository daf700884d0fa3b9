"""What the larger of two runs gains, on the items that both have."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wellread.base.intervals import middle
from wellread.formats.comparisons import Side
from wellread.formats.findings import Difference
from wellread.formats.resampled import Resample
from wellread.formats.studies import LOG_PROB
from wellread.studies.family import Run


class Pair(NamedTuple):
    """Two runs that differ in one setting, the second having the next more parameters."""

    smaller: Run
    larger: Run


def next_larger_pairs(runs: Sequence[Run]) -> Iterator[Pair]:
    """Each run with the next larger one of its variant and seed, all settings but one alike."""
    for run in runs:
        larger = [
            other
            for other in runs
            if other.num_parameters > run.num_parameters
            and (other.variant, other.seed) == (run.variant, run.seed)
            and sum(other.settings[key] != run.settings[key] for key in run.settings) == 1
        ]
        if larger:
            yield Pair(run, min(larger, key=lambda r: (r.num_parameters, r.name)))


def differences(pair: Pair, seed: int, resample: Resample) -> Iterator[Difference | str]:
    """Of every metric; where there are no items in common, a task's name with the runs'."""
    for task in sorted(pair.smaller.results.keys() & pair.larger.results.keys()):
        sides = [Side(run.directories[task], run.results[task]) for run in pair]
        found = [one for one in resample(sides, seed) if one.metric != LOG_PROB]
        if not found and sides[0].result.scores:
            yield f"{task} of {pair.smaller.name} and {pair.larger.name}"
        for one in found:
            smaller, larger = one.values_R.tolist()
            low = high = None
            if one.drawn_RB is not None:
                low, high = middle(one.drawn_RB[1] - one.drawn_RB[0])
            yield Difference(
                task=task,
                metric=one.metric,
                smaller=pair.smaller.name,
                larger=pair.larger.name,
                difference=larger - smaller,
                low=low,
                high=high,
                num_items=one.num_items,
                num_units=one.num_units,
                higher_is_better=one.higher_is_better,
            )
