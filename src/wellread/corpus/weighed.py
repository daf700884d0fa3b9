"""The main text of a page by the weight of its paragraphs: quick, and on news and blogs about as
exact as trafilatura (docs/decisions/0005-language-and-main-text.md).

A page's running text is in stretches that no tag interrupts. From `body`, or from what the page
itself marks as its article, the way goes down, each time into the element that holds nearly all
of it, until none does. Before, whatever is named as furniture goes, and the cards that advertise
other pages. Numbers and names are ours, tuned on the even pages of the benchmarks that decision 5
names.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from lxml import etree

Element = Any  # lxml has no types
Weights = dict[Element, int]  # characters of running text in an element and below
Piece = tuple[str, str, bool]  # the kind of block it is in, a text, whether a link

NEVER_TEXT = (
    "aside", "audio", "button", "canvas", "dialog", "figcaption", "footer", "head", "iframe",
    "input", "label", "map", "math", "menu", "nav", "noscript", "object", "script", "select",
    "style", "svg", "template", "textarea", "video",
)  # fmt: skip
# Not `article`: its class holds the tags that its author gave the post.
BOXES = (
    "details", "div", "dl", "form", "header", "li", "ol", "p", "section", "span", "table", "ul",
)  # fmt: skip
FURNITURE = re.compile(
    r"advert|author|breadcrumb|byline|caption|carousel|comment|consent|cookie|disclaimer|disqus"
    r"|footer|gallery|modal|more-on|most-?(?:popular|read)|navbar|navigation|newsletter|outbrain"
    r"|pop-?up|promo|recommend|related|shar(?:e|ing)|(?<!with-)(?<!has-)(?<!no-)side-?bar|sign-?up"
    r"|social|sponsor|subscri|taboola|teaser|toolbar|trending|(?<!elementor-)widget"
    r"|(?:^|[\s_-])(?:ads?|bio|copyright|credits?|date|hide|login|menu|meta|nav|next|pager"
    r"|pagination|prev|print|pubdate|rating|slides?|slideshow|source|sr-only|timestamp|toc"
    r"|visually)(?:$|[\s_-])"
    r"|(?:^|[\s_-])tags?(?:$|\s)|(?:^|\s)(?:is-|visually-)?hidden(?:$|\s)",
    re.IGNORECASE,
)
CONTENT = re.compile(r"article|body|content|entry|main|page|post|story|text", re.IGNORECASE)
UNSEEN = re.compile(r"display:\s*none", re.IGNORECASE)
FURNITURE_AT_MOST = 0.7  # of a page's running text; with more, a box is a wrapper with a bad name
CONTENT_AT_MOST = 0.1  # the same for a box whose name also says content
CARD_AT_MOST = 0.1
WITHIN_AT_MOST = 0.3  # an article in an article: a comment or another story (HTML, 4.3.2)
GONE = "gone"  # the tag of what is to be removed

RUNNING = 25  # characters between two tags: longer ones are running text, lines of verse too
MARKED = 0.4  # of a page's running text, for an element that is marked as the article to be so
NEARLY_ALL = 0.8  # of its parent's running text, for the way to go on into an element
LINKED_BLOCK = 0.5  # of a block's characters are in links: with more it only points elsewhere
LINKED_HEADING = 0.8  # of a heading's
LOOSE = 25  # characters, from which text outside any paragraph is kept

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PARAGRAPHS = HEADINGS | {"blockquote", "dd", "dt", "li", "p", "pre", "tr"}
INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip

CELLS = frozenset({"td", "th"})
LINE_BREAK = "\0"  # never in a parsed text, where a newline is white space
CELL_BREAK = " | "

_running_text = etree.XPath(f".//text()[string-length(normalize-space()) > {RUNNING}]")
_marked = (etree.XPath(".//*[@itemprop='articleBody']"), etree.XPath(".//article"))
_articles_within = etree.XPath(".//article//article")
_headings = etree.XPath(".//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6")


def weighed_text(html: str) -> str:
    """The main text, a block a line; empty if the page has no running text.

    >>> weighed_text("<nav>Home</nav><p>" + "It rained all day. " * 3 + "<p>So we stayed in.")
    'It rained all day. It rained all day. It rained all day.\\nSo we stayed in.'
    """
    body = without_furniture(html)
    weights = {} if body is None else _weigh(body)
    return "\n".join(_text_blocks(_heart(body, weights))) if weights else ""


def without_furniture(html: str) -> Element | None:
    """The page's `body`, if it has one, without what is certainly not its main text."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = etree.fromstring(html.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # nothing in it but white space or comments
        return None
    body = None if tree is None else tree.find("body")
    if body is not None:
        etree.strip_elements(body, *NEVER_TEXT, with_tail=False)
        _remove_furniture(body)
    return body


def _weigh(body: Element) -> Weights:
    weights: Weights = {}
    for stretch in _running_text(body):
        element = stretch.getparent()
        if stretch.is_tail:
            element = element.getparent()
        around = [element, *element.iterancestors()]
        if all(one.tag != "a" for one in around):
            for one in around:
                weights[one] = weights.get(one, 0) + len(stretch)
    return weights


