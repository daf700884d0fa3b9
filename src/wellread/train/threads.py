"""A kernel on all cores: each thread has its share of the work."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

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
