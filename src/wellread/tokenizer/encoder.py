"""Running the kernels of `encode` over texts, on one thread or several."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.intrinsics import PADDING
from wellread.base.memory import aligned_zeros
from wellread.base.threads import in_order
from wellread.formats.ids import Ids, dtype_for
from wellread.tokenizer.encode import (
    BYTE_IDS,
    BYTE_PAIRS,
    CACHE,
    CACHE_BITS,
    EMPTY,
    ENDS,
    ID_BITS,
    KEYS,
    LONG_CACHE,
    LONG_CACHE_BITS,
    LONG_KEY,
    LONG_SLOT,
    MASKS,
    NO_ID,
    NO_RANK,
    OWN_BITS,
    OWN_CACHE,
    PAGES_AT,
    PAIRS,
    PAIRS_SHIFT,
    RANK_BITS,
    RANK_IDS,
    SCRATCH,
    STATE,
    TABLE_WORDS,
    WIDTH,
    encode_documents,
    fill_pairs,
    key_masks,
)
from wellread.tokenizer.split import ROOM, STATE_WORDS, safe_cut
from wellread.tokenizer.unicode import class_pages
from wellread.tokenizer.vocabulary import NUM_BYTES, Vocabulary

Counts = npt.NDArray[np.int64]
SPARE = 8  # ids of room behind the last one, since ids are written several at a time
PART = 1 << 20  # bytes that one thread encodes, at least, before it takes more
LARGEST_PART = 1 << 24  # of one long text
MAX_IDS = 1 << ID_BITS
SHORT = 1 << 16  # bytes: a text up to here is copied to a place with padding


class Encoder:
    """The tables of one vocabulary, and a workspace with caches for each thread that encodes."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        if len(vocabulary.tokens) > MAX_IDS:
            raise InputError(f"{len(vocabulary.tokens):,} ids; at most {MAX_IDS:,} fit")
        if len(vocabulary.merges) >= 1 << RANK_BITS:
            raise InputError(
                f"{len(vocabulary.merges):,} merges; fewer than {1 << RANK_BITS:,} fit"
            )
        self.dtype = dtype_for(len(vocabulary.tokens))
        special = set(vocabulary.special.values())
        number_of = {t: i for i, t in enumerate(vocabulary.tokens) if i not in special}
        self._byte_ids = np.array([number_of[bytes([b])] for b in range(NUM_BYTES)], np.uint32)
        tokens = vocabulary.tokens
        merged = [number_of[tokens[left] + tokens[right]] for left, right in vocabulary.merges]
        self._rank_ids = np.array(merged, np.uint32)
        merges = np.array(vocabulary.merges, np.int64).reshape(-1, 2)
        self._byte_pairs = np.full((NUM_BYTES, NUM_BYTES), NO_RANK, np.uint32)
        byte_of = {int(number): byte for byte, number in enumerate(self._byte_ids)}
        for rank, (left, right) in enumerate(vocabulary.merges):
            if left in byte_of and right in byte_of:
                self._byte_pairs[byte_of[left], byte_of[right]] = rank
        self._pairs_bits = max(10, int(4 * len(merges)).bit_length())
        self._pairs = aligned_zeros(1 << self._pairs_bits)
        self._pairs.fill(EMPTY)
        fill_pairs(merges, self._pairs, 64 - self._pairs_bits)
        self._masks = key_masks()
        self._cache = aligned_zeros(4 << CACHE_BITS)
        self._workspaces: deque[_Workspace] = deque()  # those that no thread is using

    def encode_text(self, text: bytes, *, threads: int = 1) -> Ids:
        """The ids of one text."""
        if len(text) > SHORT:
            return self._encode_long(np.frombuffer(text, np.uint8), threads)
        workspace = self._taken()
        size = len(text)
        workspace.text[:size] = np.frombuffer(text, np.uint8)
        workspace.offset[1] = size
        count = encode_documents(
            workspace.tables_at, workspace.text_at, workspace.offset, NO_ID, workspace.ids_at,
            workspace.count,
        )  # fmt: skip
        ids = workspace.ids[:count].copy()
        self._workspaces.append(workspace)
        return ids

    def encode(self, texts: Sequence[bytes], *, threads: int = 1) -> list[tuple[Ids, Counts]]:
        """The ids of `texts`, in order, some texts together: their ids, and how many each has."""
        groups = list(_groups(texts))

        def work(group: list[bytes]) -> tuple[Ids, Counts]:
            room = np.frombuffer(b"".join([*group, bytes(PADDING)]), np.uint8)
            return self.encode_buffer(room, np.cumsum([0, *map(len, group)]))

        return list(in_order(work, groups, min(threads, max(len(groups), 1))))

    def encode_buffer(
        self, buffer: npt.NDArray[np.uint8], offsets: Counts, *, first_id: int = NO_ID
    ) -> tuple[Ids, Counts]:
        """The ids of the documents `offsets[i]` to `offsets[i + 1]` of a buffer with PADDING.

        The ids are in one array; beside it how many each document has, `first_id` before it
        included.
        """
        counts = np.empty(len(offsets) - 1, np.int64)
        workspace = self._taken()
        room = workspace.ids_for(int(offsets[-1] - offsets[0]) + len(counts))
        ids = room[: _write(workspace, buffer, offsets, room, counts, first_id)].copy()
        self._workspaces.append(workspace)
        return ids, counts

    def _encode_long(self, text: npt.NDArray[np.uint8], threads: int) -> Ids:
        """The ids of one long text, cut where its pre-tokens end anyway."""
        last = int(safe_cut(text.ctypes.data, 0, len(text) - PADDING - 1, len(text) - PADDING))
        if last >= len(text) - PADDING:
            last = 0  # no cut: a text with hardly any white space is copied whole
        tail = np.zeros(len(text) - last + PADDING, np.uint8)
        tail[: len(text) - last] = text[last:]
        cuts = np.array([*_cuts(text, last, threads), len(text)], np.int64)
        # Each part has its own place in one array, and is then moved to where the one before ends.
        room = np.empty(len(text) + SPARE * len(cuts), self.dtype)
        places = cuts + SPARE * np.arange(len(cuts))

        def work(part: int) -> int:
            buffer, offsets = text, cuts[part : part + 2]
            if part == len(cuts) - 2:
                buffer, offsets = tail, offsets - last
            workspace = self._taken()
            count = _write(workspace, buffer, offsets, room[places[part] :], workspace.count)
            self._workspaces.append(workspace)
            return count

        filled = 0
        with room.view(np.uint8).data as moved:
            for part, count in enumerate(in_order(work, range(len(cuts) - 1), threads)):
                start, size = places[part] * room.itemsize, count * room.itemsize
                moved[filled : filled + size] = moved[start : start + size]
                filled += size
        room.resize(filled // room.itemsize, refcheck=False)  # in place: gives back the rest
        return room

    def _taken(self) -> "_Workspace":
        """A workspace that no other thread has, until it is put back."""
        try:
            return self._workspaces.pop()
        except IndexError:
            return self._workspace()

    def _workspace(self) -> "_Workspace":
        tables: dict[int, npt.NDArray[Any]] = {
            MASKS: self._masks,
            CACHE: self._cache,
            BYTE_IDS: self._byte_ids,
            BYTE_PAIRS: self._byte_pairs,
            PAIRS: self._pairs,
            RANK_IDS: self._rank_ids,
        }
        numbers = {
            PAIRS_SHIFT: 64 - self._pairs_bits,
            WIDTH: 1 if self.dtype == np.uint16 else 2,
        }
        return _Workspace(tables, numbers, self.dtype)


def _write(
    workspace: "_Workspace", buffer: npt.NDArray[np.uint8], offsets: Counts, room: Ids,
    counts: Counts, first_id: int = NO_ID,
) -> int:  # fmt: skip
    """Write the ids of the documents of `buffer` to `room`; how many, and of each document."""
    return int(
        encode_documents(
            workspace.tables_at, buffer.ctypes.data, offsets, first_id, room.ctypes.data, counts
        )
    )


def _cuts(text: npt.NDArray[np.uint8], last: int, threads: int) -> Iterator[int]:
    """0, `last`, and between them where `threads` divide a long text.

    Each part is a share of what is left, so that the last ones are small and no thread waits long.
    """
    cut = 0
    yield cut
    while cut < last:
        part = last
        if threads > 1:
            part = min(max((last - cut) // (2 * threads), PART), LARGEST_PART)
        cut = int(safe_cut(text.ctypes.data, cut, min(cut + part, last), last))
        yield cut


def _groups(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= PART:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Workspace:
    """What one thread encodes with: the array of addresses that kernels take, caches, buffers."""

    def __init__(
        self, shared: dict[int, npt.NDArray[Any]], numbers: dict[int, int], dtype: Any
    ) -> None:
        self._kept = shared | {
            STATE: np.zeros(STATE_WORDS, np.uint64),
            PAGES_AT: class_pages(),
            ENDS: np.zeros(ROOM, np.uint64),
            KEYS: aligned_zeros(4 * ROOM),
            SCRATCH: np.zeros(2 * LONG_KEY, np.uint32),
            OWN_CACHE: aligned_zeros(4 << OWN_BITS),
            LONG_CACHE: aligned_zeros((LONG_SLOT // 8) << LONG_CACHE_BITS),
        }
        self._tables = np.zeros(TABLE_WORDS, np.uint64)
        for place, array in self._kept.items():
            self._tables[place] = array.ctypes.data
        for place, number in numbers.items():
            self._tables[place] = number
        self.tables_at = self._tables.ctypes.data
        self.text = np.zeros(SHORT + PADDING, np.uint8)
        self.text_at = self.text.ctypes.data
        self.ids: Ids = np.zeros(SHORT + SPARE, dtype)
        self.ids_at = self.ids.ctypes.data
        self.offset, self.count = np.zeros(2, np.int64), np.zeros(1, np.int64)

    def ids_for(self, num_bytes: int) -> Ids:
        """Room for the ids of so many bytes, never more than bytes: the same room if it suffices.

        What the system hands out is slow the first time that it is touched.
        """
        if num_bytes > LARGEST_PART:
            return np.empty(num_bytes + SPARE, self.ids.dtype)
        if num_bytes + SPARE > len(self.ids):
            self.ids = np.empty(num_bytes + SPARE, self.ids.dtype)
            self.ids_at = self.ids.ctypes.data
        return self.ids
