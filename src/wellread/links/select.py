"""The rules of a submission, and where its link points, for a whole block of lines at once.

Says the same as rules.py, which is plain Python; what needs more than ASCII, or is written in any
unusual way, is left to it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint8 as byte
from numba import uint64 as word

from wellread.base.intrinsics import load8, load32
from wellread.base.kernels import inlined, kernel
from wellread.links.rules import (
    BACK_TO_REDDIT,
    FILE_TYPES,
    SITE_RULES,
    SUBMISSION_RULES,
    WRONG_FILE_TYPE,
    Policy,
)
from wellread.links.scan import (
    BLANK,
    CREATED,
    DOMAIN,
    IS_SELF,
    ODD,
    OVER_18,
    OVERRIDDEN,
    SCORE,
    SUBREDDIT,
    URL,
    Scratch,
    next_of,
)
from wellread.links.submissions import LAST_SECOND

# Verdicts on a line, by number: the reasons of refusals, in the order of the rules, and then...
REASONS = [*SUBMISSION_RULES, *SITE_RULES, WRONG_FILE_TYPE]
NO_KARMA, LOW_KARMA, SELF_POST, ADULT, TOO_LATE, _, NO_URL, TO_REDDIT = range(8)
assert REASONS[TO_REDDIT] == BACK_TO_REDDIT
FILE_TYPE = len(REASONS) - 1
CANDIDATE, UNDECIDED, NOTHING = range(len(REASONS), len(REASONS) + 3)

KARMA, CREATED_UTC, URL_START, URL_END, HOST_START, HOST_END = range(6)
NAME_START, NAME_END, LINE, IS_FILE = range(6, 10)
COLUMNS = 10
MISSING, UNREADABLE = -1, -2
ONE = word(1)
MAX_DIGITS = 15  # more are left to the decoder, which knows the bounds
QUOTE, BACKSLASH, SLASH, AMPERSAND, AT = (byte(ord(c)) for c in '"\\/&@')
SPACE, DELETE = byte(0x20), byte(0x7F)
NULL = np.uint32(int.from_bytes(b"null", "little"))
TRUE = np.uint32(int.from_bytes(b"true", "little"))
FALSE = np.uint32(int.from_bytes(b"fals", "little"))
AMP = np.uint32(int.from_bytes(b"amp;", "little"))
HTTP = np.uint32(int.from_bytes(b"http", "little"))
SELF = np.uint32(int.from_bytes(b"self", "little"))
HASH_START, HASH_TIMES = word(0xCBF29CE484222325), word(0x100000001B3)  # FNV-1a, 64 bits


def hash_of(name: str) -> int:
    """FNV-1a of a name of ASCII, as the kernel computes it."""
    state = int(HASH_START)
    for value in name.encode():
        state = ((state ^ value) * int(HASH_TIMES)) & (2**64 - 1)
    return state


@inlined
def _lower(value: Any) -> Any:
    return value | SPACE if byte(ord("A")) <= value <= byte(ord("Z")) else value


@inlined
def _number(at: Any, end: Any) -> Any:
    """The integer at `at`, which may stand in quotes or end in `.0`, and how it was found (1)."""
    if at == end or (load32(at) == NULL and end - at == word(4)):
        return integer(0), MISSING
    if load8(at) == QUOTE:
        at, end = at + ONE, end - ONE
    negative = at < end and load8(at) == byte(ord("-"))
    if negative:
        at += ONE
    value, digits, first = integer(0), 0, load8(at)
    while at < end and byte(ord("0")) <= load8(at) <= byte(ord("9")):
        value = value * 10 + integer(load8(at) - byte(ord("0")))
        digits += 1
        at += ONE
    if digits > 1 and first == byte(ord("0")):
        return integer(0), UNREADABLE
    if at + ONE < end and load8(at) == byte(ord(".")) and digits:
        at += ONE
        while at < end and load8(at) == byte(ord("0")):
            at += ONE
    if at < end or digits == 0 or digits > MAX_DIGITS:
        return integer(0), UNREADABLE
    return (-value if negative else value), 1


@inlined
def _truth(at: Any, end: Any) -> Any:
    """1 or 0, MISSING, or UNREADABLE."""
    found = UNREADABLE
    length = end - at
    if length == word(0) or (load32(at) == NULL and length == word(4)):
        found = MISSING
    elif load32(at) == TRUE and length == word(4):
        found = 1
    elif load32(at) == FALSE and length == word(5) and load8(at + word(4)) == byte(ord("e")):
        found = 0
    return found


@kernel
def _is_in(wanted: Any, sorted_words: Any) -> Any:
    low, high = 0, len(sorted_words)
    while low < high:
        middle = (low + high) >> 1
        if sorted_words[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < len(sorted_words) and sorted_words[low] == wanted


@kernel
def _is_excluded(at: Any, end: Any, hashes: Any) -> Any:
    """Whether a name is in the list; UNREADABLE if it is not plain ASCII."""
    state = HASH_START
    while at < end:
        value = load8(at)
        if value < SPACE or value >= DELETE or value == BACKSLASH:
            return UNREADABLE
        state = (state ^ word(_lower(value))) * HASH_TIMES
        at += ONE
    return 1 if _is_in(state, hashes) else 0


@kernel
def _copy_url(at: Any, end: Any, plain: Any, used: Any) -> Any:
    r"""Copy a URL to `plain` without JSON's `\/` and Reddit's `&amp;`; its end there, 0 if odd."""
    while at < end:
        value = load8(at)
        if value <= SPACE or value >= DELETE:
            return 0
        if value == BACKSLASH:
            at += ONE
            value = load8(at)
            if value != SLASH:
                return 0
        plain[used] = value
        used += 1
        at += ONE
        if value == AMPERSAND and at < end:
            if load32(at) == AMP:
                at += word(4)
            elif load8(at + word(2)) == byte(ord(";")):  # &lt; &gt;
                return 0
    return used


@inlined
def _host_start(plain: Any, start: Any, end: Any) -> Any:
    """Just after `http://` or `https://`, else 0."""
    at = start + 4
    if end - start < 9 or plain[start] != byte(ord("h")) or plain[start + 1] != byte(ord("t")):
        return 0
    if plain[start + 2] != byte(ord("t")) or plain[start + 3] != byte(ord("p")):
        return 0
    if plain[at] == byte(ord("s")):
        at += 1
    if plain[at] != byte(ord(":")) or plain[at + 1] != SLASH or plain[at + 2] != SLASH:
        return 0
    return at + 3


@kernel
def _host_end(plain: Any, at: Any, end: Any) -> Any:
    """Where a host of letters, digits, dots and hyphens ends, in lower case then; 0 if odd."""
    start, label = at, at
    while at < end:
        value = _lower(plain[at])
        is_name = (
            byte(ord("a")) <= value <= byte(ord("z"))
            or byte(ord("0")) <= value <= byte(ord("9"))
            or value == byte(ord("-"))
            or value == byte(ord("_"))
        )
        if value == byte(ord(".")):
            if at == label or at - label > 63:
                return 0
            label = at + 1
        elif not is_name:
            if value == SLASH or value == byte(ord("?")) or value == byte(ord("#")):
                break
            return 0
        plain[at] = value
        at += 1
    return at if start < at and label < at <= label + 63 else 0


@kernel
def _has_file_type(plain: Any, at: Any, end: Any, suffixes: Any) -> Any:
    """Whether the path that begins at `at` ends in a dot and one of `suffixes`; -1 if odd.

    That is where a letter, a digit or the dot may be escaped.
    """
    stop = at
    while stop < end and plain[stop] != byte(ord("?")) and plain[stop] != byte(ord("#")):
        stop += 1
    suffix, shift = word(0), word(0)
    while stop > at and shift < word(64):
        stop -= 1
        if plain[stop] == byte(ord(".")):
            return int(_is_in(suffix, suffixes))
        if plain[stop] == byte(ord("%")) and (
            plain[stop + 1] >= byte(ord("3")) or plain[stop + 2] | SPACE == byte(ord("e"))
        ):
            return -1
        suffix = (suffix << word(8)) | word(_lower(plain[stop]))
        shift += word(8)
    return 0


@kernel
def _points_to_reddit(plain: Any, start: Any, end: Any) -> Any:
    """Whether it is the path of a cross-post: /r/, /u/ or /user/ (rules.REDDIT_PATH)."""
    if end - start < 3 or plain[start] != SLASH:
        return False
    if plain[start + 2] == SLASH:
        return plain[start + 1] == byte(ord("r")) or plain[start + 1] == byte(ord("u"))
    if end - start < 6 or plain[start + 5] != SLASH:
        return False
    for at in range(4):
        if plain[start + 1 + at] != b"user"[at]:
            return False
    return True


@kernel
def _judge(
    text: Any, spans: Any, min_karma: Any, end_utc: Any, subreddits: Any, suffixes: Any,
    plain: Any, used: Any, row: Any,
) -> Any:  # fmt: skip
    """The verdict on one record; of a candidate `row` is filled (see Candidates)."""
    created, how = _number(text + word(spans[CREATED, 0]), text + word(spans[CREATED, 1]))
    if how < 0 or not 0 <= created <= LAST_SECOND:
        return UNDECIDED
    karma, has_karma = _number(text + word(spans[SCORE, 0]), text + word(spans[SCORE, 1]))
    is_self = _truth(text + word(spans[IS_SELF, 0]), text + word(spans[IS_SELF, 1]))
    adult = _truth(text + word(spans[OVER_18, 0]), text + word(spans[OVER_18, 1]))
    if has_karma == UNREADABLE or is_self == UNREADABLE or adult == UNREADABLE:
        return UNDECIDED
    for field in (SUBREDDIT, URL, OVERRIDDEN, DOMAIN):
        at = text + word(spans[field, 0])
        length = spans[field, 1] - spans[field, 0]
        if length and load8(at) != QUOTE and not (load32(at) == NULL and length == 4):
            return UNDECIDED
    if has_karma == MISSING:
        return NO_KARMA
    if karma < min_karma:
        return LOW_KARMA
    at = text + word(spans[DOMAIN, 0])
    if is_self == MISSING and spans[DOMAIN, 1] - spans[DOMAIN, 0] > 6:
        stop = text + word(spans[DOMAIN, 1])
        if next_of(at, stop, BACKSLASH) < stop:
            return UNDECIDED
        is_self = int(load32(at + ONE) == SELF and load8(at + word(5)) == byte(ord(".")))
    if is_self == 1:
        return SELF_POST
    if adult == 1:
        return ADULT
    if created >= end_utc:
        return TOO_LATE
    row[NAME_START], row[NAME_END] = spans[SUBREDDIT, 0] + 1, spans[SUBREDDIT, 1] - 1
    if row[NAME_END] < row[NAME_START] or load8(text + word(spans[SUBREDDIT, 0])) != QUOTE:
        row[NAME_START] = row[NAME_END] = 0
    excluded = _is_excluded(text + word(row[NAME_START]), text + word(row[NAME_END]), subreddits)
    if excluded:  # a hash may be another name's: the decoder looks at the name itself
        return UNDECIDED
    field = OVERRIDDEN
    if spans[field, 1] - spans[field, 0] < 3 or load32(text + word(spans[field, 0])) == NULL:
        field = URL
    if spans[field, 1] - spans[field, 0] < 3 or load32(text + word(spans[field, 0])) == NULL:
        return NO_URL
    start, end = spans[field, 0] + 1, spans[field, 1] - 1
    stop = _copy_url(text + word(start), text + word(end), plain, used)
    if not stop:
        return UNDECIDED
    if _points_to_reddit(plain, used, stop):
        return TO_REDDIT
    host = _host_start(plain, used, stop)
    after = _host_end(plain, host, stop) if host else 0
    if not after:
        return UNDECIDED
    row[KARMA], row[CREATED_UTC], row[URL_END] = karma, created, stop
    row[HOST_START], row[HOST_END] = host, after
    row[IS_FILE] = _has_file_type(plain, after, stop, suffixes)
    if row[IS_FILE] < 0:
        return UNDECIDED
    return CANDIDATE


@kernel
def _select(
    text: Any, num_lines: Any, found: Any, all_spans: Any, min_karma: Any, end_utc: Any,
    subreddits: Any, suffixes: Any, plain: Any, verdicts: Any, rows: Any,
) -> Any:  # fmt: skip
    used, count = 0, 0
    for line in range(num_lines):
        verdict = UNDECIDED
        if found[line] == BLANK:
            verdict = NOTHING
        elif found[line] != ODD:
            verdict = _judge(
                text, all_spans[line], min_karma, end_utc, subreddits, suffixes, plain, used,
                rows[count],
            )  # fmt: skip
        verdicts[line] = verdict
        if verdict == CANDIDATE:
            rows[count, URL_START], rows[count, LINE] = used, line
            used = rows[count, URL_END]
            count += 1
    return count


class Candidates:
    """Links of a block that passed the rules of their submission.

    `rows` has the columns KARMA to IS_FILE: numbers of the submission; where its URL and the host
    in it lie in `plain`, and the subreddit's name in the text; the line; whether the path ends like
    that of a file which is no page.
    """

    def __init__(self) -> None:
        self.plain = np.empty(0, np.uint8)
        self.verdicts = np.empty(0, np.uint8)
        self._rows = np.empty((0, COLUMNS), np.int64)
        self.rows = self._rows

    def find(
        self, text: npt.NDArray[np.uint8], scratch: Scratch, num_lines: int, policy: "BlockPolicy"
    ) -> None:
        """Judge `num_lines` lines whose fields `scratch` has: `verdicts`, and `rows` of links."""
        if len(self.plain) < len(text):
            self.plain = np.empty(len(text) + len(text) // 4, np.uint8)
        if len(self._rows) < num_lines:
            self._rows = np.empty((num_lines + num_lines // 4, COLUMNS), np.int64)
            self.verdicts = np.empty(len(self._rows), np.uint8)
        count = _select(
            text.ctypes.data, num_lines, scratch.found, scratch.spans, policy.min_karma,
            policy.end_utc, policy.subreddits, policy.suffixes, self.plain, self.verdicts,
            self._rows,
        )  # fmt: skip
        self.rows = self._rows[:count]


class BlockPolicy:
    """What the kernel must know of the settings."""

    def __init__(self, policy: Policy) -> None:
        self.min_karma, self.end_utc = policy.min_karma, float(policy.end_utc)
        self.subreddits = np.sort(
            np.array([hash_of(name) for name in policy.subreddits if name.isascii()], np.uint64)
        )
        words = [int.from_bytes(name.encode(), "little") for name in FILE_TYPES]
        self.suffixes = np.sort(np.array(words, np.uint64))
