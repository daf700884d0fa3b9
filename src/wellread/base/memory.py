"""Large arrays in large pages, and how much memory a task may take."""

import contextlib
import mmap
from typing import Any

import numpy as np
import psutil

FREE_SHARE = 0.75  # ours: of the memory that is free, what one task may take
LARGE_PAGE = 1 << 21  # of x86-64; of 64-bit ARM where pages have 4 KiB


def aligned_zeros(num_words: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """`num_words` zeros of uint64 that begin at a cache line.

    Large ones are asked for in large pages where the system has them: a table that is read here
    and there then needs no walk through the page tables, and its first use far fewer faults, which
    threads of one process wait for each other to handle.
    """
    if num_words * 8 < LARGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        whole, boundary = np.zeros(num_words + 8, np.uint64), 64
    else:
        area = mmap.mmap(-1, num_words * 8 + LARGE_PAGE, flags=mmap.MAP_PRIVATE)
        with contextlib.suppress(OSError):  # a kernel built without them refuses
            area.madvise(mmap.MADV_HUGEPAGE)
        whole, boundary = np.frombuffer(area, np.uint64), LARGE_PAGE
    start = -whole.ctypes.data % boundary // 8
    return whole[start : start + num_words]


def room(megabytes: int | None) -> float:
    """Bytes that a task may take: those allowed, or else FREE_SHARE of what is free."""
    if megabytes is None:
        return float(psutil.virtual_memory().available * FREE_SHARE)
    return megabytes * 1e6
