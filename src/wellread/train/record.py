"""What a run has done so far, on disk: `metrics.jsonl`, TensorBoard, and the terminal."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from wellread.base.files import write_bytes
from wellread.base.progress import Progress
from wellread.formats import checkpoints
from wellread.formats.metrics import Step, encode_step, read_metrics
from wellread.train.board import board
from wellread.train.config import TrainConfig


def is_saved(step: int, config: TrainConfig) -> bool:
    return step > 0 and (step % config.save_every_steps == 0 or step == config.steps)


def _is_recorded(step: Step, config: TrainConfig) -> bool:
    has_measured = step.loss is not None or step.held_out_loss is not None
    return has_measured or step.skipped is not None or is_saved(step.step, config)


@contextlib.contextmanager
def recording(out: Path, config: TrainConfig, *, start: int) -> Iterator[Callable[[Step], None]]:
    """A function that writes down those steps that are worth it, of a run that has done `start`."""
    with contextlib.ExitStack() as held:
        metrics = held.enter_context((out / "metrics.jsonl").open("ab"))
        drawn = board(out / "tensorboard", start=start) if config.tensorboard else None
        draw = held.enter_context(drawn) if drawn else None

        def record(step: Step) -> None:
            if _is_recorded(step, config):
                metrics.write(encode_step(step))
                metrics.flush()  # so that it can be watched
                if draw:
                    draw(step)
            if is_saved(step.step, config):  # a checkpoint is never ahead of the metrics
                os.fsync(metrics.fileno())

        yield record
        os.fsync(metrics.fileno())


def recorded_steps(
    steps: Iterator[Step],
    config: TrainConfig,
    record: Callable[[Step], None] | None,
    progress: Progress,
) -> Iterator[Step]:
    """The steps, each written down first by the process that does, and announced afterwards."""
    for step in steps:
        if record:
            record(step)
        yield step
        if step.loss is not None:
            progress(step.step, config.steps, _note(step))


def _note(step: Step) -> str:
    is_spike = ", a spike" * (step.spike is not None)
    return f"loss {step.loss:.3f}{is_spike}, {step.tokens_per_second:,.0f} tokens/s"


def logged_losses(out: Path) -> Iterator[float]:
    """Those logged so far."""
    if (out / "metrics.jsonl").exists():
        yield from (step.loss for step in read_metrics(out) if step.loss is not None)


def forget_after(out: Path, last: int) -> None:
    """Leave only what the checkpoint of step `last` has seen; the rest will be done again."""
    checkpoints.set_aside_after(out, last)
    for unfinished in out.glob(".metrics.jsonl.*.partial"):  # of a process killed right here
        unfinished.unlink()
    path = out / "metrics.jsonl"
    if path.exists():
        # Of 0, before any step, nothing is kept either: it is measured again.
        kept = [encode_step(step) for step in read_metrics(out) if step.step <= last and last]
        write_bytes(path, b"".join(kept))
