"""Passages that texts share with a corpus, on a terminal: both sides, what they share marked."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from wellread.base.text import in_pieces
from wellread.cli.show import out
from wellread.report.blocks import printable

if TYPE_CHECKING:
    from wellread.overlap.passages import Passage
    from wellread.overlap.show import Passages, Shown

WHOLE = 900  # characters: a text of up to so many is shown whole, and once
AROUND = 90  # characters of context otherwise
INSIDE = 340  # of a passage: its beginning and its end
PASSAGES = 3  # of an item, the longest
INDENT = 4


def passages(found: "Passages") -> None:
    """A block for each text that shares most."""
    ngrams = f"{found.ngram_words}-grams"
    many = found.num_texts > 1
    if many:
        out.print(
            f"{found.num_with_any:,} of {found.num_texts:,} texts have {ngrams} in common with "
            f"{found.corpus}" + (", the largest share first" if len(found.shown) > 1 else ""),
            markup=False,
        )
    elif not found.num_with_any:
        out.print(f"no {ngrams} in common with {found.corpus}", markup=False)
    for one in found.shown:
        if many:
            out.print()
            out.print(Text(printable(f"{one.test_set}/{one.item}"), "bold"))
        _item(one, ngrams)
    if found.num_false:
        out.print(
            f"\n{found.num_false:,} {ngrams} of these texts are in no document: false positives of "
            "the index",
            markup=False,
        )


def _item(one: "Shown", ngrams: str) -> None:
    share = f"{100 * one.num_found / one.num_ngrams:.1f} %" if one.num_ngrams else "too short"
    out.print(f"  {one.num_found:,} of {one.num_ngrams:,} {ngrams} found, {share}")
    longest = sorted(one.passages, key=lambda passage: -passage.num_words)
    is_whole = len(one.text) <= WHOLE
    if is_whole and longest:
        _side("text", _marked(one.text, [(p.start, p.end) for p in one.passages]))
    for passage in longest[:PASSAGES]:
        if not is_whole:
            start, end = passage.start, passage.end
            _side("text", _cut(one.text[:start], one.text[start:end], one.text[end:]))
        _side(_source(passage), _cut(passage.before, passage.words, passage.after))
    if more := longest[PASSAGES:]:
        out.print(f"  and {len(more):,} more of up to {more[0].num_words:,} words", style="dim")


def _source(passage: "Passage") -> str:
    others = passage.num_documents - 1
    also = f", and {others:,} more document{'s' * (others != 1)}" if others else ""
    return f"corpus  {printable(passage.url)}{also}; {passage.num_words:,} words"


def _side(title: str, shown: Text) -> None:
    out.print(Text(f"  {title}", "cyan"))
    for line in shown.wrap(out, out.width - INDENT):
        line.rstrip()
        out.print(Text(" " * INDENT) + line)


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> Text:
    """What is shared stands out; where there is no style it stands in brackets."""
    shown = Text()
    for piece, is_shared in in_pieces(text, spans):
        words = _one_line(piece)
        if is_shared and out.color_system is None:
            shown.append(f"[{words}]")
        else:
            shown.append(words, "bold underline" if is_shared else "dim")
    return shown


def _cut(before: str, inside: str, after: str) -> Text:
    """A passage that stands out from a little of what is around it, itself cut if it is long."""
    before, after = _one_line(before).lstrip(), _one_line(after).rstrip()
    if len(before) > AROUND:
        before = "…" + before[-AROUND:]
    if len(after) > AROUND:
        after = after[:AROUND] + "…"
    inside = _one_line(inside)
    if len(inside) > INSIDE:
        inside = f"{inside[: INSIDE // 2].rstrip()} … {inside[-INSIDE // 2 :].lstrip()}"
    first = len(before)
    return _marked(before + inside + after, [(first, first + len(inside))])


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", printable(text))
