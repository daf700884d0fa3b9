"""Cross-entropy on a CPU, from logits in bfloat16 to the loss and its gradients in one go.

In PyTorch's operations it takes a fifth of a step of a small model: six passes over logits in
float32. Here a row's stay in the processor's cache.
"""

from typing import Any

import numpy as np
import torch
from numba import float32 as single
from numba import int64 as integer
from numba import uint64 as word
from torch import Tensor

from wellread.base.intrinsics import load64, store16
from wellread.base.kernels import kernel
from wellread.base.lanes import HAS_DOTS
from wellread.generation.vectors import load_half, load_single, store_half, store_single
from wellread.train.lanes import (
    COLUMNS,
    HALF_ROW,
    ROW,
    largest_half,
    narrow_row,
    powers_of_halves,
)
from wellread.train.threads import in_shares, lent

LOWEST = 0xFF7F  # the least finite bfloat16


def can_take(logits_NV: Tensor) -> bool:
    """Whether `cross_entropy` does this."""
    is_on_cpu = logits_NV.device.type == "cpu" and logits_NV.dtype == torch.bfloat16
    return HAS_DOTS and is_on_cpu and logits_NV.shape[1] % COLUMNS == 0


def cross_entropy(
    logits_NV: Tensor, targets_N: Tensor, vocab_size: int, *, to_gradients: bool
) -> Tensor:
    """The loss of each row, (N,); columns from `vocab_size` on stand for nothing.

    `to_gradients` puts what the loss changes by in each logit's place; else these are as before,
    but for columns that stand for nothing.
    """
    rows, columns = logits_NV.shape
    losses_N = torch.empty(rows)
    targets_N = targets_N.contiguous()
    with lent(columns) as (memory, own):
        in_shares(
            _of_rows, rows, columns, vocab_size, logits_NV.data_ptr(), targets_N.data_ptr(),
            losses_N.data_ptr(), memory, own, to_gradients,
        )  # fmt: skip
    return losses_N


@kernel
def _of_rows(  # noqa: PLR0913 - addresses
    thread: Any, first: Any, last: Any, columns: Any, vocab_size: Any, logits: Any, targets: Any,
    losses: Any, memory: Any, own: Any, to_gradients: Any,
) -> None:  # fmt: skip
    """Rows `first` to `last`; addresses. A thread has `own` bytes of `memory`."""
    powers = word(memory) + word(thread) * word(own)
    count = integer(columns) // COLUMNS
    for number in range(first, last):
        row = word(logits) + word(2 * number * columns)
        for column in range(vocab_size, columns):
            store16(row + word(2 * column), LOWEST)
        highest = largest_half(row, word(count))
        total = powers_of_halves(row, word(count), highest, powers)
        target = word(load64(word(targets) + word(8 * number)))
        place = row + word(2) * target
        loss = np.log(total) + (highest - load_half(place))
        store_single(word(losses) + word(4 * number), loss)
        if not to_gradients:
            continue
        share = single(1) / total
        for at in range(count):
            narrow_row(powers + word(ROW * at), share, row + word(HALF_ROW * at))
        store_half(place, load_single(powers + word(4) * target) * share - single(1))
        for column in range(vocab_size, columns):
            store16(row + word(2 * column), 0)
