"""Numba intrinsics for products with weights in bfloat16 or float32, 16 numbers at a time.

Sums are always in float32 and in one order, whatever else is computed beside them, so that a row's
result does not depend on the others of its batch. Addresses are integers (see
`wellread.tokenizer.memory`); what they point to needs no alignment.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
STEP = 2 * LANES  # numbers that a product takes at a time: lengths are multiples of it
COLUMNS = 4 * LANES

_WORD, _FLOAT = ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _plus(builder: Any, address: Any, number: int) -> Any:
    return builder.add(address, ir.Constant(_WORD, number))


def _load_weights(builder: Any, address: Any, bits: int) -> Any:
    """16 weights as float32; a bfloat16 is the upper half of one."""
    if bits == 32:
        return builder.load(_pointer(builder, address, _VECTOR), align=4)
    halves = ir.VectorType(ir.IntType(16), LANES)
    words = ir.VectorType(ir.IntType(32), LANES)
    loaded = builder.load(_pointer(builder, address, halves), align=2)
    upper = builder.shl(builder.zext(loaded, words), ir.Constant(words, [16] * LANES))
    return builder.bitcast(upper, _VECTOR)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    call = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
    return builder.call(call, [a, b, c])


def _sum_of_lanes(builder: Any, vector: Any) -> Any:
    width = LANES
    while width > 1:
        width //= 2
        halves = [
            ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(start, start + width)))
            for start in (0, width)
        ]
        undefined = ir.Constant(vector.type, ir.Undefined)
        low, high = (builder.shuffle_vector(vector, undefined, half) for half in halves)
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _loop(
    builder: Any, count: Any, step: int, num_sums: int, body: Callable[[Any, list[Any]], list[Any]]
) -> Sequence[Any]:
    """`body(i, sums)` for i = 0, step, ... below `count`, which is not 0; the last sums."""
    before = builder.basic_block
    loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(_WORD)
    sums = [builder.phi(_VECTOR) for _ in range(num_sums)]
    added = body(index, list(sums))
    following = _plus(builder, index, step)
    index.add_incoming(ir.Constant(_WORD, 0), before)
    index.add_incoming(following, loop)
    for phi, value in zip(sums, added, strict=True):
        phi.add_incoming(ir.Constant(_VECTOR, [0.0] * LANES), before)
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)
    builder.position_at_end(after)
    return added


def _product(bits: int) -> Callable[..., Any]:
    """An intrinsic: the product of a row of weights with a vector of float32.

    Takes their addresses, and how many numbers each has: a multiple of STEP. One row at a time,
    since memory is read fastest as one run: four rows side by side take twice the time.
    """

    def product(typing: Any, row: Any, vector: Any, length: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            row, vector, length = arguments

            def body(index: Any, sums: list[Any]) -> list[Any]:
                weights = builder.add(row, builder.mul(index, ir.Constant(_WORD, bits // 8)))
                given = builder.add(vector, builder.mul(index, ir.Constant(_WORD, 4)))
                added = []
                for half, total in enumerate(sums):
                    place = _plus(builder, given, 4 * LANES * half)
                    x = builder.load(_pointer(builder, place, _VECTOR), align=4)
                    here = _plus(builder, weights, bits // 8 * LANES * half)
                    added.append(_fma(builder, _load_weights(builder, here, bits), x, total))
                return added

            low, high = _loop(builder, length, STEP, STEP // LANES, body)
            return _sum_of_lanes(builder, builder.fadd(low, high))

        return types.float32(*[types.uint64] * 3), generate

    return intrinsic(product)  # type: ignore[no-any-return]


def _weighted(num_vectors: int, bits: int) -> Callable[..., Any]:
    """An intrinsic: the sum of rows of 16 `num_vectors` numbers, each times its float32 weight.

    Takes the address of the first row, the bytes from row to row, the weights' address, how many
    rows (at least 1), and where the sums go (float32).
    """

    def weighted(typing: Any, rows: Any, stride: Any, weights: Any, count: Any, out: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows, stride, weights, count, out = arguments
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            undefined = ir.Constant(_VECTOR, ir.Undefined)

            def body(index: Any, sums: list[Any]) -> list[Any]:
                row = builder.add(rows, builder.mul(index, stride))
                place = builder.add(weights, builder.mul(index, ir.Constant(_WORD, 4)))
                weight = builder.load(_pointer(builder, place, _FLOAT), align=4)
                first = builder.insert_element(undefined, weight, ir.Constant(ir.IntType(32), 0))
                w = builder.shuffle_vector(first, undefined, zeros)
                return [
                    _fma(
                        builder,
                        w,
                        _load_weights(builder, _plus(builder, row, bits // 8 * LANES * at), bits),
                        sums[at],
                    )
                    for at in range(num_vectors)
                ]

            for at, total in enumerate(_loop(builder, count, 1, num_vectors, body)):
                place = _pointer(builder, _plus(builder, out, 4 * LANES * at), _VECTOR)
                builder.store(total, place, align=4)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 5), generate

    return intrinsic(weighted)  # type: ignore[no-any-return]


product_half, product_single = _product(16), _product(32)
weighted_half, weighted_single = _weighted(1, 16), _weighted(1, 32)
weighted_half_4, weighted_single_4 = _weighted(4, 16), _weighted(4, 32)


@intrinsic  # type: ignore[untyped-decorator]
def load_single(typing: Any, address: Any) -> Any:
    """The float32 at `address`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(builder, arguments[0], _FLOAT), align=4)

    return types.float32(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_half(typing: Any, address: Any) -> Any:
    """The bfloat16 at `address`, as float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = builder.load(_pointer(builder, arguments[0], ir.IntType(16)), align=2)
        upper = builder.shl(builder.zext(loaded, ir.IntType(32)), ir.Constant(ir.IntType(32), 16))
        return builder.bitcast(upper, _FLOAT)

    return types.float32(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_single(typing: Any, address: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], _pointer(builder, arguments[0], _FLOAT), align=4)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def store_half(typing: Any, address: Any, value: Any) -> Any:
    """Store a float32 as bfloat16, rounded to the nearest and halves to even."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[1], word)
        odd = builder.and_(builder.lshr(bits, ir.Constant(word, 16)), ir.Constant(word, 1))
        rounded = builder.add(bits, builder.add(odd, ir.Constant(word, 0x7FFF)))
        upper = builder.trunc(builder.lshr(rounded, ir.Constant(word, 16)), ir.IntType(16))
        builder.store(upper, _pointer(builder, arguments[0], ir.IntType(16)), align=2)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def arrive(typing: Any, address: Any) -> Any:
    """Add 1 to the word at `address`, so that who sees it sees all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(builder, arguments[0], _WORD)
        builder.atomic_rmw("add", place, ir.Constant(_WORD, 1), "acq_rel")
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
