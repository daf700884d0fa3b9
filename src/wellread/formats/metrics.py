"""`metrics.jsonl` of a training run: one line for each step logged."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a training step measured; losses in nats per token."""

    step: int
    tokens: int  # seen so far
    loss: float | None = None  # of this step's batch, before its update
    spike: float | None = None  # how far the loss is above the median of those before, if too far
    skipped: str | None = None  # why there was no update
    learning_rate: float | None = None
    gradient_norm: float | None = None  # before clipping, as the next
    gradient_norms: list[float] | None = None  # of each block, the first layer's first
    held_out_loss: float | None = None
    held_out_low: float | None = None  # 95 % interval of it, of the last step
    held_out_high: float | None = None
    held_out_bits_per_byte: float | None = None
    seconds: float = 0.0  # since the run began, interruptions not counted
    tokens_per_second: float | None = None
    seconds_left: float | None = None  # at this speed
    memory_bytes: int | None = None  # so far at most; of the device, or of the process on a CPU
    flops_per_second: int | None = None  # of the model's matrix products, forward and backward
    mfu: float | None = None  # their share of the device's peak, where that is known


def encode_step(step: Step) -> bytes:
    return msgspec.json.encode(step) + b"\n"


def seconds_spent(manifest: Manifest, steps: Iterable[Step]) -> float:
    """In all sittings of an interrupted run, whose manifest has those of the last one alone."""
    return max([manifest.seconds, *(step.seconds for step in steps)])


def read_metrics(run: Path) -> Iterator[Step]:
    """The steps of a run, in order. A last line cut by a kill is left out."""
    path = run / "metrics.jsonl"
    if not path.exists():
        raise InputError(f"{run}: no metrics.jsonl; not a training run")
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        if line.endswith(b"\n"):
            try:
                yield msgspec.json.decode(line, type=Step)
            except msgspec.DecodeError as error:
                raise InputError(f"{path}:{number}: not a step ({error})") from None
