"""nanoGPT's `ckpt.pt`: what its train.py saves, without the optimiser."""

from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.model.sizes import Architecture
from wellread.model.tensor_files import read_pickled
from wellread.model.weights import (
    EMBEDDING,
    Layout,
    Weights,
    checked,
    fit,
    shapes_of,
    tensors_in,
    without_tied_head,
)

COMPILED = "_orig_mod."  # put before every name by torch.compile
PREFIX = "transformer."
PADDED, TRUE = 50_304, 50_257  # GPT-2's vocabulary, up to the next multiple of 64
LAYOUT = Layout(name_of=lambda name: PREFIX + name, is_turned=False)
GELU_NOTE = (
    "nanoGPT's GELU is exact (its versions before 2023-06 had GPT-2's tanh approximation) and the "
    "file does not say which; the approximation is used, so that logits may differ in the third "
    "decimal"
)


class ModelArguments(msgspec.Struct, kw_only=True):
    """`model_args` of the checkpoint."""

    n_layer: int
    n_head: int
    n_embd: int
    block_size: int
    vocab_size: int
    bias: bool = True  # GPTConfig's default is GPT-2's
    dropout: float = 0.0


def read_nanogpt(path: Path) -> Weights:
    """The model of a checkpoint, mapped. Biases that it was trained without become zeros."""
    found = read_pickled(path)
    if not {"model", "model_args"} <= set(found):
        keys = ", ".join(map(str, list(found)[:4]))
        raise InputError(f"{path}: has the keys {keys}; expected model and model_args, as nanoGPT")
    arguments = _arguments(found["model_args"], path)
    config = checked(
        Architecture(
            layers=arguments.n_layer,
            width=arguments.n_embd,
            heads=arguments.n_head,
            context=arguments.block_size,
            vocab_size=arguments.vocab_size,
        ),
        path,
    )
    stored = {
        name.removeprefix(COMPILED): tensor
        for name, tensor in tensors_in(found["model"], path).items()
    }
    notes = [GELU_NOTE]
    if not arguments.bias:
        notes.append("it was trained without biases; they are zeros here, which is the same")
        _add_zero_biases(stored, config)
    if config.vocab_size == PADDED:
        notes.append(
            f"its vocabulary of {PADDED:,} ids is GPT-2's {TRUE:,} and {PADDED - TRUE} that no "
            f"token has, which are kept; `wellread import --vocab-size {TRUE}` cuts them off"
        )
    without_tied_head(stored, PREFIX + EMBEDDING, path)
    return Weights(config, fit(stored, config, LAYOUT, path), "nanoGPT", notes)


def _arguments(given: Any, path: Path) -> ModelArguments:
    try:
        arguments = msgspec.convert(given, ModelArguments)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: model_args: {error}") from None
    known = {field.name for field in msgspec.structs.fields(ModelArguments)}
    # Forks have switches of their own, off by default; one that is on is another network.
    for name, value in given.items():
        if name not in known and value:
            raise InputError(f"{path}: model_args.{name} is {value!r}; nanoGPT has no such setting")
    return arguments


def _add_zero_biases(stored: dict[str, Tensor], config: Architecture) -> None:
    embedding = stored.get(PREFIX + EMBEDDING)
    dtype = embedding.dtype if embedding is not None else torch.float32
    for name, shape in shapes_of(config).items():
        if name.endswith("bias"):
            stored.setdefault(PREFIX + name, torch.zeros(shape, dtype=dtype))
