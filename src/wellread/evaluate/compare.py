"""Two models on the same items: the difference of each metric, by a paired bootstrap."""

import logging
from collections.abc import Iterator
from pathlib import Path

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.intervals import middle
from wellread.base.seeds import generator
from wellread.evaluate import tasks
from wellread.evaluate.language_model import Floats
from wellread.evaluate.metrics import Metric, by_unit, resamples, value_of
from wellread.evaluate.task import Task
from wellread.formats.comparisons import Paired, Side
from wellread.formats.results import (
    Item,
    Result,
    item_of,
    read_items,
    read_results,
    results_manifest,
)

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
        protocol: compare_results(Side(first, ours[protocol]), Side(second, theirs[protocol]), seed)
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


def compare_results(first: Side, second: Side, seed: int) -> list[Paired]:
    """Every metric of two results of one protocol, on the items that both have."""
    return list(_compare(first.result, _items(first), _items(second), seed))


Items = dict[str, Item]  # by name


def _items(side: Side) -> Items:
    found = map(item_of, read_items(side.directory, side.result.stem))
    return {item.item: item for item in found}


def _compare(result: Result, ours: Items, theirs: Items, seed: int) -> Iterator[Paired]:
    task: Task = plugins.load(tasks, result.task, "TASK")
    pairs = [(ours[name], theirs[name]) for name in ours if name in theirs]
    for name, metric in task.metrics.items():
        taking_part = [pair for pair in pairs if all(name in item.sums for item in pair)]
        if not taking_part:
            continue
        units = [item.unit or item.item for item, _ in taking_part]
        first, second = (
            by_unit(units, [item.sums[name] for item in side])
            for side in zip(*taking_part, strict=True)
        )
        low, high = _interval(first, second, metric, seed)
        values = [value_of(metric, each) for each in (first, second)]
        yield Paired(
            protocol=result.protocol,
            stem=result.stem,
            metric=name,
            first=values[0],
            second=values[1],
            difference=values[1] - values[0],
            low=low,
            high=high,
            num_items=len(taking_part),
            num_units=len(first),
            higher_is_better=metric.higher_is_better,
        )


def _interval(
    first: Floats, second: Floats, metric: Metric, seed: int
) -> tuple[float | None, float | None]:
    """The middle 95 % of the difference; one seed, so that the same units are drawn for both."""
    if len(first) == 1:
        return None, None
    drawn = [resamples(rows, metric, generator(seed, "compare")) for rows in (first, second)]
    differences = [metric.statistic(b) - metric.statistic(a) for a, b in zip(*drawn, strict=True)]
    return middle(differences)
