"""Event files for TensorBoard, beside metrics.jsonl."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

from wellread.base.errors import InputError
from wellread.formats.metrics import Step

NO_CURVES = ("step", "tokens", "skipped")


def check_board() -> None:
    """Refuse in one sentence if the package that writes event files is not there."""
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("tensorboard was asked for: pip install 'wellread[tensorboard]'")


@contextlib.contextmanager
def board(folder: Path, *, start: int) -> Iterator[Callable[[Step], None]]:
    """A function that draws what a step measured; a run that goes on has done `start` steps.

    What was drawn of later steps before it was interrupted is not shown.
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder), purge_step=start + 1) as writer:

        def draw(step: Step) -> None:
            for name in Step.__struct_fields__:
                value = getattr(step, name)
                if name in NO_CURVES or value is None:
                    continue
                curves = {name: value}
                if isinstance(value, list):
                    curves = {f"{name}/{number}": each for number, each in enumerate(value)}
                for curve, measured in curves.items():
                    writer.add_scalar(curve, measured, step.step)

        yield draw
