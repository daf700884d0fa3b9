"""`checkpoints/step-N/` of a run: weights, optimiser state and where the run was; no pickle.

A checkpoint is written beside its place and renamed, and its `state.json` holds the digests of the
other files, so that a half-written or damaged one is recognised and the one before it used.
"""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import sha256_of

log = logging.getLogger(__name__)


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
    """Let `write` fill a folder, seal it with digests, and move it to its place.

    Onto the disk, so that older ones may go then. Nothing is left of one that fails.
    """
    target = run / "checkpoints" / f"step-{step:07}"
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write(partial)
        digests = {path.name: sha256_of(path) for path in sorted(partial.iterdir())}
        state = State(step=step, tokens=tokens, seconds=seconds, digests=digests)
        (partial / "state.json").write_bytes(msgspec.json.encode(state))
        for path in [*partial.iterdir(), partial]:
            _flush(path)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def intact_checkpoints(run: Path) -> list[Path]:
    """The checkpoints whose every file has its recorded digest, oldest first."""
    return [folder for folder in _folders(run) if _is_intact(folder)]


def newest_intact(run: Path) -> Path | None:
    """Only as many are read as it takes to find it; none if there are no checkpoints at all."""
    for folder in reversed(_folders(run)):
        if _is_intact(folder):
            return folder
        log.warning("%s: damaged, and passed over", folder)
    if found := _folders(run):
        raise InputError(
            f"{found[0].parent}: none of its {len(found)} checkpoints is intact; put one back, or "
            "delete the folder to begin anew"
        )
    return None


def newest_checkpoint(run: Path) -> Path:
    found = newest_intact(run)
    if found is None:
        raise InputError(
            f"{run}: no checkpoint yet; the training saves one every `save_every_steps` steps, and "
            "when it is interrupted"
        )
    return found


def _folders(run: Path) -> list[Path]:
    found = (run / "checkpoints").glob("step-*")
    return sorted((one for one in found if one.name[5:].isdecimal()), key=_step_of)


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def read_state(checkpoint: Path) -> State:
    return msgspec.json.decode((checkpoint / "state.json").read_bytes(), type=State)


def _is_intact(folder: Path) -> bool:
    """What cannot be read now may be intact: then nothing is said, and nothing done."""
    try:
        digests = read_state(folder).digests
        return all(sha256_of(folder / name) == digest for name, digest in digests.items())
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return False
    except OSError as error:
        raise WellreadError(f"{folder}: cannot be read now ({error}); try again later") from error


def remove_older(run: Path, keep: int, *, keep_every: int | None = None) -> None:
    """Delete all but the newest `keep` checkpoints and those at multiples of `keep_every` steps."""
    for folder in _folders(run)[:-keep]:
        if keep_every is None or _step_of(folder) % keep_every:
            shutil.rmtree(folder)


def set_aside_after(run: Path, step: int) -> None:
    """Rename the checkpoints past `step`, which are damaged; delete half-written ones.

    A damaged one would else count as the newest when older ones are deleted.
    """
    for folder in (run / "checkpoints").glob(".step-*.partial"):
        shutil.rmtree(folder)
    for folder in _folders(run):
        if _step_of(folder) > step:
            aside = folder.with_name(f"damaged-{folder.name}")
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
