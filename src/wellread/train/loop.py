"""The loop: forward, backward, update."""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from wellread.formats.metrics import Step
from wellread.model.ranks import ALONE, Ranks, shared
from wellread.train.bad_batches import BadBatch
from wellread.train.batches import Batches
from wellread.train.config import TrainConfig, learning_rate
from wellread.train.optimizers import Optimizers
from wellread.train.sharing import summing
from wellread.train.worker import Worker

MOST_SKIPPED = 10  # ours: of so many bad batches in a row the last ends the run; it is the weights


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


def train_steps(  # noqa: PLR0913 - what trains on what, and who ends it
    worker: Worker,
    optimizers: Optimizers,
    batches: Batches,
    config: TrainConfig,
    *,
    start: int,
    should_stop: Callable[[], bool] = lambda: False,
    ranks: Ranks = ALONE,
) -> Iterator[Step]:
    """Do steps `start` to `config.steps`; yield each one's measurements once its update is done.

    Ends early before the step at which `should_stop` says so.

    Losses are read (and the device waited for) only on the steps that are logged or saved; one
    that is no number, of whichever step since, then ends the run. If bad batches are to be
    skipped, every step's is read before its update.
    """
    learner, device = optimizers.network, optimizers.network.wte.weight.device
    worker.network.train()
    add_up, most = summing(learner, ranks), config.clip_gradient_norm or math.inf
    clock, counted, unread, in_a_row = time.monotonic(), batches.tokens_before(start), [], 0
    for step in range(start, config.steps):
        if shared(should_stop(), bool, ranks):
            break
        rate = learning_rate(step, config)
        optimizers.set_learning_rate(rate)
        batch = _sent(torch.from_numpy(batches[step]), device)
        loss = add_up(_accumulate(worker, batch, batches.sequences(step), config, ranks))
        done = step + 1
        is_logged = done % config.log_every_steps == 0 or done == config.steps
        norms = [_norm(block) for block in learner.h] if is_logged else []
        norm = _whole(torch.nn.utils.clip_grad_norm_(learner.parameters(), most))
        tokens = batches.tokens_before(done)
        if config.on_bad_batch == "skip":
            fault = _fault(float(loss), float(norm))
            in_a_row = in_a_row + 1 if fault else 0
            if in_a_row == MOST_SKIPPED:
                raise BadBatch(done, fault, advice(config))
            if fault:
                optimizers.forget_gradients()
                yield Step(step=done, tokens=tokens, skipped=fault)
                continue
        optimizers.step()
        worker.refresh()
        unread.append(Measured(done, loss, norm))
        if is_logged or done % config.save_every_steps == 0:
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
            gradient_norms=torch.stack(norms).tolist(),
            tokens_per_second=round((tokens - counted) / seconds, 1),
        )
        clock, counted = time.monotonic(), tokens
    if unread:
        _read(unread, config)


def _norm(block: nn.Module) -> Tensor:
    """Of the gradients of all its parameters together."""
    gradients = [parameter.grad for parameter in block.parameters() if parameter.grad is not None]
    return _whole(torch.nn.utils.get_total_norm(gradients))


def _whole(norm: Tensor) -> Tensor:
    """Over all processes, where each has a part of the gradients."""
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def _read(unread: list[Measured], config: TrainConfig) -> tuple[float, float]:
    """The last step's loss and gradient norm, if those of all steps are numbers."""
    numbers = torch.stack([torch.stack([m.loss, m.gradient_norm]) for m in unread]).tolist()
    for measured, (loss, norm) in zip(unread, numbers, strict=True):
        if fault := _fault(loss, norm):
            raise BadBatch(measured.step, fault, advice(config))
    loss, norm = numbers[-1]
    return loss, norm


def advice(config: TrainConfig) -> str:
    rate = f"lower peak_learning_rate (now {config.peak_learning_rate:g})"
    return f"{rate} or raise warmup_steps"


def _fault(loss: float, norm: float) -> str:
    """What is no number; empty if nothing."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    return "" if math.isfinite(norm) else f"gradients are {norm}"


def _sent(batch: Tensor, device: torch.device) -> Tensor:
    """`batch` on the device, without waiting for what the device still does."""
    if device.type == "cuda":
        batch = batch.pin_memory()
    return batch.to(device, non_blocking=True)


def _accumulate(
    worker: Worker, batch: Tensor, num_windows: int, config: TrainConfig, ranks: Ranks
) -> Tensor:
    """Gradients of the mean loss over `num_windows`, a few sequences at a time; the loss.

    `batch` is this process's part, whose windows may be cut into pieces, and its share of the mean
    is what comes out.
    """
    total = torch.zeros((), device=batch.device)
    # Sharded weights come and go for all processes at once, so all make the same number of passes:
    # who has no window left takes one that counts nothing.
    num_passes = -(-num_windows // (ranks.size * config.sequences_per_pass))
    targets = num_windows * worker.network.config.context
    for windows_BT in batch.tensor_split(num_passes):
        if len(windows_BT):
            loss = worker.loss(windows_BT, of=targets)
        else:
            loss = 0 * worker.loss(batch.new_zeros(1, batch.shape[1]), of=targets)
        loss.backward()
        total += loss.detach()
    return total
