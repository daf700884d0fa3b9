"""The stage `train`: tokens in, a run out; killed at any time, it goes on from its checkpoint."""

import contextlib
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from wellread.base.errors import InputError, Stopped
from wellread.base.files import write_bytes
from wellread.base.manifest import (
    Draft,
    Manifest,
    changed_files,
    changed_since_begun,
    finished,
    read_artifact,
    read_manifest,
    writing,
)
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
from wellread.train.bad_batches import Diverged, Spikes, marking_spikes, naming_texts, texts_of
from wellread.train.batches import Batches, Early, Windows, read_windows
from wellread.train.board import board, check_board
from wellread.train.config import RunConfig, TrainConfig, recorded
from wellread.train.counts import begin_with_counts
from wellread.train.fresh import fresh_network
from wellread.train.held_out import held_out_losses, interval_of_mean
from wellread.train.loop import advice, precision_on, train_steps
from wellread.train.memory import check_device
from wellread.train.optimizers import Optimizers
from wellread.train.sharing import is_sharded, shard, whole, whole_network
from wellread.train.speed import with_costs
from wellread.train.start import Start, check_same_vocabulary, find_start, load_start
from wellread.train.worker import Worker

log = logging.getLogger(__name__)
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


def train(  # noqa: PLR0913 - what is trained on what, and who hears of it
    tokens: Path,
    out: Path,
    model: ModelConfig,
    config: TrainConfig,
    *,
    on_checkpoint: Callable[[Path], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
) -> Manifest:
    """Train a model on the `train` split of `tokens`; write the run to `out`.

    The model is fresh, or the one that `config.start` names, of which `model` need not speak then.
    Of tokens without splits the last windows are held out. `on_checkpoint` is called, in every
    process, with the folder of each checkpoint when it is whole. `should_stop` is asked before each
    step; once it says so that step is the last, is saved, and Stopped is raised.

    Goes on from the newest intact checkpoint if `out` holds an interrupted run of the same
    settings and tokens; on one CPU process the result is bitwise that of an uninterrupted run.
    Started by `torchrun`, several processes share the work, and the first writes; they may be
    another number than before.
    """
    ranks = join()
    with together(ranks):
        plan = _plan(tokens, out, model, config, ranks)
        done = None if ranks.rank else _done(out, plan)
        if done is None:
            _check(tokens, out, plan, config, ranks)
    if shared(done is not None, bool, ranks):
        return done or read_manifest(out)
    save = partial(_save, out, config=config, ranks=ranks, end_of_text=plan.header.end_of_text)
    with lasting(ranks), contextlib.ExitStack() as held:
        draft, found = None, list[str]()
        with together(ranks):
            if ranks.rank == 0:
                owned = writing(
                    out, stage=STAGE, config=plan.recorded, inputs=plan.inputs, resume=True
                )
                draft = held.enter_context(owned)
                found = _prepare(out, tokens)
        live = _start_or_resume(shared(found, list[str], ranks), plan, config, ranks)
        recording = _recording(out, config, start=live.step)
        record = held.enter_context(recording) if draft else None
        texts = partial(texts_of, tokens, plan.batches)
        held.enter_context(naming_texts(texts))
        steps = marking_spikes(
            _run(live, plan, config, ranks, should_stop),
            Spikes(_losses(out), config.spike_nats),
            texts,
        )
        last = Step(step=live.step, tokens=0)
        for last in _recorded(steps, config, record, progress):
            if _is_saved(last.step, config):
                folder = save(live, last)
                if on_checkpoint:
                    on_checkpoint(folder)
        if last.step < config.steps:
            if last.step > live.step and not _is_saved(last.step, config):
                save(live, last)
            raise Stopped(f"{out}: stopped after step {last.step} of {config.steps}, saved")
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
    early = _early(config, model.context)
    held_out = _first(splits.held_out, config.held_out_sequences, tokens)
    return Plan(
        header=header,
        begin=begin,
        batches=Batches(splits.train, config.batch_sequences, config.seed, ranks, early),
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


def _done(out: Path, plan: Plan) -> Manifest | None:
    return finished(out, stage=STAGE, config=plan.recorded, inputs=plan.inputs)


def _check(tokens: Path, out: Path, plan: Plan, config: TrainConfig, ranks: Ranks) -> None:
    """Refuse what cannot be, and to delete an interrupted run, which may be weeks of work."""
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
    found = checkpoints.newest_intact(out)
    _forget_after(out, checkpoints.read_state(found).step if found else 0)
    return [str(found)] if found else []


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


def _start_or_resume(found: list[str], plan: Plan, config: TrainConfig, ranks: Ranks) -> Live:
    """The run as its newest checkpoint has it; without one, as it begins."""
    shards, begin = config.sharding == "full" and ranks.size > 1, plan.begin
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
            network = fresh_network(begin, config).to(home)
    if not found and config.start is None and config.embeddings == "counts":
        begin_with_counts(network, plan.batches, config, ranks)
    if shards:
        shard(network, device, precision_on(device, config), ranks)
    optimizers = Optimizers(network, config)
    if not found:
        return Live(network, optimizers, 0, 0.0)
    optimizers.restore(load_file(Path(found[0]) / "optimizer.safetensors"))
    state = checkpoints.read_state(Path(found[0]))
    return Live(network, optimizers, state.step, state.seconds)


def _forget_after(out: Path, last: int) -> None:
    """Leave only what the checkpoint of step `last` has seen; the rest will be done again."""
    checkpoints.remove_after(out, last)
    for unfinished in out.glob(".metrics.jsonl.*.partial"):  # of a process killed right here
        unfinished.unlink()
    path = out / "metrics.jsonl"
    if path.exists():
        # Of 0, before any step, nothing is kept either: it is measured again.
        kept = [encode_step(step) for step in read_metrics(out) if step.step <= last and last]
        write_bytes(path, b"".join(kept))


def _losses(out: Path) -> Iterator[float]:
    """Those logged so far."""
    if (out / "metrics.jsonl").exists():
        yield from (step.loss for step in read_metrics(out) if step.loss is not None)


def _run(
    live: Live, plan: Plan, config: TrainConfig, ranks: Ranks, should_stop: Callable[[], bool]
) -> Iterator[Step]:
    """Each step once it is done, with its held-out loss when that is due."""
    started = time.monotonic()
    shape, device = live.network.config, live.network.wte.weight.device
    precision = precision_on(device, config)
    tokens = plan.batches.tokens_before(config.steps)
    # What is sharded is gathered in the precision of products, and needs no copy for it.
    worker = Worker(
        live.network,
        torch.float32 if is_sharded(live.network) else precision,
        compiles=config.compiles,
        recomputes=config.recomputes,
        document_start=plan.header.end_of_text if config.document_masks else None,
    )

    def measured(step: Step) -> Step:
        losses = held_out_losses(worker, plan.held_out, config.sequences_per_pass, ranks)
        if not math.isfinite(loss := float(losses.mean())):
            raise Diverged(f"the held-out loss is {loss}; {advice(config)}")
        per_byte = loss * plan.bits_per_byte
        step = msgspec.structs.replace(step, held_out_loss=loss, held_out_bits_per_byte=per_byte)
        if step.step < config.steps or len(losses) == 1:
            return step
        low, high = interval_of_mean(losses, seed=config.seed)
        return msgspec.structs.replace(step, held_out_low=low, held_out_high=high)

    if live.step == 0 and config.start is not None:
        yield measured(Step(step=0, tokens=0))
    steps = train_steps(
        worker, live.optimizers, plan.batches, config,
        start=live.step, should_stop=should_stop, ranks=ranks,
    )  # fmt: skip
    for done in steps:
        step = msgspec.structs.replace(done, seconds=live.seconds + time.monotonic() - started)
        step = with_costs(step, shape, device, precision, tokens=tokens, num_devices=ranks.size)
        if done.step % config.held_out_every_steps == 0 or done.step == config.steps:
            step = measured(step)
        yield step


def _is_saved(step: int, config: TrainConfig) -> bool:
    return step > 0 and (step % config.save_every_steps == 0 or step == config.steps)


def _is_recorded(step: Step, config: TrainConfig) -> bool:
    has_measured = step.loss is not None or step.held_out_loss is not None
    return has_measured or step.skipped is not None or _is_saved(step.step, config)


@contextlib.contextmanager
def _recording(out: Path, config: TrainConfig, *, start: int) -> Iterator[Callable[[Step], None]]:
    """A function that writes down those steps that are worth it, of a run that has done `start`."""
    with contextlib.ExitStack() as held:
        metrics = held.enter_context((out / "metrics.jsonl").open("ab"))
        drawn = board(out / "tensorboard", start=start) if config.tensorboard else None
        draw = held.enter_context(drawn) if drawn else None

        def onto_the_disk() -> None:
            metrics.flush()
            os.fsync(metrics.fileno())

        def record(step: Step) -> None:
            if _is_recorded(step, config):
                metrics.write(encode_step(step))
                if draw:
                    draw(step)
            if _is_saved(step.step, config):  # a checkpoint is never ahead of the metrics
                onto_the_disk()

        yield record
        onto_the_disk()


def _recorded(
    steps: Iterator[Step],
    config: TrainConfig,
    record: Callable[[Step], None] | None,
    progress: Progress,
) -> Iterator[Step]:
    """The steps, each written down first by the process that does, and announced afterwards."""
    for step in steps:
        if record:
            record(step)
        yield step
        if step.loss is not None:
            progress(step.step, config.steps, _note(step))


def _note(step: Step) -> str:
    is_spike = ", a spike" * (step.spike is not None)
    return f"loss {step.loss:.3f}{is_spike}, {step.tokens_per_second:,.0f} tokens/s"


def _save(
    out: Path, live: Live, step: Step, *, config: TrainConfig, ranks: Ranks, end_of_text: int
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
            keep = config.keep_checkpoints
            checkpoints.remove_older(out, keep, keep_every=config.keep_every_steps)
    return Path(shared(str(folder), str, ranks))


def _account(draft: Draft, network: GPT2, config: TrainConfig, plan: Plan) -> None:
    steps = list(read_metrics(draft.out))
    last = [step for step in steps if step.held_out_loss is not None][-1]
    speeds = [step.tokens_per_second for step in steps if step.tokens_per_second is not None]
    for step in steps:
        if step.skipped is not None:
            draft.drop(step.skipped, f"step {step.step}")
    draft.counts["in"] = config.steps
    draft.counts["out"] = config.steps - draft.dropped.total()
    draft.facts |= {
        "num_parameters": network.config.num_parameters,
        "num_steps": config.steps,
        "tokens_seen": last.tokens,
        "epochs": round(last.tokens / plan.header.splits["train"].num_tokens, 3),
        "held_out_from": plan.held_out_from,
        "held_out_loss": last.held_out_loss,
        "held_out_low": last.held_out_low,
        "held_out_high": last.held_out_high,
        "held_out_bits_per_byte": last.held_out_bits_per_byte,
        "tokens_per_second": float(np.median(speeds)) if speeds else None,
        "device": str(network.wte.weight.device),
        "precision": str(precision_on(network.wte.weight.device, config)).partition(".")[2],
        "threads": torch.get_num_threads(),
        "sharding": "full" if is_sharded(network) else "none",
    }
