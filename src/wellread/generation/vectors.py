"""Numba intrinsics for products with weights in bfloat16 or float32, 16 numbers at a time.

Sums are always in float32 and in one order, whatever else is computed beside them, so that a row's
result does not depend on the others of its batch. Addresses are integers (see
`wellread.base.intrinsics`); what they point to needs no alignment.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features, initialize_native_asmparser
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
STEP = 2 * LANES  # lengths are multiples of it
COLUMNS = 4 * LANES
TILE = 4  # rows of weights times as many vectors: 16 sums and what is loaded fit the registers

_WORD, _FLOAT = ir.IntType(64), ir.FloatType()
_VECTOR, _WORDS = ir.VectorType(_FLOAT, LANES), ir.VectorType(ir.IntType(32), LANES)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _plus(builder: Any, address: Any, number: int) -> Any:
    return builder.add(address, ir.Constant(_WORD, number))


def _load_weights(builder: Any, address: Any, bits: int) -> Any:
    """16 weights as float32; a bfloat16 is the upper half of one."""
    if bits == 32:
        return builder.load(_pointer(builder, address, _VECTOR), align=4)
    halves = ir.VectorType(ir.IntType(16), LANES)
    loaded = builder.load(_pointer(builder, address, halves), align=2)
    upper = builder.shl(builder.zext(loaded, _WORDS), ir.Constant(_WORDS, [16] * LANES))
    return builder.bitcast(upper, _VECTOR)


def _all_lanes(builder: Any, number: Any) -> Any:
    """A vector that has `number` (a value or a constant of Python's) in each lane."""
    if isinstance(number, float):
        return ir.Constant(_VECTOR, [number] * LANES)
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(_WORDS, [0] * LANES)
    return builder.shuffle_vector(first, undefined, zeros)


def _call(builder: Any, name: str, *vectors: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(vectors))
    whole = f"llvm.{name}.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, whole), vectors)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(builder, "fma", a, b, c)


def _of_lanes(builder: Any, vector: Any, join: Callable[[Any, Any], Any]) -> Any:
    """One number of a vector's 16: halves joined, then their halves."""
    width = LANES
    while width > 1:
        width //= 2
        halves = [
            ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(start, start + width)))
            for start in (0, width)
        ]
        undefined = ir.Constant(vector.type, ir.Undefined)
        vector = join(*(builder.shuffle_vector(vector, undefined, half) for half in halves))
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _sum_of_lanes(builder: Any, vector: Any) -> Any:
    return _of_lanes(builder, vector, builder.fadd)


def _sums_of_lanes(builder: Any, vectors: list[Any]) -> Any:
    """A vector with the sum of each of 16 vectors, each in the order of `_sum_of_lanes`."""
    width = LANES
    while width > 1:  # each holds parts of LANES / width vectors; two become one
        width //= 2
        starts = range(0, 2 * LANES, 2 * width)
        masks = [
            ir.Constant(_WORDS, [start + half + at for start in starts for at in range(width)])
            for half in (0, width)
        ]
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(*(builder.shuffle_vector(*pair, mask) for mask in masks)) for pair in pairs
        ]
    return vectors[0]


def _loop(
    builder: Any, count: Any, step: int, num_sums: int,
    body: Callable[[Any, list[Any]], list[Any]], *, begin: float = 0.0,
) -> Sequence[Any]:  # fmt: skip
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
        phi.add_incoming(_all_lanes(builder, begin), before)
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)
    builder.position_at_end(after)
    return added


class Kind(NamedTuple):
    """How weights are multiplied: both operands' bytes a number, and the numbers of one step."""

    weight_bytes: int
    given_bytes: int
    step: int


SINGLE = Kind(4, 4, LANES)
HALF = Kind(2, 4, LANES)  # bfloat16 weights, widened; what they are multiplied with is float32
DOTS = Kind(2, 2, 2 * LANES)  # both bfloat16, by an instruction that sums in float32


def _load_given(builder: Any, address: Any, kind: Kind) -> Any:
    loaded = _VECTOR if kind.given_bytes == 4 else _WORDS
    return builder.load(_pointer(builder, address, loaded), align=kind.given_bytes)


def _load_weights_of(builder: Any, address: Any, kind: Kind) -> Any:
    if kind is DOTS:
        return _load_given(builder, address, kind)
    return _load_weights(builder, address, 8 * kind.weight_bytes)


