"""SIGTERM and Ctrl-C: at once, or when what is at work has come to a good end."""

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

import typer

from wellread.base.errors import Stopped
from wellread.base.processes import is_first, num_processes
from wellread.cli import show

STARTS_OVER = "the same command starts over"
AGAIN = 5.0  # seconds in which one of several processes takes a second signal for the first


def end(number: int, sentence: str) -> NoReturn:
    """End this process at once, and say what that means for the work."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # the cursor, which a progress bar hides
    if is_first():
        print(f"wellread: interrupted; {sentence}", file=sys.stderr, flush=True)
    os._exit(128 + number)


@contextlib.contextmanager
def ends_with(sentence: str) -> Iterator[None]:
    """In this block a signal ends the process at once, with this sentence."""

    def ended(number: int, _frame: FrameType | None) -> None:
        end(number, sentence)

    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in a shell's background job
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, ended) for number in numbers}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


def goes_on() -> contextlib.AbstractContextManager[None]:
    """In this block a signal ends the process at once, and what was done is gone on from."""
    return ends_with(f"what is done is kept; to go on: {_command()}")


@contextlib.contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """In this block a first signal is only noted: whether one has come is what is given.

    A second one ends at once. Work that ends with `Stopped` therefore becomes one line, with the
    command that goes on, and the signal's exit status; what was done when the signal came takes
    its usual effect afterwards.
    """
    came: list[int] = []
    first = 0.0
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}

    def give_back() -> None:
        for number, usual in before.items():
            signal.signal(number, usual)

    def note(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if came:
            # A scheduler that tells every process tells torchrun too, which tells them again.
            if num_processes() > 1 and time.monotonic() - first < AGAIN:
                return
            give_back()
            signal.raise_signal(number)
            return
        came.append(number)
        first = time.monotonic()
        show.err.print("wellread: saving after this step; once more ends at once", markup=False)

    for number, usual in before.items():
        if usual is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield lambda: bool(came)
    except Stopped as stopped:
        show.err.print(f"wellread: {stopped}; to go on: {_command()}", markup=False)
        raise typer.Exit(128 + came[0]) from None
    finally:
        give_back()
    if came:
        signal.raise_signal(came[0])


def _command() -> str:
    own = shlex.join(["wellread", *sys.argv[1:]])
    return f"torchrun as before, -m {own}" if num_processes() > 1 else own
