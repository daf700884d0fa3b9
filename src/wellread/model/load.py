"""Weights in and out, in Hugging Face's layout for `gpt2`: config.json + model.safetensors."""

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from wellread.base.errors import InputError
from wellread.formats.checkpoints import newest_checkpoint
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.tokenizer.tokenizer import Tokenizer

# Stored (in, out) there: the released model calls these matrices conv1d.
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
# Buffers of older exports: the causal mask, which is no weight.
MASKS = (".attn.bias", ".attn.masked_bias")


class HuggingFaceConfig(msgspec.Struct):
    """The keys of config.json that fix the network; others are allowed."""

    model_type: str
    n_layer: int
    n_embd: int
    n_head: int
    vocab_size: int
    n_positions: int = 1024
    activation_function: str = "gelu_new"
    layer_norm_epsilon: float = 1e-5


def checkpoint_of(model: Path) -> Path:
    """The folder with the weights that `model` means: itself, or a run's newest checkpoint."""
    if (model / "config.json").is_file():
        return model
    if (model / "checkpoints").is_dir():
        return newest_checkpoint(model)
    raise InputError(
        f"{model}: no model here; expected a training run, one of its checkpoints, or a Hugging "
        "Face folder with config.json and model.safetensors"
    )


def load_model(model: str | Path, *, device: str = "auto", dtype: str = "float32") -> GPT2:
    """The network of a run, a checkpoint or a Hugging Face GPT-2 folder, ready to evaluate."""
    folder = checkpoint_of(Path(model))
    config = _read_config(folder / "config.json")
    tensors = _read_tensors(folder / "model.safetensors")
    with torch.device("meta"):
        network = GPT2(config)
    expected = {name: parameter.shape for name, parameter in network.named_parameters()}
    for name, shape in expected.items():
        found = tensors.get(name)
        if found is None or found.shape != shape:
            have = "missing" if found is None else f"of shape {tuple(found.shape)}"
            raise InputError(f"{folder}: tensor {name} is {have}, expected {tuple(shape)}")
    if extra := sorted(set(tensors) - set(expected)):
        raise InputError(f"{folder}: tensors that GPT-2 does not have: {', '.join(extra[:5])}")
    network.load_state_dict(tensors, assign=True)
    return network.to(device=find_device(device), dtype=getattr(torch, dtype)).eval()


def find_device(device: str) -> torch.device:
    """`auto` is the accelerator if there is one; a device asked for and absent is an error."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("device cuda was asked for, but PyTorch finds none; give --device cpu")
    return torch.device(device)


def _read_config(path: Path) -> Architecture:
    try:
        config = msgspec.json.decode(path.read_bytes(), type=HuggingFaceConfig)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not the configuration of a GPT-2 ({error})") from None
    if config.model_type != "gpt2" or config.activation_function != "gelu_new":
        raise InputError(
            f"{path}: {config.model_type} with {config.activation_function}; expected gpt2 with "
            "gelu_new"
        )
    return Architecture(
        layers=config.n_layer,
        width=config.n_embd,
        heads=config.n_head,
        context=config.n_positions,
        vocab_size=config.vocab_size,
    )


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not readable as safetensors ({error})") from None
    tensors = {}
    for full_name, tensor in stored.items():
        name = full_name.removeprefix("transformer.")
        if name.endswith(MASKS) or name == "lm_head.weight":
            continue  # the head is the token embedding
        tensors[name] = tensor.t().contiguous() if name.endswith(TRANSPOSED) else tensor
    return tensors


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write `tensors` as safetensors; a full disk is an OSError, as from any other writer."""
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


@torch.no_grad()
def save_model(network: GPT2, folder: Path) -> None:
    """Write config.json and model.safetensors as `transformers` reads them."""
    tensors = {
        f"transformer.{name}": (p.t() if name.endswith(TRANSPOSED) else p).detach().contiguous()
        for name, p in network.named_parameters()
    }
    save_tensors(tensors, folder / "model.safetensors")
    shape = network.config
    config: dict[str, Any] = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_layer": shape.layers,
        "n_embd": shape.width,
        "n_head": shape.heads,
        "n_positions": shape.context,
        "vocab_size": shape.vocab_size,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": shape.vocab_size - 1,
        "eos_token_id": shape.vocab_size - 1,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
    }
    text = msgspec.json.format(msgspec.json.encode(config), indent=2)
    (folder / "config.json").write_bytes(text)


def load_tokenizer(model: str | Path) -> Tokenizer:
    """The tokenizer that a model was trained with, kept beside its weights."""
    folder = Path(model).resolve()
    run = folder.parents[1]  # of a checkpoint
    places = [place for place in (folder / "tokenizer", run / "tokenizer") if place.is_dir()]
    return Tokenizer.load(places[0] if places else folder)
