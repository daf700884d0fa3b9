"""The settings of `import` and `export`."""

from typing import Literal

from wellread.base.config import Config

Stored = Literal["stored", "float32", "bfloat16", "float16", "float64"]


class ImportConfig(Config, frozen=True):
    """How a foreign model is taken over."""

    dtype: Stored = "stored"  # of the weights; stored: as they are
    vocab_size: int | None = None  # ids to keep, the first; none: all


class ExportConfig(Config, frozen=True):
    """How a model is handed on."""

    dtype: Stored = "stored"  # of the weights; stored: as they are
