"""Attention of whole sequences on a CPU, forward and backward, in bfloat16.

PyTorch's takes a fifth to a third of a step in bfloat16 without AMX, at a tenth of what the cores
can do. Here 64 queries lie side by side, so that a score's place in them is its lane: softmax and
its gradient need no sum across lanes, and every product is that of words with rows of 64.

Of a head, for 64 queries at a time, the keys up to theirs: scores (keys, 64), their powers, and
the values' sum. The backward pass makes the scores again, for some keys at a time, from the
logarithm of the sum of their powers that the forward pass has kept.

Shapes: B sequences, T positions, C width, H heads, D = 64 width of a head.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import float32 as single
from numba import int64 as integer
from numba import uint64 as word
from torch import Tensor

from wellread.base.intrinsics import load32, store32
from wellread.base.kernels import inlined, kernel
from wellread.base.lanes import HAS_DOTS
from wellread.generation.fused import ADD, KEEP
from wellread.generation.vectors import load_single, store_single
from wellread.train.lanes import (
    COLUMNS,
    HALF_ROW,
    ROW,
    add_1,
    add_4,
    column_gradients,
    column_softmax,
    interleave,
    narrow_row,
    product_of_halves,
    put_1,
    put_4,
)
from wellread.train.threads import in_shares, lent

HEAD_WIDTH = 64
WORDS = HEAD_WIDTH // 2  # of two bfloat16
KEYS = 256  # at once in the backward pass, so that what is made of them stays in the cache
BLOCK = 4  # rows


def attend(qkv_BTC: Tensor, heads: int, starts_BT: Tensor | None = None) -> Tensor:
    """Causal attention: queries, keys and values of all heads, (B, T, 3 C), to (B, T, C).

    A position sees those from its `starts_BT` on, which never go down along a sequence.
    """
    apply: Callable[..., Tensor] = _Attention.apply  # which has no types of its own
    return apply(qkv_BTC, heads, starts_BT)


def can_attend(device: torch.device, dtype: torch.dtype, head_width: int) -> bool:
    """Whether `attend` does this."""
    return (
        HAS_DOTS and device.type == "cpu" and dtype == torch.bfloat16 and head_width == HEAD_WIDTH
    )


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv_BTC: Tensor, heads: int, starts_BT: Tensor | None) -> Tensor:
        B, T, width = qkv_BTC.shape
        if starts_BT is None:
            starts_BT = torch.zeros(B, T, dtype=torch.int32)
        starts_BT = starts_BT.to(torch.int32).contiguous()
        qkv_BTC = qkv_BTC.contiguous()
        y_BTC = qkv_BTC.new_empty(B, T, width // 3)
        log_sums = torch.empty(B * heads, -(-T // COLUMNS) * COLUMNS)
        _of_all_heads(_forward, B, T, heads, starts_BT, qkv_BTC, y_BTC, log_sums)
        ctx.save_for_backward(starts_BT, qkv_BTC, y_BTC, log_sums)
        ctx.heads = heads
        return y_BTC

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        starts_BT, qkv_BTC, y_BTC, log_sums = ctx.saved_tensors
        B, T, _ = qkv_BTC.shape
        given_BTC = gradients[0].contiguous()
        found_BTC = torch.empty_like(qkv_BTC)
        known = (starts_BT, qkv_BTC, y_BTC, log_sums)
        _of_all_heads(_backward, B, T, ctx.heads, *known, given_BTC, found_BTC)
        return found_BTC, None, None


def _of_all_heads(function: Any, B: int, T: int, heads: int, *tensors: Tensor) -> None:
    places = [tensor.data_ptr() for tensor in tensors]
    # Rows of 64 for scores, and for what a head's numbers are laid out to.
    rows = 2 * WORDS + COLUMNS + 3 * (T // 2 + 1) + 2 * T + 4 * KEYS
    with lent(rows * COLUMNS) as (memory, own):
        in_shares(function, B * heads, T, heads, memory, own, *places)


@inlined
def _blocks(
    a: Any, row_stride: Any, step: Any, b: Any, count: Any, out: Any, rows: Any, how: Any
) -> None:
    """`rows` rows of 64 sums, which replace what is there or are added; see `lanes._block`."""
    row = 0
    while row < rows:
        from_row, to = a + word(row) * row_stride, out + word(ROW * row)
        if row + BLOCK <= rows:
            if how == ADD:
                add_4(from_row, row_stride, step, b, count, to)
            else:
                put_4(from_row, row_stride, step, b, count, to)
            row += BLOCK
        else:
            if how == ADD:
                add_1(from_row, row_stride, step, b, count, to)
            else:
                put_1(from_row, row_stride, step, b, count, to)
            row += 1


@kernel
def _fill(start: Any, count: Any, value: Any) -> None:
    for at in range(count):
        store_single(start + word(4 * at), value)


@kernel
def _side_by_side(rows: Any, stride: Any, count: Any, out: Any) -> None:
    """Up to 64 rows of 32 words as columns: (32, 64); those that are missing are 0."""
    for at in range(WORDS):
        for row in range(count):
            found = load32(rows + word(row) * stride + word(4 * at))
            store32(out + word(ROW * at + 4 * row), found)
        for row in range(count, COLUMNS):
            store_single(out + word(ROW * at + 4 * row), single(0))


@kernel
def _in_pairs(rows: Any, stride: Any, count: Any, zeros: Any, out: Any) -> None:
    """Rows of 64 bfloat16 as words of two rows each; the last may lack its second."""
    for row in range(0, count, 2):
        first = rows + word(row) * stride
        second = first + stride if row + 1 < count else zeros
        interleave(first, second, out + word(HALF_ROW * row))


@kernel
def _hide(scores: Any, first: Any, start: Any, count: Any, starts: Any, queries: Any) -> None:
    """Of `count` rows of scores, which are of keys from `first` on: those that a query sees not.

    The columns are of `queries` queries from `start` on; the keys they see begin at `starts`.
    """
    for row in range(max(0, start + 1 - first), count):
        for column in range(min(first + row - start, COLUMNS)):
            store_single(scores + word(ROW * row + 4 * column), single(-np.inf))
    for column in range(queries):
        for row in range(min(count, integer(load32(starts + word(4 * column))) - first)):
            store_single(scores + word(ROW * row + 4 * column), single(-np.inf))


@kernel
def _forward(
    thread: Any, first: Any, last: Any, positions: Any, heads: Any, memory: Any, own: Any,
    starts: Any, qkv: Any, out: Any, log_sums: Any,
) -> None:  # fmt: skip
    """Heads `first` to `last`, counted over all sequences; addresses, each array contiguous.

    A thread has `own` bytes of `memory`.
    """
    positions, memory = integer(positions), word(memory) + word(thread) * word(own)
    width = word(2 * HEAD_WIDTH * heads)  # bytes of a position of `out`
    stride = word(3) * width
    padded = (positions + COLUMNS - 1) // COLUMNS * COLUMNS
    queries = memory
    sums = queries + word(WORDS * ROW)
    zeros = sums + word(2 * ROW)
    mixed = zeros + word(ROW)
    values = mixed + word(COLUMNS * ROW)
    powers = values + word((positions // 2 + 1) * ROW)
    scores = powers + word((positions // 2 + 1) * ROW)
    _fill(zeros, COLUMNS, single(0))
    scale = single(1) / np.sqrt(single(HEAD_WIDTH))
    for number in range(first, last):
        sequence, head = number // heads, number % heads
        q = word(qkv) + word(sequence * positions) * stride + word(2 * HEAD_WIDTH * head)
        k, v = q + width, q + word(2) * width
        y = word(out) + word(sequence * positions) * width + word(2 * HEAD_WIDTH * head)
        _in_pairs(v, stride, positions, zeros, values)
        for start in range(0, positions, COLUMNS):
            count = min(COLUMNS, positions - start)
            seen = word(starts) + word(4 * (sequence * positions + start))
            key = integer(load32(seen)) // 2 * 2  # no query sees an earlier one
            keys = start + count - key
            _side_by_side(q + word(start) * stride, stride, count, queries)
            from_key = k + word(key) * stride
            _blocks(from_key, stride, word(4), queries, word(WORDS), scores, keys, KEEP)
            _hide(scores, key, start, keys, seen, count)
            even = keys + keys % 2
            if even > keys:
                _fill(scores + word(ROW * keys), COLUMNS, single(-np.inf))
            column_softmax(scores, word(even), scale, powers, sums)
            from_value = values + word(key // 2 * ROW)
            _blocks(powers, word(4), word(ROW), from_value, word(even // 2), mixed, COLUMNS, KEEP)
            for row in range(count):
                total = load_single(sums + word(4 * row))
                place = y + word(start + row) * width
                narrow_row(mixed + word(ROW * row), single(1) / total, place)
                log_sum = load_single(sums + word(ROW + 4 * row)) + np.log(total)
                at = word(log_sums) + word(4 * (number * padded + start + row))
                store_single(at, log_sum)


@kernel
def _backward(
    thread: Any, first: Any, last: Any, positions: Any, heads: Any, memory: Any, own: Any,
    starts: Any, qkv: Any, out: Any, log_sums: Any, given: Any, found: Any,
) -> None:  # fmt: skip
    """As `_forward`: from gradients of `out` to those of `qkv`."""
    positions, memory = integer(positions), word(memory) + word(thread) * word(own)
    width = word(2 * HEAD_WIDTH * heads)
    stride = word(3) * width
    padded = (positions + COLUMNS - 1) // COLUMNS * COLUMNS
    queries = memory
    wanted = queries + word(WORDS * ROW)
    known = wanted + word(WORDS * ROW)  # of each query: its log-sum; its mean gradient
    zeros = known + word(2 * ROW)
    of_queries = zeros + word(ROW)
    query_pairs = of_queries + word(COLUMNS * ROW)
    key_pairs = query_pairs + word((positions // 2 + 1) * ROW)
    given_pairs = key_pairs + word((positions // 2 + 1) * ROW)
    of_keys = given_pairs + word((positions // 2 + 1) * ROW)
    of_values = of_keys + word(positions * ROW)
    scores = of_values + word(positions * ROW)
    changes = scores + word(KEYS * ROW)
    tables = changes + word(KEYS * ROW)
    _fill(zeros, COLUMNS, single(0))
    scale = single(1) / np.sqrt(single(HEAD_WIDTH))
    for number in range(first, last):
        sequence, head = number // heads, number % heads
        q = word(qkv) + word(sequence * positions) * stride + word(2 * HEAD_WIDTH * head)
        k, v = q + width, q + word(2) * width
        dq = word(found) + word(sequence * positions) * stride + word(2 * HEAD_WIDTH * head)
        dk, dv = dq + width, dq + word(2) * width
        y = word(out) + word(sequence * positions) * width + word(2 * HEAD_WIDTH * head)
        dy = word(given) + word(sequence * positions) * width + word(2 * HEAD_WIDTH * head)
        _in_pairs(q, stride, positions, zeros, query_pairs)
        _in_pairs(k, stride, positions, zeros, key_pairs)
        _in_pairs(dy, width, positions, zeros, given_pairs)
        _fill(of_keys, 2 * positions * COLUMNS, single(0))
        for start in range(0, positions, COLUMNS):
            count = min(COLUMNS, positions - start)
            _side_by_side(q + word(start) * stride, stride, count, queries)
            _side_by_side(dy + word(start) * width, width, count, wanted)
            for row in range(COLUMNS):
                log_sum, mean = single(np.inf), single(0)  # of none nothing is left
                if row < count:
                    place = word(4 * (number * padded + start + row))
                    log_sum = load_single(word(log_sums) + place)
                    at = word(start + row) * width
                    mean = product_of_halves(y + at, dy + at)
                store_single(known + word(4 * row), log_sum)
                store_single(known + word(ROW + 4 * row), mean)
            query_rows = word(start // 2 * ROW)
            pairs = word((count + 1) // 2)
            _fill(of_queries, COLUMNS * COLUMNS, single(0))
            seen = word(starts) + word(4 * (sequence * positions + start))
            for key in range(integer(load32(seen)) // 2 * 2, start + count, KEYS):
                keys = min(KEYS, start + count - key)
                even = keys + keys % 2
                own, own_values = k + word(key) * stride, v + word(key) * stride
                _blocks(own, stride, word(4), queries, word(WORDS), scores, keys, KEEP)
                _blocks(own_values, stride, word(4), wanted, word(WORDS), changes, keys, KEEP)
                _hide(scores, key, start, keys, seen, count)
                if even > keys:
                    _fill(scores + word(ROW * keys), COLUMNS, single(-np.inf))
                    _fill(changes + word(ROW * keys), COLUMNS, single(0))
                column_gradients(scores, changes, word(even), scale, known, tables)
                table = word(even * HALF_ROW)
                _blocks(
                    tables, word(HALF_ROW), word(4), given_pairs + query_rows, pairs,
                    of_values + word(ROW * key), keys, ADD,
                )  # fmt: skip
                _blocks(
                    tables + table, word(HALF_ROW), word(4), query_pairs + query_rows, pairs,
                    of_keys + word(ROW * key), keys, ADD,
                )  # fmt: skip
                _blocks(
                    tables + word(2) * table, word(4), word(ROW), key_pairs + word(key // 2 * ROW),
                    word(even // 2), of_queries, COLUMNS, ADD,
                )  # fmt: skip
            for row in range(count):
                place = dq + word(start + row) * stride
                narrow_row(of_queries + word(ROW * row), single(1), place)
        for row in range(positions):
            narrow_row(of_keys + word(ROW * row), single(1), dk + word(row) * stride)
            narrow_row(of_values + word(ROW * row), single(1), dv + word(row) * stride)
