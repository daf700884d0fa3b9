"""One position of GPT-2 for each row on the CPU, as one kernel for all threads.

A position reads every weight once, so that with few rows its time is the time to read them. The
kernel does nothing beside: no tensor is made, and threads meet at four barriers in a layer. Sums
are in float32 whatever the weights are, and in the same order whatever the other rows are.

Each thread has its share of the heads (queries, keys, values and attention), then of the rows of
each matrix. Addresses stand in arrays of words, as in `wellread.tokenizer.encode`.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import float32 as single
from numba import int64 as integer
from numba import uint64 as word
from torch import Tensor

from wellread.base.kernels import inlined, kernel
from wellread.generation.vectors import (
    COLUMNS,
    LANES,
    STEP,
    arrive,
    give_way,
    load_half,
    load_single,
    product_half,
    product_single,
    store_half,
    store_single,
    weighted_half,
    weighted_half_4,
    weighted_single,
    weighted_single_4,
)
from wellread.model.gpt2 import GPT2, Cache
from wellread.tokenizer.memory import load64, load_published

# The words of a state: numbers, then addresses.
LAYERS, WIDTH, HEADS, VOCABULARY, ROOM, CACHE_ROWS, BYTES, THREADS, ROWS = range(9)
EMBEDDING, POSITION_EMBEDDING, HEAD, FINAL_WEIGHT, FINAL_BIAS = range(9, 14)
KEYS, VALUES, IDS, PLACES, SLOTS, ARRIVED, SCRATCH_AT = range(14, 21)
STREAM, ATTENDED, HIDDEN, LOGITS, BLOCKS = range(21, 26)
# Of each layer, from BLOCKS on.
NORM_1, NORM_1_BIAS, QKV, QKV_BIAS, MERGE, MERGE_BIAS = range(6)
NORM_2, NORM_2_BIAS, UP, UP_BIAS, DOWN, DOWN_BIAS = range(6, 12)
BLOCK_WORDS = 12
KEEP, ADD, GELU = range(3)  # what `_multiply` does with a product
FUSED_ROWS = 4  # with more rows, matrix products of a library use what is read better
SPINS = 2_000  # looks at a barrier before the core is offered to others


@inlined
def _get(state: Any, place: Any) -> Any:
    return load64(state + word(8 * place))


@inlined
def _load_weight(address: Any, is_half: Any) -> Any:
    if is_half:
        return load_half(address)
    return load_single(address)


@kernel
def _meet(state: Any, arrivals: Any) -> Any:
    """Wait until every thread has arrived once more than `arrivals` says; the new count."""
    arrived, target = _get(state, ARRIVED), arrivals + _get(state, THREADS)
    arrive(arrived)
    looks = 0
    while load_published(arrived) < target:
        looks += 1
        if looks > SPINS:
            give_way()
    return target


@kernel
def _normalise_row(x: Any, width: Any, weight: Any, bias: Any, epsilon: Any, out: Any) -> None:
    total = single(0)
    for at in range(width):
        total += load_single(x + word(4 * at))
    mean = total / single(width)
    total = single(0)
    for at in range(width):
        away = load_single(x + word(4 * at)) - mean
        total += away * away
    scale = single(1) / np.sqrt(total / single(width) + epsilon)
    for at in range(width):
        place = word(4 * at)
        value = (load_single(x + place) - mean) * scale
        value = value * load_single(weight + place) + load_single(bias + place)
        store_single(out + place, value)


@kernel
def _normalise(
    x: Any, rows: Any, width: Any, weight: Any, bias: Any, epsilon: Any, out: Any
) -> None:
    """Layer normalisation of rows of `width` numbers (float32 in, parameters and out)."""
    for row in range(rows):
        place = word(4 * width * row)
        _normalise_row(x + place, width, weight, bias, epsilon, out + place)


@inlined
def _finish(product: Any, how: Any, place: Any) -> None:
    if how == ADD:
        product += load_single(place)
    elif how == GELU:
        # openai/gpt-2, src/model.py, gelu; tanh by way of exp, which does not overflow here.
        inner = single(0.7978845608028654) * (
            product + single(0.044715) * product * product * product
        )
        product *= single(1) - single(1) / (np.exp(single(2) * inner) + single(1))
    store_single(place, product)


@inlined
def _product(row: Any, vector: Any, length: Any, is_half: Any) -> Any:
    if is_half:
        return product_half(row, vector, word(length))
    return product_single(row, vector, word(length))


@kernel
def _multiply(
    weights: Any, bias: Any, is_half: Any, num_in: Any, first: Any, last: Any,
    x: Any, x_stride: Any, rows: Any, out: Any, out_stride: Any, how: Any,
) -> None:  # fmt: skip
    """Rows `first` to `last` of a matrix times `rows` vectors, plus bias if it has an address."""
    stride = word(num_in) * (word(2) if is_half else word(4))
    for at in range(first, last):
        place = word(4 * at)
        begin = weights + word(at) * stride
        added = single(0)
        if bias != word(0):
            added = load_single(bias + place)
        for row in range(rows):
            product = _product(begin, x + word(row) * x_stride, num_in, is_half)
            _finish(product + added, how, out + word(row) * out_stride + place)


@kernel
def _attend(
    q: Any, keys: Any, values: Any, count: Any, depth: Any, is_half: Any, scores: Any, out: Any
) -> None:
    """What one head sees of `count` positions: softmax(q . keys / sqrt(depth)) times the values."""
    stride = word(depth) * (word(2) if is_half else word(4))
    for at in range(count):
        score = _product(keys + word(at) * stride, q, depth, is_half)
        store_single(scores + word(4 * at), score)
    scale = single(1) / np.sqrt(single(depth))
    largest = load_single(scores)
    for at in range(1, count):
        largest = max(largest, load_single(scores + word(4 * at)))
    total = single(0)
    for at in range(count):
        place = scores + word(4 * at)
        share = np.exp((load_single(place) - largest) * scale)
        store_single(place, share)
        total += share
    for at in range(count):
        place = scores + word(4 * at)
        store_single(place, load_single(place) / total)
    at = 0
    while at < depth:
        begin, place = values + word(at) * (word(2) if is_half else word(4)), out + word(4 * at)
        if at + COLUMNS <= depth:
            if is_half:
                weighted_half_4(begin, stride, scores, word(count), place)
            else:
                weighted_single_4(begin, stride, scores, word(count), place)
            at += COLUMNS
        else:
            if is_half:
                weighted_half(begin, stride, scores, word(count), place)
            else:
                weighted_single(begin, stride, scores, word(count), place)
            at += LANES


@inlined
def _share(total: Any, thread: Any, threads: Any) -> Any:
    """A thread's part of `total` rows."""
    return total * thread // threads, total * (thread + 1) // threads


