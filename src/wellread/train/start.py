"""Fine-tuning: a run that begins with the weights of another model."""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import nn

from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.model.gpt2 import GPT2
from wellread.model.load import check_vocabulary, load_model, read_weights, tokenizer_folder
from wellread.model.sizes import SWITCHES, Architecture, ModelConfig, shape_of
from wellread.model.sources import locate
from wellread.tokenizer.tokenizer import Tokenizer


class Start(NamedTuple):
    """A model to begin with."""

    place: Path
    shape: Architecture  # of the run; its context may be shorter than the model's


def find_start(model: str, asked: ModelConfig) -> Start:
    """The model named `model`, and the network that its weights are for.

    What `asked` says beside its defaults must be what the model is; only the context may be
    shorter, and positions behind it are then cut off.
    """
    place = locate(model)
    shape = read_weights(place).config
    usual, is_ = ModelConfig(), ModelConfig.of(shape)
    wrong = [
        name
        for name in ("size", *SWITCHES)
        if getattr(asked, name) != getattr(usual, name) and not _agree(asked, is_, name)
    ]
    if wrong:
        name = wrong[0]
        raise InputError(
            f"{name} {getattr(asked, name)}: {model}, the model to start from, has {name} "
            f"{getattr(is_, name)}; leave {name} out, or name another model"
        )
    if asked.context == usual.context:
        return Start(place, shape)
    if asked.context > shape.context:
        raise InputError(
            f"context {asked.context}: {model}, the model to start from, has {shape.context} "
            "positions; give at most as many, or leave context out"
        )
    return Start(place, msgspec.structs.replace(shape, context=asked.context))


def _agree(asked: ModelConfig, found: ModelConfig, name: str) -> bool:
    if name == "size":
        return shape_of(asked.size)[:2] == shape_of(found.size)[:2]
    return bool(getattr(asked, name) == getattr(found, name))


def check_same_vocabulary(start: Start, tokens: Path) -> None:
    """Refuse ids that mean other texts than those that the model has learnt."""
    folder = tokenizer_folder(start.place)
    try:
        theirs = Tokenizer.load(folder)
    except InputError as error:
        raise InputError(
            f"{error}; the model to start from needs its tokenizer: "
            f"`wellread import {start.place} --tokenizer FOLDER -o MODEL`, and start from MODEL"
        ) from None
    check_vocabulary(theirs, start.shape, start.place)
    ours = Tokenizer.load(tokens / "tokenizer")
    if (ours.tokens, ours.merges) != (theirs.tokens, theirs.merges):
        raise InputError(
            f"{tokens}: encoded with another vocabulary than {start.place} has; encode the text "
            f"with that one: `wellread tokens {_corpus_of(tokens)} --tokenizer {folder} -o OTHER`"
        )


def _corpus_of(tokens: Path) -> str:
    """The text that was encoded, as a command would name it."""
    corpus = read_manifest(tokens).inputs["corpus"][0]
    return os.path.normpath(tokens / corpus.path)  # an absolute path stays what it is


def load_start(start: Start, device: torch.device) -> GPT2:
    """The model's network in float32, with weights of its own and as many positions as wanted."""
    network = load_model(start.place, device=str(device), mapped=False)
    if start.shape.context < network.config.context:
        positions = network.wpe.weight[: start.shape.context].detach().clone()
        network.wpe = nn.Embedding.from_pretrained(positions, freeze=False)
        network.config = start.shape
    return network
