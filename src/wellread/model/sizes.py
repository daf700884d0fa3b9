"""How large a model is: the paper's four rows, and any `LAYERSxWIDTH`."""

import re
from typing import Literal, NamedTuple

import msgspec

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.suggest import suggestion

HEAD_WIDTH = 64  # of all four released models (their hparams.json); used for LAYERSxWIDTH
# What the paper changed, or left as it was, and a study can undo.
SWITCHES = ("norm", "final_norm", "residual_scaling", "tied_head")


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
    """All that fixes the network; its counts are of one token.

    A multiplication and the addition after it are two operations (FLOPs). Only matrix products are
    counted; attention is that of a full context, with the masked half, as is the custom.
    """

    layers: int
    width: int
    heads: int
    context: int = 1024  # paper, section 2.3
    vocab_size: int = 50_257
    norm: Literal["pre", "post"] = "pre"  # section 2.3: "moved to the input of each sub-block"
    final_norm: bool = True  # section 2.3: "an additional layer normalization was added"
    residual_scaling: bool = True  # section 2.3: residual weights begin scaled by 1/sqrt(N)
    tied_head: bool = True  # openai/gpt-2, src/model.py: the head is the token embedding
    norm_epsilon: float = 1e-5  # openai/gpt-2, src/model.py, norm

    @property
    def num_parameters(self) -> int:
        """Weights and biases."""
        block = 12 * self.width**2 + 13 * self.width
        embeddings = (self.vocab_size + self.context) * self.width
        head = 0 if self.tied_head else self.vocab_size * self.width
        final = 2 * self.width if self.final_norm else 0
        return embeddings + self.layers * block + final + head

    def num_bytes(self, bytes_per_weight: int = 4) -> int:
        """What the weights take in memory."""
        return bytes_per_weight * self.num_parameters

    @property
    def cache_bytes(self) -> int:
        """Keys and values of a full context, 4 bytes a number."""
        return 4 * 2 * self.layers * self.context * self.width

    @property
    def forward_flops(self) -> int:
        """Matrix products of a token's forward pass, without attention's."""
        return 2 * (12 * self.layers * self.width**2 + self.vocab_size * self.width)

    @property
    def forward_attention_flops(self) -> int:
        """Queries times keys, and weights times values."""
        return 4 * self.layers * self.context * self.width

    @property
    def backward_flops(self) -> int:
        """Each product of the forward pass has two in the backward pass."""
        return 2 * self.forward_flops

    @property
    def backward_attention_flops(self) -> int:
        """As `backward_flops`."""
        return 2 * self.forward_attention_flops


class ModelConfig(Config, frozen=True):
    """The recipe's section `[model]`. The switches undo what the paper changed (section 2.3)."""

    size: str = "124M"
    context: int = 1024  # paper, section 2.3
    norm: Literal["pre", "post"] = "pre"
    final_norm: bool = True
    residual_scaling: bool = True
    tied_head: bool = True

    def __post_init__(self) -> None:
        if self.context < 2:
            raise ValueError(f"context {self.context} is less than 2 tokens")
        shape_of(self.size)  # refuses what is no size, before there are tokens

    def architecture(self, vocab_size: int) -> Architecture:
        switches = {name: getattr(self, name) for name in SWITCHES}
        shape = shape_of(self.size)._asdict()
        return Architecture(**shape, **switches, context=self.context, vocab_size=vocab_size)

    @classmethod
    def of(cls, shape: Architecture) -> "ModelConfig":
        """What asks for `shape`; heads of another width than HEAD_WIDTH cannot be asked for.

        >>> ModelConfig.of(Architecture(layers=12, width=768, heads=12)).size
        '124M'
        """
        sizes = {(one.layers, one.width): name for name, one in SIZES.items()}
        size = sizes.get((shape.layers, shape.width), f"{shape.layers}x{shape.width}")
        switches = {name: getattr(shape, name) for name in SWITCHES}
        return cls(size=size, context=shape.context, **switches)
