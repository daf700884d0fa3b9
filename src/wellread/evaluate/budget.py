"""How long tasks take on a model, measured on a few items of each, and shares of a given time."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from wellread.base.seeds import generator
from wellread.evaluate.task import Chosen, Setup

PROBED_ITEMS = 8
PROBED_SECONDS = 2.0  # a task that takes longer on fewer items is not probed further
CHUNKS_OF_A_SHARE = 8  # how finely the time is watched


class Prepared(NamedTuple):
    """A task and its examples, within the limit."""

    chosen: Chosen
    examples: Sequence[Any]
    num_available: int
    stem: str = ""  # what its files are called; empty: as the task


class Estimate(NamedTuple):
    """What a task is expected to take."""

    protocol: str
    num_items: int
    seconds: float  # for all of the items
    share: float | None  # seconds that it gets; None: as many as it needs


def probe(setup: Setup, prepared: Prepared) -> float:
    """Seconds for all items, from a few that lie evenly among them.

    They are scored together, as the task itself does; the first one before, so that what happens
    only once, such as compiling, is not counted.
    """
    examples, count = prepared.examples, len(prepared.examples)
    first = _seconds(setup, prepared, examples[:1])
    if first > PROBED_SECONDS or count == 1:
        return _seconds(setup, prepared, examples[:1]) * count
    step = max(1, count // PROBED_ITEMS)
    some = examples[::step][:PROBED_ITEMS]
    return _seconds(setup, prepared, some) / len(some) * count


def _seconds(setup: Setup, prepared: Prepared, examples: Sequence[Any]) -> float:
    started = time.monotonic()
    prepared.chosen.task.score(setup, examples)
    return time.monotonic() - started


def shares(seconds: Sequence[float], budget: float) -> list[float]:
    """Of `budget` seconds as much for each task as for any other, but none more than it needs.

    >>> shares([1.0, 100.0, 100.0], 61.0)
    [1.0, 30.0, 30.0]
    """
    left, found = budget, [0.0] * len(seconds)
    order = sorted(range(len(seconds)), key=lambda number: seconds[number])
    for place, number in enumerate(order):
        found[number] = min(seconds[number], left / (len(order) - place))
        left -= found[number]
    return found


def shuffled(examples: Sequence[Any], seed: int, name: str) -> list[int]:
    """The order in which a task with a limited time takes its items, so that any part is fair."""
    order: list[int] = generator(seed, "order", name).permutation(len(examples)).tolist()
    return order
