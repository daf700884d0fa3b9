"""Where the fields that decide about a link lie in lines of JSON; everything else is stepped over.

The walk goes from quote to quote, 64 bytes a comparison. It reads records of the usual shape only:
one object of correctly closed members a line. What it does not understand it leaves to the decoder
of submissions.py, which says what is wrong or reads it after all.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint8 as byte
from numba import uint64 as word

from wellread.base.intrinsics import bytes_in_range, load8, load32, load64, lowest_bit
from wellread.base.kernels import inlined, kernel

CREATED, SCORE, SUBREDDIT, URL, OVERRIDDEN, DOMAIN, IS_SELF, OVER_18 = range(8)
NUM_FIELDS = 8
ODD, BLANK, READ = range(3)  # how a line was found


def _word(text: bytes) -> int:
    return int.from_bytes(text, "little")


ONE, EIGHT = word(1), word(8)
QUOTE, BACKSLASH, NEWLINE, COLON, COMMA = (byte(ord(c)) for c in '"\\\n:,')
OPEN, CLOSED, SPACE, TAB, RETURN = (byte(ord(c)) for c in "{} \t\r")
FOLD = byte(0x20)  # takes brackets to braces
SCORE_KEY, URL_KEY, DOMAIN_KEY = (word(_word(key)) for key in (b'score"', b'url"', b'domain"'))
SELF_KEY, OVER_KEY = word(_word(b'is_self"')), word(_word(b'over_18"'))
SUBREDDIT_KEY, CREATED_KEY = word(_word(b"subreddi")), word(_word(b"created_"))
UTC = np.uint32(_word(b'utc"'))
OVERRIDDEN_KEYS = (word(_word(b"url_over")), word(_word(b"ridden_b")))
BY_DEST_KEY = word(_word(b'by_dest"'))
BYTES_4, BYTES_6, BYTES_7 = (word((1 << 8 * n) - 1) for n in (4, 6, 7))


@inlined
def next_of(at: Any, end: Any, wanted: Any) -> Any:
    """Where the first byte `wanted` is from `at` on; `end` or later if before it there is none."""
    while at < end:
        found = bytes_in_range(at, byte(0), wanted, byte(1))
        if found:
            at += lowest_bit(found)
            break
        at += word(64)
    return at


@inlined
def _skip_spaces(at: Any, end: Any) -> Any:
    while at < end and (load8(at) == SPACE or load8(at) == TAB or load8(at) == RETURN):
        at += ONE
    return at


@kernel
def _end_of_string(at: Any, end: Any) -> Any:
    """Where the quote is that closes a string whose bytes begin at `at`."""
    while True:
        at = next_of(at, end, QUOTE)
        if at >= end or load8(at - ONE) != BACKSLASH:
            return at
        before = at - ONE
        while load8(before) == BACKSLASH:  # stops at the string's own first quote
            before -= ONE
        if (at - before) & ONE:  # an even number of backslashes, which escape each other
            return at
        at += ONE


@kernel
def _end_of_nested(at: Any, end: Any) -> Any:
    """Just after the bracket that closes the one at `at`."""
    depth = 0
    while at < end:
        found = bytes_in_range(at, FOLD, OPEN, byte(3)) | bytes_in_range(
            at, byte(0), QUOTE, byte(1)
        )
        if not found:
            at += word(64)
            continue
        at += lowest_bit(found)
        if at >= end:
            break
        what = load8(at)
        if what == QUOTE:
            at = _end_of_string(at + ONE, end)
        elif (what | FOLD) == OPEN:
            depth += 1
        elif (what | FOLD) == CLOSED:
            depth -= 1
            if depth == 0:
                return at + ONE
        at += ONE
    return end


@inlined
def _field_of(key: Any, length: Any) -> Any:
    """The number of the field whose name begins at `key`, or -1."""
    first = load64(key)
    field = -1
    if length == word(3):
        if first & BYTES_4 == URL_KEY:
            field = URL
    elif length == word(5):
        if first & BYTES_6 == SCORE_KEY:
            field = SCORE
    elif length == word(6):
        if first & BYTES_7 == DOMAIN_KEY:
            field = DOMAIN
    elif length == word(7):
        if first == SELF_KEY:
            field = IS_SELF
        elif first == OVER_KEY:
            field = OVER_18
    elif length == word(9):
        if first == SUBREDDIT_KEY and load8(key + EIGHT) == byte(ord("t")):
            field = SUBREDDIT
    elif length == word(11):
        if first == CREATED_KEY and load32(key + EIGHT) == UTC:
            field = CREATED
    elif (
        length == word(22)
        and first == OVERRIDDEN_KEYS[0]
        and load64(key + EIGHT) == OVERRIDDEN_KEYS[1]
        and load64(key + word(15)) == BY_DEST_KEY
    ):
        field = OVERRIDDEN
    return field


@kernel
def _find_in_line(text: Any, at: Any, end: Any, spans: Any) -> Any:
    """Fill `spans` (fields, 2) for the line from `at` to `end`, both addresses."""
    spans[:] = 0
    at = _skip_spaces(at, end)
    if at >= end:
        return BLANK
    if load8(at) != OPEN:
        return ODD
    while True:
        at = _skip_spaces(at + ONE, end)
        if at >= end or load8(at) != QUOTE:
            return ODD
        key = at + ONE
        at = _end_of_string(key, end)
        field = _field_of(key, at - key)
        at = _skip_spaces(at + ONE, end)
        if at >= end or load8(at) != COLON:
            return ODD
        at = _skip_spaces(at + ONE, end)
        if at >= end:
            return ODD
        value, what = at, load8(at)
        if what == QUOTE:
            at = _end_of_string(at + ONE, end) + ONE
        elif (what | FOLD) == OPEN:
            at = _end_of_nested(at, end)
        else:
            while at < end and load8(at) > COMMA and load8(at) != CLOSED:
                at += ONE
            if at == value:
                return ODD
        if at >= end:
            return ODD
        if field >= 0:
            spans[field, 0], spans[field, 1] = value - text, at - text
        at = _skip_spaces(at, end)
        if at < end and load8(at) == COMMA:
            continue
        if at >= end or load8(at) != CLOSED:
            return ODD
        break
    return READ if _skip_spaces(at + ONE, end) >= end else ODD


@kernel
def _find_fields(text: Any, length: Any, ends: Any, spans: Any, found: Any) -> Any:
    at, end, line = text, text + length, 0
    while at < end:
        stop = next_of(at, end, NEWLINE)
        if stop > end:
            stop = end
        found[line] = _find_in_line(text, at, stop, spans[line])
        ends[line] = integer(stop - text)
        at = stop + ONE
        line += 1
    return line


class Scratch:
    """What one block's lines are found in, kept from block to block."""

    def __init__(self) -> None:
        self.make(0)

    def make(self, num_lines: int) -> None:
        self.ends = np.empty(num_lines, np.int64)
        self.spans = np.empty((num_lines, NUM_FIELDS, 2), np.int32)
        self.found = np.empty(num_lines, np.uint8)


def find_fields(text: npt.NDArray[np.uint8], scratch: Scratch) -> int:
    """Find the fields in each line of `text`; how many lines.

    `intrinsics.PADDING` bytes after `text` must be readable. Of line i, `scratch.ends[i]` is where
    it ends, `found[i]` one of ODD, BLANK, READ, and `spans[i, field]` where the field's value
    begins and ends (quotes included), both 0 if it is missing.
    """
    assert len(text) < 2**31  # or `spans` would not hold it
    most = int(np.count_nonzero(text == ord("\n"))) + 1
    if most > len(scratch.ends):
        scratch.make(most + most // 4)
    return int(
        _find_fields(text.ctypes.data, len(text), scratch.ends, scratch.spans, scratch.found)
    )
