"""Numba intrinsics: unaligned loads and stores by address, bits, 64 bytes compared at once.

Kernels take addresses as integers instead of arrays, because a small helper that takes an array
costs about 30 ns a call in reference counts. Whoever passes an address keeps its array alive.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

PADDING = 64  # bytes past a text's end that must be readable: kernels look at 64 at a time


def _load(bits: int, kind: Any) -> Callable[..., Any]:
    def load(typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            return builder.load(pointer, align=1)

        return kind(types.uint64), generate

    return intrinsic(load)  # type: ignore[no-any-return]


def _store(bits: int, kind: Any) -> Callable[..., Any]:
    def store(typing: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            builder.store(arguments[1], pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, kind), generate

    return intrinsic(store)  # type: ignore[no-any-return]


load8, load32, load64 = _load(8, types.uint8), _load(32, types.uint32), _load(64, types.uint64)
store16 = _store(16, types.uint16)
store32, store64 = _store(32, types.uint32), _store(64, types.uint64)


@intrinsic  # type: ignore[untyped-decorator]
def claim(typing: Any, address: Any, mark: Any) -> Any:
    """Put `mark` where 0 is, as only one of several threads can; whether it was this one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        zero = ir.Constant(ir.IntType(64), 0)
        done = builder.cmpxchg(pointer, zero, arguments[1], "acq_rel", "acquire")
        return builder.extract_value(done, 1)

    return types.boolean(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def publish(typing: Any, address: Any, value: Any) -> Any:
    """Store a word such that a thread that sees it sees what was stored before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store_atomic(arguments[1], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_published(typing: Any, address: Any) -> Any:
    """What `publish` stored, before all that is loaded after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.uint64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def lowest_bit(typing: Any, word: Any) -> Any:
    """The place of the lowest bit that is set; 64 bits have undefined places if none is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def num_bits(typing: Any, word: Any) -> Any:
    """How many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing: Any, address: Any) -> Any:
    """Ask for the cache line at `address`, which need not be valid."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(word, value) for value in (0, 3, 1))
        builder.call(call, [builder.inttoptr(arguments[0], byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def bytes_in_range(typing: Any, address: Any, fold: Any, first: Any, count: Any) -> Any:
    """A bit for each of the 64 bytes at `address`: whether first <= (byte | fold) < first + count.

    One comparison and a move of its mask with AVX-512; LLVM lowers it for every other machine.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.IntType(8), 64)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)

        def repeated(value: Any) -> Any:
            start = ir.Constant(vector, ir.Undefined)
            one = builder.insert_element(start, value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, start, zeros)

        pointer = builder.inttoptr(arguments[0], vector.as_pointer())
        loaded = builder.load(pointer, align=1)
        shifted = builder.sub(builder.or_(loaded, repeated(arguments[1])), repeated(arguments[2]))
        inside = builder.icmp_unsigned("<", shifted, repeated(arguments[3]))
        return builder.bitcast(inside, ir.IntType(64))

    byte = types.uint8
    return types.uint64(types.uint64, byte, byte, byte), generate


@intrinsic  # type: ignore[untyped-decorator]
def high_product(typing: Any, left: Any, right: Any) -> Any:
    """The upper 64 of the 128 bits of a product: `left` of a range of 2^64, in one of `right`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        factors = (builder.zext(argument, wide) for argument in arguments)
        upper = builder.lshr(builder.mul(*factors), ir.Constant(wide, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


WORDS = ir.VectorType(ir.IntType(64), 8)  # a cache line


def _one_bit_in_each(builder: Any, places: Any) -> Any:
    """Eight words with one bit each, where six bits of `places` say, the lowest for the first."""
    start = ir.Constant(WORDS, ir.Undefined)
    one = builder.insert_element(start, places, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
    shifted = builder.lshr(
        builder.shuffle_vector(one, start, zeros), ir.Constant(WORDS, list(range(0, 48, 6)))
    )
    place = builder.and_(shifted, ir.Constant(WORDS, [63] * 8))
    return builder.shl(ir.Constant(WORDS, [1] * 8), place)


@intrinsic  # type: ignore[untyped-decorator]
def set_one_in_each(typing: Any, address: Any, places: Any) -> Any:
    """In each of the eight words at `address`, set the bit that six bits of `places` name."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], WORDS.as_pointer())
        bits = _one_bit_in_each(builder, arguments[1])
        builder.store(builder.or_(builder.load(pointer, align=8), bits), pointer, align=8)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def has_one_in_each(typing: Any, address: Any, places: Any) -> Any:
    """Whether all the bits that `set_one_in_each` would set are."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], WORDS.as_pointer())
        bits = _one_bit_in_each(builder, arguments[1])
        clear = builder.and_(bits, builder.not_(builder.load(pointer, align=8)))
        lacking = builder.icmp_unsigned("!=", clear, ir.Constant(WORDS, [0] * 8))
        byte = ir.IntType(8)
        return builder.icmp_unsigned("==", builder.bitcast(lacking, byte), ir.Constant(byte, 0))

    return types.boolean(types.uint64, types.uint64), generate
