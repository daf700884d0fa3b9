"""The main text of a page, and its language: the steps that cost, as Daft data frames.

The paper combined "the Dragnet and Newspaper content extractors" (section 2.1). Dragnet is
unmaintained, Newspaper less exact than trafilatura and many times as slow (decision 5).
"""

import contextlib
import logging
import os
from typing import Any, Literal

import daft
import pycld2
import trafilatura
from charset_normalizer import from_bytes
from daft import DataType, col
from w3lib.encoding import html_to_unicode

from wellread.corpus.weighed import weighed_text
from wellread.formats.pages import media_type, utf16_codec

PAGES_PER_BATCH = 16  # small, so that progress shows and workers stay level
TEXT_AND_LANGUAGE = DataType.struct(
    {"text": DataType.string(), "language": DataType.string(), "confidence": DataType.float64()}
)


def main_text(content_type: str, body: bytes, extractor: Literal["best", "fast"] = "best") -> str:
    """The text a reader came for, paragraphs separated by newlines; empty if there is none."""
    page = _decode(content_type, body)
    if media_type(content_type) == "text/plain":
        return page.strip()
    if extractor == "fast":
        return weighed_text(page)
    found = trafilatura.extract(
        page, fast=True, include_comments=False, include_tables=True, deduplicate=False
    )
    return (found or "").strip()


def _decode(content_type: str, body: bytes) -> str:
    """UTF-8 if it can be, whatever is declared; then as the header or a meta element says."""
    # Zeros show that it is true when a server says so; they are UTF-8 too.
    if (codec := utf16_codec(content_type)) and b"\0" in body[:1000]:
        return body.decode(codec, "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode("utf-8-sig")
    _, text = html_to_unicode(content_type, body, "cp1252", _detected)
    return str(text)


def _detected(body: bytes) -> str | None:
    best = from_bytes(body).best()
    return best.encoding if best is not None else None


def language_of(text: str) -> tuple[str, float]:
    """ISO 639-1 code of the main language and the share of the text it covers, by CLD2.

    CLD2 is the detector of the paper's section 3.7. Unknown languages are "un".

    >>> language_of("The quick brown fox jumps over the lazy dog and runs into the forest.")
    ('en', 0.98)
    """
    try:
        _, _, details = pycld2.detect(text, bestEffort=True)
    except (pycld2.error, UnicodeEncodeError):  # it refuses control characters, lone surrogates
        clean = "".join(c if c.isprintable() else " " for c in text)
        try:
            _, _, details = pycld2.detect(clean.encode("utf-8", "ignore"), bestEffort=True)
        except pycld2.error:
            return "un", 0.0
    _, code, percent, _ = details[0]
    return str(code).split("-")[0], percent / 100


logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without text is counted


@daft.cls(max_concurrency=os.cpu_count() or 1, use_process=True)
class Extractor:
    """`main_text` and `language_of` in worker processes: pages in, texts out."""

    def __init__(self, extractor: Literal["best", "fast"]) -> None:
        self.extractor = extractor

    @daft.method.batch(return_dtype=TEXT_AND_LANGUAGE, batch_size=PAGES_PER_BATCH)  # type: ignore[untyped-decorator]
    def __call__(
        self, content_type: daft.Series, body: daft.Series, text: daft.Series
    ) -> list[dict[str, Any]]:
        rows = []
        for kind, page, ready in zip(
            content_type.to_pylist(), body.to_pylist(), text.to_pylist(), strict=True
        ):
            found = ready if ready is not None else main_text(kind, page, self.extractor)
            language, confidence = language_of(found)
            rows.append({"text": found, "language": language, "confidence": confidence})
        return rows


def extract(pages: daft.DataFrame, extractor: Literal["best", "fast"] = "best") -> daft.DataFrame:
    """(url, content_type, body, text) -> (url, text, language, confidence).

    A row has a body to extract from, or a ready text.
    """
    found = Extractor(extractor)
    return (
        pages.into_batches(PAGES_PER_BATCH)
        .with_column("found", found(col("content_type"), col("body"), col("text")))
        .select(
            col("url"),
            col("found").get("text").alias("text"),
            col("found").get("language").alias("language"),
            col("found").get("confidence").alias("confidence"),
        )
    )
