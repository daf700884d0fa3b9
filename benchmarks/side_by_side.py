"""What every comparison with peers needs: fresh processes, rounds, medians, ratios, one table.

Machines are shared and drift, so only ratios within one run count: each round runs every
contestant once, in turn, and a ratio is taken between two runs of the same round.
"""

import importlib.metadata
import importlib.util
import os
import platform
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from wellread.model.sizes import Architecture

Contestant = TypeVar("Contestant")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one fresh process measured."""

    seconds: float  # of the work alone
    warm_up_seconds: float  # of the same call on another, small text before
    peak_bytes: int  # at the end, less the peak after import and loading
    floor_seconds: float = 0.0  # what the machine needs at least, measured beside it
    cpu_seconds: float = 0.0  # of all cores together
    amount: int  # of what was made: tokens, merges


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no measurement."""

    reason: str


Outcome = Run | Failure


def version_of(library: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def run_fresh(
    script: str, job: bytes, *, environment: Mapping[str, str], limit_seconds: float
) -> Outcome:
    """Run `script _worker JOB` in a new process; its last line of output is a Run in JSON."""
    try:
        done = subprocess.run(
            [sys.executable, script, "_worker", job.decode()],
            env={**os.environ, **environment},
            capture_output=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Failure(reason=f"over {limit_seconds:.0f} s")
    if done.returncode < 0:
        return Failure(reason=f"killed by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        return Failure(reason=next((line for line in reversed(lines) if line.strip()), "no reason"))
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Run)


def in_rounds(
    contestants: Sequence[Contestant], repeat: int, measure: Callable[[Contestant], Outcome]
) -> dict[Contestant, list[Outcome]]:
    """A B C, A B C, ...: the outcomes of each by round. Who fails once is not tried again."""
    outcomes: dict[Contestant, list[Outcome]] = {contestant: [] for contestant in contestants}
    for number in range(repeat):
        for contestant in contestants:
            if any(isinstance(outcome, Failure) for outcome in outcomes[contestant]):
                continue
            outcome = measure(contestant)
            outcomes[contestant].append(outcome)
            said = f"{outcome.seconds:.3f} s" if isinstance(outcome, Run) else outcome.reason
            sys.stderr.write(f"round {number + 1} of {repeat}: {contestant}: {said}\n")
    return outcomes


def seconds_of(outcomes: Sequence[Outcome]) -> list[float]:
    """By round; empty if any round failed."""
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    return [run.seconds for run in runs] if len(runs) == len(outcomes) else []


def spread(values: Sequence[float], digits: int) -> str:
    """Median and range.

    >>> spread([3.0, 1.0, 2.0], 1)
    '2.0 (1.0 to 3.0)'
    """
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Their seconds over ours, by round: above 1, ours is faster."""
    if not theirs or not ours:
        return ""
    return spread([their / our for their, our in zip(theirs, ours, strict=True)], 2)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """One sentence: processor, cores, memory, system, Python, day, load: ask before the work."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    model = next((x.partition(": ")[2] for x in cpuinfo if x.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cores of {model}, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, numba {version_of('numba')}, "
        f"{datetime.now(UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f} before"
    )


def peak_bytes() -> int:
    """This process's largest resident memory so far (Linux; getrusage counts the parent's too)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def use_cores(number: int) -> None:
    """Confine this process: some libraries start a thread for every core they see."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-number:])


def nanogpt_model(model_py: Path, shape: Architecture, *, bias: bool) -> Any:
    """The network of nanoGPT's model.py, fresh; it says how large it is on standard output."""
    spec = importlib.util.spec_from_file_location("nanogpt_model", model_py)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    config = module.GPTConfig(
        block_size=shape.context, vocab_size=-(-shape.vocab_size // 64) * 64, n_layer=shape.layers,
        n_head=shape.heads, n_embd=shape.width, dropout=0.0, bias=bias,
    )  # fmt: skip
    return module.GPT(config)
