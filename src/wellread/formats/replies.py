"""What a server sent when it was asked for a page, whoever keeps it: the web, an archive."""

import re
from datetime import datetime

import msgspec

from wellread.formats.decoding import decoded
from wellread.formats.pages import Headers
from wellread.formats.refused import Refused

TRUNCATED, MALFORMED, TOO_LARGE = "truncated", "bad_response", "too_large"
# RFC 9112, section 7.1: digits, perhaps an extension; some servers pad with spaces.
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
# How bodies of these encodings begin: RFC 1952, section 2.3.1; RFC 8878, section 3.1.1.
MARKS = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
# The WHATWG's binary data bytes and as many bytes as it looks at: MIME Sniffing, sections 3 and 5.
BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
HEADER_BYTES = 1445


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with its body as it was sent, but for its chunks."""

    url: str  # canonical; of the link; `file:NAME` for a file
    status: int
    headers: Headers
    body: bytes  # in its content encodings
    fetched_at: datetime  # UTC
    flaw: str | None = None  # what makes the body unfit: TRUNCATED, MALFORMED, TOO_LARGE
    is_archived: bool = False  # by anybody, so that what a header says of the body may not hold

    @property
    def content_type(self) -> str:
        """As the server sent it, "" if it did not; of several the last."""
        return (self.values("Content-Type") or [""])[-1]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def body_of(reply: Reply, limit: int) -> bytes:
    """The body without its content encodings; Refused if damaged, or longer than `limit` bytes."""
    if len(reply.body) > limit:
        raise Refused(TOO_LARGE)
    if not reply.body:  # nothing is sent in any encoding
        return b""
    try:
        return decoded(reply.body, ",".join(reply.values("Content-Encoding")), limit)
    except Refused as refused:
        if refused.outcome == "bad_encoding" and was_decoded(reply):
            return reply.body
        raise


def was_decoded(reply: Reply) -> bool:
    """Whether an archive holds the body decoded, but the headers as they were sent.

    Common Crawl's do until August 2018, those of its news until May 2019
    (github.com/internetarchive/warctools, issue 15; github.com/commoncrawl/news-crawl, issue 30).
    """
    encodings = ",".join(reply.values("Content-Encoding"))
    if not (reply.is_archived and encodings):
        return False
    if mark := MARKS.get(encodings.rpartition(",")[2].strip().lower()):
        return not reply.body.startswith(mark)
    return not BINARY.search(reply.body[:HEADER_BYTES])


def unchunked(body: bytes) -> tuple[bytes, str | None]:
    """The content of a chunked body, and what is wrong with it, if anything.

    A body that does not begin with a chunk is as it was, because archives often hold it so.

    >>> unchunked(b"3\\r\\nabc\\r\\n0\\r\\n\\r\\n"), unchunked(b"3\\r\\nabc\\r\\n3\\r\\nde")
    ((b'abc', None), (b'abcde', 'truncated'))
    """
    pieces: list[bytes] = []
    position = 0
    while found := CHUNK_SIZE.match(body, position):
        start, size = found.end(), int(found[1], 16)
        if size == 0:
            return b"".join(pieces), None
        pieces.append(body[start : start + size])
        position = start + size + 2
        if position > len(body):
            return b"".join(pieces), TRUNCATED
        if body[position - 2 : position] != b"\r\n":
            return (body, None) if len(pieces) == 1 else (b"".join(pieces), MALFORMED)
    if not pieces:
        return body, None
    is_cut = b"\n" not in body[position:]
    return b"".join(pieces), TRUNCATED if is_cut else MALFORMED
