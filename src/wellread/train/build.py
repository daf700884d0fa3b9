"""The stage `train`: tokens in, a run out; killed at any time, it goes on from its checkpoint."""

import math
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
from wellread.model.sizes import Architecture, ModelConfig
from wellread.model.sources import refuse_onto_itself
from wellread.model.tensor_files import save_tensors
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.train.batches import Batches, Windows, read_windows
from wellread.train.config import RunConfig, TrainConfig
from wellread.train.loop import held_out_loss, precision_on, train_steps
from wellread.train.optimizers import Optimizers
from wellread.train.start import Start, check_same_vocabulary, find_start, load_start
from wellread.train.worker import Worker

STAGE = "train"


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
    Of tokens without splits the last windows are held out. `on_checkpoint` is called with the
    folder of each checkpoint when it is whole.

    Goes on from the newest intact checkpoint if `out` holds an interrupted run of the same
    settings and tokens; on one CPU process the result is bitwise that of an uninterrupted run.
    """
    read_artifact(tokens, TOKENS)
    header = read_header(tokens)
    begin, inputs = _beginning(model, config, header, out), {"tokens": [tokens]}
    if isinstance(begin, Start):
        model = ModelConfig.of(begin.shape)
        inputs["start"] = [begin.place]
    splits = read_windows(tokens, model.context)
    batches = Batches(splits.train, config.batch_sequences, config.seed)
    held_out = _first(splits.held_out, config.held_out_sequences, tokens)
    # An input is known by its digest, wherever it lies: as a setting, its path would make another
    # run of one whose model was moved.
    recorded = RunConfig(model=model, train=msgspec.structs.replace(config, start=None))
    if done := finished(out, stage=STAGE, config=recorded, inputs=inputs):
        return done
    if isinstance(begin, Start):
        check_same_vocabulary(begin, tokens)
    with writing(out, stage=STAGE, config=recorded, inputs=inputs, resume=True) as draft:
        shutil.copytree(tokens / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
        bits_per_byte = _bits_per_byte(held_out, load_tokenizer(out))
        live = _start_or_resume(out, begin, config)
        _forget_steps_after(out, live.step)
        with (out / "metrics.jsonl").open("ab") as metrics:
            for step in _run(live, batches, held_out, config, bits_per_byte):
                metrics.write(encode_step(step))
                is_due = step.step % config.save_every_steps == 0 or step.step == config.steps
                if is_due and step.step:
                    metrics.flush()
                    folder = _save(out, live, step, config, end_of_text=header.end_of_text)
                    if on_checkpoint:
                        on_checkpoint(folder)
                if step.loss is not None:
                    note = f"loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s"
                    progress(step.step, config.steps, note)
        _account(draft, live.network, config, header)
        draft.facts["held_out_from"] = splits.held_out_from
    return read_manifest(out)


def _beginning(
    model: ModelConfig, config: TrainConfig, header: TokensHeader, out: Path
) -> Start | Architecture:
    """The model to start from, or the shape of a fresh one."""
    if config.start is None:
        return model.architecture(header.vocab_size)
    start = find_start(config.start, model)
    refuse_onto_itself(start.place, out)
    return start


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


def _start_or_resume(out: Path, begin: Start | Architecture, config: TrainConfig) -> Live:
    """The run as its newest checkpoint has it; without one, as it begins."""
    found = checkpoints.intact_checkpoints(out)
    device = find_device(config.device)
    if not found:
        if isinstance(begin, Start):
            network = load_start(begin, device)
        else:
            network = GPT2(begin).initialise(config.seed).to(device)
        return Live(network, Optimizers(network, config), 0, 0.0)
    # In memory of its own, laid out as at the start: sums come out bitwise as without a stop.
    network = load_model(found[-1], device=str(device), mapped=False)
    optimizers = Optimizers(network, config)
    optimizers.restore(load_file(found[-1] / "optimizer.safetensors", device=str(device)))
    state = checkpoints.read_state(found[-1])
    return Live(network, optimizers, state.step, state.seconds)


def _forget_steps_after(out: Path, last: int) -> None:
    """Leave in metrics.jsonl only what the checkpoint has seen; the rest will be done again."""
    path = out / "metrics.jsonl"
    if path.exists():
        # Of 0, before any step, nothing is kept either: it is measured again.
        kept = [encode_step(step) for step in read_metrics(out) if step.step <= last and last]
        write_bytes(path, b"".join(kept))


def _run(
    live: Live,
    batches: Batches,
    held_out: npt.NDArray[np.int64],
    config: TrainConfig,
    bits_per_byte: float,
) -> Iterator[Step]:
    """The steps worth recording: logged, measured on held-out text, or due to be saved.

    `bits_per_byte` is what a loss of one nat per token of `held_out` is in bits per byte.
    """
    started = time.monotonic()
    worker = Worker(live.network, precision_on(live.network.wte.weight.device, config))

    def measured(step: Step) -> Step:
        loss = held_out_loss(worker, held_out, config)
        return msgspec.structs.replace(
            step, held_out_loss=loss, held_out_bits_per_byte=loss * bits_per_byte
        )

    if live.step == 0 and config.start is not None:
        yield measured(Step(step=0, tokens=0))
    for done in train_steps(worker, live.optimizers, batches, config, start=live.step):
        step = msgspec.structs.replace(done, seconds=live.seconds + time.monotonic() - started)
        if done.step % config.held_out_every_steps == 0 or done.step == config.steps:
            step = measured(step)
        if (
            step.loss is not None
            or step.held_out_loss is not None
            or done.step % config.save_every_steps == 0
        ):
            yield step


def _save(out: Path, live: Live, step: Step, config: TrainConfig, *, end_of_text: int) -> Path:
    def write(folder: Path) -> None:
        save_model(live.network, folder, end_of_text=end_of_text)
        save_tensors(live.optimizers.state(), folder / "optimizer.safetensors")

    checkpoints.write_checkpoint(out, step.step, write, tokens=step.tokens, seconds=step.seconds)
    checkpoints.remove_older(out, config.keep_checkpoints)
    return checkpoints.newest_checkpoint(out)


def _account(draft: Draft, network: GPT2, config: TrainConfig, header: TokensHeader) -> None:
    steps = list(read_metrics(draft.out))
    last = [step for step in steps if step.held_out_loss is not None][-1]
    speeds = [step.tokens_per_second for step in steps if step.tokens_per_second is not None]
    draft.counts["in"] = draft.counts["out"] = config.steps
    draft.facts |= {
        "num_parameters": network.config.num_parameters,
        "num_steps": config.steps,
        "tokens_seen": last.tokens,
        "epochs": round(last.tokens / header.splits["train"].num_tokens, 3),
        "held_out_loss": last.held_out_loss,
        "held_out_bits_per_byte": last.held_out_bits_per_byte,
        "tokens_per_second": float(np.median(speeds)),
        "device": str(network.wte.weight.device),
        "precision": str(precision_on(network.wte.weight.device, config)).partition(".")[2],
        "threads": torch.get_num_threads(),
    }
