"""How much memory a run needs, estimated before it starts; what has no room is refused then."""

import logging
from typing import NamedTuple

import psutil
import torch

from wellread.base.errors import InputError
from wellread.base.text import human_bytes
from wellread.model.sizes import Architecture
from wellread.train.config import TrainConfig
from wellread.train.loss import positions_at_once

log = logging.getLogger(__name__)
# What a block keeps for its backward pass, in numbers for each position and unit of width: inputs
# of both norms and what they give (4), queries, keys and values (3), what attention gives (1), and
# the feed-forward layer before and after its GELU (8).
KEPT = 16


class Needs(NamedTuple):
    """Bytes, by what they are for."""

    weights: int
    gradients: int
    optimizer: int
    copy: int  # of the weights, in bfloat16
    activations: int  # of one pass
    logits: int  # of a part of it, and gradients of the head

    def sharded(self, num_processes: int) -> "Needs":
        """Of one process, if each has its part of all but what computes."""
        parts = (self.weights, self.gradients, self.optimizer)
        kept = [count // num_processes for count in parts]
        return self._replace(weights=kept[0], gradients=kept[1], optimizer=kept[2])

    def sentence(self) -> str:
        parts = [f"{name} {human_bytes(count)}" for name, count in self._asdict().items() if count]
        return f"{human_bytes(sum(self))} ({', '.join(parts)})"


def estimate(
    shape: Architecture, config: TrainConfig, precision: torch.dtype, device: torch.device
) -> Needs:
    """What training needs beside Python and PyTorch themselves."""
    width = 4 if precision == torch.float32 else 2
    # Muon remembers one number for each weight of the blocks' matrices, AdamW two for each weight.
    by_muon = 12 * shape.layers * shape.width**2 if config.optimizer == "muon" else 0
    positions = min(config.sequences_per_pass, config.batch_sequences) * shape.context
    # With recomputing each block keeps its input, and one of them the rest for a while.
    kept = shape.layers + KEPT if config.recomputes else KEPT * shape.layers
    rows = min(positions, positions_at_once(shape.vocab_size, device))
    return Needs(
        weights=shape.num_bytes(),
        gradients=shape.num_bytes(),
        optimizer=4 * (2 * shape.num_parameters - by_muon),
        copy=0 if precision == torch.float32 else shape.num_bytes(width),
        activations=width * positions * shape.width * (kept + 3),
        logits=rows * shape.vocab_size * (4 + width) + 4 * shape.vocab_size * shape.width,
    )


def check_room(needs: Needs, *, free: int, total: int, what: str, config: TrainConfig) -> None:
    """Refuse what `what` (a device) can never hold; warn of what it cannot hold now. Bytes."""
    if sum(needs) <= free:
        return
    without = sum(needs) - needs.activations + needs.activations // config.sequences_per_pass
    if config.sequences_per_pass > 1 and without <= total:
        advice = f"lower sequences_per_pass (now {config.sequences_per_pass})"
    elif not config.recomputes:
        advice = "turn recomputes on, or choose a smaller size or context"
    else:
        advice = "choose a smaller size or context"
    sentence = f"training needs about {needs.sentence()}, and {what} has"
    if sum(needs) > total:
        raise InputError(f"{sentence} {human_bytes(total)}; {advice}")
    log.warning("%s %s free of %s; %s", sentence, human_bytes(free), human_bytes(total), advice)


def check_device(
    shape: Architecture,
    config: TrainConfig,
    device: torch.device,
    precision: torch.dtype,
    *,
    num_processes: int = 1,
) -> None:
    """`check_room` with the memory of a device, of which every process has one if not the CPU."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        what = torch.cuda.get_device_name(device)
    else:
        memory = psutil.virtual_memory()
        free, total, what = memory.available, memory.total, "this machine"
    needs = estimate(shape, config, precision, device)
    if config.sharding == "full":
        needs = needs.sharded(num_processes)
    if device.type == "cpu":
        needs = Needs(*(num_processes * count for count in needs))
    check_room(needs, free=free, total=total, what=what, config=config)
