"""Numba's compiler, with a cache on disk that notices when any kernel of a package changes."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

log = logging.getLogger(__name__)
SLOW_SECONDS = 2.0  # of compiling, after which it is said
LOADED_SECONDS = 0.3  # what takes less was in the cache


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` when first called; it runs without the GIL.

    The machine code is kept beside the module, or else where NUMBA_CACHE_DIR or the user's cache
    directory is.
    """
    return _one_at_a_time(_kept(njit(nogil=True)(function)))


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into the kernels that call it."""
    return _kept(njit(nogil=True, inline="always")(function))


def _kept(compiled: Any) -> Any:
    try:
        compiled.enable_caching()
    except RuntimeError:  # Numba's only word for "none of the folders may be written"
        _say_that_nothing_is_kept()
        return compiled
    return _noticing(compiled)


@cache
def _say_that_nothing_is_kept() -> None:
    log.warning(
        "compiled loops cannot be kept, so each start compiles them again; name a folder that may "
        "be written in NUMBA_CACHE_DIR"
    )


class _Watch:
    """Says once that compiling goes on, when it has taken SLOW_SECONDS in all."""

    def __init__(self) -> None:
        self._left = SLOW_SECONDS
        self._has_told = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        timer = threading.Timer(self._left, self._tell)
        timer.daemon = True
        started = time.monotonic()
        if not self._has_told:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()
            seconds = time.monotonic() - started
            self._left = max(0.0, self._left - seconds * (seconds > LOADED_SECONDS))

    def _tell(self) -> None:
        if not self._has_told:
            self._has_told = True
            log.info("compiling loops for this machine, once; later starts are quick")


_WATCH = _Watch()
_COMPILING = threading.RLock()


def _one_at_a_time(compiled: Any) -> Any:
    # Numba locks its compiler, but not the typing of arguments before it: with two threads at a
    # kernel's first call it failed with a KeyError about once in ten times.
    compile_for = compiled._compile_for_args

    def locked(*arguments: Any, **named: Any) -> Any:
        with _COMPILING, _WATCH.watching():
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
