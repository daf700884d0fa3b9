"""Small functions on text that several layers need."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Literal

LEAST_NUMBER = 1e-9  # what is less comes of another order of summation

MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def human_bytes(count: float) -> str:
    """
    >>> human_bytes(1_500_000)
    '1.5 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def human_seconds(seconds: float) -> str:
    """
    >>> human_seconds(75.2)
    '1:15'
    >>> human_seconds(3.24)
    '3.2 s'
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def human_number(number: float, sign: Literal["", "+"] = "") -> str:
    """Four digits, and more of large whole parts, never a power of ten up to 1e15.

    >>> human_number(23012.7), human_number(0.050167), human_number(8.994e-06)
    ('23,013', '0.05017', '0.000009')
    >>> human_number(-1823778.5, "+"), human_number(0.0, "+"), human_number(2e300)
    ('-1,823,778', '+0', '2e+300')
    """
    size = abs(number)
    if size < LEAST_NUMBER:
        return f"{0:{sign}}"
    if size < 1e-4:
        return f"{number:{sign}.{math.ceil(-math.log10(size))}f}"
    if 1000 <= size < 1e15:
        return f"{number:{sign},.0f}"
    return f"{number:{sign}.4g}"


def in_percent(share: float) -> str:
    """Two decimals, or where these would be zeros the first digits that are none.

    >>> in_percent(0.0242), in_percent(1.0), in_percent(0.0), in_percent(0.0000123)
    ('2.42', '100.00', '0.00', '0.0012')
    """
    percent = 100 * share
    if 0 < percent < 0.01:
        return f"{percent:.{1 + math.ceil(-math.log10(percent))}f}"
    return f"{percent:.2f}"


def without_surrogates(text: str) -> str:
    r"""`text` with a character for each pair of surrogates, and U+FFFD for lone ones.

    >>> without_surrogates("a \ud83d\ude42 \ud83d").encode()
    b'a \xf0\x9f\x99\x82 \xef\xbf\xbd'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def plain_markdown(text: str) -> str:
    """`text` on one line, without a meaning in Markdown or HTML.

    >>> plain_markdown("a|b *c*\\n<script>")
    'a\\\\|b \\\\*c\\\\* \\\\<script\\\\>'
    """
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def in_pieces(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """All of `text`, and of each piece whether it is in one of `spans`, which may overlap.

    >>> list(in_pieces("abcdef", [(1, 3), (2, 4)]))
    [('a', False), ('bcd', True), ('ef', False)]
    """
    done = 0
    for start, end in joined(spans):
        if start > done:
            yield text[done:start], False
        yield text[start:end], True
        done = end
    if done < len(text):
        yield text[done:], False


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What ascending spans cover, each place once.

    >>> joined([(0, 2), (2, 5), (7, 8)])
    [(0, 5), (7, 8)]
    """
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def marked_markdown(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` as `plain_markdown` has it, its characters in `spans` in bold.

    >>> marked_markdown("so TL;DR: *no*", [(3, 8)])
    'so **TL;DR**: \\\\*no\\\\*'
    >>> marked_markdown("so TL;DR", [(2, 8)])
    'so **TL;DR**'
    """
    shown = []
    for piece, is_marked in in_pieces(text, spans):
        inside = MARKDOWN.sub(r"\\\1", re.sub(r"\s+", " ", piece))
        bare = inside.strip()  # bold cannot begin or end with white space
        shown.append(inside.replace(bare, f"**{bare}**", 1) if is_marked and bare else inside)
    return "".join(shown).strip()
