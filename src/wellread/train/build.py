"""The stage `train`: tokens in, a run out; killed at any time, it goes on from its checkpoint."""

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from safetensors.torch import load_file

from wellread.base.errors import Stopped
from wellread.base.manifest import (
    Draft,
    Manifest,
    finished,
    read_manifest,
    writing,
)
from wellread.base.progress import Progress, silent
from wellread.formats import checkpoints
from wellread.formats.metrics import Step, read_metrics
from wellread.model.gpt2 import GPT2
from wellread.model.load import find_device, load_model, save_model
from wellread.model.ranks import Ranks, join, lasting, shared, together, wait
from wellread.model.sizes import ModelConfig
from wellread.model.tensor_files import save_tensors
from wellread.train.bad_batches import Diverged, Spikes, marking_spikes, naming_texts, texts_of
from wellread.train.config import FREE, TrainConfig
from wellread.train.counts import begin_with_counts
from wellread.train.fresh import fresh_network
from wellread.train.held_out import held_out_losses, interval_of_mean
from wellread.train.loop import advice, precision_on, train_steps
from wellread.train.optimizers import Optimizers
from wellread.train.plan import STAGE, Plan, plan_run, refuse_what_cannot_be
from wellread.train.record import forget_after, is_saved, logged_losses, recorded_steps, recording
from wellread.train.sharing import is_sharded, shard, whole, whole_network
from wellread.train.speed import with_costs
from wellread.train.start import Start, load_start
from wellread.train.worker import Worker


class Live(NamedTuple):
    """A run in memory."""

    network: GPT2
    optimizers: Optimizers
    step: int  # steps done
    seconds: float  # of training before this process


def train(  # noqa: PLR0913 - what is trained on what, and who hears of it
    tokens: str | Path,
    out: str | Path,
    model: ModelConfig,
    config: TrainConfig,
    *,
    on_checkpoint: Callable[[Path], None] | None = None,
    replaces: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
) -> Manifest:
    """Train a model on the `train` split of `tokens`; write the run to `out`.

    The model is fresh, or the one that `config.start` names, of which `model` need not speak then.
    Of tokens without splits the last windows are held out. `on_checkpoint` is called, in every
    process, with the folder of each checkpoint when it is whole, and at the start with those that
    are there. `should_stop` is asked before each step; once it says so that step is the last, is
    saved, and Stopped is raised. A finished run of other settings is replaced only if `replaces`.

    Goes on from the newest intact checkpoint if `out` holds an interrupted run of the same
    settings and tokens; on one CPU process the result is bitwise that of an uninterrupted run.
    Started by `torchrun`, several processes share the work, and the first writes; they may be
    another number than before.
    """
    tokens, out = Path(tokens), Path(out)
    ranks = join()
    with together(ranks):
        plan = plan_run(tokens, out, model, config, ranks)
        done = None if ranks.rank else _done(out, plan)
        if done is None:
            refuse_what_cannot_be(tokens, out, plan, config, ranks, replaces=replaces)
    if shared(done is not None, bool, ranks):
        _announce(on_checkpoint, out, ranks)
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
        _announce(on_checkpoint, out, ranks)
        written = recording(out, config, start=live.step)
        record = held.enter_context(written) if draft else None
        texts = partial(texts_of, tokens, plan.batches.of_all_processes())
        held.enter_context(naming_texts(texts))
        steps = marking_spikes(
            _run(live, plan, config, ranks, should_stop),
            Spikes(logged_losses(out), config.spike_nats),
            texts,
        )
        last = Step(step=live.step, tokens=0)
        for last in recorded_steps(steps, config, record, progress):
            if is_saved(last.step, config):
                folder = save(live, last)
                if on_checkpoint:
                    on_checkpoint(folder)
        if last.step < config.steps:
            if last.step > live.step and not is_saved(last.step, config):
                save(live, last)
            saved = "saved" if last.step else "so there is nothing to save"
            raise Stopped(f"{out}: stopped after step {last.step} of {config.steps}, {saved}")
        if draft:
            _account(draft, live.network, config, plan)
            draft.facts["processes"] = ranks.size
    wait(ranks)
    return read_manifest(out)


def _announce(on_checkpoint: Callable[[Path], None] | None, out: Path, ranks: Ranks) -> None:
    """The intact checkpoints that are there, as the first process finds them."""
    if on_checkpoint is None:
        return
    here = [] if ranks.rank else [str(folder) for folder in checkpoints.intact_checkpoints(out)]
    for folder in shared(here, list[str], ranks):
        on_checkpoint(Path(folder))


def _done(out: Path, plan: Plan) -> Manifest | None:
    return finished(out, stage=STAGE, config=plan.recorded, inputs=plan.inputs)


def _prepare(out: Path, tokens: Path) -> list[str]:
    """Make `out` ready to go on; the checkpoint to go on from, if there is one."""
    shutil.copytree(tokens / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    found = checkpoints.newest_intact(out)
    forget_after(out, checkpoints.read_state(found).step if found else 0)
    return [str(found)] if found else []


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
        compiles=config.compiles and device.type != "cpu",
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
        seen = msgspec.structs.replace(shape, context=plan.batches.context_of(done.step - 1))
        step = with_costs(step, seen, device, precision, tokens=tokens, num_devices=ranks.size)
        if done.step % config.held_out_every_steps == 0 or done.step == config.steps:
            step = measured(step)
        yield step


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
    measured = [step for step in steps if step.held_out_loss is not None]
    first, last = measured[0], measured[-1]
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
        "epochs": round(last.tokens / plan.batches.tokens_of_epoch, 3),
        "document_starts": plan.document_starts,
        "held_out_from": plan.held_out_from,
        "held_out_first": {"step": first.step, "loss": first.held_out_loss},
        "held_out_loss": last.held_out_loss,
        "held_out_low": last.held_out_low,
        "held_out_high": last.held_out_high,
        "held_out_bits_per_byte": last.held_out_bits_per_byte,
        "tokens_per_second": float(np.median(speeds)) if speeds else None,
        "device": str(network.wte.weight.device),
        "precision": str(precision_on(network.wte.weight.device, config)).partition(".")[2],
        "threads": torch.get_num_threads(),
        "sharding": "full" if is_sharded(network) else "none",
        # Settings that the recorded ones leave out, since a run may go on with others.
        "last_done_with": {name: getattr(config, name) for name in FREE},
    }
