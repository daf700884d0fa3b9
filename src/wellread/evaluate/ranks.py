"""Several processes at one evaluation, as `torchrun` starts them.

Each has the model, scores every so manieth part of a task's items, and then has all outcomes. The
first alone writes; the others read what it wrote, so that machines need a folder in common.
"""

import os
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import torch
from torch import Tensor, distributed

from wellread.evaluate.metrics import Outcome

T = TypeVar("T")


class Ranks(NamedTuple):
    """Which of how many processes this is."""

    rank: int
    size: int


ALONE = Ranks(0, 1)


def join() -> Ranks:
    """The processes that torchrun's variables name; without them, this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return Ranks(distributed.get_rank(), size)


def gathered(outcomes: dict[int, Outcome], ranks: Ranks) -> dict[int, Outcome]:
    """The outcomes of all processes."""
    if ranks.size == 1:
        return outcomes
    found: dict[int, Outcome] = {}
    for content in _of_all(msgspec.msgpack.encode(outcomes), ranks):
        found |= msgspec.msgpack.decode(content, type=dict[int, Outcome])
    return found


def shared(given: T, kind: type[T], ranks: Ranks) -> T:
    """What the first process gives, of type `kind`."""
    if ranks.size == 1:
        return given
    return msgspec.msgpack.decode(_of_all(msgspec.msgpack.encode(given), ranks)[0], type=kind)


def wait(ranks: Ranks) -> None:
    """Until all are here."""
    if ranks.size > 1:
        distributed.barrier()


def _of_all(content: bytes, ranks: Ranks) -> list[bytes]:
    """What each process has, in the order of ranks; of bytes, since nothing is to be unpickled."""
    own = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(ranks.size)]
    distributed.all_gather(sizes, torch.tensor([len(own)]))
    longest = max(int(size) for size in sizes)
    padded = torch.zeros(longest, dtype=torch.uint8)
    padded[: len(own)] = own
    parts: list[Tensor] = [torch.zeros_like(padded) for _ in range(ranks.size)]
    distributed.all_gather(parts, padded)
    return [part[: int(size)].numpy().tobytes() for part, size in zip(parts, sizes, strict=True)]
