"""A kernel on all cores: each thread has its share of the work."""

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="kernel")


def in_shares(function: Any, total: int, *arguments: Any) -> None:
    """Call `function(thread, first, last, *arguments)` such that all of `total` is done."""
    threads = max(1, min(torch.get_num_threads(), total))
    ends = [total * part // threads for part in range(threads + 1)]
    calls = [(thread, ends[thread], ends[thread + 1], *arguments) for thread in range(threads)]
    others = [_pool().submit(function, *call) for call in calls[1:]]
    function(*calls[0])
    for other in others:
        other.result()


_LENDING = threading.Lock()


@contextlib.contextmanager
def lent(numbers: int) -> Iterator[tuple[int, int]]:
    """Memory for kernels, to one caller at a time: where it is, and each thread's bytes of it.

    A thread has so many float32; what is in them is what was left there.
    """
    with _LENDING:
        memory = _memory(torch.get_num_threads(), numbers)
        yield memory.ctypes.data, memory[0].nbytes


@cache
def _memory(threads: int, numbers: int) -> npt.NDArray[np.float32]:
    return np.zeros((threads, numbers), np.float32)
