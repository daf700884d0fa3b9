"""Text as HTML: escaped, its white space visible, tokens coloured."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from markupsafe import Markup, escape

from wellread.base.text import human_number
from wellread.tokenizer.explain import visible

# Bits of surprise up to which a token has a colour, and how the legend names it.
SURPRISE = ((1.0, "up to 1 bit"), (4.0, "to 4"), (8.0, "to 8"), (12.0, "to 12"), (math.inf, "more"))

SIGNS = {"␣": "<i>·</i><wbr>", "⏎": "<i>⏎</i>\n", "⇥": "<i>⇥</i>"}  # of `visible`, in a prompt


class Written(NamedTuple):
    """A token of a sample, or the few that make whole characters."""

    text: str
    bits: float  # of surprise, of all its tokens
    likely: tuple[tuple[str, float], ...]  # what could have come, visible, and its probability
    num_tokens: int = 1


def level(bits: float) -> int:
    """
    >>> [level(bits) for bits in (0.2, 3.0, 30.0)]
    [0, 1, 4]
    """
    return next(number for number, (most, _) in enumerate(SURPRISE) if bits <= most)


def coloured(prompt: str, written: Iterable[Written], *, is_done: bool = True) -> Markup:
    """A prompt and what a model wrote after it; the page's script shows what else could come."""
    tokens = [
        Markup(
            '<span class="wr-token wr-s{}" tabindex="{}" data-tokens="{}" data-bits="{:.1f}" '
            'data-likely="{}">{}</span>'
        ).format(
            level(one.bits / max(one.num_tokens, 1)),
            -1 if number else 0,
            one.num_tokens,
            one.bits,
            msgspec.json.encode([(text, round(p, 4)) for text, p in one.likely]).decode(),
            one.text.replace("\n", "⏎\n"),
        )
        for number, one in enumerate(written)
    ]
    rest = Markup("") if is_done else Markup('<span class="wr-caret" aria-hidden="true"></span>')
    return Markup('<div class="wr-text"><span class="wr-prompt">{}</span>{}{}</div>').format(
        prompt, Markup().join(tokens), rest
    )


def legend() -> Markup:
    keys = [
        Markup('<span class="wr-key"><i class="wr-s{}"></i>{}</span>').format(number, words)
        for number, (_, words) in enumerate(SURPRISE)
    ]
    return Markup('<p class="wr-legend">Surprise of a token: {}</p>').format(Markup().join(keys))


def facts(sentence: str) -> Markup:
    return Markup('<p class="wr-facts">{}</p>').format(sentence)


def note(sentence: str, kind: str = "") -> Markup:
    """A sentence that stands alone; none, no element."""
    return Markup('<p class="wr-note {}" role="status">{}</p>').format(kind, sentence) * bool(
        sentence
    )


def with_code(sentence: str, code: str) -> Markup:
    return Markup('<p class="wr-note">{} <code>{}</code></p>').format(sentence, code)


def seen(text: str) -> Markup:
    """A prompt of which nothing is unseen: spaces as ·, line ends as ⏎ and a new line.

    >>> str(seen("Q: a\\nA:"))
    'Q:<i>·</i><wbr>a<i>⏎</i>\\nA:'
    """
    shown = str(escape(visible(text.encode("utf-8", "replace"))))
    for sign, instead in SIGNS.items():
        shown = shown.replace(sign, instead)
    return Markup(shown)


def pieces(tokens: Sequence[tuple[str, int]]) -> Markup:
    """Tokens one after the other, each with its id; neighbours differ in colour."""
    shown = [
        Markup('<span class="wr-piece wr-c{}"><bdi>{}</bdi><small>{}</small></span>').format(
            number % 4, text, id_
        )
        for number, (text, id_) in enumerate(tokens)
    ]
    return Markup('<div class="wr-pieces">{}</div>').format(Markup().join(shown))


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int]
) -> Markup:
    """Rows of a few values; `numbers` are the columns that are aligned on the right."""

    def row(tag: str, cells: Sequence[object]) -> Markup:
        shown = [
            Markup("<{0}{1}>{2}</{0}>").format(
                Markup(tag), Markup(' class="wr-number"') if at in numbers else "", cell
            )
            for at, cell in enumerate(cells)
        ]
        return Markup("<tr>{}</tr>").format(Markup().join(shown))

    return Markup(
        '<div class="wr-scroll"><table class="wr-table"><thead>{}</thead><tbody>{}</tbody></table>'
        "</div>"
    ).format(row("th", head), Markup().join(row("td", cells) for cells in rows))


def number(value: float) -> str:
    return human_number(value).replace("-", "−")
