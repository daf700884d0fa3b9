"""Pages as WARC, `pages-*.warc.gz`, and what became of each link, `outcomes.parquet`.

One gzip member for each record, so that a damaged record loses no other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from wellread.base.files import HashingWriter
from wellread.base.manifest import Draft
from wellread.formats import tables

STAGE = "crawl"
FETCHED = "fetched"  # the outcome of a link whose page is stored
OUTCOMES_FILE = "outcomes.parquet"
OUTCOMES = tables.schema(
    "outcomes",
    2,
    [
        ("url", pa.string()),
        ("outcome", pa.string()),
        ("status", pa.int64()),
        ("num_bytes", pa.int64()),
        ("milliseconds", pa.int64()),
        ("redirected_to", pa.string()),
        ("redirects", pa.int64()),
        ("robots", pa.string()),
        ("segment", pa.int64()),
        ("offset", pa.int64()),
    ],
)
PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain")
# The commonest labels of the WHATWG's Encoding standard, by which "utf-16" is little-endian.
UTF16 = re.compile(r"charset\s*=\s*[\"']?(?:utf-16|unicode|ucs-2)(be)?", re.IGNORECASE)
UNSAID = "text/html"  # what an answer without content type is taken for

Headers = Sequence[tuple[str, str]]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the wire for a page."""

    url: str  # asked for last, after all redirects
    sent: Headers
    received: Headers  # as the server sent them
    milliseconds: int | None = None  # until the answer's headers
    ip_address: str | None = None  # that was connected to


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One fetched page."""

    url: str  # canonical; of the link, whatever its server redirected to; `file:NAME` for a file
    status: int
    content_type: str  # as the server sent it, "" if it did not
    body: bytes  # after content decoding, before character decoding
    fetched_at: datetime  # UTC
    exchange: Exchange | None = None  # to be written beside the page; not read again


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one link."""

    url: str
    outcome: str  # "fetched", or why there is no page
    status: int | None = None  # None: there was no answer
    num_bytes: int = 0  # of the stored body
    milliseconds: int | None = None  # until the last answer's headers
    redirected_to: str | None = None
    redirects: int = 0  # that were followed
    robots: str | None = None  # what robots.txt said: allowed, forbidden, absent, failed
    segment: int | None = None  # the page's record is in pages-SEGMENT.warc.gz ...
    offset: int | None = None  # ... and begins at this byte


def media_type(content_type: str) -> str:
    """
    >>> media_type("Text/HTML; charset=utf-8")
    'text/html'
    """
    return content_type.partition(";")[0].strip().lower()


def utf16_codec(content_type: str) -> str | None:
    """Python's name of the UTF-16 that an answer says to be in, or None if it says something else.

    >>> utf16_codec("text/html; charset=UTF-16LE"), utf16_codec("text/html; charset=utf-8")
    ('utf-16-le', None)
    """
    found = UTF16.search(content_type)
    return found and ("utf-16-be" if found[1] else "utf-16-le")


def refusal(status: int, content_type: str) -> str | None:
    """Why an answer is not a page, or None if it is one.

    >>> refusal(404, "text/html")
    'http_404'
    >>> refusal(200, "application/pdf")
    'not_a_page'
    >>> refusal(200, "")
    """
    if status != 200:
        return f"http_{status}"
    return None if media_type(content_type or UNSAID) in PAGE_TYPES else "not_a_page"


def write_outcomes(draft: Draft, outcomes: Iterable[Outcome]) -> int:
    with draft.open(OUTCOMES_FILE) as file:
        return outcomes_written(file, outcomes)


def outcomes_written(file: HashingWriter, outcomes: Iterable[Outcome]) -> int:
    return tables.write_rows(file, OUTCOMES, (msgspec.structs.asdict(o) for o in outcomes))


def read_outcomes(directory: Path) -> Iterator[Outcome]:
    """What became of each link, in order of URL."""
    for row in tables.read_rows([directory / OUTCOMES_FILE], OUTCOMES):
        yield Outcome(**row)