def _add_products(builder: Any, weights: Any, given: Any, total: Any, kind: Kind) -> Any:
    if kind is not DOTS:
        return _fma(builder, weights, given, total)
    signature = ir.FunctionType(_VECTOR, [_VECTOR, _WORDS, _WORDS])
    dots = ir.InlineAsm(signature, "vdpbf16ps $3, $2, $0", "=v,0,v,v")
    return builder.call(dots, [total, weights, given])


def _product(kind: Kind) -> Callable[..., Any]:
    """An intrinsic: the product of a row of weights with a vector.

    Takes their addresses, and how many numbers each has: a multiple of the kind's step. One row at
    a time, since memory is read fastest as one run: four rows side by side take twice the time.
    """

    def product(typing: Any, row: Any, vector: Any, length: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            row, vector, length = arguments
            (total,) = _products(builder, [row], [vector], length, kind)
            return _sum_of_lanes(builder, total)

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
            builder.store(sums, _pointer(builder, out, _VECTOR), align=4)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 6), generate

    return intrinsic(tile)  # type: ignore[no-any-return]


def _products(
    builder: Any, rows: list[Any], vectors: list[Any], length: Any, kind: Kind
) -> list[Any]:
    """Each vector's products with each row of weights, `length` numbers long, lane by lane."""

    def body(index: Any, sums: list[Any]) -> list[Any]:
        in_row = builder.mul(index, ir.Constant(_WORD, kind.weight_bytes))
        in_vector = builder.mul(index, ir.Constant(_WORD, kind.given_bytes))
        weights = [_load_weights_of(builder, builder.add(row, in_row), kind) for row in rows]
        left, added = iter(sums), []
        for vector in vectors:
            given = _load_given(builder, builder.add(vector, in_vector), kind)
            added += [_add_products(builder, weight, given, next(left), kind) for weight in weights]
        return added

    return list(_loop(builder, length, kind.step, len(rows) * len(vectors), body))


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
                place = builder.add(weights, builder.mul(index, ir.Constant(_WORD, 4)))
                weight = builder.load(_pointer(builder, place, _FLOAT), align=4)
                w = _all_lanes(builder, weight)
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


def _exp(builder: Any, x: Any) -> Any:
    """e to the power of each lane, to about 2 units in the last place; of -88 where it is less.

    x = n ln 2 + r with n whole and |r| at most ln 2 / 2; e^r is its Taylor series up to r^7 / 7!,
    whose rest is below 1e-8; 2^n is put into the exponent's bits.
    """
    low, high = _all_lanes(builder, -87.0), _all_lanes(builder, 88.0)
    x = _call(builder, "minnum", _call(builder, "maxnum", x, low), high)
    n = _call(builder, "rint", builder.fmul(x, _all_lanes(builder, 1.4426950408889634)))
    # ln 2 in two parts; the first has few bits, so that n times it is exact.
    r = _fma(builder, n, _all_lanes(builder, -0.693359375), x)
    r = _fma(builder, n, _all_lanes(builder, 2.1219444005469057e-4), r)
    power = _all_lanes(builder, 1 / math.factorial(7))
    for order in range(6, -1, -1):
        power = _fma(builder, power, r, _all_lanes(builder, 1 / math.factorial(order)))
    shift = builder.shl(builder.fptosi(n, _WORDS), ir.Constant(_WORDS, [23] * LANES))
    return builder.bitcast(builder.add(builder.bitcast(power, _WORDS), shift), _VECTOR)


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _load(builder: Any, start: Any, index: Any) -> Any:
    """16 float32 of an array, from number `index` on."""
    place = builder.add(start, builder.mul(index, ir.Constant(_WORD, 4)))
    return builder.load(_pointer(builder, place, _VECTOR), align=4)


def _store(builder: Any, vector: Any, start: Any, index: Any) -> None:
    place = builder.add(start, builder.mul(index, ir.Constant(_WORD, 4)))
    builder.store(vector, _pointer(builder, place, _VECTOR), align=4)


