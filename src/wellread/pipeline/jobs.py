"""Runs side by side: each in a process of its own, which ends with this one."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import msgspec

from wellread.base.errors import InputError, Stopped
from wellread.base.threads import num_threads

POLL = 0.3  # seconds between two looks at whether to stop
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")  # as PyTorch and our kernels read them
VISIBLE = "CUDA_VISIBLE_DEVICES"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of one run, which a process does one after the other."""

    run: str
    steps: list[str]  # names in the recipe's plan
    recipe: str  # paths
    data: str | None
    out: str
    log: str  # a file for what the process says besides


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that the process writes."""

    step: str
    done: float = 0.0
    total: float | None = None
    note: str = ""
    is_done: bool = False
    error: str | None = None  # a sentence: it could not be done


def places(jobs: int, devices: Sequence[str]) -> list[dict[str, str]]:
    """For each process that may run at a time what its environment adds to ours.

    That is its share of the cores, where ours does not say how many threads there are. With other
    numbers of threads sums of floats differ in their last digits.

    >>> places(1, ["cuda:0", "cuda:3"])[1][VISIBLE]
    '3'
    """
    share = str(max(1, num_threads(None) // (len(devices) or jobs)))
    threads = {name: os.environ.get(name, share) for name in THREADS}
    if not devices:
        return [threads] * jobs
    return [threads | {VISIBLE: _visible(device)} for device in devices]


def _visible(device: str) -> str:
    kind, _, number = device.partition(":")
    if kind != "cuda" or not number.isdecimal():
        raise InputError(f"--devices: {device!r} is none; name them as cuda:0,cuda:1")
    ours = os.environ.get(VISIBLE)
    if ours is None:
        return number
    named = ours.split(",")
    if int(number) >= len(named):
        raise InputError(f"--devices: there is no {device}; {VISIBLE} names {ours!r}")
    return named[int(number)]


def run_jobs(
    jobs: Sequence[Job],
    places: Sequence[Mapping[str, str]],
    tell: Callable[[Told], None],
    should_stop: Callable[[], bool],
) -> dict[str, str]:
    """Do all `jobs`, as many at a time as there are `places`; those that failed, and why, by run.

    `tell` hears what each says, on several threads. Once `should_stop` says so every process is
    asked to stop, which a training does when its step is saved; then Stopped is raised.
    """
    free: SimpleQueue[Mapping[str, str]] = SimpleQueue()
    for place in places:
        free.put(place)
    running: dict[str, IO[bytes]] = {}  # run -> where its process reads
    failed: dict[str, str] = {}

    def do(job: Job) -> None:
        if should_stop():
            return
        place = free.get()
        try:
            if error := _run_process(job, place, running, tell):
                failed[job.run] = error
        finally:
            free.put(place)

    with ThreadPoolExecutor(len(places)) as pool:
        try:
            waiting = {pool.submit(do, job) for job in jobs}
            while waiting:
                done, waiting = wait(waiting, timeout=POLL)
                for future in done:
                    future.result()
                if should_stop():
                    _end(running)
        except BaseException:
            _end(running)
            pool.shutdown(cancel_futures=True)
            raise
    if should_stop():
        raise Stopped("stopped, what was done is saved")
    return failed


def _end(running: Mapping[str, IO[bytes]]) -> None:
    """A process stops when nobody can write to it any more, as when this one has ended."""
    for pipe in list(running.values()):
        pipe.close()


def _run_process(
    job: Job,
    place: Mapping[str, str],
    running: dict[str, IO[bytes]],
    tell: Callable[[Told], None],
) -> str | None:
    """Why it failed, if it did."""
    log = Path(job.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "wellread.pipeline.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            env=os.environ | place,
        )
    assert child.stdin is not None
    assert child.stdout is not None
    error = None
    try:
        child.stdin.write(msgspec.json.encode(job) + b"\n")
        child.stdin.flush()
        running[job.run] = child.stdin
        for line in child.stdout:
            told = msgspec.json.decode(line, type=Told)
            error = told.error or error
            tell(told)
        status = child.wait()
    finally:
        child.kill()
        child.wait()
        running.pop(job.run, None)
        child.stdin.close()
        child.stdout.close()
    if not log.stat().st_size:
        log.unlink()
    return error or (f"its process ended with status {status}; see {log}" if status else None)
