"""Running the kernels of `encode` over texts, on one thread or several."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.threads import in_order
from wellread.formats.tokens import Ids, dtype_for
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
from wellread.tokenizer.memory import PADDING, aligned_zeros
from wellread.tokenizer.split import ROOM, STATE_WORDS, safe_cut
from wellread.tokenizer.unicode import class_pages
from wellread.tokenizer.vocabulary import NUM_BYTES, Vocabulary

Counts = npt.NDArray[np.int64]
SPARE = 8  # ids of room behind the last one, since ids are written several at a time
PART = 1 << 20  # bytes that one thread encodes, at least, before it takes more
PARTS_PER_THREAD, LARGEST_PART = 4, 1 << 24  # of one long text
MAX_IDS = 1 << ID_BITS
SHORT = 1 << 16  # bytes: a text up to here is copied to a place with padding

Run = tuple[npt.NDArray[np.uint8], Counts]  # a buffer with padding, offsets of documents in it


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
        self._pairs = np.full(1 << self._pairs_bits, EMPTY, np.uint64)
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
        return self._fill([(buffer, offsets)], first_id)

    def _encode_long(self, text: npt.NDArray[np.uint8], threads: int) -> Ids:
        """The ids of one long text, cut where its pre-tokens end anyway."""
        address, size = text.ctypes.data, len(text)
        last = int(safe_cut(address, 0, size - PADDING - 1, size - PADDING))
        if last >= size - PADDING:
            last = 0  # no cut: a text with hardly any white space is copied whole
        tail = np.zeros(size - last + PADDING, np.uint8)
        tail[: size - last] = text[last:]
        end = [(tail, np.array([0, size - last], np.int64))]
        if threads == 1:
            return self._fill([(text, np.array([0, last], np.int64)), *end])[0]
        cuts = [0]
        part = min(max(size // (PARTS_PER_THREAD * threads), PART), LARGEST_PART)
        while last - cuts[-1] > part:
            cuts.append(int(safe_cut(address, cuts[-1], cuts[-1] + part, last)))
        cuts.append(last)
        runs = [[(text, np.array(cut, np.int64))] for cut in itertools.pairwise(cuts)]
        parts = [ids for ids, _ in in_order(self._fill, [*runs, end], threads)]
        ends = np.cumsum([len(part) for part in parts])
        room = np.empty(ends[-1], self.dtype)

        def place(number: int) -> None:
            room[ends[number] - len(parts[number]) : ends[number]] = parts[number]

        list(in_order(place, range(len(parts)), threads))
        return room

    def _fill(self, runs: list[Run], first_id: int = NO_ID) -> tuple[Ids, Counts]:
        """Encode `runs` into one array of ids, and one of how many each document has."""
        sizes = [int(offsets[-1] - offsets[0]) for _, offsets in runs]
        counts = np.empty(sum(len(offsets) - 1 for _, offsets in runs), np.int64)
        # Never more ids than bytes. Pages that nothing is written to take no memory.
        room = np.empty(sum(sizes) + len(counts) + SPARE, self.dtype)
        workspace = self._taken()
        filled = done = 0
        for buffer, offsets in runs:
            filled += encode_documents(
                workspace.tables_at,
                buffer.ctypes.data,
                offsets,
                first_id,
                room.ctypes.data + filled * room.itemsize,
                counts[done : done + len(offsets) - 1],
            )
            done += len(offsets) - 1
        self._workspaces.append(workspace)
        room.resize(filled, refcheck=False)  # in place: gives back the rest
        return room, counts

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
        self.ids = np.zeros(SHORT + SPARE, dtype)
        self.ids_at = self.ids.ctypes.data
        self.offset, self.count = np.zeros(2, np.int64), np.zeros(1, np.int64)
