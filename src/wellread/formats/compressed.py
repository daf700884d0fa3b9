"""Lines of compressed files, read as a stream; damage and a missing end are errors."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import zstandard

from wellread.base.errors import WellreadError
from wellread.base.files import HashingReader

MAX_WINDOW_BYTES = 2**31  # of zstd --long=31, the widest that dumps are made with
READ_BYTES = 128 * 1024
MAX_LINE_BYTES = 64 * 1024**2  # ours: the longest record known is below 1 MB


class Decompressor(Protocol):
    """One frame or member of a compressed file, as bz2, lzma, zlib and zstandard offer it."""

    def decompress(self, data: bytes, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def _zstd() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()


def _gzip() -> Any:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    ".zst": _zstd,
    ".xz": lzma.LZMADecompressor,
    ".bz2": bz2.BZ2Decompressor,
    ".gz": _gzip,
}


def read_lines(path: Path, file: HashingReader) -> Iterator[bytes]:
    """The lines of the dump `path`, whose bytes come from `file`.

    A damaged or shortened compressed file is a WellreadError that says how far it could be read.
    """
    rest = b""
    number = 0
    try:
        for chunk in _chunks(path, file):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            number += len(lines)
            if len(rest) > MAX_LINE_BYTES:
                raise WellreadError(
                    f"{path}:{number + 1}: a line of more than {MAX_LINE_BYTES} bytes; expected "
                    "one JSON record a line, so name a dump of submissions"
                )
            yield from lines
    except (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError) as error:
        raise WellreadError(
            f"{path}: damaged or cut short at byte {file.num_bytes}, after line {number} "
            f"({error}); download it again and compare its checksum"
        ) from None
    if rest:
        yield rest


def _chunks(path: Path, file: HashingReader) -> Iterator[bytes]:
    start = DECOMPRESSORS.get(path.suffix)
    if start is None:
        while data := file.read(READ_BYTES):
            yield data
        return
    frame: Decompressor | None = None
    while data := file.read(READ_BYTES):
        # Frames may follow each other (pzstd, concatenated members), with zeros as padding.
        while data := data if frame else data.lstrip(b"\0"):
            frame = frame or start()
            yield frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame:
        raise EOFError("the file ends within a compressed frame")
