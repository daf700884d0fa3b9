"""Counting pre-tokens: hash tables of bytes and 64-bit counts, which spill to disk when full.

The result goes from hand to hand as packed records, arrays of words: of each pre-token its count,
its length in bytes, and its bytes, filled up with zeros to whole words. Tables of several threads
are joined, spilled ones read back and merges learnt from the same records; their order means
nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint64 as word

from wellread.base.errors import InputError
from wellread.base.intrinsics import (
    PADDING,
    load8,
    load64,
    prefetch,
    store64,
)
from wellread.base.kernels import inlined, kernel
from wellread.base.memory import aligned_zeros
from wellread.base.text import without_surrogates
from wellread.base.threads import in_order
from wellread.tokenizer.encode import MIX_1, MIX_2, SHORT_KEY, key_masks, short_key
from wellread.tokenizer.split import ONE, ROOM, STATE_WORDS, begin, find_ends, get, put
from wellread.tokenizer.unicode import class_pages

Words = npt.NDArray[np.uint64]
BATCH = 1 << 20  # bytes of text that one thread counts at a time
DEFAULT_MEMORY = 1 << 30
NUM_PARTITIONS = 64  # of what is spilled, by hash: each is summed by itself
FIRST_BITS, FIRST_ARENA = 12, 1 << 16

# The words of a table. An entry has four: low and high key, count, and where a long text lies.
STATE, PAGES_AT, ENDS, MASKS, TABLE, BITS, NUM_ENTRIES = range(7)
ARENA, ARENA_SIZE, ARENA_USED, DOCUMENT, START, PENDING = range(7, 13)
COUNTER_WORDS = 16
DONE, TABLE_FULL, ARENA_FULL = range(3)
LONG = word(0xFF00000000000000)  # in the high key of a text of more than 15 bytes: with its length


@inlined
def record_words(length: Any) -> Any:
    """How many words the packed record of a pre-token of `length` bytes has."""
    return 2 + (length + 7) // 8


@kernel
def _hash_long(text: Any, length: Any) -> Any:
    mixed = length
    at = word(0)
    while at + word(8) <= length:
        mixed = (mixed ^ load64(text + at)) * MIX_1
        mixed ^= mixed >> word(29)
        at += word(8)
    while at < length:
        mixed = (mixed ^ word(load8(text + at))) * MIX_2
        mixed ^= mixed >> word(29)
        at += ONE
    return mixed


@inlined
def _slot(low: Any, high: Any, bits: Any) -> Any:
    return ((low * MIX_1) ^ (high * MIX_2)) >> (word(64) - bits)


@kernel
def _add_long(counter: Any, text: Any, length: Any, count: Any) -> None:
    low, high = _hash_long(text, length), LONG | length
    table, bits = get(counter, TABLE), get(counter, BITS)
    arena = get(counter, ARENA)
    slot = _slot(low, high, bits)
    while True:
        entry = table + (slot << word(5))
        if load64(entry + word(8)) == word(0):
            used = get(counter, ARENA_USED)
            for at in range(0, length, 8):
                store64(arena + used + word(at), load64(text + word(at)))
            if length & word(7):  # what was copied beyond the end, to zeros
                last = arena + used + (length & ~word(7))
                mask = load64(get(counter, MASKS) + ((length & word(7)) << word(4)))
                store64(last, load64(last) & mask)
            put(counter, ARENA_USED, used + ((length + word(7)) & ~word(7)))
            put(counter, NUM_ENTRIES, get(counter, NUM_ENTRIES) + ONE)
            store64(entry, low)
            store64(entry + word(8), high)
            store64(entry + word(16), count)
            store64(entry + word(24), used)
            return
        if load64(entry) == low and load64(entry + word(8)) == high:
            kept = arena + load64(entry + word(24))
            at = word(0)
            while at < length and load8(kept + at) == load8(text + at):
                at += ONE
            if at == length:
                store64(entry + word(16), load64(entry + word(16)) + count)
                return
        slot = (slot + ONE) & ((ONE << bits) - ONE)


@inlined
def _add_short(counter: Any, low: Any, high: Any, slot: Any, count: Any) -> None:
    table, bits = get(counter, TABLE), get(counter, BITS)
    while True:
        entry = table + (slot << word(5))
        if load64(entry) == low and load64(entry + word(8)) == high:
            store64(entry + word(16), load64(entry + word(16)) + count)
            return
        if load64(entry + word(8)) == word(0):
            put(counter, NUM_ENTRIES, get(counter, NUM_ENTRIES) + ONE)
            store64(entry, low)
            store64(entry + word(8), high)
            store64(entry + word(16), count)
            return
        slot = (slot + ONE) & ((ONE << bits) - ONE)


@kernel
def _add(counter: Any, text: Any, length: Any, count: Any) -> None:
    if length > word(SHORT_KEY):
        _add_long(counter, text, length, count)
        return
    low, high = short_key(get(counter, MASKS), text, length)
    _add_short(counter, low, high, _slot(low, high, get(counter, BITS)), count)


@inlined
def _is_crowded(counter: Any, more: Any) -> Any:
    """Whether `more` entries would fill more than half of the table."""
    room = (ONE << get(counter, BITS)) >> ONE
    return get(counter, NUM_ENTRIES) + word(more) > room


@kernel
def _count_documents(counter: Any, text: Any, offsets: Any) -> Any:
    """Count the pre-tokens of document after document; see `encode.encode_documents`.

    Stops where the table or the arena has no room for what comes next, to be called again.
    """
    counter, text = word(counter), word(text)
    state, ends = get(counter, STATE), get(counter, ENDS)
    while get(counter, DOCUMENT) < word(len(offsets) - 1):
        document = get(counter, DOCUMENT)
        base = text + word(offsets[document])
        if get(counter, START) == word(0) and get(counter, PENDING) == word(0):
            length = word(offsets[document + ONE] - offsets[document])
            begin(state, base, length, get(counter, PAGES_AT))
        while True:
            if _is_crowded(counter, ROOM):
                return TABLE_FULL
            count = integer(get(counter, PENDING))
            if count == 0:
                count = find_ends(state, ends)
            if count == 0:
                break
            start = get(counter, START)
            end = load64(ends + word(8 * (count - 1)))
            put(counter, PENDING, word(count))
            if get(counter, ARENA_USED) + (end - start) + word(8 * ROOM) > get(counter, ARENA_SIZE):
                return ARENA_FULL
            _count_batch(counter, base, start, count)
            put(counter, START, end)
            put(counter, PENDING, word(0))
        put(counter, START, word(0))
        put(counter, DOCUMENT, document + ONE)
    put(counter, DOCUMENT, word(0))
    return DONE


@kernel
def _count_batch(counter: Any, text: Any, start: Any, count: Any) -> None:
    """Count the pre-tokens whose ends are in ENDS; in two rounds, as `encode._emit` explains."""
    ends, masks = get(counter, ENDS), get(counter, MASKS)
    table, bits = get(counter, TABLE), get(counter, BITS)
    at = text + start
    for number in range(count):
        end = text + load64(ends + word(8 * number))
        low, high = short_key(masks, at, end - at)
        prefetch(table + (_slot(low, high, bits) << word(5)))
        at = end
    at = text + start
    for number in range(count):
        end = text + load64(ends + word(8 * number))
        _add(counter, at, end - at, ONE)
        at = end


@kernel
def _add_records(counter: Any, record: Any, address: Any, place: Any) -> Any:
    """Add packed records from `place` on; why it stopped and where."""
    counter, address = word(counter), word(address)
    while place < len(record):
        length = integer(record[place + 1])
        if _is_crowded(counter, 1):
            return TABLE_FULL, place
        if get(counter, ARENA_USED) + word(length + 8) > get(counter, ARENA_SIZE):
            return ARENA_FULL, place
        _add(counter, address + word(8 * (place + 2)), word(length), record[place])
        place += record_words(length)
    return DONE, place


@kernel
def _rehash(old: Any, counter: Any) -> None:
    """Move the entries of the table `old` to the counter's larger one."""
    counter = word(counter)
    table, bits = get(counter, TABLE), get(counter, BITS)
    for start in range(0, len(old), 4):
        if old[start + 1] != word(0):
            slot = _slot(old[start], old[start + 1], bits)
            while load64(table + (slot << word(5)) + word(8)) != word(0):
                slot = (slot + ONE) & ((ONE << bits) - ONE)
            for at in range(4):
                store64(table + (slot << word(5)) + word(8 * at), old[start + at])


