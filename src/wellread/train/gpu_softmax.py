"""Cross-entropy on a GPU, from logits in place to the loss and its gradients in one kernel.

As PyTorch's operations it reads and writes logits in float32 several times, and compiled it is two
kernels that read each logit from memory again: a tenth of a step at 124M. Here one program has one
row, which stays in the device's cache between its two readings.

Triton comes with PyTorch where PyTorch is for CUDA, and is absent elsewhere.
"""

import os
import shutil
from functools import cache

import torch
from torch import Tensor

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

# Logits at once, and 32nds of the threads: of six pairs the fastest on an H200 with rows of 50,304.
BLOCK, WARPS = 4096, 16


def can_take(logits_NV: Tensor) -> bool:
    """Whether `cross_entropy` does this."""
    return logits_NV.is_cuda and _can_compile()


@cache
def _can_compile() -> bool:
    """Triton asks a C compiler for what starts its kernels."""
    has_compiler = os.environ.get("CC") or shutil.which("clang") or shutil.which("gcc")
    return triton is not None and bool(has_compiler)


def cross_entropy(
    logits_NV: Tensor, targets_N: Tensor, vocab_size: int, *, to_gradients: bool
) -> Tensor:
    """The loss of each row, (N,); columns from `vocab_size` on stand for nothing.

    `to_gradients` puts what the loss changes by in each logit's place, 0 where it stands for
    nothing.
    """
    rows, columns = logits_NV.shape
    losses_N = torch.empty(rows, device=logits_NV.device)
    with torch.cuda.device(logits_NV.device):  # Triton starts its kernels on the current one
        _KERNEL[(rows,)](
            logits_NV, targets_N.contiguous(), losses_N, logits_NV.stride(0), vocab_size,
            COLUMNS=columns, TO_GRADIENTS=int(to_gradients),
            BLOCK=min(BLOCK, triton.next_power_of_2(columns)), num_warps=WARPS,
        )  # fmt: skip
    return losses_N


def _of_row(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - as Triton has it
    logits, targets, losses, stride, vocab_size,
    COLUMNS: "tl.constexpr", TO_GRADIENTS: "tl.constexpr", BLOCK: "tl.constexpr",
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    place = logits + row * stride
    target = tl.load(targets + row)
    # Read before any thread writes: the sums below make them wait for each other.
    wanted = tl.load(place + target).to(tl.float32)
    within = tl.arange(0, BLOCK)
    highest, total = float("-inf"), 0.0
    for begin in range(0, COLUMNS, BLOCK):
        at = begin + within
        # Compared with COLUMNS, a multiple of 64, since threads then read 16 bytes at once.
        x = tl.load(place + at, mask=at < COLUMNS, other=float("-inf")).to(tl.float32)
        x = tl.where(at < vocab_size, x, float("-inf"))
        higher = tl.maximum(highest, tl.max(x, 0))
        total = total * tl.exp(highest - higher) + tl.sum(tl.exp(x - higher), 0)
        highest = higher
    log_sum = highest + tl.log(total)
    tl.store(losses + row, log_sum - wanted)
    if TO_GRADIENTS:
        for begin in range(0, COLUMNS, BLOCK):
            at = begin + within
            x = tl.load(place + at, mask=at < COLUMNS, other=0.0).to(tl.float32)
            share = tl.where(at < vocab_size, tl.exp(x - log_sum), 0.0)
            share = tl.where(at == target, share - 1.0, share)
            tl.store(place + at, share.to(logits.dtype.element_ty), mask=at < COLUMNS)


_KERNEL = triton and triton.jit(_of_row)
