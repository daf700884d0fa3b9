"""Passages that texts share with a corpus, on a terminal: both sides, what they share marked."""

import re
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from wellread.cli.show import out
from wellread.report.blocks import printable

if TYPE_CHECKING:
    from wellread.overlap.passages import Passage
    from wellread.overlap.show import Passages, Shown

AROUND = 90  # characters of context
INSIDE = 340  # of the passage: its beginning and its end
PASSAGES = 3  # of an item
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
        out.print()
        _item(one, ngrams, is_named=many)
    if found.num_false:
        out.print()
        out.print(
            f"{found.num_false:,} {ngrams} of these texts are in no document: false positives of "
            "the index",
            markup=False,
        )


def _item(one: "Shown", ngrams: str, *, is_named: bool) -> None:
    share = f"{100 * one.num_found / one.num_ngrams:.1f} %" if one.num_ngrams else "too short"
    if is_named:
        out.print(Text(printable(f"{one.test_set}/{one.item}"), "bold"))
    out.print(f"  {one.num_found:,} of {one.num_ngrams:,} {ngrams} found, {share}")
    if one.num_false and not one.passages:
        out.print(f"  in no document: a false positive of the index ({one.num_false:,})")
    longest = sorted(one.passages, key=lambda passage: -passage.num_words)
    for passage in longest[:PASSAGES]:
        _passage(one.text, passage)
    if more := longest[PASSAGES:]:
        out.print(f"  and {len(more):,} more of up to {more[0].num_words:,} words", style="dim")


def _passage(text: str, passage: "Passage") -> None:
    _side("text", _marked(
        text[: passage.start], text[passage.start : passage.end], text[passage.end :]
    ))  # fmt: skip
    others = passage.num_documents - 1
    also = f", and {others:,} more document{'s' * (others != 1)}" if others else ""
    words = f"{passage.num_words:,} words"
    _side(f"corpus  {printable(passage.url)}{also}; {words}", _marked(
        passage.before, passage.words, passage.after
    ))  # fmt: skip


def _side(title: str, shown: Text) -> None:
    out.print(Text(f"  {title}", "cyan"))
    out.print(Padding(shown, (0, 0, 0, INDENT), expand=False), soft_wrap=False)


def _marked(before: str, inside: str, after: str) -> Text:
    """What is shared stands out; where there is no style it stands in brackets."""
    before, after = _one_line(before).lstrip(), _one_line(after).rstrip()
    if len(before) > AROUND:
        before = "…" + before[-AROUND:]
    if len(after) > AROUND:
        after = after[:AROUND] + "…"
    parts = [_one_line(inside)]
    if len(parts[0]) > INSIDE:
        parts = [parts[0][: INSIDE // 2].rstrip(), parts[0][-INSIDE // 2 :].lstrip()]
    if out.color_system is None:
        return Text(f"{before}[{' … '.join(parts)}]{after}")
    shown = Text(" … ", "dim").join(Text(part, "bold underline") for part in parts)
    return Text.assemble((before, "dim"), shown, (after, "dim"))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", printable(text))
