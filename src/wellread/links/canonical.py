"""The canonical form of a block's URLs at once, as `base.urls.canonical_url` has it.

What the kernel knows is the usual: ASCII, a plain host, complete escapes, no dot segments. The
rest is left to the library, and so is the question which bytes need an escape: it is asked once for
each byte.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint8 as byte

from wellread.base.kernels import inlined, kernel
from wellread.base.urls import TRACKING_NAMES, TRACKING_PREFIX, canonical_url
from wellread.links.select import HOST_END, URL_END, URL_START

MAX_PAIRS = 32  # of a query; longer ones are left to the library
GROWTH = 3  # most bytes that one byte of a URL becomes
PERCENT, SLASH, DOT, QUERY, HASH, PLUS, AND, IS = (byte(ord(c)) for c in "%/.?#+&=")
SPACE = byte(0x20)
DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
RAW, ESCAPED, KEPT, ODD = range(4)  # how a byte stands in a canonical URL; KEPT: as it was escaped


@cache
def byte_classes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """For paths and for queries, how each of the 256 bytes stands in a canonical URL."""
    path, query = np.full(256, ODD, np.uint8), np.full(256, ODD, np.uint8)
    for value in range(256):
        escape = f"%{value:02X}"
        forms = {chr(value): RAW, escape: ESCAPED, "+": RAW}
        path[value] = forms.get((canonical_url(f"http://x/a{escape}b") or "")[10:-1], ODD)
        query[value] = forms.get((canonical_url(f"http://x/?a=a{escape}b") or "")[13:-1], ODD)
        plain = canonical_url(f"http://x/a{chr(value)}b") or ""
        if path[value] == ESCAPED and value < 128 and plain == f"http://x/a{chr(value)}b":
            path[value] = KEPT  # such as / and ?, which mean another thing when escaped
    for special in b"?%":
        path[special] = KEPT
    for special in b";":  # parameters of a path
        path[special] = ODD
    return path, query


@inlined
def _digit(value: Any) -> Any:
    """What a hexadecimal digit stands for; 16 if it is none."""
    found = byte(16)
    if byte(ord("0")) <= value <= byte(ord("9")):
        found = value - byte(ord("0"))
    elif byte(ord("A")) <= value <= byte(ord("F")):
        found = value - byte(ord("A") - 10)
    elif byte(ord("a")) <= value <= byte(ord("f")):
        found = value - byte(ord("a") - 10)
    return found


@inlined
def _unescaped(plain: Any, at: Any, end: Any) -> Any:
    """The byte of the escape at `at`, or 256."""
    if at + 2 >= end:
        return 256
    high, low = _digit(plain[at + 1]), _digit(plain[at + 2])
    return 256 if high > 15 or low > 15 else int(high) * 16 + int(low)


@inlined
def _put_escaped(out: Any, used: Any, value: Any) -> Any:
    out[used] = PERCENT
    out[used + 1], out[used + 2] = DIGITS[value >> 4], DIGITS[value & 15]
    return used + 3


@kernel
def _put_path(plain: Any, at: Any, end: Any, out: Any, used: Any, classes: Any) -> Any:
    """Write the path that begins at `at`; where it ends in `plain` and in `out`, the latter -1."""
    while at < end:
        value = int(plain[at])
        if value == QUERY or value == HASH:
            break
        if value == PERCENT:
            value = _unescaped(plain, at, end)
            if value > 255:
                return at, -1
            at += 3
            how = classes[value]
            if how == KEPT:
                how = byte(ESCAPED)
        else:
            at += 1
            how = classes[value]
            if how == ESCAPED:
                return at, -1
            if how == KEPT:
                how = byte(RAW)
        if how == RAW:
            if value == DOT and out[used - 1] == SLASH:
                return at, -1
            out[used] = value
            used += 1
        elif how == ESCAPED:
            used = _put_escaped(out, used, value)
        else:
            return at, -1
    return at, used


@kernel
def _is_tracking(plain: Any, start: Any, end: Any, names: Any) -> Any:
    """Whether the name of a parameter is in `names` (padded with zeros), or utm_ and more."""
    for name in names:
        same = True
        length = end - start
        if length > len(name):
            continue
        for at in range(len(name)):
            if at < length:
                same = same and plain[start + at] == name[at]
            else:
                same = same and name[at] == 0
        if same:
            return True
    length = len(TRACKING_PREFIX)
    if end - start <= length:
        return False
    for at in range(length):
        if plain[start + at] != TRACKING_PREFIX[at]:
            return False
    for at in range(start + length, end):
        value = plain[at]
        is_word = (
            byte(ord("a")) <= value <= byte(ord("z"))
            or byte(ord("A")) <= value <= byte(ord("Z"))
            or byte(ord("0")) <= value <= byte(ord("9"))
            or value == byte(ord("_"))
        )
        if not is_word:
            return False
    return True


@kernel
def _comes_before(decoded: Any, one: Any, other: Any) -> Any:
    """Whether one pair sorts before another: by name, then by value."""
    for part in (0, 2):
        at, end = one[part], one[part + 1]
        to, stop = other[part], other[part + 1]
        while at < end and to < stop:
            if decoded[at] != decoded[to]:
                return decoded[at] < decoded[to]
            at += 1
            to += 1
        if end - at != stop - to:
            return at == end
    return False


@kernel
def _decode_pairs(
    plain: Any, at: Any, end: Any, decoded: Any, pairs: Any, names: Any, classes: Any
) -> Any:
    """Fill `pairs` with begin and end of names and values in `decoded`; how many, -1 if odd."""
    count, used = 0, 0
    while at < end and plain[at] != HASH:
        stop, name_end = at, -1
        while stop < end and plain[stop] != AND and plain[stop] != HASH:
            if plain[stop] == IS and name_end < 0:
                name_end = stop
            stop += 1
        if name_end < 0:
            name_end = stop
        if stop > at and not _is_tracking(plain, at, name_end, names):
            if count == MAX_PAIRS:
                return -1
            pair = pairs[count]
            pair[0] = used
            pair[2] = -1
            while at < stop:
                value = int(plain[at])
                if at == name_end:
                    pair[1] = pair[2] = used
                    at += 1
                    continue
                if value == PERCENT:
                    value = _unescaped(plain, at, stop)
                    at += 2
                elif value == PLUS:
                    value = int(SPACE)
                if value > 255 or classes[value] == ODD:
                    return -1
                decoded[used] = value
                used += 1
                at += 1
            if pair[2] < 0:
                pair[1] = pair[2] = used
            pair[3] = used
            place = count
            while place > 0 and _comes_before(decoded, pairs[place], pairs[place - 1]):
                for part in range(4):
                    pairs[place, part], pairs[place - 1, part] = (
                        pairs[place - 1, part], pairs[place, part],
                    )  # fmt: skip
                place -= 1
            count += 1
        at = stop
        if at < end and plain[at] == AND:
            at += 1
    return count


@kernel
def _put_pairs(decoded: Any, pairs: Any, count: Any, out: Any, used: Any, classes: Any) -> Any:
    for number in range(count):
        out[used] = AND if number else QUERY
        used += 1
        for part in (0, 2):
            for at in range(pairs[number, part], pairs[number, part + 1]):
                value = int(decoded[at])
                if value == SPACE:
                    out[used] = PLUS
                    used += 1
                elif classes[value] == RAW:
                    out[used] = value
                    used += 1
                else:
                    used = _put_escaped(out, used, value)
            if part == 0:
                out[used] = IS
                used += 1
    return used


@kernel
def _canonicalise(
    plain: Any, rows: Any, chosen: Any, in_path: Any, in_query: Any, names: Any, out: Any,
    ends: Any, decoded: Any, pairs: Any,
) -> Any:  # fmt: skip
    used = 0
    for number in range(len(chosen)):
        row = rows[chosen[number]]
        start, end, host_end = row[URL_START], row[URL_END], row[HOST_END]
        before = used
        for at in range(start, host_end):
            out[used] = plain[at]
            used += 1
        at = host_end
        if at < end and plain[at] == SLASH:
            at, used = _put_path(plain, at, end, out, used, in_path)
        else:
            out[used] = SLASH
            used += 1
        if used >= 0 and at < end and plain[at] == QUERY:
            count = _decode_pairs(plain, at + 1, end, decoded, pairs, names, in_query)
            used = _put_pairs(decoded, pairs, count, out, used, in_query) if count >= 0 else -1
        if used < 0:
            used = before  # an empty text: left to the library
        ends[number] = used
    return used


class Canonical:
    """Canonical URLs of a block: one text, and where each URL in it ends; empty ones are odd."""

    def __init__(self) -> None:
        self._in_path, self._in_query = byte_classes()
        width = max(map(len, TRACKING_NAMES))
        names = b"".join(name.encode().ljust(width, b"\0") for name in TRACKING_NAMES)
        self._names = np.frombuffer(names, np.uint8).reshape(-1, width)
        self._pairs = np.empty((MAX_PAIRS, 4), np.int64)

    def of(
        self,
        plain: npt.NDArray[np.uint8],
        rows: npt.NDArray[np.int64],
        chosen: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """The canonical URLs of the rows (select.Candidates) that are chosen, by number."""
        picked = rows[chosen]
        lengths = picked[:, URL_END] - picked[:, URL_START]
        out = np.empty(GROWTH * int(lengths.sum()) + 8 * len(chosen) + 64, np.uint8)
        ends = np.empty(len(chosen), np.int32)
        longest = int(lengths.max(initial=0)) + 64
        used = _canonicalise(
            plain, rows, chosen, self._in_path, self._in_query, self._names, out, ends,
            np.empty(longest, np.uint8), self._pairs,
        )  # fmt: skip
        return out[:used], ends
