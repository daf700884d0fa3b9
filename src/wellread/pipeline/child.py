"""The process that does some steps of a run. `pipeline.jobs` starts it, and it ends with that."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from wellread.base.errors import Stopped, WellreadError
from wellread.base.progress import Progress
from wellread.pipeline.jobs import Job, Told
from wellread.pipeline.plan import Step, plan
from wellread.pipeline.recipe import read_recipe

SECONDS_BETWEEN_LINES = 0.5


def main() -> int:
    """0: done; 1: failed, or stopped."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    stop, saves = threading.Event(), threading.Event()
    threading.Thread(target=_wait_for_end, args=(stop, saves), daemon=True).start()
    recipe = read_recipe(Path(job.recipe), data=Path(job.data) if job.data else None)
    for step in plan(recipe, Path(job.out)):
        if step.name in job.steps and not stop.is_set():
            try:
                _do(step, stop, saves)
            except Stopped:
                return 1
            except WellreadError as error:
                _tell(Told(step=step.name, error=str(error)))
                return 1
    return int(stop.is_set())


def _do(step: Step, stop: threading.Event, saves: threading.Event) -> None:
    if step.is_stoppable:
        saves.set()
        step.run(_progress(step.name), stop.is_set)
        saves.clear()
    else:
        step.run(_progress(step.name))
    _tell(Told(step=step.name, is_done=True))


def _wait_for_end(stop: threading.Event, saves: threading.Event) -> None:
    """Stop when the other end of standard input closes: at once, if nothing need be saved."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would trip the normal exit
    stop.set()
    if not saves.is_set():
        os._exit(1)


def _progress(name: str) -> Progress:
    last = 0.0

    def tell(done: float, total: float | None, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            _tell(Told(step=name, done=done, total=total, note=note))

    return tell


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
