"""Bodies without their content encoding, in no more memory than they may have."""

import zlib
from collections.abc import Callable, Generator, Iterator

import brotli

from wellread.formats.compressed import ZstdError, pieces, zstd_frame
from wellread.formats.refused import Refused

ENCODINGS = "gzip, deflate, br, zstd"
# Who encodes an answer more than twice wants something else than to save bytes.
MAX_LAYERS = 2
# Not encodings: what servers write that mean "none", a character set among it.
NONE = {"", "identity", "none", "utf-8"}
# Of a gzip file: each copies all that follows it, which by the thousand takes minutes.
MAX_MEMBERS = 64
CHUNK = 1 << 16
# A zstd frame may ask for a window of its own size; browsers give 8 MiB (RFC 9659).
ZSTD_WINDOW_LOG = 23


def decoded(
    body: bytes, encodings: str, limit: int, *, is_start_enough: bool = False, is_cut: bool = False
) -> bytes:
    """`body` freed of `encodings`, a Content-Encoding header; at most `limit` bytes.

    What is longer is Refused as `too_large`, or cut there where its start is enough; what is no
    such encoding as `bad_encoding`, and so is what ends too early, unless we cut it ourselves.
    """
    layers = [name for part in encodings.split(",") if (name := part.strip().lower()) not in NONE]
    if len(layers) > MAX_LAYERS:
        raise Refused("bad_encoding")
    for name in reversed(layers):
        if name not in DECODERS:
            raise Refused("bad_encoding")
        body = _gathered(DECODERS[name](body), limit, is_cut=is_cut)
        if len(body) > limit:
            if not is_start_enough:
                raise Refused("too_large")
            body, is_cut = body[:limit], True
    return body


def _gathered(pieces: Iterator[bytes], limit: int, *, is_cut: bool) -> bytes:
    """All of the pieces, or more than `limit` bytes of them."""
    whole = bytearray()
    try:
        for piece in pieces:
            whole += piece
            if len(whole) > limit:
                break
    except EOFError:
        if not is_cut:
            raise Refused("bad_encoding") from None
    except (zlib.error, brotli.error, ZstdError):
        raise Refused("bad_encoding") from None
    return bytes(whole)


def _gunzipped(body: bytes) -> Iterator[bytes]:
    """The members of a gzip file; what follows the last one is padding."""
    for number in range(MAX_MEMBERS + 1):
        if number == MAX_MEMBERS:
            raise Refused("bad_encoding")
        body = yield from _inflated(body, 31)
        if not body.startswith(b"\x1f\x8b"):
            return


def _inflated(body: bytes, bits: int) -> Generator[bytes, None, bytes]:
    """The content of one stream; returns the bytes behind it."""
    stream = zlib.decompressobj(bits)
    yield from pieces(stream, body, CHUNK)
    if not stream.eof:
        raise EOFError
    return stream.unused_data


def _deflated(body: bytes) -> Iterator[bytes]:
    """With zlib's header as the standard has it, or without, as some servers have it."""
    # RFC 1950, section 2.2: method 8 in the low four bits, and a check of the first two bytes.
    has_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    yield from _inflated(body, 15 if has_header else -15)


def _unbrotlied(body: bytes) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    while not stream.is_finished():
        piece = stream.process(body, output_buffer_limit=CHUNK)
        body = b""
        if not piece and not stream.is_finished():
            raise EOFError
        yield piece


def _unzstd(body: bytes) -> Iterator[bytes]:
    frame = zstd_frame(ZSTD_WINDOW_LOG)
    yield from pieces(frame, body, CHUNK)
    if not frame.eof:  # RFC 8878 allows further frames behind it; no server sends them
        raise EOFError


DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "br": _unbrotlied,
    "deflate": _deflated,
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "zstd": _unzstd,
}
