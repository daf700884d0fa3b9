"""The stage `train`: tokens in, a run out; killed at any time, it goes on from its checkpoint."""

import contextlib
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from wellread.base.errors import InputError
from wellread.base.files import write_bytes
from wellread.base.manifest import Draft, Manifest, finished, read_artifact, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats import checkpoints
from wellread.formats.metrics import Step, encode_step, read_metrics
from wellread.formats.tokens import STAGE as TOKENS
from wellread.formats.tokens import TokensHeader, read_header
from wellread.model.gpt2 import GPT2
from wellread.model.load import find_device, load_model, load_tokenizer, save_model
from wellread.model.ranks import Ranks, join, lasting, shared, together, wait
from wellread.model.sizes import Architecture, ModelConfig
from wellread.model.sources import refuse_onto_itself
from wellread.model.tensor_files import save_tensors
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.train.batches import Batches, Windows, read_windows
from wellread.train.config import RunConfig, TrainConfig
from wellread.train.loop import held_out_loss, precision_on, train_steps
from wellread.train.optimizers import Optimizers
from wellread.train.sharing import is_sharded, shard, whole, whole_network
from wellread.train.start import Start, check_same_vocabulary, find_start, load_start
from wellread.train.worker import Worker

STAGE = "train"


class Plan(NamedTuple):
    """All that a run is made of, before anything is written."""

    header: TokensHeader
    begin: Start | Architecture  # the model that is trained on, or the shape of a fresh one
    batches: Batches
    held_out: npt.NDArray[np.int64]  # (windows, context + 1)
    held_out_from: str  # the split
    bits_per_byte: float  # of `held_out`, for a loss of one nat per token
    inputs: dict[str, list[Path]]
    recorded: RunConfig  # what the manifest says, and what a run that goes on must have


class Live(NamedTuple):
    """A run in memory."""

    network: GPT2
    optimizers: Optimizers
    step: int  # steps done
    seconds: float  # of training before this process


