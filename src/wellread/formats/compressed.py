"""Lines of compressed files, read as a stream; damage and a missing end are errors."""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from wellread.base.errors import WellreadError
from wellread.base.files import HashingReader

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

ZstdError = zstd.ZstdError
WINDOW_LOG = 31  # of zstd --long=31, the widest that dumps are made with
PIECE_BYTES = 1 << 18  # unpacked at a time: some hundred bytes can stand for gigabytes
READ_BYTES = 128 * 1024
MAX_LINE_BYTES = 64 * 1024**2  # ours: the longest record known is below 1 MB


class Decompressor(Protocol):
    """One frame or member of a compressed file, as bz2, lzma, zlib and zstd offer it."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def zstd_frame(window_log: int = WINDOW_LOG) -> Any:
    """A decompressor of one frame, whose window is at most 2 to the power `window_log`."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window_log})


def _gzip() -> Any:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    ".zst": zstd_frame,
    ".xz": lzma.LZMADecompressor,
    ".bz2": bz2.BZ2Decompressor,
    ".gz": _gzip,
}


def suffix_of(beginning: bytes) -> str:
    """What a file that begins so would be called: `.zst`, ..., or nothing if it is plain."""
    is_zstd = beginning[1:4] in (b"\xb5\x2f\xfd", b"\x2a\x4d\x18")  # a frame; one to skip
    if is_zstd:
        return ".zst"
    marks = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz"}
    return next((suffix for mark, suffix in marks.items() if beginning.startswith(mark)), "")


def read_lines(path: Path, file: HashingReader) -> Iterator[bytes]:
    """The lines of the dump `path`, whose bytes come from `file`.

    A damaged or shortened compressed file is a WellreadError that says how far it could be read,
    after the lines that could.
    """
    for block in read_blocks(path, file, READ_BYTES):
        lines = bytes(block).split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield from lines


def read_blocks(
    path: Path, file: HashingReader, num_bytes: int, padding: int = 0
) -> Iterator[memoryview]:
    """Whole lines of the dump `path`, `num_bytes` or more together, with their line ends.

    A block is to be used before the next one is asked for, which takes its place in memory; the
    `padding` bytes after it may be read. Errors are those of `read_lines`; the last line may lack
    its end.
    """
    buffer, used, number = bytearray(2 * num_bytes + padding), 0, 0
    try:
        for chunk in _chunks(path, file):
            if used + len(chunk) + padding > len(buffer):
                larger = bytearray(2 * (used + len(chunk)) + padding)
                larger[:used] = memoryview(buffer)[:used]
                buffer = larger
            buffer[used : used + len(chunk)] = chunk
            last = chunk.rfind(b"\n") if used + len(chunk) >= num_bytes else -1
            end, used = used + last + 1, used + len(chunk)
            if last >= 0:
                yield memoryview(buffer)[:end]
                number += _num_lines(buffer, end)
                buffer[: used - end] = buffer[end:used]
                used -= end
            elif used > MAX_LINE_BYTES:
                number += _num_lines(buffer, used)
                raise WellreadError(
                    f"{path}:{number + 1}: a line of more than {MAX_LINE_BYTES} bytes; expected "
                    "one JSON record a line"
                )
    except (EOFError, OSError, lzma.LZMAError, zlib.error, ZstdError) as error:
        number += _num_lines(buffer, used)
        if whole := buffer.rfind(b"\n", 0, used) + 1:
            yield memoryview(buffer)[:whole]
        raise WellreadError(
            f"{path}: damaged or cut short at byte {file.num_bytes}, after line {number} "
            f"({error}); download it again and compare its checksum"
        ) from None
    if used:
        yield memoryview(buffer)[:used]


def pieces(frame: Any, data: bytes, num_bytes: int) -> Iterator[bytes]:
    """What `data`, the next of a frame (Decompressor), holds, in pieces of at most `num_bytes`."""
    while True:
        piece = frame.decompress(data, num_bytes)
        yield piece
        if frame.eof:
            return
        if hasattr(frame, "unconsumed_tail"):  # zlib's own way to say that there is more
            data = frame.unconsumed_tail
            is_done = not data and len(piece) < num_bytes
        else:
            data = b""
            is_done = frame.needs_input
        if is_done:
            return


def _num_lines(buffer: bytearray, end: int) -> int:
    return int(np.count_nonzero(np.frombuffer(buffer, np.uint8, end) == ord("\n")))


def _chunks(path: Path, file: HashingReader) -> Iterator[bytes]:
    data = file.read(READ_BYTES)
    suffix = path.suffix if path.suffix in DECOMPRESSORS else suffix_of(data)
    start = DECOMPRESSORS.get(suffix)
    if start is None:
        while data:
            yield data
            data = file.read(READ_BYTES)
        return
    frame: Decompressor | None = None
    while data:
        # Frames may follow each other (pzstd, concatenated members), with zeros as padding.
        while data := data if frame else data.lstrip(b"\0"):
            frame = frame or start()
            yield from pieces(frame, data, PIECE_BYTES)
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
        data = file.read(READ_BYTES)
    if frame:
        raise EOFError("the file ends within a compressed frame")
