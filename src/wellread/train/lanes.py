"""Numba intrinsics for training in bfloat16: 64 columns side by side, as four vectors of 16.

In attention all that a query or a number of a head's width has stays in its lane, so that no sum
goes across lanes. Operands of products are words of two bfloat16 that are summed over together, as
the processor's instruction (AVX-512 BF16) takes them; sums are float32.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from wellread.base.lanes import (
    LANES,
    VECTOR,
    WORD,
    WORDS,
    all_lanes,
    call,
    dots,
    exp,
    fma,
    larger,
    load_weights,
    loop,
    of_lanes,
    plus,
    pointer,
    sum_of_lanes,
    to_halves,
)

VECTORS = 4
COLUMNS = VECTORS * LANES  # 64: queries at once, and the width of a head
ROW = 4 * COLUMNS  # bytes of a row of float32 or of words
HALF_ROW = 2 * COLUMNS
_HALVES = ir.VectorType(ir.IntType(16), LANES)


def _load_row(builder: Any, address: Any, kind: Any, size: int) -> list[Any]:
    """Four vectors that lie one behind the other, `size` bytes each."""
    places = (plus(builder, address, size * at) for at in range(VECTORS))
    return [builder.load(pointer(builder, place, kind), align=2) for place in places]


def _store_row(builder: Any, vectors: list[Any], address: Any, size: int) -> None:
    for at, vector in enumerate(vectors):
        place = pointer(builder, plus(builder, address, size * at), vector.type)
        builder.store(vector, place, align=2)


def _times(builder: Any, number: Any, by: Any) -> Any:
    return builder.mul(number, by if not isinstance(by, int) else ir.Constant(WORD, by))


def _word_in_all_lanes(builder: Any, address: Any) -> Any:
    word = builder.load(pointer(builder, address, ir.IntType(32)), align=4)
    undefined = ir.Constant(WORDS, ir.Undefined)
    first = builder.insert_element(undefined, word, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(WORDS, [0] * LANES))


def _block(num_rows: int, *, adds: bool) -> Callable[..., Any]:
    """An intrinsic: `num_rows` rows of 64 sums of products; with `adds` added to what is there.

    A row's k-th word is at `a` + row * `row_stride` + k * `step`, bytes; `b` has for each k a row
    of 64 words; `out` has rows of float32. `count` words are summed over, at least 1.
    """

    def block(  # noqa: PLR0913
        typing: Any, a: Any, row_stride: Any, step: Any, b: Any, count: Any, out: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, row_stride, step, b, count, out = arguments
            starts = [a]
            while len(starts) < num_rows:
                starts.append(builder.add(starts[-1], row_stride))

            def body(index: Any, sums: list[Any]) -> list[Any]:
                behind = builder.mul(index, step)
                right = _load_row(builder, builder.add(b, _times(builder, index, ROW)), WORDS, 64)
                added = []
                for row, start in enumerate(starts):
                    left = _word_in_all_lanes(builder, builder.add(start, behind))
                    for at in range(VECTORS):
                        total = sums[row * VECTORS + at]
                        added.append(dots(builder, right[at], left, total))
                return added

            sums = list(loop(builder, count, 1, num_rows * VECTORS, body))
            for row in range(num_rows):
                place = plus(builder, out, ROW * row)
                found = sums[row * VECTORS : (row + 1) * VECTORS]
                if adds:
                    before = _load_row(builder, place, VECTOR, 64)
                    found = [builder.fadd(*pair) for pair in zip(before, found, strict=True)]
                _store_row(builder, found, place, 64)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 6), generate

    return intrinsic(block)  # type: ignore[no-any-return]


put_4, put_1 = _block(4, adds=False), _block(1, adds=False)
add_4, add_1 = _block(4, adds=True), _block(1, adds=True)


def _interleaved(builder: Any, low: list[Any], high: list[Any]) -> list[Any]:
    """Words of two rows of bfloat16."""
    sixteen = ir.Constant(WORDS, [16] * LANES)
    return [
        builder.or_(builder.zext(one, WORDS), builder.shl(builder.zext(other, WORDS), sixteen))
        for one, other in zip(low, high, strict=True)
    ]


def _halves(builder: Any, vectors: list[Any]) -> list[Any]:
    return [to_halves(builder, vector, WORDS, _HALVES) for vector in vectors]


@intrinsic  # type: ignore[untyped-decorator]
def interleave(typing: Any, first: Any, second: Any, out: Any) -> Any:
    """A row of 64 words of two rows of 64 bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        low, high = (_load_row(builder, address, _HALVES, 32) for address in arguments[:2])
        _store_row(builder, _interleaved(builder, low, high), arguments[2], 64)
        return context.get_dummy_value()

    return types.void(*[types.uint64] * 3), generate


