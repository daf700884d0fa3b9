"""Main text of pages: how exact and how fast, beside other extractors, alone and in pairs.

    python benchmarks/extract.py --peers FOLDER
    python benchmarks/extract.py --peers FOLDER --pairs      # combinations, as the paper's
    python benchmarks/extract.py --peers FOLDER --newspaper  # agreement on 145 other pages

Peers that are not installed are left out; they need not be in the environment:

    pip install --target FOLDER resiliparse readability-lxml 'newspaper4k[all]' boilerpy3 goose3

Scores are those of scrapinghub's article-extraction-benchmark on its 181 pages
(docs/test-data.md), written anew: texts are counted in shingles of 4 words; precision and recall
are means over pages, precision over those with any text; F1 is that of the two means. Its table
has trafilatura 2.0.0 at 0.958, newspaper4k 0.9.3.1 at 0.949, readability-lxml 0.7.1 at 0.922.
Pages in order of URL: wellread's quick extractor was tuned on those with even numbers, and the
interval is of the odd ones, from resampled pages, the same for both sides of a difference.

Seconds are of this process's CPU, all pages in turn, extractors in turn in each round.
"""

import argparse
import importlib
import json
import logging
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from side_by_side import machine, spread, table, version_of
from texts import REAL_DATA

from wellread.base.seeds import generator
from wellread.base.urls import canonical_url
from wellread.corpus.extract import main_text
from wellread.corpus.weighed import without_furniture
from wellread.formats.archives import read_pages

BEST, FAST = "wellread, best: trafilatura in its fast mode", "wellread, fast"
SHINGLE = 4  # words, as scrapinghub's
THIRD = 0.3
RESAMPLES = 50_000
SAME = 0.5  # of a line's shingles in another text: the other has the line
HTML = "text/html"
Extract = Callable[[bytes], str]
Scores = npt.NDArray[np.float64]  # (pages, 2): precision, NaN if there is no text; recall


def trafilatura(page: bytes, **options: bool) -> str:
    from trafilatura import extract

    return extract(page, include_comments=False, include_tables=True, **options) or ""


def resiliparse(page: bytes, **options: bool) -> str:
    importlib.import_module("resiliparse.extract")  # it loads its parts so
    extract_plain_text = importlib.import_module("resiliparse.extract.html2text").extract_plain_text
    return str(extract_plain_text(page.decode("utf-8", "replace"), main_content=True, **options))


def bare_readability(page: bytes) -> str:
    """Readability's choice out of what our quick extractor chooses from."""
    from lxml import etree

    body = without_furniture(page.decode("utf-8", "replace"))
    html = (
        b"" if body is None else etree.tostring(body.getparent(), encoding="utf-8", method="html")
    )
    return readability(html)


def readability(page: bytes) -> str:
    from lxml import etree
    from readability import Document

    summary = Document(page.decode("utf-8", "replace")).summary(html_partial=True)
    lines = etree.fromstring(summary, etree.HTMLParser())
    return "" if lines is None else "\n".join(_blocks(lines))


def _blocks(tree: Any) -> Iterator[str]:
    words: list[str] = []
    for element in tree.iter():
        if element.tag in ("p", "div", "li", "br", "h1", "h2", "h3", "h4", "blockquote", "pre"):
            yield "".join(words)
            words = []
        words += [element.text or ""] if isinstance(element.tag, str) else []
        words += [element.tail or ""]
    yield "".join(words)


def newspaper(page: bytes) -> str:
    from newspaper import Article

    article = Article("http://page.example/", fetch_images=False)
    article.download(input_html=page.decode("utf-8", "replace"))
    article.parse()
    return str(article.text)


def justext(page: bytes) -> str:
    from justext import get_stoplist
    from justext import justext as paragraphs

    found = paragraphs(page, get_stoplist("English"))
    return "\n".join(paragraph.text for paragraph in found if not paragraph.is_boilerplate)


def boilerpy3(page: bytes) -> str:
    from boilerpy3.extractors import ArticleExtractor

    return str(ArticleExtractor().get_content(page.decode("utf-8", "replace")))


def goose3(page: bytes) -> str:
    from goose3 import Goose

    reader = Goose({"enable_image_fetching": False})
    return str(reader.extract(raw_html=page.decode("utf-8", "replace")).cleaned_text)


