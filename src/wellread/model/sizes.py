"""How large a model is: the paper's four rows, and any `LAYERSxWIDTH`."""

import re
from typing import NamedTuple

import msgspec

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.text import suggestion

HEAD_WIDTH = 64  # of all four released models (their hparams.json); used for LAYERSxWIDTH


class Shape(NamedTuple):
    layers: int
    width: int
    heads: int


# Layers and widths: paper, table 2. Heads: not there; from the released hparams.json.
SIZES = {
    "124M": Shape(12, 768, 12),
    "355M": Shape(24, 1024, 16),
    "774M": Shape(36, 1280, 20),
    "1558M": Shape(48, 1600, 25),
}
# As printed in the paper; "our original parameter counts were wrong due to an error"
# (openai/gpt-2, README).
PRINTED = {"117M": "124M", "345M": "355M", "762M": "774M", "1542M": "1558M"}


def shape_of(size: str) -> Shape:
    """The shape named `size`: a true or printed name of the paper's, or `LAYERSxWIDTH`.

    >>> shape_of("117M") == shape_of("124M")
    True
    >>> shape_of("4x192")
    Shape(layers=4, width=192, heads=3)
    """
    name = PRINTED.get(size, size)
    if name in SIZES:
        return SIZES[name]
    numbers = re.fullmatch(r"(\d+)x(\d+)", size)
    if not numbers:
        raise InputError(
            f"model size {size!r}: neither LAYERSxWIDTH nor a size of the paper"
            + suggestion(size, [*SIZES, *PRINTED])
        )
    layers, width = int(numbers[1]), int(numbers[2])
    if layers < 1 or width < HEAD_WIDTH or width % HEAD_WIDTH:
        raise InputError(f"model size {size!r}: the width must be a multiple of {HEAD_WIDTH}")
    return Shape(layers, width, width // HEAD_WIDTH)


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """All that fixes the network's tensors."""

    layers: int
    width: int
    heads: int
    context: int = 1024  # paper, section 2.3
    vocab_size: int = 50_257

    @property
    def num_parameters(self) -> int:
        """Weights and biases; the head is tied to the token embedding."""
        block = 12 * self.width**2 + 13 * self.width
        embeddings = (self.vocab_size + self.context) * self.width
        return embeddings + self.layers * block + 2 * self.width


class ModelConfig(Config, frozen=True):
    """The recipe's section `[model]`."""

    size: str = "124M"
    context: int = 1024  # paper, section 2.3

    def __post_init__(self) -> None:
        if self.context < 2:
            raise ValueError(f"context {self.context} is less than 2 tokens")

    def architecture(self, vocab_size: int) -> Architecture:
        shape = shape_of(self.size)
        return Architecture(**shape._asdict(), context=self.context, vocab_size=vocab_size)