@inlined
def _partition(low: Any, high: Any, num_partitions: Any) -> Any:
    return ((low ^ high) * MIX_2 >> word(32)) % word(num_partitions)


@inlined
def _length(high: Any) -> Any:
    return integer(high & ~LONG if high >= LONG else high >> word(56))


@kernel
def _packed_sizes(table: Any, sizes: Any) -> None:
    """How many words the packed records of each partition of a table need."""
    for start in range(0, len(table), 4):
        low, high = table[start], table[start + 1]
        if high != word(0):
            sizes[_partition(low, high, len(sizes))] += record_words(_length(high))


@kernel
def _pack(table: Any, arena: Any, places: Any, out: Any) -> None:
    """Write the packed records of partition p of a table from `places[p]` of `out` on."""
    for start in range(0, len(table), 4):
        low, high = table[start], table[start + 1]
        if high == word(0):
            continue
        partition, length = _partition(low, high, len(places)), _length(high)
        at, size = places[partition], record_words(length)
        places[partition] += size
        out[at], out[at + 1] = table[start + 2], word(length)
        if high >= LONG:
            first = integer(table[start + 3] >> word(3))
            for more in range(size - 2):
                out[at + 2 + more] = arena[first + more]
        else:
            out[at + 2] = low
            if size > 3:
                out[at + 3] = high & word(0x00FFFFFFFFFFFFFF)


