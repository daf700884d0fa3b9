"""Taking a data set's tokenisation out of its text, so that it can be put back exactly.

Section 3.1: WebText has little of what the language modelling sets are made of, "aggressively
standardized text, tokenization artifacts such as disconnected punctuation and contractions,
shuffled sentences, and even the string <UNK>"; the authors use "invertible de-tokenizers which
remove as many of these [...] artifacts as possible", which "can be thought of as a simple form of
domain adaptation", and "observe gains of 2.5 to 5 perplexity". They did not publish them.

`detokenize` joins tokens as people write them. `retokenize` parts them again by rules that see only
the joined text; where the rules are wrong, the places are kept beside it. What those places cost in
bits belongs to the text's probability: an encoder would have to send them too.
"""

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import msgspec


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What a data set does to text."""

    outer: str = ""  # before the first token of a line, and behind the last
    opening: str = "([$£¥€#"  # tokens that stand before what they belong to
    closing: str = r",|\.\.\.|[.;:!?)\]%]"  # tokens that stand behind it: a pattern
    clitics: str = r"'(?:s|t|re|ve|ll|d|m|S|T|RE|VE|LL|D|M)"  # parted from a word: a pattern
    negation: str = "n't|N'T"  # the same, of "not"
    parts_negation: bool = True  # so that "n't" is the rule, not the exception
    quotes: tuple[str, str] = ('"', '"')  # tokens for opening and closing ones
    infix: str = ""  # characters that stand as @-@ between two tokens
    spelled: dict[str, str] = {}  # characters that stand as another string within tokens
    abbreviations: frozenset[str] = frozenset()  # keep their full stop
    is_lower: bool = False  # but for <unk> and N, all is in lower case


_ABBREVIATIONS = """
Mr Mrs Ms Dr Prof Rev Sr Jr St Co Corp Inc Ltd Gen Col Lt Capt Sgt Maj Cmdr Adm Gov Sen Rep No Nos
vs etc Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Ave Blvd Mt Ft Bros Messrs
"""
COMMON = frozenset(_ABBREVIATIONS.split())
PTB = Style(outer=" ", closing="%", spelled={r"\/": "/", r"\*": "*"}, is_lower=True)
WIKITEXT = Style(outer=" ", infix="-,.", abbreviations=COMMON, parts_negation=False)
ONE_BILLION = Style(abbreviations=COMMON, parts_negation=False)
CBT = Style(
    quotes=("``", "''"), spelled={"-LRB-": "(", "-RRB-": ")"}, abbreviations=COMMON,
)  # fmt: skip
_CAPITALISED = """
i mr. mrs. ms. dr. monday tuesday wednesday thursday friday saturday sunday january february april
june july august september october november december
"""
CAPITALISED = frozenset(_CAPITALISED.split())  # where a data set has all in lower case
WRONG_BITS, KEPT_BITS = 13, 9  # what one costs: each is expected once among 2 to this power


class Detokenized(NamedTuple):
    """A text, and what `retokenize` needs beside it."""

    text: str
    wrong: tuple[int, ...]  # places where its rules are: twice a character's, or that and 1
    kept: tuple[int, ...]  # lines that stand as they were
    has_bare_blanks: bool | None  # empty lines have no outer spaces; None: no line has

    @property
    def bits(self) -> float:
        """To say which places and lines these are, in a code that is the same for every text."""
        places, lines = 2 * len(self.text), self.text.count("\n") + 1
        return (
            (self.has_bare_blanks is not None)
            + _code_length(places, len(self.wrong), WRONG_BITS)
            + _code_length(lines, len(self.kept), KEPT_BITS)
        )


def _code_length(total: int, marked: int, bits: int) -> float:
    return marked * bits - (total - marked) * math.log2(1 - 2.0**-bits)


def detokenize(text: str, style: Style) -> Detokenized:
    """The text as one would write it; line ends stay.

    >>> detokenize(' " It isn \\'t a two @-@ part , 1 @,@ 000 m film " . \\n', WIKITEXT).text
    '"It isn\\'t a two-part, 1,000 m film".\\n'
    >>> detokenize(" mr. smith says it 's $ N \\n", PTB).text
    "Mr. smith says it's $N\\n"
    """
    lines, wrong, kept = [], [], []
    start, stored = 0, text.split("\n")
    has_bare_blanks = stored[:-1].count("") > stored.count(style.outer) if style.outer else None
    for number, line in enumerate(stored):
        joined, events = _join(line, style)
        blank = "" if has_bare_blanks or number + 1 == len(stored) else style.outer
        if _part(joined, events, style, blank) == line:
            wrong += [2 * start + event for event in sorted(events ^ _expected(joined, style))]
        else:
            joined = line
            kept.append(number)
        lines.append(joined)
        start += len(joined) + 1
    return Detokenized("\n".join(lines), tuple(wrong), tuple(kept), has_bare_blanks)


def retokenize(found: Detokenized, style: Style) -> str:
    """The text that `detokenize` was given."""
    kept = set(found.kept)
    by_line: dict[int, set[int]] = {}
    lines = found.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    number = 0
    for place in found.wrong:
        while place >= 2 * starts[number + 1]:
            number += 1
        by_line.setdefault(number, set()).add(place - 2 * starts[number])
    for number, line in enumerate(lines):
        if number not in kept:
            blank = "" if found.has_bare_blanks or number + 1 == len(lines) else style.outer
            events = _expected(line, style) ^ by_line.get(number, set())
            lines[number] = _part(line, events, style, blank)
    return "\n".join(lines)


# A line is told by its joined text and its events: 2 i where a token ends before character i with
# no space, 2 i + 1 where character i stands as @-@ or the like between two tokens.


@cache
def _ending(*patterns: str) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(patterns)})$")


def _join(line: str, style: Style) -> tuple[str, set[int]]:
    """The line's tokens joined, and the events."""
    inside = line[len(style.outer) : len(line) - len(style.outer)]
    written, events = "", set[int]()
    is_open = False  # a quotation
    glue = ""  # why the next token follows without a space: "mark", "opening"
    closes = _ending(style.closing, style.clitics, style.negation)
    infix = {f"@{mark}@" for mark in style.infix}
    for number, token in enumerate(inside.split(" ")):
        is_mark, is_quote = number > 0 and token in infix, token == style.quotes[is_open]
        shown = token[1] if is_mark else '"' if is_quote else _shown(token, style, number == 0)
        joins = bool(closes.fullmatch(shown)) or (is_quote and is_open)
        joins |= shown == "'" and written.endswith("s")
        if is_mark:
            events.add(2 * len(written) + 1)
        elif number > 0 and glue != "mark":
            if glue or joins:
                events.add(2 * len(written))
            else:
                written += " "
        written += shown
        is_opening = (is_quote and not is_open) or shown in tuple(style.opening)
        glue = "mark" if is_mark else "opening" if is_opening else ""
        is_open ^= is_quote
    return written, events


def _shown(token: str, style: Style, is_first: bool) -> str:  # noqa: FBT001
    for stored, plain in style.spelled.items():
        token = token.replace(stored, plain)
    if style.is_lower and not token.startswith("<") and (is_first or token in CAPITALISED):
        token = token[:1].upper() + token[1:]
    return token


def _stored(token: str, style: Style) -> str:
    if style.is_lower and token != "N":
        token = re.sub(r"(?<![A-Za-z])N(?![A-Za-z])|([A-Z])", _lower, token)
    for stored, plain in style.spelled.items():
        token = token.replace(plain, stored)
    return token


def _lower(match: re.Match[str]) -> str:
    return match[0].lower() if match[1] else match[0]


def _part(joined: str, events: set[int], style: Style, blank: str) -> str:
    """The line that the events make of a joined text."""
    if not joined:
        return blank
    pieces, start = [], 0
    for place in sorted(event // 2 for event in events):
        pieces.append(joined[start:place])
        if 2 * place + 1 in events:
            pieces.append(f"@{joined[place]}@")
            start = place + 1
        else:
            start = place
    pieces.append(joined[start:])
    tokens = " ".join(pieces).split(" ")
    is_open = False
    for at, token in enumerate(tokens):
        if token == '"':
            tokens[at] = style.quotes[is_open]
            is_open = not is_open
        elif not token.startswith("@"):
            tokens[at] = _stored(token, style)
    return style.outer + " ".join(tokens) + style.outer


def _expected(joined: str, style: Style) -> set[int]:
    """The events that the joined text by itself suggests."""
    events: set[int] = set()
    for chunk in re.finditer(r"[^ ]+", joined):
        events.update(_of_chunk(chunk[0], 2 * chunk.start(), style))
    return events


def _of_chunk(chunk: str, base: int, style: Style) -> Iterator[int]:
    """Marks and quotes come off both ends, then words off their clitics."""
    left, right = 0, len(chunk)
    while right - left > 1 and (chunk[left] == '"' or chunk[left] in style.opening):
        left += 1
        yield base + 2 * left
    while right - left > 1:
        taken = _last(chunk[left:right], style)
        if not taken:
            break
        right -= taken
        yield base + 2 * right
    for at in range(left + 1, right - 1):
        before, after = chunk[at - 1], chunk[at + 1]
        known = (before.isdigit() or before == ">") and (after.isdigit() or after == "<")  # <unk>
        if chunk[at] == "-":
            known = (before.isalnum() or before in ">.") and (after.isalnum() or after == "<")
        if chunk[at] in style.infix and known:
            yield base + 2 * at + 1


def _last(word: str, style: Style) -> int:
    """How many characters at a word's end are a token of their own."""
    if word.endswith(('"', "s'")):
        return 1
    found = _ending(*[style.negation] * style.parts_negation, style.clitics, style.closing).search(
        word
    )
    if found is None or found.start() == 0:
        return 0
    if found[0] == "." and (
        word[:-1] in style.abbreviations
        or re.fullmatch(r"[^\W\d_]|.*[^\W\d_]\.[^\W\d_]+", word[:-1])
        or word[-2] == "."
    ):
        return 0
    return len(found[0])
