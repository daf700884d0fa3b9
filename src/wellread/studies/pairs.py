"""What the larger of two runs gains, on the items that both have."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wellread.formats.findings import Difference
from wellread.formats.resampled import Resample
from wellread.formats.studies import LOG_PROB
from wellread.studies.draws import Sampled, estimate, sample_task
from wellread.studies.family import Run
from wellread.studies.measures import printed


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


def differences(
    pair: Pair, samples: Sequence[Sampled], resample: Resample, seed: int
) -> Iterator[Difference | str]:
    """Of every metric, on the items that all runs have, else on those that the two have.

    Where there are none, a task's name with the runs'.
    """
    for task in sorted(pair.smaller.results.keys() & pair.larger.results.keys()):
        found = [one for one in samples if one.measure.task == task]
        found = found or list(sample_task(task, pair, resample, seed))
        if not found and pair.smaller.results[task].scores:
            yield f"{task} of {pair.smaller.name} and {pair.larger.name}"
        for one in found:
            if one.measure.metric != LOG_PROB:
                yield _difference(pair, one)


def _difference(pair: Pair, sampled: Sampled) -> Difference:
    smaller_D, larger_D = (
        printed(sampled.measure.unit, sampled.scores_D[run.name]) for run in pair
    )
    gain = estimate(larger_D - smaller_D)
    assert sampled.num_items
    assert sampled.num_units
    return Difference(
        task=sampled.measure.task,
        metric=sampled.measure.metric,
        smaller=pair.smaller.name,
        larger=pair.larger.name,
        difference=gain.value,
        low=gain.low,
        high=gain.high,
        num_items=sampled.num_items,
        num_units=sampled.num_units,
        higher_is_better=bool(sampled.measure.higher_is_better),
    )