def train(
    tokens: Path,
    out: Path,
    model: ModelConfig,
    config: TrainConfig,
    *,
    on_checkpoint: Callable[[Path], None] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Train a model on the `train` split of `tokens`; write the run to `out`.

    The model is fresh, or the one that `config.start` names, of which `model` need not speak then.
    Of tokens without splits the last windows are held out. `on_checkpoint` is called, in every
    process, with the folder of each checkpoint when it is whole.

    Goes on from the newest intact checkpoint if `out` holds an interrupted run of the same
    settings and tokens; on one CPU process the result is bitwise that of an uninterrupted run.
    Started by `torchrun`, several processes share the work, and the first writes; they may be
    another number than before.
    """
    ranks = join()
    done = None
    with together(ranks):
        plan = _plan(tokens, out, model, config, ranks)
        if ranks.rank == 0:
            done = finished(out, stage=STAGE, config=plan.recorded, inputs=plan.inputs)
        if isinstance(plan.begin, Start) and done is None:
            check_same_vocabulary(plan.begin, tokens)
    if shared(done is not None, bool, ranks):
        return done or read_manifest(out)
    with lasting(ranks), contextlib.ExitStack() as held:
        draft, found = None, list[str]()
        with together(ranks):
            if ranks.rank == 0:
                owned = writing(
                    out, stage=STAGE, config=plan.recorded, inputs=plan.inputs, resume=True
                )
                draft = held.enter_context(owned)
                found = _prepare(out, tokens)
        live = _start_or_resume(shared(found, list[str], ranks), plan.begin, config, ranks)
        record = out / "metrics.jsonl" if draft else Path(os.devnull)
        metrics = held.enter_context(record.open("ab"))
        for step in _run(live, plan, config, ranks):
            metrics.write(encode_step(step))
            if _is_due(step, config):
                metrics.flush()
                folder = _save(out, live, step, config, ranks, end_of_text=plan.header.end_of_text)
                if on_checkpoint:
                    on_checkpoint(folder)
            if step.loss is not None:
                note = f"loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s"
                progress(step.step, config.steps, note)
        if draft:
            _account(draft, live.network, config, plan)
            draft.facts["processes"] = ranks.size
    wait(ranks)
    return read_manifest(out)


def _plan(tokens: Path, out: Path, model: ModelConfig, config: TrainConfig, ranks: Ranks) -> Plan:
    read_artifact(tokens, TOKENS)
    header = read_header(tokens)
    begin = _beginning(model, config, header, out)
    inputs = {"tokens": [tokens]}
    if isinstance(begin, Start):
        model = ModelConfig.of(begin.shape)
        inputs["start"] = [begin.place]
    splits = read_windows(tokens, model.context)
    held_out = _first(splits.held_out, config.held_out_sequences, tokens)
    # An input is known by its digest, wherever it lies: as a setting, its path would make another
    # run of one whose model was moved. And where weights lie is no part of what a run is: it may go
    # on with another sharding.
    settings = msgspec.structs.replace(config, start=None, sharding="none")
    return Plan(
        header=header,
        begin=begin,
        batches=Batches(splits.train, config.batch_sequences, config.seed, ranks),
        held_out=held_out,
        held_out_from=splits.held_out_from,
        bits_per_byte=_bits_per_byte(held_out, load_tokenizer(tokens)),
        inputs=inputs,
        recorded=RunConfig(model=model, train=settings),
    )


def _beginning(
    model: ModelConfig, config: TrainConfig, header: TokensHeader, out: Path
) -> Start | Architecture:
    """The model to start from, or the shape of a fresh one."""
    if config.start is None:
        return model.architecture(header.vocab_size)
    start = find_start(config.start, model)
    refuse_onto_itself(start.place, out)
    return start


def _prepare(out: Path, tokens: Path) -> list[str]:
    """Make `out` ready to go on; the checkpoint to go on from, if there is one."""
    shutil.copytree(tokens / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    found = checkpoints.intact_checkpoints(out)[-1:]
    _forget_steps_after(out, checkpoints.read_state(found[0]).step if found else 0)
    return [str(folder) for folder in found]


def _first(windows: Windows, most: int, tokens: Path) -> npt.NDArray[np.int64]:
    """At most so many windows, (windows, context + 1)."""
    if windows.num_windows < 1:
        raise InputError(
            f"{tokens}: the validation split is shorter than one context of {windows.context} "
            "tokens; hold out more of the corpus (validation_per_mille) or give more text"
        )
    return np.stack([windows[number] for number in range(min(most, windows.num_windows))])


def _bits_per_byte(windows: npt.NDArray[np.int64], tokenizer: Tokenizer) -> float:
    """Bits per byte of the text that the windows predict, for one nat per token."""
    lengths = np.array([len(token) for token in tokenizer.tokens])
    lengths[tokenizer.end_of_text] = 0  # it is no text
    targets = windows[:, 1:]
    return float(targets.size / lengths[targets].sum() / math.log(2))


def _start_or_resume(
    found: list[str], begin: Start | Architecture, config: TrainConfig, ranks: Ranks
) -> Live:
    """The run as its newest checkpoint has it; without one, as it begins."""
    shards = config.sharding == "full" and ranks.size > 1
    with together(ranks):
        device = find_device(config.device)
        # One that may be too large for the device goes there block by block, in its parts.
        home = torch.device("cpu") if shards else device
        if found:
            # In memory of its own, laid out as at the start: sums are bitwise as without a stop.
            network = load_model(found[0], device=str(home), mapped=False)
        elif isinstance(begin, Start):
            network = load_start(begin, home)
        else:
            network = GPT2(begin).initialise(config.seed).to(home)
    if shards:
        shard(network, device, precision_on(device, config), ranks)
    optimizers = Optimizers(network, config)
    if not found:
        return Live(network, optimizers, 0, 0.0)
    optimizers.restore(load_file(Path(found[0]) / "optimizer.safetensors"))
    state = checkpoints.read_state(Path(found[0]))
    return Live(network, optimizers, state.step, state.seconds)


def _forget_steps_after(out: Path, last: int) -> None:
    """Leave in metrics.jsonl only what the checkpoint has seen; the rest will be done again."""
    path = out / "metrics.jsonl"
    if path.exists():
        # Of 0, before any step, nothing is kept either: it is measured again.
        kept = [encode_step(step) for step in read_metrics(out) if step.step <= last and last]
        write_bytes(path, b"".join(kept))


def _run(live: Live, plan: Plan, config: TrainConfig, ranks: Ranks) -> Iterator[Step]:
    """The steps worth recording: logged, measured on held-out text, or due to be saved."""
    started = time.monotonic()
    precision = precision_on(live.network.wte.weight.device, config)
    # What is sharded is gathered in the precision of products, and needs no copy for it.
    worker = Worker(live.network, torch.float32 if is_sharded(live.network) else precision)

    def measured(step: Step) -> Step:
        loss = held_out_loss(worker, plan.held_out, config, ranks)
        return msgspec.structs.replace(
            step, held_out_loss=loss, held_out_bits_per_byte=loss * plan.bits_per_byte
        )

    if live.step == 0 and config.start is not None:
        yield measured(Step(step=0, tokens=0))
    steps = train_steps(worker, live.optimizers, plan.batches, config, start=live.step, ranks=ranks)
    for done in steps:
        step = msgspec.structs.replace(done, seconds=live.seconds + time.monotonic() - started)
        if done.step % config.held_out_every_steps == 0 or done.step == config.steps:
            step = measured(step)
        if step.loss is not None or step.held_out_loss is not None or _is_due(step, config):
            yield step


def _is_due(step: Step, config: TrainConfig) -> bool:
    """Whether a checkpoint is to be written."""
    return step.step > 0 and (step.step % config.save_every_steps == 0 or step.step == config.steps)


def _save(
    out: Path, live: Live, step: Step, config: TrainConfig, ranks: Ranks, *, end_of_text: int
) -> Path:
    network, state = whole_network(live.network, ranks), whole(live.optimizers.state(), ranks)

    def write(folder: Path) -> None:
        save_model(network, folder, end_of_text=end_of_text)
        save_tensors(state, folder / "optimizer.safetensors")

    folder = Path()
    with together(ranks):
        if ranks.rank == 0:
            folder = checkpoints.write_checkpoint(
                out, step.step, write, tokens=step.tokens, seconds=step.seconds
            )
            checkpoints.remove_older(out, config.keep_checkpoints)
    return Path(shared(str(folder), str, ranks))


def _account(draft: Draft, network: GPT2, config: TrainConfig, plan: Plan) -> None:
    steps = list(read_metrics(draft.out))
    last = [step for step in steps if step.held_out_loss is not None][-1]
    speeds = [step.tokens_per_second for step in steps if step.tokens_per_second is not None]
    draft.counts["in"] = draft.counts["out"] = config.steps
    draft.facts |= {
        "num_parameters": network.config.num_parameters,
        "num_steps": config.steps,
        "tokens_seen": last.tokens,
        "epochs": round(last.tokens / plan.header.splits["train"].num_tokens, 3),
        "held_out_from": plan.held_out_from,
        "held_out_loss": last.held_out_loss,
        "held_out_bits_per_byte": last.held_out_bits_per_byte,
        "tokens_per_second": float(np.median(speeds)),
        "device": str(network.wte.weight.device),
        "precision": str(precision_on(network.wte.weight.device, config)).partition(".")[2],
        "threads": torch.get_num_threads(),
        "sharding": "full" if is_sharded(network) else "none",
    }