BARE = {"comments": False, "post_meta": False, "list_bullets": False, "alt_texts": False}
EXTRACTORS: dict[str, Extract] = {
    BEST: partial(main_text, HTML),
    FAST: partial(main_text, HTML, extractor="fast"),
    "trafilatura, fast, recall": partial(trafilatura, fast=True, favor_recall=True),
    "trafilatura": trafilatura,
    "trafilatura, precision": partial(trafilatura, favor_precision=True),
    "trafilatura, recall": partial(trafilatura, favor_recall=True),
    "readability-lxml": readability,
    "readability-lxml without furniture": bare_readability,
    "resiliparse, no comments": partial(resiliparse, **BARE),
    "resiliparse": resiliparse,
    "newspaper4k": newspaper,
    "goose3": goose3,
    "boilerpy3": boilerpy3,
    "jusText": justext,
}
PACKAGES = (
    "lxml", "trafilatura", "readability-lxml", "resiliparse", "newspaper4k", "goose3", "boilerpy3",
    "justext",
)  # fmt: skip


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    starts = range(max(1, len(words) - SHINGLE + 1)) if words else ()
    return Counter(tuple(words[at : at + SHINGLE]) for at in starts)


def scores(texts: Sequence[str], truths: Sequence[str]) -> Scores:
    rows = []
    for text, truth in zip(texts, truths, strict=True):
        found, true = shingles(text), shingles(truth)
        both = (found & true).total()
        rows.append((both / found.total() if found else np.nan, both / max(true.total(), 1)))
    return np.array(rows)


def f1(pages: Scores) -> Any:
    """Of pages, or of each of many draws of pages: (..., pages, 2) -> (...)."""
    precision, recall = np.nanmean(pages[..., 0], axis=-1), np.mean(pages[..., 1], axis=-1)
    return 2 * precision * recall / (precision + recall)


def difference(ours: Scores, theirs: Scores) -> str:
    """Of F1, with its 95 % interval over pages."""
    draws = generator(0, "pages").integers(len(ours), size=(RESAMPLES, len(ours)))
    low, high = np.percentile(f1(ours[draws]) - f1(theirs[draws]), [2.5, 97.5])
    return f"{f1(ours) - f1(theirs):+.4f} ({low:+.4f} to {high:+.4f})"


def with_truth() -> tuple[list[bytes], list[str]]:
    folder = REAL_DATA / "pages"
    if not (folder / "articles.warc.gz").exists():
        sys.exit(f"{folder}: no articles.warc.gz (docs/test-data.md)")
    truths = json.loads((folder / "articles_truth.json").read_text(encoding="utf-8"))
    by_url = {canonical_url(url): found for url, found in truths.items()}
    pages = sorted(read_pages(folder / "articles.warc.gz"), key=lambda page: page.url)
    return [page.body for page in pages], [by_url[page.url] for page in pages]


def of_newspaper() -> tuple[list[bytes], list[str]]:
    """Pages and the texts that Newspaper's own tests expect; some are of other pages."""
    folder = REAL_DATA / "pages" / "newspaper_html" / "data"
    texts = sorted((folder / "text").glob("*.txt"))
    pairs = [(folder / "html" / f"{text.stem}.html", text) for text in texts]
    both = [(page.read_bytes(), text) for page, text in pairs if page.exists()]
    return [page for page, _ in both], [text.read_text("utf-8", "replace") for _, text in both]


