"""TensorFlow's checkpoints of format V2, without TensorFlow: NAME.index and NAME.data-*.

`.index` is a table of LevelDB's kind (sorted keys, prefix-compressed in blocks, a checksum after
each) from a tensor's name to a `BundleEntryProto`: its type, shape and place in the data files,
which hold nothing but numbers. The formats are those of tensorflow/core/lib/io/format.h and
tensorflow/core/protobuf/tensor_bundle.proto.
"""

import functools
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.kernels import kernel

Bytes = npt.NDArray[np.uint8]

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48  # two block handles of at most 20 bytes each, padded, then the magic number
TRAILER_BYTES = 5  # after each block: how it is compressed, and a checksum
UNCOMPRESSED = 0
CRC32C_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
# tensorflow/core/framework/types.proto: those that weights and counters have.
DTYPES = {
    1: ("float32", 4), 2: ("float64", 8), 3: ("int32", 4), 9: ("int64", 8),
    14: ("bfloat16", 2), 19: ("float16", 2),
}  # fmt: skip


class StoredTensor(NamedTuple):
    """A tensor as the data file has it; `content` is a view of the mapped file."""

    dtype: str
    shape: tuple[int, ...]
    content: Bytes  # little-endian, the last axis fastest


class _Entry(NamedTuple):
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    num_bytes: int
    checksum: int
    is_sliced: bool


class _Damaged(ValueError):
    """What is wrong, for the sentence that names the file."""


def read_bundle(prefix: Path) -> dict[str, StoredTensor]:
    """Every tensor of the checkpoint `prefix`.index, checked against its CRC-32C.

    The data files are mapped, privately: nothing is copied, and nothing that is written to a
    tensor reaches the file.
    """
    index = prefix.with_name(prefix.name + ".index")
    try:
        content = index.read_bytes()
    except OSError as error:
        raise InputError(f"{index}: cannot be read ({error.strerror})") from None
    try:
        table = dict(_read_table(content))
        num_shards = _read_header(table.pop(b"", None))
        entries = {name.decode(): _read_entry(value) for name, value in table.items()}
    except (_Damaged, UnicodeDecodeError) as error:
        raise InputError(f"{index}: no intact index of a TensorFlow checkpoint: {error}") from None
    shards = [_map(data_path(prefix, shard, num_shards)) for shard in range(num_shards)]
    return {name: _tensor(prefix, name, entry, shards) for name, entry in entries.items()}


def data_path(prefix: Path, shard: int, num_shards: int) -> Path:
    """
    >>> data_path(Path("124M/model.ckpt"), 0, 1).name
    'model.ckpt.data-00000-of-00001'
    """
    return prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{num_shards:05}")


