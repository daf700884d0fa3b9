"""The loop: forward, backward, update; and the held-out loss."""

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from wellread.base.errors import WellreadError
from wellread.formats.metrics import Step
from wellread.model.ranks import ALONE, Ranks, gathered
from wellread.train.batches import Batches
from wellread.train.config import TrainConfig, learning_rate
from wellread.train.optimizers import Optimizers
from wellread.train.sharing import put_away, summing
from wellread.train.worker import Worker


class Diverged(WellreadError):
    """A loss or a gradient is no number any more."""


class Measured(NamedTuple):
    """What is known of a step whose numbers may still be on their way."""

    step: int  # from 1
    loss: Tensor
    gradient_norm: Tensor


def precision_on(device: torch.device, config: TrainConfig) -> torch.dtype:
    """Of matrix products; the weights that learn, sums and the loss are in float32 always.

    `auto` is bfloat16 where the hardware multiplies it faster: accelerators, and CPUs that have
    AMX or AVX-512 for it.
    """
    if config.precision != "auto":
        return torch.float32 if config.precision == "float32" else torch.bfloat16
    able = torch.cpu.get_capabilities()
    fast = device.type != "cpu" or able.get("amx_bf16", False) or able.get("avx512_bf16", False)
    return torch.bfloat16 if fast else torch.float32


def train_steps(
    worker: Worker,
    optimizers: Optimizers,
    batches: Batches,
    config: TrainConfig,
    *,
    start: int,
    ranks: Ranks = ALONE,
) -> Iterator[Step]:
    """Do steps `start` to `config.steps`; yield each one's measurements once its update is done.

    Losses are read (and the device waited for) only on the steps that are logged or saved; one
    that is no number, of whichever step since, then ends the run.
    """
    learner, device = optimizers.network, optimizers.network.wte.weight.device
    worker.network.train()
    add_up = summing(learner, ranks)
    clock, clock_step, unread = time.monotonic(), start, list[Measured]()
    for step in range(start, config.steps):
        rate = learning_rate(step, config)
        optimizers.set_learning_rate(rate)
        batch = torch.from_numpy(batches[step]).to(device)
        loss = add_up(_accumulate(worker, batch, config, ranks))
        norm = torch.nn.utils.clip_grad_norm_(learner.parameters(), config.clip_gradient_norm)
        if isinstance(norm, DTensor):
            norm = norm.full_tensor()
        optimizers.step()
        worker.refresh()
        done = step + 1
        unread.append(Measured(done, loss, norm))
        tokens = done * config.batch_sequences * (batch.shape[1] - 1)
        is_logged = done % config.log_every_steps == 0 or done == config.steps
        if not is_logged and done % config.save_every_steps:
            yield Step(step=done, tokens=tokens)
            continue
        value, gradient_norm = _read(unread, config)
        unread.clear()
        if not is_logged:
            yield Step(step=done, tokens=tokens)
            continue
        seconds = time.monotonic() - clock
        yield Step(
            step=done,
            tokens=tokens,
            loss=value,
            learning_rate=rate,
            gradient_norm=gradient_norm,
            tokens_per_second=round((done - clock_step) * (tokens / done) / seconds, 1),
        )
        clock, clock_step = time.monotonic(), done


def _read(unread: list[Measured], config: TrainConfig) -> tuple[float, float]:
    """The last step's loss and gradient norm, if those of all steps are numbers."""
    numbers = torch.stack([torch.stack([m.loss, m.gradient_norm]) for m in unread]).tolist()
    for measured, (loss, norm) in zip(unread, numbers, strict=True):
        if not math.isfinite(loss) or not math.isfinite(norm):
            what = f"the loss is {loss}" if not math.isfinite(loss) else f"gradients are {norm}"
            raise _diverged(f"step {measured.step}: {what}", config)
    loss, norm = numbers[-1]
    return loss, norm


def _diverged(what: str, config: TrainConfig) -> Diverged:
    return Diverged(
        f"{what}; lower peak_learning_rate (now {config.peak_learning_rate:g}) or raise "
        "warmup_steps"
    )


def _accumulate(worker: Worker, batch: Tensor, config: TrainConfig, ranks: Ranks) -> Tensor:
    """Gradients of the batch's mean loss, a few sequences at a time; the loss.

    `batch` is this process's part, and its share of the mean is what comes out.
    """
    total = torch.zeros((), device=batch.device)
    for loss in _losses(worker, batch, config.batch_sequences, config, ranks):
        loss.backward()
        total += loss.detach()
    return total


def _losses(
    worker: Worker, own: Tensor, num_windows: int, config: TrainConfig, ranks: Ranks
) -> Iterator[Tensor]:
    """What a process's `own` windows, a few at a time, add to the mean loss over `num_windows`.

    Sharded weights come and go for all processes at once, so all make the same number of passes:
    who has no window left takes one that counts nothing.
    """
    num_passes = -(-num_windows // (ranks.size * config.sequences_per_pass))
    targets = num_windows * (own.shape[1] - 1)
    for windows_BT in own.tensor_split(num_passes):
        if len(windows_BT):
            yield worker.loss(windows_BT, of=targets)
        else:
            yield 0 * worker.loss(own.new_zeros(1, own.shape[1]), of=targets)


@torch.no_grad()  # not inference_mode: weights that are gathered here may serve the next step
def held_out_loss(
    worker: Worker, windows: npt.NDArray[np.int64], config: TrainConfig, ranks: Ranks = ALONE
) -> float:
    """Mean loss over fixed windows, (num_windows, context + 1), in nats per token."""
    worker.network.eval()
    all_BT = torch.from_numpy(windows).to(worker.network.wte.weight.device)
    losses = _losses(worker, all_BT[ranks.rank :: ranks.size], len(windows), config, ranks)
    share = math.fsum(float(loss) for loss in losses)
    put_away(worker.network)
    worker.network.train()
    mean = math.fsum(gathered(share, float, ranks))
    if not math.isfinite(mean):
        raise _diverged(f"the held-out loss is {mean}", config)
    return mean
