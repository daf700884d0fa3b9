"""How long tasks take on a model, measured on a few items of each, and shares of a given time."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from wellread.base.seeds import generator
from wellread.evaluate.task import Chosen, Setup

PROBED_ITEMS = 32
PROBED_SECONDS = 4.0  # for these as many items as will take so long alone
CHUNKS_OF_WHAT_IS_LEFT = 2  # how finely the time is watched


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

    @property
    def is_a_part(self) -> bool:
        """Whether there is no time for all items."""
        return self.share is not None and self.share < self.seconds


def probe(setup: Setup, prepared: Prepared) -> float:
    """Seconds for all items, from a few that lie evenly among them.

    They are scored together, as the task itself does; the first one before, so that what happens
    only once, such as compiling, is not counted. Where few are probed and many are written side by
    side later, the estimate is too high.
    """
    examples, count = prepared.examples, len(prepared.examples)
    first = _seconds(setup, prepared, examples[:1])
    wanted = max(1, min(PROBED_ITEMS, count, int(PROBED_SECONDS / first)))
    some = examples[:: count // wanted][:wanted]
    # Articles of WikiText differ by twenty times; a longer item takes as much longer.
    share = sum(map(_length, some)) / sum(map(_length, examples))
    return _seconds(setup, prepared, some) / share


def _length(example: Any) -> int:
    return len(repr(example))


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
