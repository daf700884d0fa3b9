"""Numba intrinsics for products with weights in bfloat16 or float32, 16 numbers at a time.

Sums are always in float32 and in one order, whatever else is computed beside them, so that a row's
result does not depend on the others of its batch. Addresses are integers (see
`wellread.base.intrinsics`); what they point to needs no alignment.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from wellread.base.lanes import (
    FLOAT,
    HAS_DOTS,
    LANES,
    VECTOR,
    WORD,
    WORDS,
    all_lanes,
    dots,
    exp,
    fma,
    larger,
    load_vector,
    load_weights,
    loop,
    of_lanes,
    plus,
    pointer,
    store_vector,
    sum_of_lanes,
    to_halves,
)

STEP = 2 * LANES  # lengths are multiples of it
COLUMNS = 4 * LANES
TILE = 4  # rows of weights times as many vectors: 16 sums and what is loaded fit the registers


def _sums_of_lanes(builder: Any, vectors: list[Any]) -> Any:
    """A vector with the sum of each of 16 vectors, each in the order of `sum_of_lanes`."""
    width = LANES
    while width > 1:  # each holds parts of LANES / width vectors; two become one
        width //= 2
        starts = range(0, 2 * LANES, 2 * width)
        masks = [
            ir.Constant(WORDS, [start + half + at for start in starts for at in range(width)])
            for half in (0, width)
        ]
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(*(builder.shuffle_vector(*pair, mask) for mask in masks)) for pair in pairs
        ]
    return vectors[0]


class Kind(NamedTuple):
    """How weights are multiplied: both operands' bytes a number, and the numbers of one step."""

    weight_bytes: int
    given_bytes: int
    step: int


SINGLE = Kind(4, 4, LANES)
HALF = Kind(2, 4, LANES)  # bfloat16 weights, widened; what they are multiplied with is float32
DOTS = Kind(2, 2, 2 * LANES)  # both bfloat16, by an instruction that sums in float32


def _load_given(builder: Any, address: Any, kind: Kind) -> Any:
    loaded = VECTOR if kind.given_bytes == 4 else WORDS
    return builder.load(pointer(builder, address, loaded), align=kind.given_bytes)


def _load_weights_of(builder: Any, address: Any, kind: Kind) -> Any:
    if kind is DOTS:
        return _load_given(builder, address, kind)
    return load_weights(builder, address, 8 * kind.weight_bytes)


def _add_products(builder: Any, weights: Any, given: Any, total: Any, kind: Kind) -> Any:
    if kind is not DOTS:
        return fma(builder, weights, given, total)
    return dots(builder, weights, given, total)


