"""GPT-2 on the CPU, all layers for some positions, as one kernel for all threads.

Each row of the work is one new position of some text: of several texts the next, or many of one.
With few rows the time is that of reading every weight once. The kernel does nothing beside: no
tensor is made, and threads meet at four barriers in a layer. Sums are in float32 whatever the
weights are, and in the same order whatever the other rows are.

Each thread has its share of the heads (queries, keys, values and attention), then of the rows of
each matrix. Addresses stand in arrays of words, as in `wellread.tokenizer.encode`.
"""

from typing import Any

import numpy as np
from numba import float32 as single
from numba import int64 as integer
from numba import uint64 as word

from wellread.base.intrinsics import load64, load_published, prefetch, store64
from wellread.base.kernels import inlined, kernel
from wellread.base.lanes import HAS_DOTS, LANES
from wellread.generation.vectors import (
    COLUMNS,
    TILE,
    arrive,
    gelu,
    give_way,
    largest,
    load_half,
    load_single,
    matrix_half,
    narrow,
    product_half,
    product_single,
    scores_half,
    scores_single,
    softmax,
    store_half,
    store_single,
    sum_of_powers,
    tile_half,
    tile_single,
    weighted_half,
    weighted_half_4,
    weighted_single,
    weighted_single_4,
)

# The words of a state: numbers, then addresses.
LAYERS, WIDTH, HEADS, VOCABULARY, ROOM, CACHE_ROWS, BYTES, THREADS, ROWS, LAST_ROWS = range(10)
EMBEDDING, POSITION_EMBEDDING, HEAD, FINAL_WEIGHT, FINAL_BIAS, KEYS, VALUES = range(10, 17)
IDS, PLACES, SLOTS, LAST, ARRIVED, SCRATCH_AT, ONES = range(17, 24)
STREAM, ATTENDED, HIDDEN, LOGITS, BEST, LOG_SUMS, BLOCKS = range(24, 31)
# Of each layer, from BLOCKS on.
NORM_1, NORM_1_BIAS, QKV, QKV_BIAS, MERGE, MERGE_BIAS = range(6)
NORM_2, NORM_2_BIAS, UP, UP_BIAS, DOWN, DOWN_BIAS = range(6, 12)
BLOCK_WORDS = 12
KEEP, ADD = range(2)  # what becomes of a product: it replaces what is there, or is added to it
FEW_ROWS = 4  # up to so many a matrix is read row by row, with more in tiles
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
def _normalise(
    x: Any, rows: Any, width: Any, weight: Any, bias: Any, ones: Any, epsilon: Any, narrows: Any,
    out: Any,
) -> None:  # fmt: skip
    """Layer normalisation of rows of `width` numbers (float32 in and parameters).

    The result is float32 too; with `narrows` bfloat16, at the beginning of where that would be.
    """
    for row in range(rows):
        row_x, row_out = x + word(4 * width * row), out + word(4 * width * row)
        mean = product_single(row_x, ones, word(width)) / single(width)
        for at in range(width):
            place = word(4 * at)
            store_single(row_out + place, load_single(row_x + place) - mean)
        variance = product_single(row_out, row_out, word(width)) / single(width)
        scale = single(1) / np.sqrt(variance + epsilon)
        for at in range(width):
            place = word(4 * at)
            value = load_single(row_out + place) * scale
            store_single(
                row_out + place, value * load_single(weight + place) + load_single(bias + place)
            )
        if narrows:
            narrow(row_out, word(width), row_out)


@inlined
def _put(product: Any, bias: Any, at: Any, how: Any, place: Any) -> None:
    """Write a product, plus the bias if that has an address."""
    if bias != word(0):
        product += load_single(bias + word(4 * at))
    if how == ADD:
        product += load_single(place)
    store_single(place, product)


