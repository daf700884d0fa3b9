"""Where pre-tokens end: GPT-2's pattern as bit operations on the classes of 64 bytes at a time.

The pattern (see `alphabet.PATTERN`) has no memory beyond one character, apart from its
contractions, so its boundaries follow from what each byte is and what its neighbours are:

- a pre-token starts where the class (letter, number, white space, other) changes, except after a
  single space, which belongs to what follows it;
- in a run of white space, its last character starts one of its own if something follows: that is
  `\\s+(?!\\S)` giving one back;
- an apostrophe that starts a pre-token and is followed by s, t, m, d, re, ve or ll ends it there.

A character of several bytes gives its class to all of them. Bytes that are not UTF-8 are each a
character of the class other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint8 as byte
from numba import uint64 as word

from wellread.base.intrinsics import (
    PADDING,
    bytes_in_range,
    load8,
    load64,
    lowest_bit,
    num_bits,
    store64,
)
from wellread.base.kernels import inlined, kernel
from wellread.tokenizer.unicode import LETTER, NUMBER, SPACE, class_pages

BLOCK = 64
ROOM = 1024  # ends that one call of `find_ends` can give
ALL = word(0xFFFFFFFFFFFFFFFF)
ONE = word(1)
LAST = word(63)

# The words of a splitter's state. From LETTERS on: of the block at OFFSET, a bit for each byte.
BASE, END, OFFSET, PAGES, CARRY, LETTERS, NUMBERS, SPACES, BLANKS, LONE = range(10)
PREVIOUS, CLEAR, FORCE, FINISHED = range(10, 14)  # PREVIOUS: class bits of the byte before
STATE_WORDS = 16


@inlined
def get(state: Any, place: Any) -> Any:
    return load64(state + word(8 * place))


@inlined
def put(state: Any, place: Any, value: Any) -> None:
    store64(state + word(8 * place), value)


@inlined
def _is_continuation(text: Any, at: Any) -> Any:
    return (load8(text + word(at)) & byte(0xC0)) == byte(0x80)


@kernel
def class_and_length(text: Any, at: Any, end: Any, pages: Any) -> Any:
    """The class of the character at `at`, and in bits 8 and up how many bytes it has."""
    lead = word(load8(text + at))
    code, length, least = lead, 1, word(0)
    if lead < word(0x80):
        pass
    elif word(0xC2) <= lead < word(0xE0):
        code, length, least = lead & word(0x1F), 2, word(0x80)
    elif word(0xE0) <= lead < word(0xF0):
        code, length, least = lead & word(0x0F), 3, word(0x800)
    elif word(0xF0) <= lead < word(0xF5):
        code, length, least = lead & word(0x07), 4, word(0x10000)
    else:
        return word(256)  # not UTF-8: one byte, other
    if at + word(length) > end:
        return word(256)
    for more in range(1, length):
        if not _is_continuation(text, at + word(more)):
            return word(256)
        code = (code << word(6)) | (word(load8(text + at + word(more))) & word(0x3F))
    if code < least or code > word(0x10FFFF) or word(0xD800) <= code < word(0xE000):
        return word(256)
    entry = pages + ((code >> word(8)) << ONE)
    page = word(load8(entry)) | (word(load8(entry + ONE)) << word(8))
    kind = word(load8(pages + (page << word(8)) + (code & word(255))))
    return kind | (word(length) << word(8))


@kernel
def _classify_characters(
    text: Any, offset: Any, end: Any, pages: Any, carry: Any, masks: Any
) -> Any:
    """Add the characters of several bytes to the masks of a block with non-ASCII bytes in it.

    `carry` is a character's class and length that has begun in the block before.
    """
    letters, numbers, spaces, high = masks
    lone = word(0)
    place = word(0)
    kind, length = carry & word(255), carry >> word(8)
    carry = word(0)
    while True:
        if length:
            bits = ((ONE << length) - ONE) << place
            high &= ~bits
            if kind == word(LETTER):
                letters |= bits
            elif kind == word(NUMBER):
                numbers |= bits
            elif kind == word(SPACE):
                spaces |= bits
            if place + length > word(BLOCK):
                carry = kind | ((place + length - word(BLOCK)) << word(8))
        if high == word(0):
            return letters, numbers, spaces, lone, carry
        place = lowest_bit(high)
        found = class_and_length(text, offset + place, end, pages)
        kind, length = found & word(255), found >> word(8)
        after = offset + place + length
        if kind == word(SPACE) and after < end:
            following = class_and_length(text, after, end, pages) & word(255)
            if following != word(SPACE):
                lone |= ONE << place


@inlined
def _classify(text: Any, offset: Any, end: Any, pages: Any, carry: Any) -> Any:
    """Masks of a block: letters, numbers, spaces, spaces of one byte, wide spaces that stand last.

    Beyond the end of the text is white space: nothing there calls for a boundary.
    """
    block = text + offset
    letters = bytes_in_range(block, byte(0x20), byte(0x61), byte(26))
    numbers = bytes_in_range(block, byte(0), byte(0x30), byte(10))
    blanks = bytes_in_range(block, byte(0), byte(9), byte(5))
    blanks |= bytes_in_range(block, byte(0), byte(0x20), byte(1))
    high = bytes_in_range(block, byte(0), byte(0x80), byte(0x80))
    spaces, lone, rest = blanks, word(0), word(0)
    if (high | carry) != word(0):
        letters, numbers, spaces, lone, rest = _classify_characters(
            text, offset, end, pages, carry, (letters, numbers, spaces, high)
        )
    if end - offset < word(BLOCK):
        inside = (ONE << (end - offset)) - ONE
        letters &= inside
        numbers &= inside
        spaces |= ~inside
        blanks &= inside
        lone &= inside
    return letters, numbers, spaces, blanks, lone, rest


@inlined
def _contraction(text: Any, at: Any, end: Any) -> Any:
    """How many bytes the contraction at the apostrophe `at` has, 0 if there is none."""
    following = load64(text + at)
    letter, letters = (following >> word(8)) & word(0xFF), (following >> word(8)) & word(0xFFFF)
    length = word(0)
    if letter in (word(0x73), word(0x74), word(0x6D), word(0x64)):  # s t m d
        length = word(2)
    elif letters in (word(0x6572), word(0x6576), word(0x6C6C)):  # re ve ll, the first one lowest
        length = word(3)
    return length if at + length <= end else word(0)


@kernel
def begin(state: Any, text: Any, end: Any, pages: Any) -> None:
    """Set `state` to the start of the `end` bytes at `text`, which has PADDING bytes after it."""
    state, text, end, pages = word(state), word(text), word(end), word(pages)
    letters, numbers, spaces, blanks, lone, carry = _classify(text, word(0), end, pages, word(0))
    put(state, BASE, text)
    put(state, END, end)
    put(state, OFFSET, word(0))
    put(state, PAGES, pages)
    put(state, PREVIOUS, word(0))
    put(state, CLEAR, word(0))
    put(state, FORCE, word(0))
    put(state, FINISHED, word(0))
    _keep(state, carry, letters, numbers, spaces, blanks, lone)


@inlined
def _keep(
    state: Any, carry: Any, letters: Any, numbers: Any, spaces: Any, blanks: Any, lone: Any
) -> None:
    put(state, CARRY, carry)
    put(state, LETTERS, letters)
    put(state, NUMBERS, numbers)
    put(state, SPACES, spaces)
    put(state, BLANKS, blanks)
    put(state, LONE, lone)


@kernel
def find_ends(state: Any, ends: Any) -> Any:
    """Write where the next pre-tokens end (uint64) to `ends`; how many, 0 when there are no more.

    At most ROOM.
    """
    state, ends = word(state), word(ends)
    if get(state, FINISHED) != word(0):
        return 0
    text, end = get(state, BASE), get(state, END)
    offset, pages = get(state, OFFSET), get(state, PAGES)
    carry = get(state, CARRY)
    letters, numbers = get(state, LETTERS), get(state, NUMBERS)
    spaces, blanks = get(state, SPACES), get(state, BLANKS)
    lone, previous = get(state, LONE), get(state, PREVIOUS)
    clear, force = get(state, CLEAR), get(state, FORCE)
    count = word(0)
    while offset < end and count + word(BLOCK) < word(ROOM):
        apostrophes = bytes_in_range(text + offset, byte(0), byte(0x27), byte(1))
        space = bytes_in_range(text + offset, byte(0), byte(0x20), byte(1))
        next_letters, next_numbers, next_spaces = word(0), word(0), ALL
        next_blanks, next_lone = word(0), word(0)
        if offset + word(BLOCK) < end:
            (
                next_letters, next_numbers, next_spaces, next_blanks, next_lone, carry
            ) = _classify(text, offset + word(BLOCK), end, pages, carry)  # fmt: skip
        others = ~(letters | numbers | spaces)

        same = letters & ((letters << ONE) | (previous & ONE))
        same |= numbers & ((numbers << ONE) | ((previous >> ONE) & ONE))
        same |= spaces & ((spaces << ONE) | ((previous >> word(2)) & ONE))
        same |= others & ((others << ONE) | ((previous >> word(3)) & ONE))
        after_space = (space << ONE) | ((previous >> word(4)) & ONE)
        starts = ~same & ~(after_space & ~spaces)
        starts |= (blanks & ((~spaces >> ONE) | (~next_spaces << LAST))) | lone
        candidates = starts & apostrophes
        starts = (starts & ~clear) | force
        clear, force = word(0), word(0)
        while candidates != word(0):
            place = lowest_bit(candidates)
            candidates &= candidates - ONE
            length = _contraction(text, offset + place, end)
            if length != word(0):
                # The letter after the apostrophe starts nothing; what follows the last one does.
                if place == LAST:
                    clear |= ONE
                else:
                    starts &= ~(ONE << (place + ONE))
                if place + length < word(BLOCK):
                    starts |= ONE << (place + length)
                else:
                    force |= ONE << (place + length - word(BLOCK))
        if end - offset < word(BLOCK):
            starts &= (ONE << (end - offset)) - ONE
        if offset == word(0):
            starts &= ~ONE  # no pre-token ends before the text

        previous = letters >> LAST | (numbers >> LAST) << ONE | (spaces >> LAST) << word(2)
        previous |= (others >> LAST) << word(3) | (space >> LAST) << word(4)
        letters, numbers, spaces = next_letters, next_numbers, next_spaces
        blanks, lone = next_blanks, next_lone

        # Eight at a time whether they exist or not: a branch for each would be mispredicted.
        found = num_bits(starts)
        place = ends + (count << word(3))
        count += found
        while True:
            for eighth in range(8):
                store64(place + word(8 * eighth), offset + lowest_bit(starts))
                starts &= starts - ONE
            if found <= word(8):
                break
            found -= word(8)
            place += word(64)
        offset += word(BLOCK)
    if offset >= end:
        put(state, FINISHED, ONE)
        if end != word(0):
            store64(ends + (count << word(3)), end)
            count += ONE
    put(state, OFFSET, offset)
    put(state, PREVIOUS, previous)
    put(state, CLEAR, clear)
    put(state, FORCE, force)
    _keep(state, carry, letters, numbers, spaces, blanks, lone)
    return integer(count)


@kernel
def _first_class(text: Any, end: Any, pages: Any) -> Any:
    return class_and_length(word(text), word(0), word(end), word(pages)) & word(255)


@kernel
def _mark_characters(text: Any, end: Any, pages: Any, marks: Any) -> None:
    text, end, pages = word(text), word(end), word(pages)
    at = word(0)
    while at < end:
        marks[at] = 1
        at += class_and_length(text, at, end, pages) >> word(8)


@kernel
def safe_cut(text: Any, start: Any, limit: Any, end: Any) -> Any:
    """A place where the text may be cut into texts that split alike: at `limit` or after, or `end`.

    White space after an ASCII character that is none is always such a place. Searched backwards
    from `limit` to `start` first.
    """
    text = word(text)
    for at in range(limit, start, -1):
        if _is_cut(text, at):
            return at
    for at in range(limit + 1, end):
        if _is_cut(text, at):
            return at
    return end


@inlined
def _is_blank(character: Any) -> Any:
    return character == byte(0x20) or byte(9) <= character <= byte(13)


@inlined
def _is_cut(text: Any, at: Any) -> Any:
    before = load8(text + word(at - 1))
    return _is_blank(load8(text + word(at))) and before < byte(0x80) and not _is_blank(before)


def padded(text: bytes) -> npt.NDArray[np.uint8]:
    """`text` with PADDING zeros after it."""
    room = np.zeros(len(text) + PADDING, np.uint8)
    room[: len(text)] = np.frombuffer(text, np.uint8)
    return room


def class_of(text: bytes) -> int:
    """The class (see `unicode`) of the first character of `text`, which is not empty."""
    room = padded(text[:4])
    pages = class_pages().ctypes.data
    return int(_first_class(room.ctypes.data, min(len(text), 4), pages))


def character_starts(text: bytes) -> npt.NDArray[np.uint8]:
    """Shape (len(text),): 1 where a character begins; bytes that are not UTF-8 are one each."""
    marks = np.zeros(len(text), np.uint8)
    room = padded(text)
    _mark_characters(room.ctypes.data, len(text), class_pages().ctypes.data, marks)
    return marks


def pre_token_starts(text: bytes) -> npt.NDArray[np.int64]:
    """The offset of the first byte of each pre-token of `text`, which is UTF-8 or any bytes.

    >>> pre_token_starts(b"It's  DON'T").tolist()
    [0, 2, 4, 5, 9, 10]
    """
    room = padded(text)
    state = np.zeros(STATE_WORDS, np.uint64)
    ends = np.zeros(ROOM, np.uint64)
    begin(state.ctypes.data, room.ctypes.data, len(text), class_pages().ctypes.data)
    starts = [np.zeros(min(len(text), 1), np.int64)]
    while count := find_ends(state.ctypes.data, ends.ctypes.data):
        starts.append(ends[:count].astype(np.int64))
    return np.concatenate(starts)[: -1 if text else None]