def _product(kind: Kind) -> Callable[..., Any]:
    """An intrinsic: the product of a row of weights with a vector.

    Takes their addresses, and how many numbers each has: a multiple of the kind's step. One row at
    a time, since memory is read fastest as one run: four rows side by side take twice the time.
    """

    def product(typing: Any, row: Any, vector: Any, length: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            row, vector, length = arguments
            (total,) = _products(builder, [row], [vector], length, kind)
            return sum_of_lanes(builder, total)

        return types.float32(*[types.uint64] * 3), generate

    return intrinsic(product)  # type: ignore[no-any-return]


def _tile(kind: Kind, num_rows: int) -> Callable[..., Any]:
    """An intrinsic: the products of `num_rows` rows of weights with 16 / `num_rows` vectors.

    Takes the first row's address and the bytes from row to row, the same of the vectors, how many
    numbers each has, and where the sums go: all of the first vector first. Each sum is what
    `_product` gives, to the last bit.
    """

    def tile(  # noqa: PLR0913
        typing: Any, row: Any, row_stride: Any, vector: Any, stride: Any, length: Any, out: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            row, row_stride, vector, stride, length, out = arguments
            rows, vectors = [row], [vector]
            while len(rows) < num_rows:
                rows.append(builder.add(rows[-1], row_stride))
            while len(vectors) < LANES // num_rows:
                vectors.append(builder.add(vectors[-1], stride))
            sums = _sums_of_lanes(builder, _products(builder, rows, vectors, length, kind))
            builder.store(sums, pointer(builder, out, VECTOR), align=4)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 6), generate

    return intrinsic(tile)  # type: ignore[no-any-return]


def _products(
    builder: Any, rows: list[Any], vectors: list[Any], length: Any, kind: Kind
) -> list[Any]:
    """Each vector's products with each row of weights, `length` numbers long, lane by lane."""

    def body(index: Any, sums: list[Any]) -> list[Any]:
        in_row = builder.mul(index, ir.Constant(WORD, kind.weight_bytes))
        in_vector = builder.mul(index, ir.Constant(WORD, kind.given_bytes))
        weights = [_load_weights_of(builder, builder.add(row, in_row), kind) for row in rows]
        left, added = iter(sums), []
        for vector in vectors:
            given = _load_given(builder, builder.add(vector, in_vector), kind)
            added += [_add_products(builder, weight, given, next(left), kind) for weight in weights]
        return added

    return list(loop(builder, length, kind.step, len(rows) * len(vectors), body))


def _weighted(num_vectors: int, bits: int) -> Callable[..., Any]:
    """An intrinsic: the sum of rows of 16 `num_vectors` numbers, each times its float32 weight.

    Takes the address of the first row, the bytes from row to row, the weights' address, how many
    rows (at least 1), and where the sums go (float32).
    """

    def weighted(typing: Any, rows: Any, stride: Any, weights: Any, count: Any, out: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows, stride, weights, count, out = arguments

            def body(index: Any, sums: list[Any]) -> list[Any]:
                row = builder.add(rows, builder.mul(index, stride))
                place = builder.add(weights, builder.mul(index, ir.Constant(WORD, 4)))
                weight = builder.load(pointer(builder, place, FLOAT), align=4)
                w = all_lanes(builder, weight)
                return [
                    fma(
                        builder,
                        w,
                        load_weights(builder, plus(builder, row, bits // 8 * LANES * at), bits),
                        sums[at],
                    )
                    for at in range(num_vectors)
                ]

            for at, total in enumerate(loop(builder, count, 1, num_vectors, body)):
                place = pointer(builder, plus(builder, out, 4 * LANES * at), VECTOR)
                builder.store(total, place, align=4)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 5), generate

    return intrinsic(weighted)  # type: ignore[no-any-return]


@intrinsic  # type: ignore[untyped-decorator]
def gelu(typing: Any, start: Any, count: Any) -> Any:
    """GELU of `count` float32 in place, a multiple of LANES and not 0.

    The tanh form of openai/gpt-2, src/model.py, gelu: x (1 + tanh(t)) / 2 = x - x / (e^2t + 1).
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count = arguments

        def body(index: Any, _: list[Any]) -> list[Any]:
            x = load_vector(builder, start, index)
            cube = builder.fmul(builder.fmul(x, x), x)
            inner = fma(builder, cube, all_lanes(builder, 0.044715), x)
            power = exp(
                builder, builder.fmul(inner, all_lanes(builder, 2 * math.sqrt(2 / math.pi)))
            )
            rest = builder.fdiv(x, builder.fadd(power, all_lanes(builder, 1.0)))
            store_vector(builder, builder.fsub(x, rest), start, index)
            return []

        loop(builder, count, LANES, 0, body)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


def _largest(builder: Any, start: Any, count: Any) -> Any:
    (found,) = loop(
        builder, count, LANES, 1,
        lambda index, sums: [larger(builder, sums[0], load_vector(builder, start, index))],
        begin=-math.inf,
    )  # fmt: skip
    return of_lanes(builder, found, partial(larger, builder))


@intrinsic  # type: ignore[untyped-decorator]
def largest(typing: Any, start: Any, count: Any) -> Any:
    """The largest of `count` float32, a multiple of LANES and not 0; NaN is passed over."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _largest(builder, *arguments)

    return types.float32(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def sum_of_powers(typing: Any, start: Any, count: Any, highest: Any) -> Any:
    """The sum of e to the power of each of `count` float32, less `highest` each.

    `count` is a multiple of LANES and not 0.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count, highest = arguments
        all_highest = all_lanes(builder, highest)

        def body(index: Any, sums: list[Any]) -> list[Any]:
            away = builder.fsub(load_vector(builder, start, index), all_highest)
            return [builder.fadd(sums[0], exp(builder, away))]

        return sum_of_lanes(builder, loop(builder, count, LANES, 1, body)[0])

    return types.float32(types.uint64, types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def softmax(typing: Any, start: Any, count: Any, scale: Any) -> Any:
    """Softmax of `count` float32 times `scale` in place, a multiple of LANES and not 0.

    Lanes that do not count are -inf.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count, scale = arguments
        highest = all_lanes(builder, _largest(builder, start, count))
        by = all_lanes(builder, scale)

        def powers(index: Any, sums: list[Any]) -> list[Any]:
            away = builder.fsub(load_vector(builder, start, index), highest)
            power = exp(builder, builder.fmul(away, by))
            store_vector(builder, power, start, index)
            return [builder.fadd(sums[0], power)]

        (total,) = loop(builder, count, LANES, 1, powers)
        total = all_lanes(builder, sum_of_lanes(builder, total))

        def shares(index: Any, _: list[Any]) -> list[Any]:
            store_vector(
                builder, builder.fdiv(load_vector(builder, start, index), total), start, index
            )
            return []

        loop(builder, count, LANES, 0, shares)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.float32), generate


product_half, product_single = _product(HALF), _product(SINGLE)
# Of whole matrices: what they are multiplied with is bfloat16 too where HAS_DOTS.
matrix_half = _product(DOTS) if HAS_DOTS else product_half
tile_half, tile_single = _tile(DOTS if HAS_DOTS else HALF, TILE), _tile(SINGLE, TILE)
scores_half, scores_single = _tile(HALF, LANES), _tile(SINGLE, LANES)
weighted_half, weighted_single = _weighted(1, 16), _weighted(1, 32)
weighted_half_4, weighted_single_4 = _weighted(4, 16), _weighted(4, 32)


@intrinsic  # type: ignore[untyped-decorator]
def load_single(typing: Any, address: Any) -> Any:
    """The float32 at `address`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(pointer(builder, arguments[0], FLOAT), align=4)

    return types.float32(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_half(typing: Any, address: Any) -> Any:
    """The bfloat16 at `address`, as float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = builder.load(pointer(builder, arguments[0], ir.IntType(16)), align=2)
        upper = builder.shl(builder.zext(loaded, ir.IntType(32)), ir.Constant(ir.IntType(32), 16))
        return builder.bitcast(upper, FLOAT)

    return types.float32(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_single(typing: Any, address: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], pointer(builder, arguments[0], FLOAT), align=4)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_half(typing: Any, address: Any, value: Any) -> Any:
    """Store a float32 as bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        half = to_halves(builder, arguments[1], ir.IntType(32), ir.IntType(16))
        builder.store(half, pointer(builder, arguments[0], ir.IntType(16)), align=2)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def narrow(typing: Any, start: Any, count: Any, out: Any) -> Any:
    """Write `count` float32 as bfloat16, a multiple of LANES and not 0; `out` may be `start`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count, out = arguments

        def body(index: Any, _: list[Any]) -> list[Any]:
            halves = ir.VectorType(ir.IntType(16), LANES)
            found = to_halves(builder, load_vector(builder, start, index), WORDS, halves)
            place = builder.add(out, builder.mul(index, ir.Constant(WORD, 2)))
            builder.store(found, pointer(builder, place, halves), align=2)
            return []

        loop(builder, count, LANES, 0, body)
        return context.get_dummy_value()

    return types.void(*[types.uint64] * 3), generate


@intrinsic  # type: ignore[untyped-decorator]
def arrive(typing: Any, address: Any) -> Any:
    """Add 1 to the word at `address`, so that who sees it sees all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = pointer(builder, arguments[0], WORD)
        builder.atomic_rmw("add", place, ir.Constant(WORD, 1), "acq_rel")
        return context.get_dummy_value()

    return types.void(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def give_way(typing: Any) -> Any:
    """Let another thread have this core: the system's sched_yield."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate
