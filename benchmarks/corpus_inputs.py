"""The pages and documents of `benchmarks/corpus.py`."""

import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import AnyStr

import numpy as np
import numpy.typing as npt
from texts import REAL_DATA
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from wellread.base.seeds import generator
from wellread.formats.archives import read_pages
from wellread.formats.pages import Page

WORDS = 276  # of a document: 1.5 KB
PLANTED = 0.01
MOST_CHANGED = 4  # words of a planted copy
FEWEST_SMALL = 0.1  # of a document's words; with fewer, as in contents or Greek, it stays as it is
SMALL_WORD = re.compile("[a-z]{5,}")
# A word of running text, or what is passed over: scripts, styles, comments, tags, entities.
TEXT_WORD = re.compile(
    rb"<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->|<[^>]*>|&\w+;"
    rb"|(?<![\w\x80-\xff])([a-z]{5,})(?![\w\x80-\xff])",
    re.DOTALL,
)


def make_pages(folder: Path, copies: int) -> int:
    """WARC files of one copy each; how many pages they hold."""
    folder.mkdir()
    cut = [(page, *_parts_of(page.body)) for page in _real_pages()]
    for copy in range(copies):
        with (folder / f"{copy:04}.warc.gz").open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            for page, parts, words in cut:
                source = generator(copy, "pages", page.url)
                changed = exchanged(words, source) if copy else {}
                parts[1::2] = [changed.get(word, word) for word in words]
                _write_page(writer, page, copy, b"".join(parts))
    return copies * len(cut)


def _real_pages() -> list[Page]:
    folder = REAL_DATA / "pages"
    pages = [
        page
        for path in (folder / "articles.warc.gz", folder / "newspaper_html" / "data" / "html")
        for page in (read_pages(path) if path.exists() else ())
    ]
    if not pages:
        sys.exit(f"{folder}: no pages here (docs/test-data.md)")
    return sorted(pages, key=lambda page: page.url)


def _parts_of(body: bytes) -> tuple[list[bytes], list[bytes]]:
    """The body in parts of which every second is a word, and these words."""
    parts, at = [], 0
    for found in TEXT_WORD.finditer(body):
        if found[1]:
            parts += [body[at : found.start()], found[1]]
            at = found.end()
    return [*parts, body[at:]], parts[1::2]


def exchanged(words: Iterable[AnyStr], source: np.random.Generator) -> dict[AnyStr, AnyStr]:
    """For each word another of the same length, in an order that is drawn."""
    distinct = sorted(set(words))
    drawn = [distinct[at] for at in source.permutation(len(distinct))]
    return dict(zip(sorted(distinct, key=len), sorted(drawn, key=len), strict=True))


def _write_page(writer: WARCWriter, page: Page, copy: int, body: bytes) -> None:
    """With a site of its own for each copy: what stands on all pages of a site may be removed."""
    host, _, path = page.url.partition(":")[2].lstrip("/").partition("/")
    site = re.sub("[^a-z0-9]+", "-", host.lower())
    url = f"http://{site}-{copy}.example/{path}"
    http = StatusAndHeaders("200 OK", [("Content-Type", page.content_type)], protocol="HTTP/1.1")
    headers = {"WARC-Identified-Payload-Type": "text/html"}  # as Common Crawl's have
    record = writer.create_warc_record(
        url, "response", payload=BytesIO(body), http_headers=http, warc_headers_dict=headers
    )
    writer.write_record(record)


def documents(count: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Texts, and pairs of places of which the second is a near-duplicate of the first: (n, 2)."""
    texts = list(_of_novels(count))
    source = generator(count, "near-duplicates")
    pairs = source.permutation(count)[: 2 * round(PLANTED * count)].reshape(-1, 2)
    others = " ".join(texts[: 1 + count // 100]).split()
    for original, copy in pairs.tolist():
        words = texts[original].split()
        changed = source.choice(
            len(words), size=source.integers(1, MOST_CHANGED + 1), replace=False
        )
        for at in changed:
            words[at] = others[source.integers(len(others))]
        texts[copy] = " ".join(words)
    return texts, np.sort(pairs, axis=1)


def _of_novels(count: int) -> Iterator[str]:
    folder = REAL_DATA / "documents" / "novels"
    words = [w for p in sorted(folder.glob("*.txt")) for w in p.read_text("utf-8-sig").split()]
    if len(words) < WORDS:
        sys.exit(f"{folder}: no novels here (docs/test-data.md)")
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    is_small = np.array([bool(SMALL_WORD.fullmatch(word)) for word in numbers])
    text = np.array([numbers[word] for word in words], np.int32)
    pieces = text[: len(text) // WORDS * WORDS].reshape(-1, WORDS)
    pieces = pieces[is_small[pieces].mean(axis=1) >= FEWEST_SMALL]
    small = [word for word, at in numbers.items() if is_small[at]]
    for start in range(0, count, len(pieces)):
        changed = exchanged(small, generator(start, "novels")) if start else {}
        names = np.array([changed.get(word, word) for word in numbers], object)
        for piece in pieces[: count - start]:
            yield " ".join(names[piece].tolist())
