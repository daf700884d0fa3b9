"""The quick extractor's text, on pages written here."""

import pytest

from wellread.base.seeds import generator
from wellread.corpus.extract import main_text
from wellread.corpus.language import languages_of
from wellread.corpus.weighed import weighed_text

FIRST = "The ferry left at six in the morning, long before anybody in the village was awake."
SECOND = "By noon it had reached the other shore, where nobody had expected it for days."
STORY = f"<p>{FIRST}</p><p>{SECOND}</p>"
TEXT = f"{FIRST}\n{SECOND}"
ELSEWHERE = "Read how the lighthouse was built, in a story that we told our readers last year."


@pytest.mark.parametrize(
    "furniture",
    [
        f"<nav>{ELSEWHERE}</nav>",
        f"<aside><p>{ELSEWHERE}</p></aside>",
        f"<div class='cookie-banner'><p>{ELSEWHERE}</p></div>",
        f"<div id=comments><p>{ELSEWHERE}</p></div>",
        f"<ul class='post-list related'><li>{ELSEWHERE}</ul>",
        f"<div style='display: none'>{ELSEWHERE}</div>",
        f"<p><a href='/lighthouse'>{ELSEWHERE}</a></p>",
        f"<div><h3><a href='/lighthouse'>Lights</a></h3><p>{ELSEWHERE[:40]}</p></div>",
        f"<div><a href='/lighthouse'><h3>Lights</h3></a><p>{ELSEWHERE[:40]}</p></div>",
        f"<article><p>{ELSEWHERE}</p></article>",
        "<div>12 shares</div>",
        "<h2>More stories</h2>",
    ],
)
def test_what_is_not_the_story_goes(furniture: str) -> None:
    assert weighed_text(f"<article>{STORY * 6}{furniture}</article>") == "\n".join([TEXT] * 6)


@pytest.mark.parametrize(
    "page",
    [
        f"<div class='content-with-sidebar'>{STORY}</div>",
        f"<div class='social-page'>{STORY}</div>",
        f"<article class='post tag-ferries category-news'>{STORY}</article>",
        f"<form id=aspnetForm>{STORY}</form>",
        f"<div class=comment-free>{STORY}</div>",
        f"<div>{FIRST}<br>{SECOND}</div>",
        f"<h1>The ferry</h1>{STORY}",
        f"<p>{FIRST.replace('ferry', '<a href=/ferry><b>ferry</b></a>')}<p>{SECOND}",
        f"{STORY}<script>document.write('{ELSEWHERE}')</script>",
        f"<!-- {ELSEWHERE} --><?xml version='1.0' encoding='latin-1'?>{STORY}",
    ],
)
def test_the_story_is_found_in(page: str) -> None:
    assert weighed_text(f"<body>{page}</body>") == TEXT


@pytest.mark.parametrize("article", ["article", "div itemprop=articleBody"])
def test_what_the_page_marks_as_its_article_is_enough(article: str) -> None:
    page = f"<div><{article}>{STORY}</{article.split()[0]}><div>{f'<p>{ELSEWHERE}</p>' * 2}</div>"
    assert weighed_text(page) == TEXT


def test_a_list_of_articles_stays_whole() -> None:
    assert weighed_text(f"<div>{f'<article>{STORY}</article>' * 3}</div>") == "\n".join([TEXT] * 3)


def test_a_box_that_goes_leaves_the_text_after_it() -> None:
    page = f"<div>{STORY}<p>{FIRST} <span class=share>Share this</span>And then it sailed on.</p>"
    assert weighed_text(page).endswith(f"{FIRST} And then it sailed on.")


def test_code_lists_and_rows_keep_their_form() -> None:
    page = (
        f"<div>{STORY}<h2><a href='#run' class=header>Run it</a></h2>"
        "<pre><code>for x in y:\n    <b>print</b>(x)\n</code></pre>"
        "<ul><li>one\n  item<li>another</ul>"
        "<table><tr><th>Pier</th><th>Boats</th></tr><tr><td>North</td><td>4</td></tr></table></div>"
    )
    assert weighed_text(page) == (
        f"{TEXT}\nRun it\nfor x in y:\n    print(x)\n- one item\n- another\nPier | Boats\nNorth | 4"
    )


def test_verse_is_running_text_too() -> None:
    lines = ["The sea is calm to-night and all", "the boats have come back home again"]
    page = f"<nav>{ELSEWHERE}</nav><div><p>{'<br>'.join(lines)}</p></div>"
    assert weighed_text(page) == "\n".join(lines)


@pytest.mark.parametrize("page", ["", " ", "<!-- -->", "<html>", "<frameset></frameset>", "\0"])
def test_a_page_without_running_text_has_none(page: str) -> None:
    assert weighed_text(page) == ""


def test_no_page_is_too_deep_or_too_damaged() -> None:
    assert weighed_text("<div>" * 100_000 + STORY) in ("", TEXT)  # libxml2 stops at 256 levels
    page = bytearray(f"<div class=x>{STORY * 5}&#1;<ul><li><a href=y>{ELSEWHERE}</a></ul>".encode())
    draw = generator(0, "damage")
    for place in draw.integers(len(page), size=300):
        page[place] = draw.integers(256)
        weighed_text(page.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("header", "meta", "encoding"),
    [
        ("text/html", "", "utf-8"),
        ("text/html; charset=latin-1", "", "utf-8"),  # as is declared often, and wrongly
        ("text/html; charset=windows-1251", "<meta charset=utf-8>", "windows-1251"),
        ("text/html", "<meta charset=koi8-r>", "koi8-r"),
        ("text/html", "", "windows-1251"),
        ("text/plain", "", "windows-1251"),
    ],
)
def test_characters_are_read_by_header_then_meta_then_their_looks(
    header: str, meta: str, encoding: str
) -> None:
    text = "Паром ушёл в шесть часов утра, задолго до того, как проснулась деревня. " * 4
    page = f"{meta}<p>{text}</p>" if "html" in header else text
    assert main_text(header, page.encode(encoding), "fast") == text.strip()


@pytest.mark.parametrize("damage", ["", "\x01\x02", "\x7f", "\ud800", "\ufffe"])
def test_characters_that_cld2_refuses_do_not_hide_the_language(damage: str) -> None:
    assert languages_of(f"{FIRST} {damage} {SECOND}")[0][0] == "en"
    assert languages_of(damage)[0] == ("un", 0.0)
