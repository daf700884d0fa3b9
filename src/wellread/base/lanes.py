"""What kernels of 16 numbers at a time are written in: LLVM's instructions by Numba's builder."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features, initialize_native_asmparser
from numba.core import cgutils

LANES = 16
WORD, FLOAT = ir.IntType(64), ir.FloatType()
VECTOR, WORDS = ir.VectorType(FLOAT, LANES), ir.VectorType(ir.IntType(32), LANES)
HAS_DOTS = bool(get_host_cpu_features().get("avx512bf16", False))
if HAS_DOTS:
    initialize_native_asmparser()  # the instruction is named in assembly


def pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def plus(builder: Any, address: Any, number: int) -> Any:
    return builder.add(address, ir.Constant(WORD, number))


def load_weights(builder: Any, address: Any, bits: int) -> Any:
    """16 weights as float32; a bfloat16 is the upper half of one."""
    if bits == 32:
        return builder.load(pointer(builder, address, VECTOR), align=4)
    halves = ir.VectorType(ir.IntType(16), LANES)
    loaded = builder.load(pointer(builder, address, halves), align=2)
    upper = builder.shl(builder.zext(loaded, WORDS), ir.Constant(WORDS, [16] * LANES))
    return builder.bitcast(upper, VECTOR)


def all_lanes(builder: Any, number: Any) -> Any:
    """A vector that has `number` (a value or a constant of Python's) in each lane."""
    if isinstance(number, float):
        return ir.Constant(VECTOR, [number] * LANES)
    undefined = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(WORDS, [0] * LANES)
    return builder.shuffle_vector(first, undefined, zeros)


def call(builder: Any, name: str, *vectors: Any) -> Any:
    kind = ir.FunctionType(VECTOR, [VECTOR] * len(vectors))
    whole = f"llvm.{name}.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, whole), vectors)


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return call(builder, "fma", a, b, c)


def of_lanes(builder: Any, vector: Any, join: Callable[[Any, Any], Any]) -> Any:
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


def sum_of_lanes(builder: Any, vector: Any) -> Any:
    return of_lanes(builder, vector, builder.fadd)


def loop(
    builder: Any, count: Any, step: int, num_sums: int,
    body: Callable[[Any, list[Any]], list[Any]], *, begin: float = 0.0,
) -> Sequence[Any]:  # fmt: skip
    """`body(i, sums)` for i = 0, step, ... below `count`, which is not 0; the last sums."""
    before = builder.basic_block
    loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(WORD)
    sums = [builder.phi(VECTOR) for _ in range(num_sums)]
    added = body(index, list(sums))
    following = plus(builder, index, step)
    index.add_incoming(ir.Constant(WORD, 0), before)
    index.add_incoming(following, loop)
    for phi, value in zip(sums, added, strict=True):
        phi.add_incoming(all_lanes(builder, begin), before)
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)
    builder.position_at_end(after)
    return added


def exp(builder: Any, x: Any) -> Any:
    """e to the power of each lane, to about 2 units in the last place; of -88 where it is less.

    x = n ln 2 + r with n whole and |r| at most ln 2 / 2; e^r is its Taylor series up to r^7 / 7!,
    whose rest is below 1e-8; 2^n is put into the exponent's bits.
    """
    low, high = all_lanes(builder, -87.0), all_lanes(builder, 88.0)
    x = call(builder, "minnum", call(builder, "maxnum", x, low), high)
    n = call(builder, "rint", builder.fmul(x, all_lanes(builder, 1.4426950408889634)))
    # ln 2 in two parts; the first has few bits, so that n times it is exact.
    r = fma(builder, n, all_lanes(builder, -0.693359375), x)
    r = fma(builder, n, all_lanes(builder, 2.1219444005469057e-4), r)
    power = all_lanes(builder, 1 / math.factorial(7))
    for order in range(6, -1, -1):
        power = fma(builder, power, r, all_lanes(builder, 1 / math.factorial(order)))
    shift = builder.shl(builder.fptosi(n, WORDS), ir.Constant(WORDS, [23] * LANES))
    return builder.bitcast(builder.add(builder.bitcast(power, WORDS), shift), VECTOR)


def larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def load_vector(builder: Any, start: Any, index: Any) -> Any:
    """16 float32 of an array, from number `index` on."""
    place = builder.add(start, builder.mul(index, ir.Constant(WORD, 4)))
    return builder.load(pointer(builder, place, VECTOR), align=4)


def store_vector(builder: Any, vector: Any, start: Any, index: Any) -> None:
    place = builder.add(start, builder.mul(index, ir.Constant(WORD, 4)))
    builder.store(vector, pointer(builder, place, VECTOR), align=4)


def to_halves(builder: Any, number: Any, wide: Any, half: Any) -> Any:
    """float32 as the bits of bfloat16, rounded to the nearest and halves to even."""
    lanes = LANES if isinstance(wide, ir.VectorType) else None

    def constant(value: int) -> Any:
        return ir.Constant(wide, value if lanes is None else [value] * lanes)

    bits = builder.bitcast(number, wide)
    odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
    rounded = builder.add(bits, builder.add(odd, constant(0x7FFF)))
    return builder.trunc(builder.lshr(rounded, constant(16)), half)


def dots(builder: Any, left: Any, right: Any, total: Any) -> Any:
    """Products of words of two bfloat16, both added to each lane of `total`: AVX-512 BF16."""
    signature = ir.FunctionType(VECTOR, [VECTOR, WORDS, WORDS])
    # By its name in assembly, which LLVM turns into no other instruction.
    instruction = ir.InlineAsm(signature, "vdpbf16ps $3, $2, $0", "=v,0,v,v")
    return builder.call(instruction, [total, left, right])
