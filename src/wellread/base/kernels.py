"""Numba's compiler, with a cache on disk that notices when any kernel of a package changes."""

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` when first called; it runs without the GIL.

    The machine code is kept beside the module, or in the user's cache directory.
    """
    return _noticing(_one_at_a_time(njit(cache=True, nogil=True)(function)))


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into the kernels that call it."""
    return _noticing(njit(cache=True, nogil=True, inline="always")(function))


_COMPILING = threading.RLock()


def _one_at_a_time(compiled: Any) -> Any:
    # Numba locks its compiler, but not the typing of arguments before it: with two threads at a
    # kernel's first call it failed with a KeyError about once in ten times.
    compile_for = compiled._compile_for_args

    def locked(*arguments: Any, **named: Any) -> Any:
        with _COMPILING:
            return compile_for(*arguments, **named)

    compiled._compile_for_args = locked
    return compiled


def _noticing(compiled: Any) -> Any:
    # Numba looks whether the function's own file has changed. But a kernel contains those that it
    # calls, from other files of its package and of this one too, and would go on with their old
    # code.
    package = Path(compiled.py_func.__code__.co_filename).parent
    file = compiled._cache._cache_file
    file._source_stamp = _stamp(package) + _stamp(Path(__file__).parent)
    return compiled


@cache
def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of each module in `folder`."""
    found = [(path.name, path.stat()) for path in sorted(folder.glob("*.py"))]
    return tuple((name, status.st_mtime_ns, status.st_size) for name, status in found)
