"""The main text of a page.

The paper combined "the Dragnet and Newspaper content extractors" (section 2.1). Dragnet is
unmaintained, Newspaper less exact than trafilatura and many times as slow (decision 5).
"""

import contextlib
import logging
from typing import Literal

import trafilatura
from charset_normalizer import from_bytes
from w3lib.encoding import html_to_unicode

from wellread.corpus.attributes import bearable
from wellread.corpus.weighed import weighed_text
from wellread.formats.pages import media_type, utf16_codec


def main_text(content_type: str, body: bytes, extractor: Literal["best", "fast"] = "best") -> str:
    """The text a reader came for, paragraphs separated by newlines; empty if there is none."""
    page = _decode(content_type, body)
    if media_type(content_type) == "text/plain":
        return page.strip()
    page = bearable(page)
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


logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without text is counted