def padded_words(size: int) -> Words:
    """`size` zeros with readable words after them: keys are loaded two words at a time."""
    return np.zeros(size + 2, np.uint64)[:size]


@kernel
def num_records(record: Any) -> Any:
    """How many pre-tokens are in a packed record array."""
    count, at = 0, 0
    while at < len(record):
        count += 1
        at += record_words(integer(record[at + 1]))
    return count


class Counter:
    """Pre-tokens and how often each was seen."""

    def __init__(self) -> None:
        self._counter = np.zeros(COUNTER_WORDS, np.uint64)
        self._kept: dict[int, npt.NDArray[Any]] = {
            STATE: np.zeros(STATE_WORDS, np.uint64),
            PAGES_AT: class_pages(),
            ENDS: np.zeros(ROOM, np.uint64),
            MASKS: key_masks(),
        }
        for place, array in self._kept.items():
            self._counter[place] = array.ctypes.data
        self.clear()

    def clear(self) -> None:
        self._set_table(aligned_zeros(4 << FIRST_BITS))
        self._set_arena(np.zeros(FIRST_ARENA // 8, np.uint64))
        self._counter[[NUM_ENTRIES, ARENA_USED]] = 0

    @property
    def num_distinct(self) -> int:
        return int(self._counter[NUM_ENTRIES])

    @property
    def num_bytes(self) -> int:
        return int(self._table.nbytes + self._arena.nbytes)

    def count(self, texts: list[bytes]) -> None:
        """Count the pre-tokens of each text."""
        offsets = np.cumsum([0, *(len(text) for text in texts)])
        room = np.frombuffer(b"".join([*texts, bytes(PADDING)]), np.uint8)
        while status := _count_documents(self._counter.ctypes.data, room.ctypes.data, offsets):
            self._grow(status, int(offsets[-1]))

    def add(self, record: Words) -> None:
        """Add packed records."""
        at = 0
        while True:
            status, at = _add_records(self._counter.ctypes.data, record, record.ctypes.data, at)
            if status == DONE:
                return
            self._grow(status, int(record[at + 1]))

    def pack(self, num_partitions: int = 1) -> list[Words]:
        """All entries as packed records, by partition."""
        sizes = np.zeros(num_partitions, np.int64)
        _packed_sizes(self._table, sizes)
        ends = np.cumsum(sizes)
        out = padded_words(int(ends[-1]))
        _pack(self._table, self._arena, ends - sizes, out)
        return np.split(out, ends[:-1])

    def counted(self) -> Iterator[tuple[bytes, int]]:
        """Each pre-token and how often it was seen, in no order that means anything."""
        [record] = self.pack()
        raw, at = record.tobytes(), 0
        while at < len(record):
            count, length = int(record[at]), int(record[at + 1])
            yield raw[8 * (at + 2) : 8 * (at + 2) + length], count
            at += record_words(length)

    def _grow(self, status: int, wanted: int) -> None:
        if status == TABLE_FULL:
            old = self._table
            self._set_table(aligned_zeros(2 * len(old)))
            _rehash(old, self._counter.ctypes.data)
        else:
            size = max(2 * len(self._arena), len(self._arena) + wanted // 8 + 2 * ROOM)
            arena = np.zeros(size, np.uint64)
            arena[: len(self._arena)] = self._arena
            self._set_arena(arena)

    def _set_table(self, table: Words) -> None:
        self._table = table
        self._counter[TABLE] = table.ctypes.data
        self._counter[BITS] = (len(table) // 4).bit_length() - 1

    def _set_arena(self, arena: Words) -> None:
        self._arena = arena
        self._counter[ARENA], self._counter[ARENA_SIZE] = arena.ctypes.data, arena.nbytes


def count_pre_tokens(
    texts: Iterable[str | bytes],
    folder: Path,
    *,
    threads: int = 1,
    memory: int = DEFAULT_MEMORY,
) -> list[Words]:
    """How often each pre-token of `texts` occurs, as packed records.

    A thread whose table exceeds its share of `memory` bytes writes it to `folder`, by partition; if
    any did, the records are files there, mapped into memory.
    """
    everyone = [Counter() for _ in range(threads)]
    free = deque(enumerate(everyone))

    def work(batch: list[bytes]) -> None:
        number, counter = free.pop()
        counter.count(batch)
        if counter.num_bytes > memory // threads:
            _spill(counter, folder / f"spilled-{number}")
        free.append((number, counter))

    for _ in in_order(work, _batches(texts), threads):
        pass
    if any(folder.glob("spilled-*")):
        for number, counter in enumerate(everyone):
            _spill(counter, folder / f"spilled-{number}")
        return [_read_back(folder, partition) for partition in range(NUM_PARTITIONS)]
    first, *others = everyone
    for other in others:
        first.add(other.pack()[0])
        other.clear()
    return first.pack()


def _batches(texts: Iterable[str | bytes]) -> Iterator[list[bytes]]:
    batch, size = [], 0
    for text in texts:
        batch.append(to_utf8(text))
        size += len(batch[-1])
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _spill(counter: Counter, folder: Path) -> None:
    """Append each partition of a table to a file of its own, and empty the table."""
    folder.mkdir(exist_ok=True)
    for partition, record in enumerate(counter.pack(NUM_PARTITIONS)):
        with (folder / str(partition)).open("ab") as file:
            record.tofile(file)
    counter.clear()


def _read_back(folder: Path, partition: int) -> Words:
    """The sum of what all threads spilled of a partition, in a file."""
    counter = Counter()
    for path in folder.glob(f"spilled-*/{partition}"):
        record = padded_words(path.stat().st_size // 8)
        with path.open("rb") as file:
            file.readinto(record.view(np.uint8).data)
        counter.add(record)
        path.unlink()
    summed = folder / f"counted-{partition}"
    counter.pack()[0].tofile(summed)
    if not summed.stat().st_size:
        return padded_words(0)
    return np.memmap(summed, dtype=np.uint64, mode="r")


def to_utf8(text: str | bytes) -> bytes:
    r"""`text` as bytes; a lone surrogate becomes U+FFFD and a pair its character, as in tiktoken.

    >>> to_utf8("a \ud800")
    b'a \xef\xbf\xbd'
    """
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise InputError(f"a text is of type {type(text).__name__}; expected str or bytes")
    return without_surrogates(text).encode()