@intrinsic  # type: ignore[untyped-decorator]
def gelu(typing: Any, start: Any, count: Any) -> Any:
    """GELU of `count` float32 in place, a multiple of LANES and not 0.

    The tanh form of openai/gpt-2, src/model.py, gelu: x (1 + tanh(t)) / 2 = x - x / (e^2t + 1).
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count = arguments

        def body(index: Any, _: list[Any]) -> list[Any]:
            x = _load(builder, start, index)
            cube = builder.fmul(builder.fmul(x, x), x)
            inner = _fma(builder, cube, _all_lanes(builder, 0.044715), x)
            power = _exp(
                builder, builder.fmul(inner, _all_lanes(builder, 2 * math.sqrt(2 / math.pi)))
            )
            rest = builder.fdiv(x, builder.fadd(power, _all_lanes(builder, 1.0)))
            _store(builder, builder.fsub(x, rest), start, index)
            return []

        _loop(builder, count, LANES, 0, body)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


def _largest(builder: Any, start: Any, count: Any) -> Any:
    (found,) = _loop(
        builder, count, LANES, 1,
        lambda index, sums: [_larger(builder, sums[0], _load(builder, start, index))],
        begin=-math.inf,
    )  # fmt: skip
    return _of_lanes(builder, found, partial(_larger, builder))


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
        all_highest = _all_lanes(builder, highest)

        def body(index: Any, sums: list[Any]) -> list[Any]:
            away = builder.fsub(_load(builder, start, index), all_highest)
            return [builder.fadd(sums[0], _exp(builder, away))]

        return _sum_of_lanes(builder, _loop(builder, count, LANES, 1, body)[0])

    return types.float32(types.uint64, types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def softmax(typing: Any, start: Any, count: Any, scale: Any) -> Any:
    """Softmax of `count` float32 times `scale` in place, a multiple of LANES and not 0.

    Lanes that do not count are -inf.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count, scale = arguments
        highest = _all_lanes(builder, _largest(builder, start, count))
        by = _all_lanes(builder, scale)

        def powers(index: Any, sums: list[Any]) -> list[Any]:
            away = builder.fsub(_load(builder, start, index), highest)
            power = _exp(builder, builder.fmul(away, by))
            _store(builder, power, start, index)
            return [builder.fadd(sums[0], power)]

        (total,) = _loop(builder, count, LANES, 1, powers)
        total = _all_lanes(builder, _sum_of_lanes(builder, total))

        def shares(index: Any, _: list[Any]) -> list[Any]:
            _store(builder, builder.fdiv(_load(builder, start, index), total), start, index)
            return []

        _loop(builder, count, LANES, 0, shares)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.float32), generate


HAS_DOTS = bool(get_host_cpu_features().get("avx512bf16", False))
product_half, product_single = _product(HALF), _product(SINGLE)
if HAS_DOTS:
    initialize_native_asmparser()  # the instruction is named in assembly
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


def _narrow(builder: Any, number: Any, wide: Any, half: Any) -> Any:
    """float32 as the bits of bfloat16, rounded to the nearest and halves to even."""
    lanes = LANES if isinstance(wide, ir.VectorType) else None

    def constant(value: int) -> Any:
        return ir.Constant(wide, value if lanes is None else [value] * lanes)

    bits = builder.bitcast(number, wide)
    odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
    rounded = builder.add(bits, builder.add(odd, constant(0x7FFF)))
    return builder.trunc(builder.lshr(rounded, constant(16)), half)


@intrinsic  # type: ignore[untyped-decorator]
def store_half(typing: Any, address: Any, value: Any) -> Any:
    """Store a float32 as bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        half = _narrow(builder, arguments[1], ir.IntType(32), ir.IntType(16))
        builder.store(half, _pointer(builder, arguments[0], ir.IntType(16)), align=2)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def narrow(typing: Any, start: Any, count: Any, out: Any) -> Any:
    """Write `count` float32 as bfloat16, a multiple of LANES and not 0; `out` may be `start`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, count, out = arguments

        def body(index: Any, _: list[Any]) -> list[Any]:
            halves = ir.VectorType(ir.IntType(16), LANES)
            found = _narrow(builder, _load(builder, start, index), _WORDS, halves)
            place = builder.add(out, builder.mul(index, ir.Constant(_WORD, 2)))
            builder.store(found, _pointer(builder, place, halves), align=2)
            return []

        _loop(builder, count, LANES, 0, body)
        return context.get_dummy_value()

    return types.void(*[types.uint64] * 3), generate


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
