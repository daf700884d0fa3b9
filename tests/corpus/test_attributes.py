"""Tags with endless attributes cost their attributes, and no other page a byte."""

import time
from pathlib import Path
from typing import Literal

import pytest

from wellread.corpus.attributes import MOST, bearable
from wellread.corpus.extract import main_text
from wellread.formats.archives import read_pages

TEXT = "The river has been described by many people who visited it. " * 10
MANY = {
    "plain": " ".join(f"a{number}=1" for number in range(200_000)),
    "quoted": " ".join(f"a{number}='>'" for number in range(200_000)),
    "slashes": "/".join(f"a{number}" for number in range(200_000)),
}


@pytest.mark.parametrize("extractor", ["best", "fast"])
@pytest.mark.parametrize("tag", ["p", "script"])
@pytest.mark.parametrize("form", MANY)
def test_a_page_of_endless_attributes_is_read_in_moments(
    form: str, tag: str, extractor: Literal["best", "fast"]
) -> None:
    page = f"<html><body><{tag} {MANY[form]}>{'f()</script>' * (tag == 'script')}<p>{TEXT}"
    started = time.monotonic()
    assert main_text("text/html", page.encode(), extractor) == TEXT.strip()
    assert time.monotonic() - started < 5  # it took minutes


@pytest.mark.parametrize(
    "page",
    [
        "<p title=it's a='" + "x " * 10_000 + "'>text",
        '<img src="data:image/png;base64,' + "A/b= " * 10_000 + "\" alt='>'>",
        "<script>" + "if (a<b " + "c d " * 1000 + "</script><p>text",
        "<STYLE media=all>a<b " + "c d " * 1000 + "</style ><p>text",
        "<!-- <p " + MANY["plain"] + "> --><p>text",
        "<p " + " ".join(f"a{number}=1" for number in range(MOST)) + " >text",
    ],
)
def test_what_has_no_such_tag_stays_as_it_is(page: str) -> None:
    assert bearable(page) == page
    poison = f"<b {MANY['plain']}>"
    assert bearable(page + poison).startswith(page)
    assert len(bearable(page + poison)) < len(page) + 10 * MOST


@pytest.mark.real
def test_real_pages_stay_as_they_are(real_data: Path) -> None:
    articles = real_data / "pages" / "articles.warc.gz"
    pages = [page.body.decode("latin-1") for page in read_pages(articles)]
    assert len(pages) > 180
    assert [bearable(page) for page in pages] == pages
