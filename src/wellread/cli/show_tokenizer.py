"""What a person sees of `tokenizer explain` and `tokenizer stats`."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wellread.tokenizer.explain import (
    ALTERNATIVES,
    MAX_DRAWN_BYTES,
    Comparison,
    Explanation,
    Merge,
    PreToken,
    Token,
    visible,
)
from wellread.tokenizer.statistics import Fit, Share, Statistics

COLOURS = {
    "contraction": "magenta",
    "letters": "cyan",
    "numbers": "green",
    "other": "red",
    "space run": "yellow",
    "single space": "bright_yellow",
}
PATTERNS = {alternative.name: alternative.pattern for alternative in ALTERNATIVES}
BYTE = 3  # columns of a byte: two digits and a space
MARGIN = "   "


def explanations(explained: Sequence[Explanation], compared: Sequence[Comparison]) -> None:
    """Each text on its way to ids, then why each later one has other ids than the first."""
    console = Console(highlight=False)
    for number, one in enumerate(explained, start=1):
        if number > 1:
            console.print()
        _explanation(console, one, f"{number}. " if len(explained) > 1 else "")
    for number, comparison in enumerate(compared, start=2):
        console.print()
        _comparison(console, comparison, number)


def _explanation(console: Console, explained: Explanation, label: str) -> None:
    """The text, its split and ids, and each pre-token with its merges."""
    _hang(console, label, Text(visible(explained.raw) or "(empty text)", style="bold"))
    ids = explained.ids
    counts = (
        (explained.num_characters, "character"),
        (explained.num_bytes, "byte"),
        (len(explained.pre_tokens), "pre-token"),
        (len(ids), "token"),
    )
    console.print(Text(", ".join(many(*count) for count in counts), style="dim"))
    if not ids:
        return
    split = Text("│", style="dim").join(
        Text(visible(piece.raw), style=COLOURS[piece.alternative]) for piece in explained.pre_tokens
    )
    _hang(console, "split  ", split)
    _hang(console, "ids    ", Text(" ".join(map(str, ids))))
    for at, piece in enumerate(explained.pre_tokens, start=1):
        console.print()
        _pre_token(console, piece, at)


def _pre_token(console: Console, piece: PreToken, number: int) -> None:
    """A block in which parts stand under their bytes, where the width allows it."""
    colour = COLOURS[piece.alternative]
    head = Text().append(visible(piece.raw), style=f"bold {colour}")
    head.append(f"  {piece.alternative}  ", style=colour)
    head.append(PATTERNS[piece.alternative].replace(" ", "␣"), style="dim")
    _hang(console, f"{number} ", head)
    place = (
        f"characters {piece.char_start} to {piece.char_end}, "
        f"bytes {piece.byte_start} to {piece.byte_end}"
    )
    console.print(Text(MARGIN + place, style="dim"))
    labels = ["stand-in", *map(_rank, piece.merges), *(f"id {t.id}" for t in piece.tokens)]
    width = max(map(len, labels)) + 2
    aligned = len(MARGIN) + width + BYTE * len(piece.raw) <= console.width
    rows = [("byte", Text(piece.hex))]
    if len(piece.raw) > 1:
        rows.append(("stand-in", _parts(list(piece.stand_ins), is_aligned=aligned)))
    for merge in piece.merges:
        if len(piece.raw) <= MAX_DRAWN_BYTES:
            state = _parts(merge.after, is_aligned=aligned, new=merge.at, style=colour)
        else:
            state = Text(f"{merge.left} + {merge.right}")
        rows.append((_rank(merge), state))
    rows += [(f"id {token.id}", _token(token)) for token in piece.tokens]
    for label, text in rows:
        _hang(console, MARGIN + label.ljust(width), text)


def _hang(console: Console, label: str, text: Text) -> None:
    """Print `text` beside `label`, its further lines below its first; no line ends in spaces."""
    lines = text.wrap(console, max(console.width - len(label), 20), overflow="fold")
    for line in lines:
        line.rstrip()
        console.print(Text.assemble((label, "dim"), line), soft_wrap=True)
        label = " " * len(label)


def _rank(merge: Merge) -> str:
    count = "" if merge.count is None else f", {many(merge.count, 'time')}"
    return f"rank {merge.rank:,}{count}"


def _parts(
    parts: Sequence[str], *, is_aligned: bool, new: int | None = None, style: str = ""
) -> Text:
    text = Text()
    for at, part in enumerate(parts):
        text.append(part, style=f"bold underline {style}" if at == new else "")
        text.append(" " * (BYTE * len(part) - len(part) if is_aligned else 1))
    text.rstrip()
    return text


def _token(token: Token) -> Text:
    text = Text().append(token.stand_ins, style="bold")
    shown = visible(token.raw)
    text.append(f"  {many(len(token.raw), 'byte')}", style="dim")
    if shown != token.stand_ins:
        text.append(f"  {shown}", style="dim")
    return text


def _comparison(console: Console, compared: Comparison, number: int) -> None:
    """Why the text of this number has other ids than the first."""
    if not compared.reasons:
        console.print(Text(f"{number} has the same ids as 1", style="bold"))
        return
    console.print(Text(f"Why {number} differs from 1", style="bold"))
    sides = (_side(compared.first), _side(compared.second))
    place = (
        f"The ids part at token {compared.token + 1}, byte {compared.byte}: {sides[0]} in the "
        f"first text, {sides[1]} in the second."
    )
    for sentence in (place, *(reason.sentence for reason in compared.reasons)):
        _hang(console, "- ", Text(sentence))


def _side(token: Token | None) -> str:
    return "the end" if token is None else f"{token.stand_ins} ({token.id})"


def many(number: int, noun: str) -> str:
    """
    >>> many(1, "token"), many(1200, "token")
    ('1 token', '1,200 tokens')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def statistics(measured: Statistics) -> None:
    """A column for each tokenizer; then the longest tokens that each used."""
    console = Console(highlight=False)
    counts = (
        (measured.num_documents, "document"),
        (measured.num_bytes, "byte"),
        (measured.num_words, "word"),
    )
    console.print(Text(", ".join(many(*count) for count in counts), style="dim"))
    table = Table("", "share of bytes", box=None, padding=(0, 3, 0, 0), pad_edge=False)
    table.columns[1].justify = "right"
    for fit in measured.fits:
        table.add_column(Text(fit.name, overflow="fold"), justify="right")

    def row(label: str, cell: Callable[[Fit], str], share: str = "") -> None:
        table.add_row(label, share, *map(cell, measured.fits))

    row("ids in the vocabulary", lambda fit: f"{fit.vocab_size:,}")
    row("  of them never used", lambda fit: f"{fit.num_unused:,}")
    row("", lambda fit: f"{fit.unused_share:.1%}")
    row("tokens", lambda fit: f"{fit.num_tokens:,}")
    row("tokens per word", lambda fit: _number(fit.tokens_per_word))
    row("bytes per token", lambda fit: _number(fit.bytes_per_token))
    parts = {
        "by kind of text": [fit.by_kind for fit in measured.fits],
        "by script": [fit.by_script for fit in measured.fits],
    }
    for title, shares in parts.items():
        table.add_row(Text(f"  {title}", style="dim"))
        _share_rows(table, shares, measured.num_bytes)
    console.print(table)
    for fit in measured.fits:
        console.print()
        console.print(Text(f"longest tokens of {fit.name} that the text has", style="bold"))
        for used in fit.longest:
            label = f"{used.id:>9}  {many(used.num_bytes, 'byte'):<9}{used.count:>10,} ×  "
            _hang(console, label, Text(visible(bytes.fromhex(used.hex))))


def _share_rows(table: Table, shares: Sequence[Sequence[Share]], num_bytes: int) -> None:
    # The text is one for all tokenizers, so that all have the same parts in the same order.
    for row in zip(*shares, strict=True):
        share = row[0].num_bytes / num_bytes
        cells = (_number(one.bytes_per_token) for one in row)
        table.add_row(f"    {row[0].name}", f"{share:.2%}", *cells)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
