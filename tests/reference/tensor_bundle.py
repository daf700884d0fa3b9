"""A slow, plain writer of TensorFlow's checkpoint format V2, following its published description.

tensorflow/core/lib/io/{format.h,block_builder.cc,table_builder.cc} and
tensorflow/core/protobuf/tensor_bundle.proto, with small blocks, so that a table of a few tensors
has several.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
RESTART_INTERVAL = 16


def crc32c(content: bytes) -> int:
    """Bit by bit.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def masked(content: bytes) -> int:
    checksum = crc32c(content)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def record(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def entry(array: npt.NDArray[np.generic], shard: int, offset: int) -> bytes:
    sizes = b"".join(record(2, number(1, size)) for size in array.shape)
    content = array.tobytes()
    return (
        number(1, TYPES[array.dtype.name])
        + record(2, sizes)
        + number(3, shard)
        + number(4, offset)
        + number(5, len(content))
        + varint(6 << 3 | 5)
        + struct.pack("<I", masked(content))
    )


def block(items: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    out, restarts, last = bytearray(), [0], b""
    for at, (key, value) in enumerate(items):
        shared = 0
        if at and at % RESTART_INTERVAL == 0:
            restarts.append(len(out))
        elif at:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        last = key
    out += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
    typed = bytes(out) + bytes([compression])
    return typed + struct.pack("<I", masked(typed))


def table(items: list[tuple[bytes, bytes]], *, rows: int, compression: int = 0) -> bytes:
    out, index = bytearray(), []
    for start in range(0, len(items), rows):
        part = items[start : start + rows]
        stored = block(part, compression)
        index.append((part[-1][0], varint(len(out)) + varint(len(stored) - 5)))
        out += stored
    handles = b""
    for stored in (block([]), block(index)):
        handles += varint(len(out)) + varint(len(stored) - 5)
        out += stored
    return bytes(out) + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_bundle(
    prefix: Path,
    arrays: Mapping[str, npt.NDArray[np.generic]],
    *,
    shards: int = 1,
    rows: int = 7,
    compression: int = 0,
) -> None:
    """Tensors in order of their names, dealt out over the data files."""
    content = [bytearray() for _ in range(shards)]
    items = [(b"", number(1, shards) + record(3, number(1, 1)))]
    for at, name in enumerate(sorted(arrays, key=str.encode)):
        shard = at % shards
        items.append((name.encode(), entry(arrays[name], shard, len(content[shard]))))
        content[shard] += arrays[name].tobytes()
    for shard, data in enumerate(content):
        path = prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{shards:05}")
        path.write_bytes(data)
    index = prefix.with_name(f"{prefix.name}.index")
    index.write_bytes(table(items, rows=rows, compression=compression))