@kernel
def forward(state: Any, thread: Any, arrived: Any, epsilon: Any) -> None:
    """One thread's part of the logits of each row's next position; its key and value are kept."""
    state, arrivals = word(state), word(arrived)
    layers, width = integer(_get(state, LAYERS)), integer(_get(state, WIDTH))
    heads = integer(_get(state, HEADS))
    vocabulary, room = integer(_get(state, VOCABULARY)), integer(_get(state, ROOM))
    cache_rows, threads = integer(_get(state, CACHE_ROWS)), integer(_get(state, THREADS))
    rows = integer(_get(state, ROWS))
    size = _get(state, BYTES)
    is_half = size == word(2)
    depth = width // heads
    stream, attended, hidden = _get(state, STREAM), _get(state, ATTENDED), _get(state, HIDDEN)
    # A thread's own: normed rows, then q, k and v of a head, and scores.
    own = load64(_get(state, SCRATCH_AT) + word(8 * thread))
    row_bytes = word(4 * width)
    head_own = own + word(rows) * row_bytes
    scores = head_own + word(12 * depth)

    first, last = _share(width, thread, threads)
    for row in range(rows):
        token = load64(_get(state, IDS) + word(8 * row))
        place = load64(_get(state, PLACES) + word(8 * row))
        embedding = _get(state, EMBEDDING) + token * word(width) * size
        position = _get(state, POSITION_EMBEDDING) + place * row_bytes
        for at in range(first, last):
            value = _load_weight(embedding + word(at) * size, is_half)
            value += load_single(position + word(4 * at))
            store_single(stream + word(row) * row_bytes + word(4 * at), value)
    arrivals = _meet(state, arrivals)

    for layer in range(layers):
        block = state + word(8 * (BLOCKS + layer * BLOCK_WORDS))
        _normalise(stream, rows, width, _get(block, NORM_1), _get(block, NORM_1_BIAS), epsilon, own)
        for head in range(heads * thread // threads, heads * (thread + 1) // threads):
            for row in range(rows):
                normed = own + word(row) * row_bytes
                for part in range(3):
                    begin = part * width + head * depth
                    # As if the head's rows were the whole matrix: they go to q, k, v of its own.
                    _multiply(
                        _get(block, QKV) + word(begin * width) * size,
                        _get(block, QKV_BIAS) + word(4 * begin), is_half, width, 0, depth,
                        normed, row_bytes, 1, head_own + word(4 * part * depth), word(0), KEEP,
                    )  # fmt: skip
                slot = integer(load64(_get(state, SLOTS) + word(8 * row)))
                place = integer(load64(_get(state, PLACES) + word(8 * row)))
                base = ((layer * cache_rows + slot) * heads + head) * room
                keys = _get(state, KEYS) + word(base * depth) * size
                values = _get(state, VALUES) + word(base * depth) * size
                for at in range(depth):
                    here = word(place * depth + at) * size
                    k = load_single(head_own + word(4 * (depth + at)))
                    v = load_single(head_own + word(4 * (2 * depth + at)))
                    if is_half:
                        store_half(keys + here, k)
                        store_half(values + here, v)
                    else:
                        store_single(keys + here, k)
                        store_single(values + here, v)
                seen = attended + word(row) * row_bytes + word(4 * head * depth)
                _attend(head_own, keys, values, place + 1, depth, is_half, scores, seen)
        arrivals = _meet(state, arrivals)
        _multiply(
            _get(block, MERGE), _get(block, MERGE_BIAS), is_half, width, first, last,
            attended, row_bytes, rows, stream, row_bytes, ADD,
        )  # fmt: skip
        arrivals = _meet(state, arrivals)
        _normalise(stream, rows, width, _get(block, NORM_2), _get(block, NORM_2_BIAS), epsilon, own)
        up_first, up_last = _share(4 * width, thread, threads)
        _multiply(
            _get(block, UP), _get(block, UP_BIAS), is_half, width, up_first, up_last,
            own, row_bytes, rows, hidden, word(4) * row_bytes, GELU,
        )  # fmt: skip
        arrivals = _meet(state, arrivals)
        _multiply(
            _get(block, DOWN), _get(block, DOWN_BIAS), is_half, 4 * width, first, last,
            hidden, word(4) * row_bytes, rows, stream, row_bytes, ADD,
        )  # fmt: skip
        arrivals = _meet(state, arrivals)

    _normalise(
        stream, rows, width, _get(state, FINAL_WEIGHT), _get(state, FINAL_BIAS), epsilon, own
    )
    first, last = _share(vocabulary, thread, threads)
    _multiply(
        _get(state, HEAD), word(0), is_half, width, first, last,
        own, row_bytes, rows, _get(state, LOGITS), word(4 * vocabulary), KEEP,
    )  # fmt: skip


def can_step(model: GPT2, rows: int) -> bool:
    """Whether `Stepper` does this model, and so many rows faster than PyTorch does."""
    shape, weight = model.config, model.wte.weight
    return (
        weight.device.type == "cpu"
        and weight.dtype in (torch.float32, torch.bfloat16)
        and shape.norm == "pre"
        and shape.final_norm
        and shape.width % STEP == 0
        and shape.width // shape.heads % STEP == 0
        and rows <= FUSED_ROWS
    )


class Stepper:
    """A model and a cache made ready for `forward`: addresses, buffers, threads.

    Matrices are used where they are (laid out again first if they are transposed views). Only
    biases and the positions' embedding are copied, to float32.
    """

    def __init__(self, model: GPT2, cache: Cache, *, threads: int | None = None) -> None:
        shape = model.config
        rows = len(cache.lengths)
        self._threads = threads or torch.get_num_threads()
        self._kept: list[Any] = [model, cache]
        self._ids, self._places = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self._slots = np.zeros(rows, np.int64)
        self._arrived = np.zeros(8, np.uint64)
        self._epsilon = np.float32(shape.norm_epsilon)
        self._logits = np.zeros((rows, shape.vocab_size), np.float32)
        room = cache.k_LBHSD.shape[3]
        own_size = rows * shape.width + 3 * (shape.width // shape.heads) + room
        own = [np.zeros(own_size, np.float32) for _ in range(self._threads)]
        streams = [np.zeros((rows, shape.width * wide), np.float32) for wide in (1, 1, 4)]
        scratch = np.array([array.ctypes.data for array in own], np.uint64)
        numbers = [
            shape.layers, shape.width, shape.heads, shape.vocab_size, room, rows,
            model.wte.weight.element_size(), self._threads, rows,
        ]  # fmt: skip
        final: Any = model.ln_f
        buffers: list[npt.NDArray[Any]] = [self._ids, self._places, self._slots, self._arrived]
        buffers += [scratch, *streams, self._logits]
        addresses = [
            self._matrix(model.wte.weight), self._vector(model.wpe.weight),
            self._matrix(model.head_VC), self._vector(final.weight), self._vector(final.bias),
            cache.k_LBHSD.data_ptr(), cache.v_LBHSD.data_ptr(), *map(self._address, buffers),
        ]  # fmt: skip
        self._kept += own
        blocks: list[Any] = list(model.h)
        for block in blocks:
            for layer in (block.ln_1, block.attn.c_attn, block.attn.c_proj, block.ln_2,
                          block.mlp.c_fc, block.mlp.c_proj):  # fmt: skip
                one = self._matrix if layer.weight.dim() == 2 else self._vector
                addresses += [one(layer.weight), self._vector(layer.bias)]
        self._state = np.array([*numbers, *addresses], np.uint64)
        self._pool = ThreadPoolExecutor(max(self._threads - 1, 1))

    def _address(self, array: npt.NDArray[Any]) -> int:
        self._kept.append(array)
        return array.ctypes.data

    def _matrix(self, weight: Tensor) -> int:
        if not weight.is_contiguous():
            with torch.inference_mode(mode=False), torch.no_grad():
                weight.data = weight.data.contiguous()
        return weight.data_ptr()

    def _vector(self, weight: Tensor) -> int:
        return self._address(weight.detach().float().contiguous().numpy())

    def __call__(self, slots: list[int], ids: list[int], places: list[int]) -> Tensor:
        """Logits (B, V) of `ids` at `places` of the cache's rows `slots`; valid until the next."""
        count = len(slots)
        self._slots[:count], self._ids[:count], self._places[:count] = slots, ids, places
        self._state[ROWS] = count
        state, arrived = self._state.ctypes.data, int(self._arrived[0])
        others = [
            self._pool.submit(forward, state, thread, arrived, self._epsilon)
            for thread in range(1, self._threads)
        ]
        forward(state, 0, arrived, self._epsilon)
        for other in others:
            other.result()
        return torch.from_numpy(self._logits[:count])

    def close(self) -> None:
        self._pool.shutdown()