def _remove_furniture(body: Element) -> None:
    weights = _weigh(body)
    whole = weights.get(body, 0)
    for box in list(body.iter(*BOXES)):
        most = _most_of(box.get("class"), box.get("id"), box.get("style"))
        if most is not None and weights.get(box, 0) <= most * whole:
            box.tag = GONE
    for heading in _headings(body):
        card = _card(heading)
        if card is not None:
            (card if weights.get(card, 0) <= CARD_AT_MOST * whole else heading).tag = GONE
    for article in _articles_within(body):
        if weights.get(article, 0) <= WITHIN_AT_MOST * whole:
            article.tag = GONE
    etree.strip_elements(body, GONE, with_tail=False)


@lru_cache(maxsize=1 << 16)  # names come again and again, within a page and within a site
def _most_of(classes: str | None, name: str | None, style: str | None) -> float | None:
    """Up to which share of a page's running text a box of these names is furniture; or None."""
    names = f"{classes or ''} {name or ''}"
    if FURNITURE.search(names) or UNSEEN.search(style or ""):
        return CONTENT_AT_MOST if CONTENT.search(names) else FURNITURE_AT_MOST
    return None


def _card(heading: Element) -> Element | None:
    """What holds a heading that is a link: it announces another page."""
    parent = heading.getparent()
    if parent is None:
        return None
    if _leads_away(parent):
        return parent.getparent()
    link = next(filter(_leads_away, heading.iter("a")), None)
    linked = 0 if link is None else len("".join(link.itertext()).strip())
    whole = len("".join(heading.itertext()).strip())
    return parent if linked and linked >= LINKED_HEADING * whole else None


def _leads_away(element: Element) -> bool:
    """Not a link within the page, as headings of documentation have it to themselves."""
    return element.tag == "a" and not (element.get("href") or "#").startswith("#")


def _heart(body: Element, weights: Weights) -> Element:
    """The innermost element that still holds the page's running text."""
    heart = _article(body, weights)
    while True:
        heaviest = max(heart, key=lambda child: weights.get(child, 0), default=None)
        if (
            heaviest is None
            or heaviest.tag in INLINE
            or heaviest.tag in PARAGRAPHS
            or weights.get(heaviest, 0) < NEARLY_ALL * weights[heart]
        ):
            return heart
        heart = heaviest


def _article(body: Element, weights: Weights) -> Element:
    """The heaviest element that is marked as the article, if it is heavy; or `body`."""
    for marked in _marked:
        heaviest = max(marked(body), key=lambda one: weights.get(one, 0), default=None)
        if heaviest is not None and weights.get(heaviest, 0) >= MARKED * weights[body]:
            return heaviest
    return body


def _text_blocks(heart: Element) -> list[str]:
    """The paragraphs, headings, items, rows and loose lines of an element, one a string."""
    pieces: list[Piece | None] = []
    _flatten(heart, heart.tag, linked=False, into=pieces)
    kept: list[tuple[str, str]] = []
    for kind, text, linked in _joined(pieces):
        pointer = linked > LINKED_BLOCK * len(text)
        title = kind == "h1" and not kept
        loose = kind not in PARAGRAPHS and len(text) < LOOSE
        if not (pointer or title or loose):
            kept.append((kind, text))
    while kept and kept[-1][0] in HEADINGS:  # of what has been removed below it
        kept.pop()
    return [f"- {text}" if kind == "li" else text for kind, text in kept]


def _flatten(element: Element, kind: str, *, linked: bool, into: list[Piece | None]) -> None:
    """Text in order, with None where a block begins or ends. libxml2 bounds the depth at 256."""
    into.append((kind, element.text or "", linked))
    for child in element:
        tag = child.tag
        if tag == "br":
            into.append((kind, LINE_BREAK, linked))
        elif tag in INLINE:
            _flatten(child, kind, linked=linked or _leads_away(child), into=into)
        elif tag in CELLS:
            into.append((kind, CELL_BREAK, linked))
            _flatten(child, kind, linked=linked, into=into)
        else:
            into.append(None)
            inner = tag if tag in PARAGRAPHS or kind not in PARAGRAPHS else kind
            _flatten(child, inner, linked=False, into=into)
            into.append(None)
        if child.tail:
            into.append((kind, child.tail, linked))


def _joined(pieces: list[Piece | None]) -> Iterator[tuple[str, str, int]]:
    """(kind, text, how many of its characters are links) of each block that has text."""
    for is_text, run in groupby(pieces, key=lambda piece: piece is not None):
        if not is_text:
            continue
        block = [piece for piece in run if piece is not None]
        text = "".join(text for _, text, _ in block)
        if block[0][0] == "pre":
            text = text.replace(LINE_BREAK, "\n").strip("\n").rstrip()
        else:
            lines = (" ".join(line.split()) for line in text.split(LINE_BREAK))
            text = "\n".join(line for line in lines if line).strip(CELL_BREAK)
        if text:
            yield block[0][0], text, sum(len(text) for _, text, linked in block if linked)
