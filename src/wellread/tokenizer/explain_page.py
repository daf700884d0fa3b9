"""An explanation as one HTML page without network, and as a picture (SVG)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import markupsafe

from wellread.base.errors import InputError
from wellread.tokenizer.explain import (
    ALTERNATIVES,
    MAX_DRAWN_BYTES,
    Comparison,
    Explanation,
    PreToken,
    Token,
    visible,
)
from wellread.tokenizer.tokenizer import Tokenizer

PAGE = Path(__file__).parent / "page"
MAX_OPEN = 12  # pre-tokens of a text whose details are unfolded from the start

# Units of the picture, which are CSS pixels.
COLUMN, ROW, BOX, GAP, GUTTER, EDGE = 40, 46, 34, 14, 88, 4
SMALL_CHARACTER = 6.1  # width of a small monospaced one


def to_html(
    tokenizer: Tokenizer,
    name: str,
    explanations: Sequence[Explanation],
    comparisons: Sequence[Comparison],
) -> str:
    """The page. `comparisons` are of the first text with each later one."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["css_class"] = css_class
    return environment.get_template("explain.html.j2").render(
        name=name,
        vocabulary=tokenizer.vocabulary,
        explanations=explanations,
        comparisons=comparisons,
        alternatives=ALTERNATIVES,
        style=markupsafe.Markup(_style("palette.css", "picture.css", "style.css")),
        picture=lambda pre_token: markupsafe.Markup(inline([pre_token])),
        max_drawn_bytes=MAX_DRAWN_BYTES,
        max_open=MAX_OPEN,
    )


def to_svg(explanations: Sequence[Explanation]) -> str:
    """A picture that stands alone: for each text its split, bytes, stand-ins, merges and ids."""
    for explanation in explanations:
        if explanation.num_bytes > MAX_DRAWN_BYTES:
            raise InputError(
                f"a text of {explanation.num_bytes:,} bytes; a picture shows at most "
                f"{MAX_DRAWN_BYTES}: give a few words, or write a page"
            )
    drawings = [draw(e.pre_tokens, gutter=GUTTER) for e in explanations]
    width = max(d.width for d in drawings)
    height = sum(d.height for d in drawings) + GAP * (len(drawings) - 1)
    below = 0.0
    groups = []
    for drawing in drawings:
        groups.append(f'<g transform="translate(0 {below:g})">\n{drawing.body}\n</g>')
        below += drawing.height + GAP
    title = markupsafe.escape("; ".join(_summary(e.pre_tokens) for e in explanations))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">\n'
        f"<title>{title}</title>\n<style>\n{_style('palette.css', 'picture.css')}</style>\n"
        f'<rect class="back" width="{width:g}" height="{height:g}"/>\n'
        + "\n".join(groups)
        + "\n</svg>\n"
    )


def css_class(alternative: str) -> str:
    return alternative.replace(" ", "-")


def _style(*names: str) -> str:
    return "".join((PAGE / name).read_text(encoding="utf-8") for name in names)


def inline(pre_tokens: Sequence[PreToken]) -> str:
    """A picture for a page that has the style."""
    drawing = draw(pre_tokens, gutter=0)
    label = markupsafe.escape(_summary(pre_tokens))
    return (
        f'<svg class="picture" role="img" aria-label="{label}" width="{drawing.width:g}" '
        f'height="{drawing.height:g}">\n{drawing.body}\n</svg>'
    )


def _summary(pre_tokens: Sequence[PreToken]) -> str:
    text = "".join(visible(p.raw) for p in pre_tokens)
    tokens = " ".join(f"{t.stand_ins} {t.id}" for p in pre_tokens for t in p.tokens)
    return f"{text} becomes {tokens}"


class Drawing(NamedTuple):
    width: float
    height: float
    body: str


class _Node(NamedTuple):
    """A part of a pre-token: its place in bytes, and how many rows of merges lie above it."""

    start: int
    end: int
    level: int