@intrinsic  # type: ignore[untyped-decorator]
def narrow_row(typing: Any, row: Any, scale: Any, out: Any) -> Any:
    """64 float32 times `scale`, as bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, scale, out = arguments
        by = all_lanes(builder, scale)
        scaled = [builder.fmul(one, by) for one in _load_row(builder, row, VECTOR, 64)]
        _store_row(builder, _halves(builder, scaled), out, 32)
        return context.get_dummy_value()

    return types.void(types.uint64, types.float32, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def column_softmax(typing: Any, scores: Any, count: Any, scale: Any, words: Any, sums: Any) -> Any:
    """Of each of 64 columns of `count` rows (even): e to the power of what it is below the largest.

    That is times `scale`, goes to `words` (two rows each), and is summed up in the first row of
    `sums`; the second has the logarithm of the sum of all powers.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scores, count, scale, words, sums = arguments
        by = all_lanes(builder, scale)

        def row(index: Any) -> list[Any]:
            return _load_row(builder, builder.add(scores, _times(builder, index, ROW)), VECTOR, 64)

        def largest(index: Any, found: list[Any]) -> list[Any]:
            pairs = zip(found, row(index), strict=True)
            return [larger(builder, *pair) for pair in pairs]

        highest = loop(builder, count, 1, VECTORS, largest, begin=-math.inf)

        def powers(index: Any, found: list[Any]) -> list[Any]:
            both = []
            for at in (index, plus(builder, index, 1)):
                away = [builder.fsub(*pair) for pair in zip(row(at), highest, strict=True)]
                both.append([exp(builder, builder.fmul(one, by)) for one in away])
            found = [builder.fadd(*pair) for pair in zip(found, both[0], strict=True)]
            found = [builder.fadd(*pair) for pair in zip(found, both[1], strict=True)]
            place = builder.add(words, _times(builder, index, ROW // 2))
            halves = (_halves(builder, each) for each in both)
            _store_row(builder, _interleaved(builder, *halves), place, 64)
            return found

        totals = list(loop(builder, count, 2, VECTORS, powers))
        _store_row(builder, totals, sums, 64)
        scaled = [builder.fmul(one, by) for one in highest]
        _store_row(builder, scaled, plus(builder, sums, ROW), 64)
        return context.get_dummy_value()

    return types.void(
        types.uint64, types.uint64, types.float32, types.uint64, types.uint64
    ), generate


@intrinsic  # type: ignore[untyped-decorator]
def column_gradients(  # noqa: PLR0913
    typing: Any, scores: Any, given: Any, count: Any, scale: Any, known: Any, out: Any
) -> Any:
    """What attention's backward pass needs of 64 columns of `count` rows (even) of two tables.

    With each column's log-sum and mean in two rows at `known`: p = e ^ (`scale` score - log-sum)
    and d = `scale` p (given - mean). At `out` three tables one behind the other, each `count`
    half-rows long: p and d as bfloat16, then d as words of two rows.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scores, given, count, scale, known, out = arguments
        by = all_lanes(builder, scale)
        log_sums = _load_row(builder, known, VECTOR, 64)
        means = _load_row(builder, plus(builder, known, ROW), VECTOR, 64)
        size = _times(builder, count, HALF_ROW)
        second = builder.add(out, size)
        third = builder.add(second, size)

        def body(index: Any, _: list[Any]) -> list[Any]:
            both = []
            for at in (index, plus(builder, index, 1)):
                behind, half_behind = _times(builder, at, ROW), _times(builder, at, HALF_ROW)
                s = _load_row(builder, builder.add(scores, behind), VECTOR, 64)
                g = _load_row(builder, builder.add(given, behind), VECTOR, 64)
                p = [
                    exp(builder, builder.fsub(builder.fmul(one, by), log_sum))
                    for one, log_sum in zip(s, log_sums, strict=True)
                ]
                d = [
                    builder.fmul(builder.fmul(builder.fsub(one, mean), by), power)
                    for one, mean, power in zip(g, means, p, strict=True)
                ]
                _store_row(builder, _halves(builder, p), builder.add(out, half_behind), 32)
                narrowed = _halves(builder, d)
                _store_row(builder, narrowed, builder.add(second, half_behind), 32)
                both.append(narrowed)
            place = builder.add(third, _times(builder, index, HALF_ROW))
            _store_row(builder, _interleaved(builder, *both), place, 64)
            return []

        loop(builder, count, 2, 0, body)
        return context.get_dummy_value()

    return types.void(
        types.uint64, types.uint64, types.uint64, types.float32, types.uint64, types.uint64
    ), generate


@intrinsic  # type: ignore[untyped-decorator]
def product_of_halves(typing: Any, first: Any, second: Any) -> Any:
    """The sum of the products of two rows of 64 bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total = all_lanes(builder, 0.0)
        for at in range(VECTORS):
            pair = (load_weights(builder, plus(builder, a, 32 * at), 16) for a in arguments)
            total = fma(builder, next(pair), next(pair), total)
        return sum_of_lanes(builder, total)

    return types.float32(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def largest_half(typing: Any, row: Any, count: Any) -> Any:
    """The largest of `count` rows of 64 bfloat16, at least 1, one behind the other."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, count = arguments

        def body(index: Any, found: list[Any]) -> list[Any]:
            here = _singles(builder, builder.add(row, _times(builder, index, HALF_ROW)))
            return [larger(builder, *pair) for pair in zip(here, found, strict=True)]

        first, *others = loop(builder, count, 1, VECTORS, body, begin=-math.inf)
        for other in others:
            first = larger(builder, first, other)
        return of_lanes(builder, first, partial(larger, builder))

    return types.float32(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def powers_of_halves(typing: Any, row: Any, count: Any, highest: Any, out: Any) -> Any:
    """e ^ (x - `highest`) of `count` rows of 64 bfloat16, as float32 at `out`, and their sum.

    The sum is no number if an x is none, or infinite.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, count, highest, out = arguments
        top, zero = all_lanes(builder, highest), all_lanes(builder, 0.0)

        def body(index: Any, found: list[Any]) -> list[Any]:
            here = _singles(builder, builder.add(row, _times(builder, index, HALF_ROW)))
            powers = [exp(builder, builder.fsub(one, top)) for one in here]
            _store_row(builder, powers, builder.add(out, _times(builder, index, ROW)), 64)
            sums, faults = found[:VECTORS], found[VECTORS:]
            return [
                *(builder.fadd(*pair) for pair in zip(sums, powers, strict=True)),
                *(fma(builder, one, zero, fault) for one, fault in zip(here, faults, strict=True)),
            ]

        first, *others = loop(builder, count, 1, 2 * VECTORS, body)
        for other in others:
            first = builder.fadd(first, other)
        return sum_of_lanes(builder, first)

    return types.float32(types.uint64, types.uint64, types.float32, types.uint64), generate


def _share(builder: Any, x: Any) -> tuple[Any, Any, Any]:
    """Of tanh GELU, x s: s = (1 + tanh(u)) / 2 = e^2u / (e^2u + 1); 1 - s; and du/dx.

    u = sqrt(2 / pi) (x + 0.044715 x^3), as in openai/gpt-2, src/model.py, gelu.
    """
    one, root = all_lanes(builder, 1.0), math.sqrt(2 / math.pi)
    # Farther out s is 0 or 1; an infinite slope times nothing would be no number.
    square = call(builder, "minnum", builder.fmul(x, x), all_lanes(builder, 1e4))
    inner = fma(builder, square, all_lanes(builder, 0.044715), one)
    twice = builder.fmul(builder.fmul(inner, x), all_lanes(builder, 2 * root))
    power = exp(builder, twice)
    rest = builder.fdiv(one, builder.fadd(power, one))
    slope = fma(builder, square, all_lanes(builder, 3 * 0.044715 * root), all_lanes(builder, root))
    return builder.fmul(power, rest), rest, slope


def _singles(builder: Any, row: Any) -> list[Any]:
    """64 bfloat16 as float32."""
    return [load_weights(builder, plus(builder, row, 32 * at), 16) for at in range(VECTORS)]


@intrinsic  # type: ignore[untyped-decorator]
def gelu_row(typing: Any, row: Any, out: Any) -> Any:
    """GELU of 64 bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, out = arguments
        made = [builder.fmul(x, _share(builder, x)[0]) for x in _singles(builder, row)]
        _store_row(builder, _halves(builder, made), out, 32)
        return context.get_dummy_value()

    return types.void(*[types.uint64] * 2), generate


@intrinsic  # type: ignore[untyped-decorator]
def gelu_gradient_row(typing: Any, row: Any, given: Any, out: Any) -> Any:
    """From gradients of GELU of 64 bfloat16 to those of the numbers: s + 2 x s (1 - s) du/dx."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, given, out = arguments
        made = []
        for x, gradient in zip(_singles(builder, row), _singles(builder, given), strict=True):
            share, rest, slope = _share(builder, x)
            both = builder.fmul(builder.fmul(share, rest), all_lanes(builder, 2.0))
            change = fma(builder, builder.fmul(both, x), slope, share)
            made.append(builder.fmul(gradient, change))
        _store_row(builder, _halves(builder, made), out, 32)
        return context.get_dummy_value()

    return types.void(*[types.uint64] * 3), generate
