"""Work on threads, its results in order. Only code that releases the GIL gains by it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from wellread.base.allowance import allowed_cores
from wellread.base.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[R]:
    """`function` of each item, in the order of `items`, of which few are taken in advance.

    At most two for each thread and one more are at work or done and not yet asked for. If one
    fails, or no more are wanted, those that wait are dropped and `stop` is called, which may make
    those at work end soon.

    >>> list(in_order(str.upper, ["a", "b"], threads=2))
    ['A', 'B']
    """
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise


@cache
def usable_cores() -> int:
    """Cores that this process may use for all of the time.

    A container with one and a half cores' worth of time has one: the second would be held back for
    half of the time, and the first would wait for it.
    """
    affinity = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    cores = len(affinity(0))
    return max(1, min(cores, int(allowed_cores() or cores)))


def num_threads(asked: int | None) -> int:
    """How many threads to use; None: one for each core that this process may use."""
    if asked is None:
        return usable_cores()
    if asked < 1:
        raise InputError(f"threads is {asked}; at least 1 is needed, or None for all cores")
    return asked
