"""Two models on the same items: the difference of each metric, by a paired bootstrap."""

import logging
from collections.abc import Iterator
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.intervals import middle
from wellread.evaluate.resampling import resample_results
from wellread.formats.comparisons import Paired, Side
from wellread.formats.results import Result, read_results, results_manifest
from wellread.formats.studies import LOG_PROB

log = logging.getLogger(__name__)


def compare(first: Path, second: Path, *, seed: int = 0) -> list[Paired]:
    """What both results directories have of the same protocol, on the items that both have."""
    if first.resolve() == second.resolve():
        log.warning("%s is compared with itself: no difference says anything", first)
    for directory in (first, second):
        results_manifest(directory)
    ours, theirs = (_by_protocol(directory) for directory in (first, second))
    shared = [protocol for protocol in ours if protocol in theirs]
    if not shared:
        raise InputError(
            f"{first} and {second}: no protocol in common; the first has {', '.join(ours)}, the "
            f"second {', '.join(theirs)}"
        )
    found = {
        protocol: list(
            compare_results(Side(first, ours[protocol]), Side(second, theirs[protocol]), seed)
        )
        for protocol in shared
    }
    without = [protocol for protocol, paired in found.items() if not paired]
    if without == shared:
        raise InputError(
            f"{first} and {second}: no items in common of {', '.join(shared)}; score both models "
            "on the same data"
        )
    for protocol in without:
        log.warning("%s and %s: no items in common of %s", first, second, protocol)
    return [one for paired in found.values() for one in paired]


def _by_protocol(directory: Path) -> dict[str, Result]:
    return {one.protocol: one for one in read_results(directory, variants=True) if one.scores}


def compare_results(first: Side, second: Side, seed: int) -> Iterator[Paired]:
    """Every metric of two results of one protocol, on the items that both have."""
    for found in resample_results([first, second], seed):
        if found.metric == LOG_PROB:
            continue
        low = high = None
        if found.drawn_RB is not None:
            low, high = middle(found.drawn_RB[1] - found.drawn_RB[0])
        values = found.values_R.tolist()
        yield Paired(
            protocol=first.result.protocol,
            stem=first.result.stem,
            metric=found.metric,
            first=values[0],
            second=values[1],
            difference=values[1] - values[0],
            low=low,
            high=high,
            num_items=found.num_items,
            num_units=found.num_units,
            higher_is_better=found.higher_is_better,
        )
