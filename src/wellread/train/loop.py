"""The loop: forward, backward, update; and the held-out loss."""

import math
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from wellread.base.errors import WellreadError
from wellread.formats.metrics import Step
from wellread.model.gpt2 import GPT2
from wellread.train.batches import Batches
from wellread.train.config import TrainConfig, learning_rate


def make_optimizer(model: GPT2, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only, as is usual (assumed, see TrainConfig)."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    betas = (config.beta_1, config.beta_2)
    return torch.optim.AdamW(groups, lr=config.peak_learning_rate, betas=betas, fused=True)


def precision_on(device: torch.device, config: TrainConfig) -> str:
    """The precision of matrix products; weights, sums and the loss are in float32 always.

    `auto` is bfloat16 where the hardware multiplies it faster: accelerators, and CPUs with AMX.
    """
    if config.precision != "auto":
        return config.precision
    fast = device.type != "cpu" or torch.cpu.get_capabilities().get("amx_bf16", False)
    return "bfloat16" if fast else "float32"


def sequence_loss(model: GPT2, windows_BT: Tensor, config: TrainConfig) -> Tensor:
    """Mean negative log-probability of each next token, in nats; `windows_BT` is (B, T + 1)."""
    device = windows_BT.device
    enabled = precision_on(device, config) == "bfloat16"
    with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
        logits_BTV = model(windows_BT[:, :-1])
    return F.cross_entropy(logits_BTV.flatten(0, 1).float(), windows_BT[:, 1:].flatten())


def train_steps(
    model: GPT2,
    optimizer: torch.optim.AdamW,
    batches: Batches,
    config: TrainConfig,
    *,
    start: int,
) -> Iterator[Step]:
    """Do steps `start` to `config.steps`; yield each one's measurements once its update is done.

    The loss is read (and the device waited for) only on the steps that are logged.
    """
    device = model.wte.weight.device
    model.train()
    clock, clock_step = time.monotonic(), start
    for step in range(start, config.steps):
        rate = learning_rate(step, config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = torch.from_numpy(batches[step]).to(device)
        loss = _accumulate(model, batch, config)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_gradient_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done = step + 1
        per_step = batch.shape[0] * (batch.shape[1] - 1)
        if done % config.log_every_steps and done != config.steps:
            yield Step(step=done, tokens=done * per_step)
            continue
        value = float(loss)
        if not math.isfinite(value):
            raise WellreadError(
                f"step {done}: the loss is {value}; lower peak_learning_rate "
                f"(now {config.peak_learning_rate:g}) or raise warmup_steps"
            )
        seconds = time.monotonic() - clock
        yield Step(
            step=done,
            tokens=done * per_step,
            loss=value,
            learning_rate=rate,
            gradient_norm=float(norm),
            tokens_per_second=round((done - clock_step) * per_step / seconds, 1),
        )
        clock, clock_step = time.monotonic(), done


def _accumulate(model: GPT2, batch: Tensor, config: TrainConfig) -> Tensor:
    """Gradients of the batch's mean loss, a few sequences at a time; the loss."""
    passes = batch.split(config.sequences_per_pass)
    total = torch.zeros((), device=batch.device)
    for windows_BT in passes:
        loss = sequence_loss(model, windows_BT, config) / len(passes)
        loss.backward()
        total += loss.detach()
    return total


@torch.inference_mode()
def held_out_loss(model: GPT2, windows: npt.NDArray[np.int64], config: TrainConfig) -> float:
    """Mean loss over fixed windows, (num_windows, context + 1), in nats per token."""
    model.eval()
    device = model.wte.weight.device
    passes = torch.from_numpy(windows).split(config.sequences_per_pass)
    losses = [float(sequence_loss(model, part.to(device), config)) * len(part) for part in passes]
    model.train()
    return math.fsum(losses) / len(windows)
