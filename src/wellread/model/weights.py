"""A network's tensors under any format's names and shapes, checked against what it needs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.model.tensor_files import DTYPES

# (out, in) here. Formats that took over the released model's conv1d have them (in, out).
MATRICES = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
# Buffers of older programs: the causal mask, which is no weight.
MASKS = (".attn.bias", ".attn.masked_bias")
HEAD, EMBEDDING = "lm_head.weight", "wte.weight"
# Far above any GPT-2; a number that a slip or malice made larger would take hours or overflow.
MOST_LAYERS, MOST_PARAMETERS = 10_000, 10**12


class Weights(NamedTuple):
    """A model as it is stored: nothing is converted, and matrices may be turned views."""

    config: Architecture
    tensors: dict[str, Tensor]  # by the network's names, in the network's shapes
    kind: str  # of what it was read from
    notes: list[str]  # sentences on what is not quite as in the source


class Layout(NamedTuple):
    """How a format stores the network's tensors."""

    name_of: Callable[[str], str]  # its name for one of ours
    is_turned: bool  # matrices are (in, out)
    axes_before: tuple[int, ...] = ()  # of matrices

    def shape_of(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which it stores our tensor `name`."""
        if not name.endswith(MATRICES):
            return shape
        return *self.axes_before, *(reversed(shape) if self.is_turned else shape)


def tensors_in(table: Any, where: Path) -> dict[str, Tensor]:
    """What a file that anybody may have written holds, if that is tensors by name; no masks."""
    if not isinstance(table, Mapping):
        raise InputError(f"{where}: a {type(table).__name__} where a table of tensors is expected")
    found = {}
    for name, tensor in table.items():
        if not isinstance(name, str):
            raise InputError(f"{where}: a tensor's name is {name!r}; expected a text")
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            kind = getattr(tensor, "layout", type(tensor).__name__)
            raise InputError(f"{where}: {name} is of type {kind}; expected a dense tensor")
        if not name.endswith(MASKS):
            found[name] = tensor
    return found


def shapes_of(config: Architecture) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter of the network."""
    with torch.device("meta"):
        network = GPT2(config)
    return {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}


def checked(config: Architecture, where: Path) -> Architecture:
    """`config`, unless no network can have these numbers."""
    least = min(config.layers, config.width, config.heads, config.context, config.vocab_size)
    if least < 1 or config.width % config.heads:
        raise InputError(
            f"{where}: {config.layers} layers, {config.width} wide, {config.heads} heads, context "
            f"{config.context}, vocabulary {config.vocab_size}; expected at least 1 of each, and "
            "a width that the heads divide"
        )
    if config.layers > MOST_LAYERS or config.num_parameters > MOST_PARAMETERS:
        raise InputError(
            f"{where}: {config.layers:,} layers and {config.num_parameters:,} parameters; expected "
            f"at most {MOST_LAYERS:,} and {MOST_PARAMETERS:,}, so one of the numbers is wrong"
        )
    if not 0 <= config.norm_epsilon < 1:
        raise InputError(
            f"{where}: the normalisation's epsilon is {config.norm_epsilon}; expected 0 or more, "
            "and less than 1"
        )
    return config


def fit(
    stored: dict[str, Tensor], config: Architecture, layout: Layout, where: Path
) -> dict[str, Tensor]:
    """The network's tensors out of `stored`, as views; refused unless they are exactly these."""
    found = {}
    names = set()
    for name, shape in shapes_of(config).items():
        theirs = layout.name_of(name)
        expected = layout.shape_of(name, shape)
        tensor = stored.get(theirs)
        if tensor is None or tuple(tensor.shape) != expected:
            have = "missing" if tensor is None else f"of shape {tuple(tensor.shape)}"
            raise InputError(f"{where}: tensor {theirs} is {have}, expected {expected}")
        if tensor.dtype not in DTYPES.values():
            raise InputError(
                f"{where}: tensor {theirs} is {tensor.dtype}, expected {', '.join(DTYPES)}"
            )
        tensor = tensor.reshape(expected[len(expected) - len(shape) :])
        # By its name: a square matrix does not show which way it lies.
        is_turned = layout.is_turned and name.endswith(MATRICES)
        found[name] = tensor.t() if is_turned else tensor
        names.add(theirs)
    if extra := sorted(set(stored) - names):
        raise InputError(
            f"{where}: tensors that this GPT-2 does not have, {extra[0]} "
            f"{tuple(stored[extra[0]].shape)} among {len(extra)}"
        )
    return found


def without_tied_head(stored: dict[str, Tensor], embedding: str, where: Path) -> None:
    """Take the head out of `stored`; where it is said to be the embedding, it must be."""
    head, table = stored.pop(HEAD, None), stored.get(embedding)
    if head is None or table is None or head.data_ptr() == table.data_ptr():
        return
    if head.shape != table.shape or not torch.equal(head, table):
        raise InputError(
            f"{where}: tensor {HEAD} {tuple(head.shape)} is not {embedding} "
            f"{tuple(table.shape)}, to which it is said to be tied"
        )