def _map(path: Path) -> Bytes:
    try:
        if not path.stat().st_size:
            return np.zeros(0, np.uint8)
        return np.asarray(np.memmap(path, np.uint8, mode="c"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _tensor(prefix: Path, name: str, entry: _Entry, shards: list[Bytes]) -> StoredTensor:
    if entry.dtype not in DTYPES:
        raise InputError(
            f"{prefix}: tensor {name} is of TensorFlow's type {entry.dtype}; expected numbers"
        )
    dtype, width = DTYPES[entry.dtype]
    where = f"{prefix}: tensor {name}"
    if entry.is_sliced:
        raise InputError(f"{where} is stored in slices; save it whole, with one partition")
    if not 0 <= entry.shard < len(shards):
        raise InputError(f"{where} is said to be in data file {entry.shard} of {len(shards)}")
    if min(entry.shape, default=0) < 0 or math.prod(entry.shape) * width != entry.num_bytes:
        raise InputError(f"{where}, {dtype} of shape {entry.shape}, has {entry.num_bytes} bytes")
    end = entry.offset + entry.num_bytes
    data = shards[entry.shard]
    if not 0 <= entry.offset <= end <= len(data):
        raise InputError(
            f"{where} ends at byte {end:,}, and its data file has {len(data):,}: copy it anew"
        )
    content = data[entry.offset : end]
    if masked_checksum(content) != entry.checksum:
        raise InputError(f"{where} does not agree with its checksum: copy the data file anew")
    return StoredTensor(dtype, entry.shape, content)


def _read_table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values in order."""
    if len(content) < FOOTER_BYTES or struct.unpack("<Q", content[-8:])[0] != MAGIC:
        raise _Damaged(f"{len(content)} bytes that do not end with the format's magic number")
    footer = content[-FOOTER_BYTES:]
    meta, at = _read_handle(footer, 0)  # which nobody fills
    index, _ = _read_handle(footer, at)
    if any(_read_block(content, *meta)):
        raise _Damaged("its meta index is not empty: it is a table of another program")
    for _, handle in _read_block(content, *index):
        yield from _read_block(content, *_read_handle(handle, 0)[0])


def _read_handle(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _read_varint(content, at)
    size, at = _read_varint(content, at)
    return (offset, size), at


def _read_block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    stored = content[offset : offset + size + TRAILER_BYTES]
    if len(stored) < size + TRAILER_BYTES or size < 4:
        raise _Damaged(f"a block of {size} bytes at {offset} does not fit in the file")
    compression, checksum = struct.unpack("<BI", stored[-TRAILER_BYTES:])
    if masked_checksum(np.frombuffer(stored[: size + 1], np.uint8)) != checksum:
        raise _Damaged(f"the block at {offset} does not agree with its checksum")
    if compression != UNCOMPRESSED:
        raise _Damaged(
            f"the block at {offset} is compressed (kind {compression}), which TensorFlow's own "
            "checkpoints never are"
        )
    block = stored[:size]
    (num_restarts,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * num_restarts
    key, at = b"", 0
    while at < end:
        shared, at = _read_varint(block, at)
        added, at = _read_varint(block, at)
        length, at = _read_varint(block, at)
        if shared > len(key) or at + added + length > end:
            raise _Damaged(f"an entry of the block at {offset} is longer than the block")
        key = key[:shared] + block[at : at + added]
        at += added
        yield key, block[at : at + length]
        at += length


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place after it."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(content):
            raise _Damaged("it ends inside a number")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Damaged("a number has more than 64 bits")


def _read_message(content: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a protocol buffer by number: numbers, or the bytes of what has a length."""
    fields: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(content):
        tag, at = _read_varint(content, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _read_varint(content, at)
        elif kind in (1, 2, 5):
            length = {1: 8, 5: 4}.get(kind, 0)
            if kind == 2:
                length, at = _read_varint(content, at)
            value, at = content[at : at + length], at + length
            if at > len(content):
                raise _Damaged("a field is longer than its record")
        else:
            raise _Damaged(f"a field of kind {kind}")
        fields.setdefault(number, []).append(value)
    return fields


def _number(fields: dict[int, list[int | bytes]], field: int) -> int:
    """The last value of a field of numbers; a field that is not there is zero."""
    value = fields.get(field, [0])[-1]
    return value if isinstance(value, int) else int.from_bytes(value, "little")


def _messages(fields: dict[int, list[int | bytes]], field: int) -> list[bytes]:
    found = fields.get(field, [])
    if not all(isinstance(value, bytes) for value in found):
        raise _Damaged(f"field {field} is a number where a record is expected")
    return [value for value in found if isinstance(value, bytes)]


def _read_header(content: bytes | None) -> int:
    """How many data files there are."""
    if content is None:
        raise _Damaged("it has no header")
    header = _read_message(content)
    if _number(header, 2):
        raise _Damaged("its numbers are big-endian; save it on a little-endian machine")
    return _number(header, 1)


def _read_entry(content: bytes) -> _Entry:
    fields = _read_message(content)
    shape = [
        _number(_read_message(size), 1)
        for message in _messages(fields, 2)
        for size in _messages(_read_message(message), 2)
    ]
    return _Entry(
        dtype=_number(fields, 1),
        shape=tuple(shape),
        shard=_number(fields, 3),
        offset=_number(fields, 4),
        num_bytes=_number(fields, 5),
        checksum=_number(fields, 6),
        is_sliced=bool(fields.get(7)),
    )


def masked_checksum(content: Bytes) -> int:
    """CRC-32C, turned as LevelDB stores it, so that a checksum of checksums stays one.

    >>> hex(masked_checksum(np.frombuffer(b"123456789", np.uint8)))
    '0xc78ab0e5'
    """
    checksum = int(_crc32c(content, _crc_tables()))
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _crc_tables() -> npt.NDArray[np.uint32]:
    """Row k: what a byte does to the checksum when k more bytes follow it."""
    one = np.uint32(1)
    rows: list[npt.NDArray[np.uint32]] = [np.arange(256, dtype=np.uint32)]
    for _ in range(8):
        rows[0] = rows[0] >> one ^ (rows[0] & one) * np.uint32(CRC32C_POLYNOMIAL)
    for _ in range(7):
        rows.append(rows[-1] >> np.uint32(8) ^ rows[0][rows[-1] & np.uint32(0xFF)])
    return np.stack(rows)


@kernel
def _crc32c(content: Bytes, tables: npt.NDArray[np.uint32]) -> np.uint32:
    state = np.uint32(0xFFFFFFFF)
    byte, eight = np.uint32(0xFF), np.uint32(8)
    whole = len(content) // 8 * 8
    for at in range(0, whole, 8):
        mixed = state ^ (
            np.uint32(content[at])
            | np.uint32(content[at + 1]) << eight
            | np.uint32(content[at + 2]) << np.uint32(16)
            | np.uint32(content[at + 3]) << np.uint32(24)
        )
        state = (
            tables[7, mixed & byte]
            ^ tables[6, mixed >> eight & byte]
            ^ tables[5, mixed >> np.uint32(16) & byte]
            ^ tables[4, mixed >> np.uint32(24)]
            ^ tables[3, content[at + 4]]
            ^ tables[2, content[at + 5]]
            ^ tables[1, content[at + 6]]
            ^ tables[0, content[at + 7]]
        )
    for at in range(whole, len(content)):
        state = state >> eight ^ tables[0, (state ^ np.uint32(content[at])) & byte]
    return state ^ np.uint32(0xFFFFFFFF)