@kernel
def _multiply(
    weights: Any, bias: Any, is_half: Any, num_in: Any, first: Any, last: Any,
    x: Any, x_stride: Any, rows: Any, out: Any, out_stride: Any, how: Any, tile: Any,
) -> None:  # fmt: skip
    """Rows `first` to `last` of a matrix times `rows` vectors; see `_put`.

    With few vectors the time is that of reading the matrix, which goes row after row; with more,
    that of multiplying, and tiles load each number less often.
    """
    stride = word(num_in) * (word(2) if is_half else word(4))
    tiled_rows = rows - rows % TILE if rows > FEW_ROWS else 0
    tiled = (last - first) // TILE * TILE if tiled_rows else 0
    lines = TILE * integer(stride) // 64
    for at in range(first, first + tiled, TILE):
        begin = weights + word(at) * stride
        for row in range(0, tiled_rows, TILE):
            vector = x + word(row) * x_stride
            # A share of the rows after these: to wait for memory here costs a third of the time.
            ahead = begin + word(TILE) * stride
            for line in range(row * lines // tiled_rows, (row + TILE) * lines // tiled_rows):
                prefetch(ahead + word(64 * line))
            if is_half:
                tile_half(begin, stride, vector, x_stride, word(num_in), tile)
            else:
                tile_single(begin, stride, vector, x_stride, word(num_in), tile)
            for number in range(TILE * TILE):
                here, to = at + number % TILE, row + number // TILE
                place = out + word(to) * out_stride + word(4 * here)
                _put(load_single(tile + word(4 * number)), bias, here, how, place)
    for at in range(first, last):
        begin = weights + word(at) * stride
        for row in range(tiled_rows if at < first + tiled else 0, rows):
            vector = x + word(row) * x_stride
            if is_half:
                product = matrix_half(begin, vector, word(num_in))
            else:
                product = product_single(begin, vector, word(num_in))
            _put(product, bias, at, how, out + word(row) * out_stride + word(4 * at))


@kernel
def _attend(
    q: Any, keys: Any, values: Any, count: Any, depth: Any, is_half: Any, scores: Any, out: Any
) -> None:
    """What one head sees of `count` positions: softmax(q . keys / sqrt(depth)) times the values."""
    stride = word(depth) * (word(2) if is_half else word(4))
    padded = (count + LANES - 1) // LANES * LANES
    if count < LANES:
        for at in range(count):
            key, place = keys + word(at) * stride, scores + word(4 * at)
            if is_half:
                store_single(place, product_half(key, q, word(depth)))
            else:
                store_single(place, product_single(key, q, word(depth)))
    else:
        for tile in range(0, count, LANES):
            at = min(tile, count - LANES)  # the last ends where the keys do
            key, place = keys + word(at) * stride, scores + word(4 * at)
            if is_half:
                scores_half(key, stride, q, word(0), word(depth), place)
            else:
                scores_single(key, stride, q, word(0), word(depth), place)
    for at in range(count, padded):
        store_single(scores + word(4 * at), single(-np.inf))
    softmax(scores, word(padded), single(1) / np.sqrt(single(depth)))
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


@kernel
def _look_back(state: Any, layer: Any, head: Any, rows: Any, head_own: Any, scores: Any) -> None:
    """Keep the keys and values of all rows for one head, then attend: rows may follow each other.

    `head_own` has q, k and v of each row; what is seen goes to the head's part of ATTENDED.
    """
    width, heads = integer(_get(state, WIDTH)), integer(_get(state, HEADS))
    size = _get(state, BYTES)
    is_half = size == word(2)
    narrows = is_half and HAS_DOTS
    depth = width // heads
    head_bytes = word(4 * depth)
    first = (layer * integer(_get(state, CACHE_ROWS))) * heads + head
    room = integer(_get(state, ROOM))
    for row in range(rows):
        k = head_own + word(3 * row + 1) * head_bytes
        slot = integer(load64(_get(state, SLOTS) + word(8 * row)))
        place = integer(load64(_get(state, PLACES) + word(8 * row)))
        start = word(((first + slot * heads) * room + place) * depth) * size
        keys, values = _get(state, KEYS) + start, _get(state, VALUES) + start
        for at in range(depth):
            key, value = load_single(k + word(4 * at)), load_single(k + head_bytes + word(4 * at))
            if is_half:
                store_half(keys + word(2 * at), key)
                store_half(values + word(2 * at), value)
            else:
                store_single(keys + word(4 * at), key)
                store_single(values + word(4 * at), value)
    for row in range(rows):
        q = head_own + word(3 * row) * head_bytes
        slot = integer(load64(_get(state, SLOTS) + word(8 * row)))
        count = integer(load64(_get(state, PLACES) + word(8 * row))) + 1
        start = word((first + slot * heads) * room * depth) * size
        keys, values = _get(state, KEYS) + start, _get(state, VALUES) + start
        seen = _get(state, ATTENDED) + word(4 * width * row)
        if narrows:  # q is of no more use
            _attend(q, keys, values, count, depth, is_half, scores, q)
            narrow(q, word(depth), seen + word(2 * head * depth))
        else:
            _attend(q, keys, values, count, depth, is_half, scores, seen + word(4 * head * depth))


@inlined
def _share(total: Any, unit: Any, thread: Any, threads: Any) -> Any:
    """A thread's part of `total` numbers, in whole units."""
    units = total // unit
    return units * thread // threads * unit, units * (thread + 1) // threads * unit


@kernel
def forward(state: Any, thread: Any, arrived: Any, epsilon: Any) -> None:
    """One thread's part of the logits of each row's next position; its key and value are kept."""
    state, arrivals = word(state), word(arrived)
    layers, width = integer(_get(state, LAYERS)), integer(_get(state, WIDTH))
    heads = integer(_get(state, HEADS))
    vocabulary, threads = integer(_get(state, VOCABULARY)), integer(_get(state, THREADS))
    rows, last_rows = integer(_get(state, ROWS)), integer(_get(state, LAST_ROWS))
    size = _get(state, BYTES)
    is_half = size == word(2)
    depth = width // heads
    stream, attended, hidden = _get(state, STREAM), _get(state, ATTENDED), _get(state, HIDDEN)
    ones = _get(state, ONES)
    # A thread's own: a tile, normed rows, then q, k and v of a head, and scores.
    tile = load64(_get(state, SCRATCH_AT) + word(8 * thread))
    row_bytes, head_bytes = word(4 * width), word(4 * depth)
    # Behind a row's 4 `width` numbers of the feed-forward layer stand the same as bfloat16.
    hidden_bytes, narrowed = word(6) * row_bytes, hidden + word(4) * row_bytes
    narrows = is_half and HAS_DOTS
    own = tile + word(4 * TILE * TILE)
    head_own = own + word(rows) * row_bytes
    scores = head_own + word(3 * rows) * head_bytes

    first, last = _share(width, LANES, thread, threads)
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
        _normalise(
            stream, rows, width, _get(block, NORM_1), _get(block, NORM_1_BIAS), ones, epsilon,
            narrows, own,
        )  # fmt: skip
        for head in range(heads * thread // threads, heads * (thread + 1) // threads):
            for part in range(3):
                begin = part * width + head * depth
                # As if the head's rows were the whole matrix: they go to q, k, v of its own.
                _multiply(
                    _get(block, QKV) + word(begin * width) * size,
                    _get(block, QKV_BIAS) + word(4 * begin), is_half, width, 0, depth,
                    own, row_bytes, rows, head_own + word(part) * head_bytes,
                    word(3) * head_bytes, KEEP, tile,
                )  # fmt: skip
            _look_back(state, layer, head, rows, head_own, scores)
        arrivals = _meet(state, arrivals)
        _multiply(
            _get(block, MERGE), _get(block, MERGE_BIAS), is_half, width, first, last,
            attended, row_bytes, rows, stream, row_bytes, ADD, tile,
        )  # fmt: skip
        arrivals = _meet(state, arrivals)
        _normalise(
            stream, rows, width, _get(block, NORM_2), _get(block, NORM_2_BIAS), ones, epsilon,
            narrows, own,
        )  # fmt: skip
        up_first, up_last = _share(4 * width, LANES, thread, threads)
        _multiply(
            _get(block, UP), _get(block, UP_BIAS), is_half, width, up_first, up_last,
            own, row_bytes, rows, hidden, hidden_bytes, KEEP, tile,
        )  # fmt: skip
        if up_last > up_first:
            for row in range(rows):
                place = hidden + word(row) * hidden_bytes + word(4 * up_first)
                gelu(place, word(up_last - up_first))
                if narrows:
                    begin = narrowed + word(row) * hidden_bytes + word(2 * up_first)
                    narrow(place, word(up_last - up_first), begin)
        arrivals = _meet(state, arrivals)
        _multiply(
            _get(block, DOWN), _get(block, DOWN_BIAS), is_half, 4 * width, first, last,
            narrowed if narrows else hidden, hidden_bytes, rows, stream, row_bytes, ADD, tile,
        )  # fmt: skip
        arrivals = _meet(state, arrivals)

    for row in range(last_rows):
        at = load64(_get(state, LAST) + word(8 * row))
        _normalise(
            stream + at * row_bytes, 1, width, _get(state, FINAL_WEIGHT), _get(state, FINAL_BIAS),
            ones, epsilon, narrows, own + word(row) * row_bytes,
        )  # fmt: skip
    first, last = _share(vocabulary, 1, thread, threads)
    logits, padded = _get(state, LOGITS), (vocabulary + LANES - 1) // LANES * LANES
    _multiply(
        _get(state, HEAD), word(0), is_half, width, first, last,
        own, row_bytes, last_rows, logits, word(4 * padded), KEEP, tile,
    )  # fmt: skip
    _meet(state, arrivals)
    first, last = _share(last_rows, 1, thread, threads)
    for row in range(first, last):
        begin = logits + word(4 * padded * row)
        highest, at = largest(begin, word(padded)), 0
        while at + 1 < vocabulary and load_single(begin + word(4 * at)) != highest:
            at += 1
        store64(_get(state, BEST) + word(8 * row), word(at))
        log_sum = highest + np.log(sum_of_powers(begin, word(padded), highest))
        store_single(_get(state, LOG_SUMS) + word(4 * row), log_sum)