def run_all(pages: Sequence[bytes], rounds: int) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Texts and seconds by round of every extractor that is here; an exception is no text."""
    texts: dict[str, list[str]] = {}
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, extract in EXTRACTORS.items():
            start, found = time.process_time(), []
            try:
                found = [attempt(extract, page) for page in pages]
            except ImportError as error:
                sys.stderr.write(f"{name} is left out: {error}\n" if number == 0 else "")
                continue
            seconds.setdefault(name, []).append(time.process_time() - start)
            texts[name] = found
    return texts, seconds


def attempt(extract: Extract, page: bytes) -> str:
    try:
        return extract(page)
    except ImportError:
        raise
    except Exception:  # noqa: BLE001  # whatever a peer raises on a page, it has no text of it
        return ""


# Combinations. The paper does not say how it combined Dragnet and Newspaper.


def lines_in(text: str, other: str) -> tuple[list[str], list[str]]:
    """The lines of a text that the other has too, and those that it has not."""
    sought = shingles(other)
    both: list[str] = []
    alone: list[str] = []
    for line in text.splitlines():
        found = shingles(line)
        (both if (found & sought).total() >= SAME * found.total() else alone).append(line)
    return both, alone


def shorter(one: str, other: str) -> str:
    """Unless it is less than THIRD of the first: then it has lost the text."""
    return other if THIRD * len(one) <= len(other) < len(one) or not one else one


COMBINATIONS: Mapping[str, Callable[[str, str], str]] = {
    "lines of both": lambda one, other: "\n".join(lines_in(one, other)[0]),
    "lines of either": lambda one, other: "\n".join([one, *lines_in(other, one)[1]]),
    "the longer": lambda one, other: max(one, other, key=len),
    "the shorter": lambda one, other: min(filter(None, (one, other)), key=len, default=""),
    "the shorter, if a third": shorter,
}


def vote(one: str, two: str, three: str) -> str:
    """Lines of the first that another has, and of the second that only the third has."""
    first, rest = lines_in(one, two)
    missed = lines_in("\n".join(lines_in(two, one)[1]), three)[0]
    return "\n".join([*first, *lines_in("\n".join(rest), three)[0], *missed])


def combined(texts: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str], list[str]]]:
    """(name, texts, names of what is combined)"""
    apart = [name for name in texts if name in (BEST, FAST) or "trafilatura" not in name]
    apart.append("trafilatura, precision")
    for at, one in enumerate(apart):
        for other in apart[at + 1 :]:
            for how, combine in COMBINATIONS.items():
                pairs = zip(texts[one], texts[other], strict=True)
                yield f"{how}: {one}; {other}", [combine(*pair) for pair in pairs], [one, other]
    for other in apart[2:]:
        three = [FAST, BEST, other]
        rows = zip(*(texts[name] for name in three), strict=True)
        yield f"two of three: {'; '.join(three)}", [vote(*row) for row in rows], three


def alone(rounds: int) -> None:
    pages, truths = with_truth()
    texts, seconds = run_all(pages, rounds)
    found = {name: scores(text, truths) for name, text in texts.items()}
    rows = []
    for name, of in found.items():
        odd = of[1::2]
        rates = [len(pages) / one for one in seconds[name]]
        times = [best / one for best, one in zip(seconds[BEST], seconds[name], strict=True)]
        rows.append([
            name, f"{f1(of):.4f}", f"{f1(of[::2]):.4f}", f"{f1(odd):.4f}",
            f"{np.nanmean(odd[:, 0]):.3f}", f"{np.mean(odd[:, 1]):.3f}",
            "" if name == BEST else difference(odd, found[BEST][1::2]),
            spread(rates, 0), "" if name == BEST else spread(times, 2),
        ])  # fmt: skip
    titles = ["", "F1, all", "even", "odd", "precision", "recall", "F1 less the default's, odd"]
    print_table([*titles, "pages/s", "times the default's"], rows)


def pairs() -> None:
    """The ten that are best on even pages, and on odd ones each less the best of its parts."""
    pages, truths = with_truth()
    texts, _ = run_all(pages, 1)
    single = {name: scores(text, truths) for name, text in texts.items()}
    rated = [(name, scores(text, truths), parts) for name, text, parts in combined(texts)]
    rated.sort(key=lambda row: -f1(row[1][::2]))
    rows = []
    for name, of, parts in rated[:10]:
        best = max(parts, key=lambda part: f1(single[part][::2]))
        less = difference(of[1::2], single[best][1::2])
        rows.append([name, f"{f1(of[::2]):.4f}", f"{f1(of[1::2]):.4f}", best, less])
    sys.stdout.write(f"{len(rated)} combinations\n\n")
    print_table(["", "even", "odd", "the better part, on even pages", "F1 less its, odd"], rows)


def agreement() -> None:
    pages, truths = of_newspaper()
    texts, _ = run_all(pages, 1)
    bare = texts.get("readability-lxml without furniture", texts[FAST])
    texts["the shorter, if a third, of ours and that"] = list(map(shorter, texts[FAST], bare))
    rows = []
    for name, text in texts.items():
        of = scores(text, truths)
        sums = np.nan_to_num(of).sum(axis=1)
        each = np.divide(2 * np.nan_to_num(of).prod(axis=1), sums, out=0 * sums, where=sums > 0)
        rows.append([name, f"{f1(of):.3f}", f"{each.mean():.3f}", f"{statistics.median(each):.3f}"])
    sys.stdout.write(f"{len(pages)} pages\n\n")
    print_table(["", "F1 of means", "mean F1", "median F1"], rows)


def print_table(titles: list[str], rows: list[list[str]]) -> None:
    sys.stdout.write(table(titles, rows) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="a folder of packages")
    parser.add_argument("--pairs", action="store_true", help="combinations of two or three")
    parser.add_argument("--newspaper", action="store_true", help="agreement on Newspaper's pages")
    options = parser.parse_args()
    if options.peers:
        sys.path.append(str(options.peers))
    logging.disable(logging.CRITICAL)
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES)
    sys.stdout.write(f"{machine()}; {versions}\n\n")
    if options.pairs:
        pairs()
    elif options.newspaper:
        agreement()
    else:
        alone(options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
