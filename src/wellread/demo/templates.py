"""The looks of the little web's sites: the same article in different surroundings."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby

import msgspec

from wellread.demo.docstrings import Block

TAGS = {"heading": "h2", "subheading": "h3", "paragraph": "p", "code": "pre"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands: what its surroundings need to know."""

    host: str
    language: str = "en"
    neighbours: list[tuple[str, str]]  # (path, title) of pages to link to


Template = Callable[[str, str, Place], str]  # (title, article as HTML, place) -> page


def article_html(blocks: Sequence[Block]) -> str:
    """
    >>> article_html([Block(kind="paragraph", text="a < b"), Block(kind="item", text="c")])
    '<p>a &lt; b</p>\\n<ul><li>c</li></ul>'
    """
    parts = []
    for is_list, run in groupby(blocks, key=lambda block: block.kind == "item"):
        if is_list:
            items = "".join(f"<li>{escape(block.text, quote=False)}</li>" for block in run)
            parts.append(f"<ul>{items}</ul>")
        else:
            for block in run:
                tag = TAGS[block.kind]
                parts.append(f"<{tag}>{escape(block.text, quote=False)}</{tag}>")
    return "\n".join(parts)


def handbook(title: str, article: str, place: Place) -> str:
    """A manual: a bar on top, contents at the left, an editor's link below."""
    links = "".join(
        f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in place.neighbours
    )
    return _page(
        title,
        place,
        f"""<header class="navbar"><a href="/">{place.host}</a>
<nav><a href="/">Home</a> <a href="/search">Search</a> <a href="/login">Sign in</a></nav></header>
<div class="layout"><aside class="sidebar"><h4>On this site</h4><ul>{links}</ul></aside>
<main><div class="breadcrumbs"><a href="/">Start</a> &raquo; {escape(title)}</div>
<article><h1>{escape(title)}</h1>
{article}
</article><div class="pager"><a href="/">Previous</a> <a href="/">Next</a></div></main></div>
<footer>Built by volunteers. <a href="/edit">Suggest an edit</a>
<a href="/terms">Terms</a></footer>""",
    )


def journal(title: str, article: str, place: Place) -> str:
    """A weblog: a byline, buttons to share, other posts, comments, a box about cookies."""
    links = "".join(
        f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in place.neighbours
    )
    return _page(
        title,
        place,
        f"""<div id="cookie-banner">We use cookies. <button>Accept</button></div>
<header><h2 class="site-title"><a href="/">The {place.host} journal</a></h2>
<ul class="menu"><li><a href="/">Posts</a></li><li><a href="/about">About</a></li></ul></header>
<div id="content" class="post"><h1 class="entry-title">{escape(title)}</h1>
<div class="byline">Posted by the editors in <a href="/notes">Notes</a></div>
<div class="entry-content">
{article}
</div><div class="share"><a href="#">Share</a> <a href="#">Tweet</a>
<a href="#">Print</a></div></div>
<div id="sidebar" class="widget"><h3>You may also like</h3><ul>{links}</ul>
<form action="/subscribe"><input name="mail"><button>Subscribe</button></form></div>
<div id="comments"><h3>2 comments</h3><p>First!</p><p>Thanks for sharing.</p></div>
<div id="footer">Copyright {place.host}. All rights reserved.</div>""",
    )


def encyclopedia(title: str, article: str, place: Place) -> str:
    """A wiki: tools at the left, tabs above the text, categories below it."""
    links = " | ".join(f'<a href="{path}">{escape(name)}</a>' for path, name in place.neighbours)
    return _page(
        title,
        place,
        f"""<div id="mw-head"><ul class="tabs"><li>Article</li><li>Talk</li><li>Edit</li></ul></div>
<div id="mw-panel" class="navigation"><ul><li><a href="/">Main page</a></li>
<li><a href="/random">Random page</a></li><li><a href="/donate">Donate</a></li></ul></div>
<div id="bodyContent"><h1 id="firstHeading">{escape(title)}</h1>
<div class="mw-parser-output">
{article}
</div><div id="catlinks" class="catlinks">See also: {links}</div></div>
<div id="footer-info">This page was last changed by a robot.
<a href="/privacy">Privacy</a></div>""",
    )


def newspaper(title: str, article: str, place: Place) -> str:
    """A news site: sections, an advertisement, most-read list, a mast below."""
    links = "".join(
        f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in place.neighbours
    )
    return _page(
        title,
        place,
        f"""<div class="topbar"><a href="/">{place.host}</a> <a href="/news">News</a>
<a href="/science">Science</a> <a href="/subscribe">Subscribe now</a></div>
<div class="advert">Advertisement</div>
<section class="story"><header><h1>{escape(title)}</h1></header>
<div itemprop="articleBody">
{article}
</div></section>
<aside class="most-read"><h4>Most read</h4><ol>{links}</ol></aside>
<footer><p>Contact us | Careers | Cookie settings | {place.host}</p></footer>""",
    )


TEMPLATES: list[Template] = [handbook, journal, encyclopedia, newspaper]


def _page(title: str, place: Place, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="{place.language}"><head><meta charset="utf-8">
<title>{escape(title)} - {place.host}</title>
<style>body {{ font-family: serif }}</style></head>
<body>
{body}
<script>window.visits = (window.visits || 0) + 1;</script>
</body></html>
"""
