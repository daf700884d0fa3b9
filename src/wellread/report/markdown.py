"""The report as Markdown, for repositories and mail."""

import textwrap
from collections.abc import Iterator

from wellread.base.text import marked_markdown
from wellread.base.text import plain_markdown as plain
from wellread.report.blocks import (
    Answers,
    Beside,
    Block,
    Cell,
    Excerpt,
    Fact,
    Figure,
    Heading,
    Listing,
    Prose,
    Section,
    Table,
    Way,
)

WAYS_SHOWN = 4  # of a table


def to_markdown(title: str, date: str, facts: list[Fact], sections: list[Section]) -> str:
    lines = [f"# {plain(title)}", "", f"Newest artifact: {plain(date)}.", ""]
    if facts:
        lines.append(" → ".join(f"{plain(fact.text)} {plain(fact.label)}" for fact in facts))
    for section in sections:
        lines += ["", f"## {plain(section.title)}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose():
            yield plain(block.text)
        case Answers():
            yield from (f"- **{plain(asked)}** {plain(said)}" for asked, said in block.rows)
        case Heading():
            yield f"### {plain(block.text)}"
        case Figure():
            yield f"![{plain(block.alt)}](figures/{block.key}.svg)"
            yield from ("", f"*{plain(block.caption)}*")
        case Beside() | Excerpt() | Listing():
            yield f"**{plain(block.label)}**"
            yield from _texts(block)
        case Table():
            yield from _table(block)


def _texts(block: Beside | Excerpt | Listing) -> Iterator[str]:
    match block:
        case Beside():
            if block.prompt:
                yield from ("", "Given:", "", _verbatim(block.prompt))
            for name, text in block.texts:
                yield from ("", f"{plain(name)} wrote:", "", _verbatim(text))
        case Excerpt():
            yield from ("", f"> {marked_markdown(block.text, block.spans)}")
        case Listing():
            yield from ("", _verbatim(block.text))


def _verbatim(text: str) -> str:
    """An indented block: nothing inside can end it."""
    lines = text.splitlines() or [""]
    return textwrap.indent("\n".join(lines), "    ", lambda _: True)


def _table(table: Table) -> Iterator[str]:
    table = table.trimmed
    yield f"**{plain(table.caption)}**" + (f": {plain(table.detail)}" if table.detail else "")
    yield ""
    yield _row([plain(column.name) for column in table.columns])
    yield _row(["--:" if column.kind == "number" else ":--" for column in table.columns])
    for row in table.rows:
        yield _row([plain(_words(cell)) for cell in row])
    if table.note:
        yield from ("", plain(table.note))
    if table.why:
        yield from ("", f"Way back: {_ways(table.why)}")


def _ways(why: list[Way]) -> str:
    """The first of many: the others are told by their names."""
    told = why if len(why) <= WAYS_SHOWN + 1 else why[:WAYS_SHOWN]
    more = f", and {len(why) - len(told)} like them" if len(told) < len(why) else ""
    return ", ".join(f"`{way.command}`" for way in told) + more


def _words(cell: Cell) -> str:
    text = ", ".join(name for name, _ in cell.links) or cell.text
    return f"{text} ({cell.detail})" if cell.detail else text


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
