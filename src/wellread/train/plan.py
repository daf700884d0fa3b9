"""What a run is made of, and what cannot be one: all before anything is written."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import changed_files, is_artifact, read_artifact
from wellread.base.unfinished import a_finished_other, changed_since_begun
from wellread.formats import checkpoints
from wellread.formats.tokens import STAGE as TOKENS
from wellread.formats.tokens import TokensHeader, read_header
from wellread.model.load import find_device, load_tokenizer
from wellread.model.ranks import Ranks
from wellread.model.sizes import Architecture, ModelConfig
from wellread.model.sources import refuse_onto_itself
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.train.batches import Batches, Early
from wellread.train.board import check_board
from wellread.train.config import RunConfig, TrainConfig, recorded
from wellread.train.loop import precision_on
from wellread.train.memory import check_device
from wellread.train.start import Start, check_same_vocabulary, find_start
from wellread.train.windows import DocumentWindows, Splits, read_windows

STAGE = "train"


class Plan(NamedTuple):
    """All that a run is made of, before anything is written."""

    header: TokensHeader
    begin: Start | Architecture  # the model that is trained on, or the shape of a fresh one
    batches: Batches
    document_starts: dict[str, float] | None  # what windows that begin there are like
    held_out: npt.NDArray[np.int64]  # (windows, context + 1)
    held_out_from: str  # the split
    bits_per_byte: float  # of `held_out`, for a loss of one nat per token
    inputs: dict[str, list[Path]]
    recorded: RunConfig  # what the manifest says, and what a run that goes on must have


def plan_run(
    tokens: Path, out: Path, model: ModelConfig, config: TrainConfig, ranks: Ranks
) -> Plan:
    read_artifact(tokens, TOKENS)
    header = read_header(tokens)
    begin = _beginning(model, config, header, out)
    inputs = {"tokens": [tokens]}
    if isinstance(begin, Start):
        model = ModelConfig.of(begin.shape)
        inputs["start"] = [begin.place]
    splits = read_windows(tokens, model.context, document_starts=config.document_starts)
    train, early = splits.train, _early(config, model.context)
    held_out = _first(splits, config.held_out_sequences, tokens)
    return Plan(
        header=header,
        begin=begin,
        batches=Batches(train, config.batch_sequences, config.seed, ranks, early),
        document_starts=train.shares() if isinstance(train, DocumentWindows) else None,
        held_out=held_out,
        held_out_from=splits.held_out_from,
        bits_per_byte=_bits_per_byte(held_out, load_tokenizer(tokens)),
        inputs=inputs,
        recorded=RunConfig(model=model, train=recorded(config)),
    )


def _early(config: TrainConfig, context: int) -> Early:
    """As the settings have it, of windows that are `context` long."""
    early = config.early_context or context
    if context % early:
        raise InputError(
            f"early_context is {early}, which does not divide the context of {context}"
        )
    return Early(config.early_steps, config.early_batch_sequences or config.batch_sequences, early)


def _beginning(
    model: ModelConfig, config: TrainConfig, header: TokensHeader, out: Path
) -> Start | Architecture:
    """The model to start from, or the shape of a fresh one."""
    if config.start is None:
        return model.architecture(header.vocab_size)
    usual = TrainConfig()
    for name in ("embeddings", "positions", "zero_projections"):
        if (asked := getattr(config, name)) != getattr(usual, name):
            raise InputError(
                f"{name} {asked}: is about how fresh weights begin, and {config.start} has its "
                "own; leave it out"
            )
    start = find_start(config.start, model)
    refuse_onto_itself(start.place, out)
    return start


def _first(splits: Splits, most: int, tokens: Path) -> npt.NDArray[np.int64]:
    """At most so many held-out windows, (windows, context + 1)."""
    windows = splits.held_out
    if windows.num_windows < 1:
        is_own = splits.held_out_from == "validation"
        which = "the validation split" if is_own else "the text"
        hold_out = "hold out more of the corpus (validation_per_mille) or " if is_own else ""
        raise InputError(
            f"{tokens}: {which} is shorter than one context of {windows.context} tokens; "
            f"{hold_out}give more text"
        )
    return np.stack([windows[number] for number in range(min(most, windows.num_windows))])


def _bits_per_byte(windows: npt.NDArray[np.int64], tokenizer: Tokenizer) -> float:
    """Bits per byte of the text that the windows predict, for one nat per token."""
    lengths = np.array([len(token) for token in tokenizer.tokens])
    lengths[tokenizer.end_of_text] = 0  # it is no text
    targets = windows[:, 1:]
    if (largest := int(targets.max())) >= len(lengths):
        raise InputError(
            f"the tokens have the id {largest}, and their vocabulary ends at {len(lengths) - 1}; "
            "they were changed since they were made: make them again"
        )
    return float(targets.size / lengths[targets].sum() / math.log(2))


def refuse_what_cannot_be(
    tokens: Path, out: Path, plan: Plan, config: TrainConfig, ranks: Ranks, *, replaces: bool
) -> None:
    """Nor is an interrupted run deleted, which may be weeks of work."""
    if not replaces and is_artifact(out):
        raise a_finished_other(out, "run")
    if isinstance(plan.begin, Start):
        check_same_vocabulary(plan.begin, tokens)
    if damaged := changed_files(tokens):
        raise InputError(f"{tokens / damaged[0]}: changed since it was made; make it again")
    if config.tensorboard:
        check_board()
    device = find_device(config.device)
    shape = plan.begin.shape if isinstance(plan.begin, Start) else plan.begin
    check_device(shape, config, device, precision_on(device, config), num_processes=ranks.size)
    changed = changed_since_begun(out, stage=STAGE, config=plan.recorded, inputs=plan.inputs)
    if changed and (found := checkpoints.newest_intact(out)) is not None:
        raise InputError(
            f"{out}: an interrupted run of {checkpoints.read_state(found).step} steps with another "
            f"{', '.join(changed)} is there; go on with what it had, give another --out, or delete "
            f"{out / 'checkpoints'} to begin anew"
        )
