"""The recipe's section `[evaluate]`."""

from pathlib import Path
from typing import Literal

import msgspec

from wellread.base import plugins
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.suggest import suggestion
from wellread.evaluate import tasks

Suite = Literal["paper", "small"]
Axes = Literal["default", "each", "all"]


class EvaluateConfig(Config, frozen=True):
    """Which tasks a model is scored on, and with what."""

    tasks: list[str] = msgspec.field(default_factory=list)  # NAME,NAME|AXIS=VALUE|...,...
    suite: Suite | None = None  # all that the paper has a number of, or all made from a corpus
    axes: Axes = "default"  # each: every other value of an axis, one at a time; all: the grid
    data: Path | None = None  # folder of benchmark files
    download: bool = False  # fetch to `data` what is absent and may be fetched
    budget: float | None = None  # minutes in all; tasks that need more take a part of their items
    limit: int | None = None  # items of each task; a smaller set is marked as such
    batch_tokens: int = 8192  # at one time: bounds the memory
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    seed: int = 0  # of samples and of bootstraps

    def __post_init__(self) -> None:
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("`tasks` names a task twice")
        known = plugins.names(tasks)
        for name in [task.partition("|")[0].partition(":")[0] for task in self.tasks]:
            if name not in known:
                raise InputError(f"there is no task {name!r}{suggestion(name, known)}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"`limit` is {self.limit}, expected at least 1")
        if self.budget is not None and not self.budget > 0:
            raise ValueError(f"`budget` is {self.budget}, expected more than 0 minutes")
        if self.batch_tokens < 1:
            raise ValueError(f"`batch_tokens` is {self.batch_tokens}, expected at least 1")
