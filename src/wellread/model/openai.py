"""OpenAI's release of GPT-2: a folder with hparams.json and a checkpoint of TensorFlow."""

import re
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.formats.tensor_bundle import StoredTensor, read_bundle
from wellread.model.sizes import Architecture
from wellread.model.weights import Layout, Weights, checked, fit

CHECKPOINT = re.compile(r'^model_checkpoint_path:\s*"(.+)"', re.MULTILINE)


class Hparams(msgspec.Struct, kw_only=True):
    """`hparams.json`."""

    n_vocab: int
    n_ctx: int
    n_embd: int
    n_head: int
    n_layer: int


def variable(name: str) -> str:
    """What openai/gpt-2, src/model.py, calls one of the network's tensors.

    >>> variable("h.11.attn.c_attn.weight"), variable("ln_f.bias"), variable("wte.weight")
    ('model/h11/attn/c_attn/w', 'model/ln_f/b', 'model/wte')
    """
    scope, _, kind = name.rpartition(".")
    path = "model/" + re.sub(r"^h\.", "h", scope).replace(".", "/")
    if scope in ("wte", "wpe"):
        return path
    if kind == "bias":
        return path + "/b"
    return path + ("/g" if "ln_" in scope else "/w")


# Convolutions of width 1.
LAYOUT = Layout(name_of=variable, is_turned=True, axes_before=(1,))


def read_openai(folder: Path) -> Weights:
    """The model of a folder as openai/gpt-2's download_model.py leaves it, mapped."""
    path = folder / "hparams.json"
    try:
        hparams = msgspec.json.decode(path.read_bytes(), type=Hparams)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not the sizes of a GPT-2 ({error})") from None
    config = Architecture(
        layers=hparams.n_layer,
        width=hparams.n_embd,
        heads=hparams.n_head,
        context=hparams.n_ctx,
        vocab_size=hparams.n_vocab,
    )
    prefix = _prefix(folder)
    bundle = read_bundle(prefix)
    stored = {name: _as_torch(tensor) for name, tensor in bundle.items()}
    tensors = fit(stored, checked(config, path), LAYOUT, prefix)
    return Weights(config, tensors, "OpenAI's TensorFlow checkpoint", [])


def _prefix(folder: Path) -> Path:
    """The checkpoint that the file `checkpoint` names, else the only one that is there."""
    names = folder / "checkpoint"
    if names.is_file():
        found = CHECKPOINT.search(names.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            raise InputError(f'{names}: no line model_checkpoint_path: "NAME"')
        return folder / Path(found[1]).name  # often with a path of the machine that wrote it
    indices = sorted(folder.glob("*.index"))
    if len(indices) != 1:
        raise InputError(
            f"{folder}: {len(indices)} files *.index and no file `checkpoint` that says which; "
            "expected one checkpoint of TensorFlow"
        )
    return indices[0].with_suffix("")


def _as_torch(tensor: StoredTensor) -> Tensor:
    dtype: torch.dtype = getattr(torch, tensor.dtype)
    content = tensor.content
    if content.ctypes.data % dtype.itemsize:  # behind a tensor of another width
        content = content.copy()
    return torch.from_numpy(content).view(dtype).reshape(tensor.shape)
