"""What kernels do to bits, against Python's integers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from wellread.base.intrinsics import has_one_in_each, high_product, set_one_in_each

WORD = st.integers(0, 2**64 - 1)


@njit
def product(left: np.uint64, right: np.uint64) -> np.uint64:
    return high_product(left, right)


@njit
def put(address: np.uint64, places: np.uint64) -> None:
    set_one_in_each(address, places)


@njit
def has(address: np.uint64, places: np.uint64) -> bool:
    return has_one_in_each(address, places)


def bits(places: int) -> list[int]:
    return [1 << (places >> 6 * word & 63) for word in range(8)]


@settings(deadline=None)  # the first call compiles
@given(WORD, WORD)
def test_the_high_product_is_the_upper_half(left: int, right: int) -> None:
    assert int(product(np.uint64(left), np.uint64(right))) == left * right >> 64


@settings(deadline=None)
@given(st.lists(WORD, max_size=4), WORD, st.integers(0, 8))
def test_one_bit_of_each_word_is_set_and_asked_for(
    known: list[int], asked: int, first: int
) -> None:
    line = np.zeros(24, np.uint64)
    address = np.uint64(line.ctypes.data + 8 * first)
    expected = [0] * 24
    for places in known:
        put(address, np.uint64(places))
        expected[first : first + 8] = [
            word | bit for word, bit in zip(expected[first : first + 8], bits(places), strict=True)
        ]
    assert line.tolist() == expected
    is_there = all(
        word & bit for word, bit in zip(expected[first : first + 8], bits(asked), strict=True)
    )
    assert has(address, np.uint64(asked)) == is_there
    for places in known:
        assert has(address, np.uint64(places))
