"""Models from files and to files, whoever's format it is."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.base.files import write_bytes
from wellread.base.suggest import did_you_mean
from wellread.model.gpt2 import GPT2
from wellread.model.hugging_face import config_json, read_hugging_face, to_stored
from wellread.model.large_pages import copied
from wellread.model.nanogpt import read_nanogpt
from wellread.model.openai import read_openai
from wellread.model.sizes import Architecture
from wellread.model.sources import checkpoint_of, locate
from wellread.model.tensor_files import dtype_named, save_tensors
from wellread.model.weights import Weights
from wellread.tokenizer.tokenizer import Tokenizer

log = logging.getLogger(__name__)


def read_weights(model: str | Path) -> Weights:
    """The tensors of a model in any form that `sources.KINDS` names, mapped where that is possible.

    Refused, with the tensor and both shapes, unless they are exactly those of its GPT-2.
    """
    place = checkpoint_of(locate(model))
    if place.is_file():
        return read_nanogpt(place)
    return (read_hugging_face if (place / "config.json").is_file() else read_openai)(place)


def load_model(
    model: str | Path, *, device: str = "auto", dtype: str = "float32", mapped: bool = True
) -> GPT2:
    """The network of a model in any form that `sources.KINDS` names, ready to evaluate.

    `dtype` is float64, float32, bfloat16, float16, or `stored`: as in the file. Weights that need
    neither another type nor another device stay in the mapped file, matrices as turned views, so
    that a model takes no memory of its own. Others, and all if not `mapped`, are copied one by one:
    at the peak, the model and what PyTorch needs for itself. Measured at 355M, of which float32
    takes 1,419 MB: 72 MB of private memory mapped, 764 MB as bfloat16, 1,457 MB copied.
    """
    wanted, target = dtype_named(dtype), find_device(device)
    weights = read_weights(model)
    for note in weights.notes:
        log.warning("%s: %s", model, note)
    with torch.device("meta"):
        network = GPT2(weights.config)
    # One at a time out of one table and into the other: what is not mapped goes as it is copied.
    placed = {
        name: _placed(weights.tensors.pop(name), target, wanted, mapped=mapped)
        for name in list(weights.tensors)
    }
    network.load_state_dict(placed, assign=True)
    return network.eval()


def _placed(
    tensor: Tensor, device: torch.device, dtype: torch.dtype | None, *, mapped: bool
) -> Tensor:
    dtype = dtype or tensor.dtype
    if mapped and (tensor.device, tensor.dtype) == (device, dtype):
        return tensor
    return copied(tensor, dtype, device)


def refuse_path(model: object) -> None:
    """A network is expected, and its folder may be given: InputError names the call."""
    if isinstance(model, (str, Path)):
        raise InputError(
            f"a path where a model is expected: give wellread.load_model({str(model)!r})"
        )


def find_device(device: str) -> torch.device:
    """`auto` is the accelerator if there is one; a device asked for and absent is an error."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("device cuda was asked for, but PyTorch finds none; give --device cpu")
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    if found is None or found.type not in ("cpu", "cuda"):
        meant = did_you_mean(device, ["auto", "cpu", "cuda"])
        raise InputError(f"device {device!r}: expected auto, cpu or cuda{meant}")
    return found


def save_model(network: GPT2, folder: Path, *, end_of_text: int | None = None) -> None:
    """Write config.json and model.safetensors, which `transformers` reads if it has the network.

    `end_of_text` is the id that config.json names, by default the last.
    """
    tensors = dict(network.named_parameters())
    save_tensors(to_stored(tensors), folder / "model.safetensors")
    config = config_json(
        network.config,
        network.wte.weight.dtype,
        end_of_text=network.config.vocab_size - 1 if end_of_text is None else end_of_text,
        with_switches=True,
    )
    write_bytes(folder / "config.json", config)


def check_vocabulary(tokenizer: Tokenizer, config: Architecture, model: str | Path) -> None:
    """Refuse a tokenizer that has ids which the model has not."""
    if tokenizer.vocab_size > config.vocab_size:
        raise InputError(
            f"{model}: the tokenizer has {tokenizer.vocab_size} ids and the model "
            f"{config.vocab_size}; expected at most as many"
        )


def load_tokenizer(model: str | Path) -> Tokenizer:
    """The tokenizer of a model: in the run that it belongs to, or beside the weights."""
    return Tokenizer.load(tokenizer_folder(model))


def tokenizer_folder(model: str | Path) -> Path:
    """Where the tokenizer of a model is, if it has one."""
    place = locate(model).resolve()
    folder = place.parent if place.is_file() else place
    run = folder.parents[1] if folder.parent.name == "checkpoints" else folder
    return run / "tokenizer" if (run / "tokenizer").is_dir() else folder
