"""Several processes at one evaluation or one training, as `torchrun` starts them.

Each does its part of the work. The first alone writes; the others read what it wrote, so that
machines need a folder in common.
"""

import atexit
import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import torch
from torch import Tensor, distributed

from wellread.base.errors import InputError, WellreadError
from wellread.base.processes import num_processes

T = TypeVar("T")
# In what gloo and NCCL (ncclRemoteError) say when a process that they talk to has gone.
CONNECTIONS = ("gloo/transport", "remote process exit")


class Ranks(NamedTuple):
    """Which of how many processes this is."""

    rank: int
    size: int


ALONE = Ranks(0, 1)


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    sentence: str
    exit_status: int


def join() -> Ranks:
    """The processes that torchrun's variables name; without them, this one alone.

    Each that finds accelerators has one of its own.
    """
    size = num_processes()
    if size == 1:
        return ALONE
    if not distributed.is_initialized():
        has_cuda = torch.cuda.is_available()
        distributed.init_process_group("cpu:gloo,cuda:nccl" if has_cuda else "gloo")
        atexit.register(distributed.destroy_process_group)
    ranks = Ranks(distributed.get_rank(), size)
    with together(ranks):
        if torch.cuda.is_available():
            _take_accelerator(int(os.environ.get("LOCAL_RANK", "0")))
    return ranks


def _take_accelerator(number: int) -> None:
    count = torch.cuda.device_count()
    if number >= count:
        raise InputError(
            f"process {number + 1} of this machine finds {count} accelerators; expected one for "
            f"each: give --nproc-per-node {count}, or hide them all with CUDA_VISIBLE_DEVICES="
        )
    torch.cuda.set_device(number)


def gathered(given: T, kind: type[T], ranks: Ranks) -> list[T]:
    """What each process gives, of type `kind`, in the order of ranks."""
    if ranks.size == 1:
        return [given]
    found = _of_all(msgspec.msgpack.encode(given), ranks)
    return [msgspec.msgpack.decode(content, type=kind) for content in found]


def shared(given: T, kind: type[T], ranks: Ranks) -> T:
    """What the first process gives, of type `kind`."""
    if ranks.size == 1:
        return given
    return msgspec.msgpack.decode(_of_all(msgspec.msgpack.encode(given), ranks)[0], type=kind)


def wait(ranks: Ranks) -> None:
    """Until all are here."""
    if ranks.size > 1:
        with lasting(ranks):
            distributed.all_reduce(torch.zeros(1))  # of the CPU, where a barrier may take a GPU


@contextlib.contextmanager
def together(ranks: Ranks) -> Iterator[None]:
    """Work in which the processes do not talk: what one of them is refused is an error in all."""
    own: WellreadError | None = None
    try:
        yield
    except WellreadError as error:
        own = error
    failures = [_Failure(sentence=str(own), exit_status=own.exit_status)] if own else []
    said = [one for some in gathered(failures, list[_Failure], ranks) for one in some]
    if own is not None:
        raise own
    if said:
        is_refusal = said[0].exit_status == InputError.exit_status
        raise (InputError if is_refusal else WellreadError)(said[0].sentence)


@contextlib.contextmanager
def lasting(ranks: Ranks) -> Iterator[None]:
    """Work in which the processes talk: that another has gone is an error in one sentence."""
    try:
        yield
    except RuntimeError as error:
        if ranks.size == 1 or not any(name in str(error) for name in CONNECTIONS):
            raise
        raise WellreadError(
            "another process has ended or no longer answers, so this one ends: look for what that "
            "one said; the same command goes on from what is on disk"
        ) from error


def _of_all(content: bytes, ranks: Ranks) -> list[bytes]:
    """What each process has, in the order of ranks; of bytes, since nothing is to be unpickled."""
    own = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(ranks.size)]
    with lasting(ranks):
        distributed.all_gather(sizes, torch.tensor([len(own)]))
        longest = max(int(size) for size in sizes)
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: len(own)] = own
        parts: list[Tensor] = [torch.zeros_like(padded) for _ in range(ranks.size)]
        distributed.all_gather(parts, padded)
    return [part[: int(size)].numpy().tobytes() for part, size in zip(parts, sizes, strict=True)]
