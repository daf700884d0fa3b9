"""A sweep, `sweep.json`: short runs that differ in their learning rate, and the best of them."""

from pathlib import Path

import msgspec

from wellread.base.errors import InputError

STAGE = "sweep"
FILE = "sweep.json"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A run with one peak learning rate, in `rates/RATE`."""

    learning_rate: float
    held_out_loss: float | None  # at its end, nats per token; null: it became no number
    directory: str  # below the sweep's


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    steps: int  # of each run
    chosen: float  # the peak learning rate with the least loss
    final_learning_rate: float  # in the same proportion to it as the settings had
    is_at_edge: bool  # no larger, or no smaller, rate was tried than the chosen one
    trials: list[Trial]  # from the smallest rate


def read_sweep(directory: Path) -> Sweep:
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sweep)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not a sweep ({error})") from None
