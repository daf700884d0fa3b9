"""`checkpoints/step-N/` of a run: weights, optimiser state and where the run was; no pickle.

A checkpoint is written beside its place and renamed, and its `state.json` holds the digests of the
other files, so that a half-written or damaged one is recognised and the one before it used.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import sha256_of


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`state.json`: written last inside a checkpoint."""

    version: int = 1
    step: int  # steps done
    tokens: int  # seen so far
    seconds: float  # of training so far
    digests: dict[str, str]  # file -> SHA-256


def write_checkpoint(
    run: Path, step: int, write: Callable[[Path], None], *, tokens: int, seconds: float
) -> Path:
    """Let `write` fill a folder, seal it with digests, and move it to its place."""
    target = run / "checkpoints" / f"step-{step:07}"
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    digests = {path.name: sha256_of(path) for path in sorted(partial.iterdir())}
    state = State(step=step, tokens=tokens, seconds=seconds, digests=digests)
    (partial / "state.json").write_bytes(msgspec.json.encode(state))
    for path in partial.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def intact_checkpoints(run: Path) -> list[Path]:
    """The checkpoints whose every file has its recorded digest, oldest first."""
    folders = sorted((run / "checkpoints").glob("step-*"))
    return [folder for folder in folders if _is_intact(folder)]


def newest_checkpoint(run: Path) -> Path:
    found = intact_checkpoints(run)
    if not found:
        raise InputError(f"{run}: no intact checkpoint under {run / 'checkpoints'} yet")
    return found[-1]


def read_state(checkpoint: Path) -> State:
    return msgspec.json.decode((checkpoint / "state.json").read_bytes(), type=State)


def _is_intact(folder: Path) -> bool:
    try:
        digests = read_state(folder).digests
        return all(sha256_of(folder / name) == digest for name, digest in digests.items())
    except (OSError, msgspec.DecodeError):
        return False


def remove_older(run: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints, and half-written ones."""
    folder = run / "checkpoints"
    for path in [*sorted(folder.glob("step-*"))[:-keep], *folder.glob(".step-*.partial")]:
        shutil.rmtree(path)
