"""Hugging Face's folder of a `gpt2`: config.json and the weights, in and out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.model import sizes
from wellread.model.sizes import Architecture
from wellread.model.tensor_files import read_pickled, read_safetensors, read_sharded
from wellread.model.weights import (
    EMBEDDING,
    HEAD,
    MATRICES,
    Layout,
    Weights,
    checked,
    fit,
    tensors_in,
    without_tied_head,
)

PREFIX = "transformer."  # in files of GPT2LMHeadModel, not in those of GPT2Model
LAYOUT = Layout(name_of=lambda name: name, is_turned=True)
GELU = ("gelu_new", "gelu_pytorch_tanh")  # two names of the same approximation
# What gpt2 as `transformers` has it is. A model that differs has a type that it does not know:
# a type that it knows would be loaded, and be another model.
PLAIN = {"norm": "pre", "final_norm": True}
OURS = "wellread"  # that type, and the key of config.json with our switches
SWITCHES = tuple(name for name in sizes.SWITCHES if name != "tied_head")  # tie_word_embeddings
FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


class HuggingFaceConfig(msgspec.Struct):
    """The keys of config.json that fix the network; others are allowed."""

    model_type: str
    n_layer: int
    n_embd: int
    n_head: int
    vocab_size: int
    n_positions: int = 1024
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    layer_norm_epsilon: float = 1e-5
    tie_word_embeddings: bool = True
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    add_cross_attention: bool = False
    wellread: dict[str, Any] | None = None  # our switches; none: not from us


def read_hugging_face(folder: Path) -> Weights:
    """The model of a folder with config.json and the weights in any form of `transformers`."""
    found = _read_config(folder / "config.json")
    config = checked(_architecture(found, folder / "config.json"), folder / "config.json")
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if path is None:
        raise InputError(
            f"{folder}: config.json, but no weights; expected model.safetensors or "
            "pytorch_model.bin, whole or in shards"
        )
    stored: dict[str, Tensor] = {}
    for full_name, tensor in tensors_in(_read(path), path).items():
        name = full_name.removeprefix(PREFIX)
        if name in stored:
            raise InputError(f"{path}: tensor {name} is there twice, as {full_name} too")
        stored[name] = tensor
    if config.tied_head:
        without_tied_head(stored, EMBEDDING, path)
    kind = "Hugging Face" if found.wellread is None else OURS
    return Weights(config, fit(stored, config, LAYOUT, path), kind, [])


def _read(path: Path) -> Mapping[str, Any]:
    read = read_safetensors if "safetensors" in path.name else read_pickled
    return dict(read_sharded(path, read)) if path.suffix == ".json" else read(path)


def _read_config(path: Path) -> HuggingFaceConfig:
    """config.json, refused where it describes another network than a GPT-2."""
    try:
        config = msgspec.json.decode(path.read_bytes(), type=HuggingFaceConfig)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not the configuration of a GPT-2 ({error})") from None
    if config.model_type not in ("gpt2", OURS) or config.activation_function not in GELU:
        raise InputError(
            f"{path}: {config.model_type} with {config.activation_function}; expected gpt2 with "
            "gelu_new"
        )
    for key, found, wanted in (
        ("n_inner", config.n_inner or 4 * config.n_embd, 4 * config.n_embd),
        ("scale_attn_weights", config.scale_attn_weights, True),
        ("scale_attn_by_inverse_layer_idx", config.scale_attn_by_inverse_layer_idx, False),
        ("add_cross_attention", config.add_cross_attention, False),
    ):
        if found != wanted:
            raise InputError(f"{path}: {key} is {found}; expected {wanted}, as in GPT-2")
    return config


def _architecture(config: HuggingFaceConfig, path: Path) -> Architecture:
    switches = config.wellread or {}
    if unknown := sorted(set(switches) - set(SWITCHES)):
        raise InputError(f"{path}: {OURS}.{unknown[0]} is not known to this version of wellread")
    given = {
        "layers": config.n_layer,
        "width": config.n_embd,
        "heads": config.n_head,
        "context": config.n_positions,
        "vocab_size": config.vocab_size,
        "norm_epsilon": config.layer_norm_epsilon,
        "tied_head": config.tie_word_embeddings,
    }
    try:
        return msgspec.convert(given | switches, Architecture)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}") from None


def is_plain(config: Architecture) -> bool:
    """Whether `transformers` has this network as `gpt2`."""
    return all(getattr(config, name) == value for name, value in PLAIN.items())


def config_json(
    config: Architecture, dtype: torch.dtype, *, end_of_text: int, with_switches: bool
) -> bytes:
    """config.json; `with_switches` adds what only we read."""
    found: dict[str, Any] = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2" if is_plain(config) else OURS,
        "n_layer": config.layers,
        "n_embd": config.width,
        "n_head": config.heads,
        "n_positions": config.context,
        "vocab_size": config.vocab_size,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": config.norm_epsilon,
        "tie_word_embeddings": config.tied_head,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "dtype": str(dtype).removeprefix("torch."),
    }
    if with_switches:
        found[OURS] = {name: getattr(config, name) for name in SWITCHES}
    return msgspec.json.format(msgspec.json.encode(found), indent=2)


def to_stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's tensors under the names and in the shapes of GPT2LMHeadModel, as views."""
    return {
        name if name == HEAD else PREFIX + name: tensor.t() if name.endswith(MATRICES) else tensor
        for name, tensor in tensors.items()
    }