def draw(pre_tokens: Sequence[PreToken], *, gutter: float) -> Drawing:
    """Pre-tokens side by side; in each, from the top: bytes, merges, ids.

    A merge stands one row below the lower of its two parts; its rank is in its box. With a gutter
    for the names of the rows, the text of each pre-token stands above.
    """
    levels = max((_depth(p) for p in pre_tokens), default=0)
    top = 3 * EDGE + BOX + 14 if gutter else EDGE
    id_y = top + (levels + 1) * ROW + 4
    lines = []
    if gutter:
        labels = [(EDGE + BOX / 2, "pre-token"), (top + 13, "stand-in"), (top + 27, "byte")]
        if levels:
            labels += [(top + ROW + BOX / 2, "merges")]
        labels += [(id_y + 1, "id")]
        lines += [_text(gutter - 10, y + 3, "label", label) for y, label in labels]
    left = gutter + EDGE
    for pre_token in pre_tokens:
        width = _width(pre_token)
        lines.append(f'<g class="{css_class(pre_token.alternative)}">')
        if gutter:
            middle = left + width / 2
            lines.append(_box(left, EDGE, width, "piece"))
            lines.append(_text(middle, EDGE + BOX / 2 + 5, "part", visible(pre_token.raw)))
            lines.append(_text(middle, EDGE + BOX + 12, "small", pre_token.alternative))
        columns = left + (width - COLUMN * len(pre_token.raw)) / 2
        lines += _draw_merges(pre_token, columns, top, id_y)
        lines.append("</g>")
        left += width + GAP
    return Drawing(left - GAP + EDGE, id_y + 12, "\n".join(lines))


def _width(pre_token: PreToken) -> float:
    longest = max(len(pre_token.alternative), len(visible(pre_token.raw)) * 1.4)
    return max(COLUMN * len(pre_token.raw), longest * SMALL_CHARACTER + 2 * EDGE)


def _depth(pre_token: PreToken) -> int:
    return max((new.level for *_, new in _tree(pre_token)), default=0)


def _tree(pre_token: PreToken) -> Iterator[tuple[_Node, _Node, _Node]]:
    """For each merge its two parts and what they become."""
    parts = [_Node(at, at + 1, 0) for at in range(len(pre_token.raw))]
    for merge in pre_token.merges:
        left, right = parts[merge.at : merge.at + 2]
        new = _Node(left.start, right.end, 1 + max(left.level, right.level))
        parts[merge.at : merge.at + 2] = [new]
        yield left, right, new


def _draw_merges(pre_token: PreToken, x: float, top: float, id_y: float) -> Iterator[str]:
    def middle(node: _Node) -> float:
        return x + COLUMN * (node.start + node.end) / 2

    def bottom(node: _Node) -> float:
        return top + ROW * node.level + BOX

    tree = list(_tree(pre_token))
    lowest = {_Node(at, at + 1, 0) for at in range(len(pre_token.raw))}
    for left, right, new in tree:
        for part in (left, right):
            y = top + ROW * new.level
            yield _line(middle(part), bottom(part), y)
        lowest = lowest - {left, right} | {new}
    for node in sorted(lowest):
        yield _line(middle(node), bottom(node), id_y - 10)
    finals = {token.byte_start - pre_token.byte_start: token for token in pre_token.tokens}
    for at, (byte, stand_in) in enumerate(zip(pre_token.raw, pre_token.stand_ins, strict=True)):
        node = _Node(at, at + 1, 0)
        kind = "leaf final" if node in lowest else "leaf"
        yield _part(node, x, top, kind, stand_in, f"{byte:02X}")
    for merge, (_, _, new) in zip(pre_token.merges, tree, strict=True):
        note = f"rank {merge.rank}"
        counted = f"{note} · {merge.count}×"
        if merge.count is not None and len(counted) * SMALL_CHARACTER < COLUMN * (
            new.end - new.start
        ):
            note = counted
        kind = "node final" if new in lowest else "node"
        yield _part(new, x, top, kind, merge.left + merge.right, note)
    for node in sorted(lowest):
        token: Token = finals[node.start]
        yield _text(middle(node), id_y + 4, "id", str(token.id))


def _part(node: _Node, x: float, top: float, kind: str, stand_ins: str, note: str) -> str:
    left, width = x + COLUMN * node.start + 2, COLUMN * (node.end - node.start) - 4
    y = top + ROW * node.level
    return "\n".join(
        (
            _box(left, y, width, kind),
            _text(left + width / 2, y + 16, "part", stand_ins),
            _text(left + width / 2, y + 29, "small", note),
        )
    )


def _box(x: float, y: float, width: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="4"/>'


def _line(x: float, y: float, end: float) -> str:
    return f'<line x1="{x:g}" y1="{y:g}" x2="{x:g}" y2="{end:g}"/>'


def _text(x: float, y: float, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{markupsafe.escape(text)}</text>'
