"""Learning merges: the pair that occurs most often becomes one token, again and again.

Pre-tokens lie end to end in one array of cells, a byte each, with a border before each. A token
has its id in its first cell and in its last, and its length in bytes is known from its id: so
both neighbours of a place are found without links. Each pair has the list of places where it
begins. All places of a pair are known when the later of its two tokens is made, so a list is
written once; merges elsewhere only make entries stale. Counts are corrected when they matter: a
pair's stored count can only be too high, so the first of the heap is counted again, and taken if
that changes nothing, else put back. No table of pairs is needed, and no count is ever decreased.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint32 as single

from wellread.base.errors import InputError
from wellread.base.kernels import inlined, kernel
from wellread.tokenizer.alphabet import byte_order
from wellread.tokenizer.count import DEFAULT_MEMORY, record_words
from wellread.tokenizer.vocabulary import NUM_BYTES, Pair

Array = npt.NDArray[Any]
LARGEST_PLACE = 0xFFFFFFFF  # lists hold places as uint32
DONE, PAUSED, CROWDED = range(3)  # why `_learn` returns; CROWDED: give lists and pairs more room
NUM_PAIRS, HEAP_SIZE, LISTS_USED, NUM_MERGES, LIST_WANTED = range(5)  # in `state`
PAUSE = 1000  # merges between reports of progress


class _Arrays:
    """The text as cells, and room for more. Past `memory` bytes arrays are files in `folder`."""

    def __init__(
        self, num_cells: int, num_words: int, kind: Any, memory: int, folder: Path
    ) -> None:
        self._left, self._folder, self._files = memory, folder, 0
        self.cells = self.zeros(num_cells, kind)
        self.word_of = self.zeros(num_cells, np.uint32)
        self.weights = self.zeros(num_words, np.int64)

    def zeros(self, size: int, kind: Any) -> Array:
        """Zeros in memory while `memory` lasts, else in a file."""
        num_bytes = size * np.dtype(kind).itemsize
        if num_bytes <= self._left:
            self._left -= num_bytes
            return np.zeros(size, kind)
        self._files += 1
        path = self._folder / f"array-{self._files}"
        return np.memmap(path, dtype=kind, mode="w+", shape=(size,))

    def larger(self, array: Array, size: int) -> Array:
        """`array` with room for `size`."""
        self._left += array.nbytes if not isinstance(array, np.memmap) else 0
        grown = self.zeros(size, array.dtype)
        grown[: len(array)] = array
        if isinstance(array, np.memmap):
            Path(str(array.filename)).unlink()  # its pages stay until `array` is gone
        return grown


def learn_merges(
    records: list[Array],
    num_merges: int,
    folder: Path,
    *,
    memory: int = DEFAULT_MEMORY,
    report: Callable[[int], None] | None = None,
) -> Iterator[tuple[Pair, int]]:
    """The merges learnt from counted pre-tokens (see `count.pack`), with each pair's count.

    Yields ((left id, right id), count); the n-th merge makes id 256 + n. Among pairs of equal
    count the one with the smallest ids is taken, as Hugging Face `tokenizers` does. Ends early
    when no pair is left. `report` hears how many merges are done. `records` is emptied. Past
    `memory` bytes arrays are files in `folder`.

    >>> from wellread.tokenizer.count import count_pre_tokens
    >>> list(learn_merges(count_pre_tokens(["aaab", "aaab", "ab"], Path()), 2, Path()))
    [((64, 64), 4), ((64, 65), 3)]
    """
    arrays = _laid_out(records, num_merges, memory, folder)
    num_cells, vocabulary = len(arrays.cells), NUM_BYTES + num_merges
    num_lists, num_pairs = 2 * num_cells, min(num_cells, 1 << 18) + NUM_BYTES**2
    pairs = [arrays.zeros(num_pairs, kind) for kind in PAIR_COLUMNS]
    lists = arrays.zeros(num_lists, np.uint32)
    events = [arrays.zeros(1 << 16, np.uint32) for _ in range(2)]
    lengths = np.ones(vocabulary, np.uint32)
    sums, nums = np.zeros((2, vocabulary), np.int64), np.zeros((2, vocabulary), np.int64)
    made, counts = np.zeros((num_merges, 2), np.uint32), np.zeros(num_merges, np.int64)
    state = np.zeros(8, np.int64)
    text = (arrays.cells, arrays.word_of, arrays.weights)
    _start(*text, *pairs, lists, state)
    done, status = 0, PAUSED
    while status != DONE:
        status = _learn(
            *text, *pairs, lists, *events, lengths, sums, nums, made, counts, state,
            min(num_merges, int(state[NUM_MERGES]) + PAUSE),
        )  # fmt: skip
        for left, right, count in zip(
            made[done : state[NUM_MERGES], 0].tolist(), made[done : state[NUM_MERGES], 1].tolist(),
            counts[done : state[NUM_MERGES]].tolist(), strict=True,
        ):  # fmt: skip
            yield (left, right), count
        done = int(state[NUM_MERGES])
        if report is not None:
            report(done)
        if status == CROWDED:
            wanted = 2 * int(state[LIST_WANTED])
            if state[LISTS_USED] + wanted > len(lists):
                lists = arrays.larger(lists, len(lists) + max(len(lists) // 2, wanted))
            if state[NUM_PAIRS] + min(wanted, 2 * vocabulary) > len(pairs[0]):
                room = len(pairs[0]) + max(len(pairs[0]) // 2, min(wanted, 2 * vocabulary))
                for at, column in enumerate(pairs):
                    pairs[at] = arrays.larger(column, room)
            if wanted > len(events[0]):
                events = [arrays.larger(column, wanted) for column in events]


def _laid_out(records: list[Array], num_merges: int, memory: int, folder: Path) -> _Arrays:
    """The pre-tokens of `records`, which is emptied, as cells."""
    sizes = np.array([_size(part) for part in records]).reshape(-1, 2)
    num_cells, num_words = int(sizes[:, 0].sum()) + 1, int(sizes[:, 1].sum())
    if num_cells > LARGEST_PLACE:
        raise InputError(
            f"{num_cells:,} bytes of distinct pre-tokens; at most {LARGEST_PLACE:,} fit"
        )
    # Two values beyond all ids are for borders and for cells inside a token.
    kind = np.uint16 if NUM_BYTES + num_merges <= 0xFFFE else np.uint32
    arrays = _Arrays(num_cells, num_words, kind, memory, folder)
    ids = np.empty(NUM_BYTES, np.uint32)
    ids[list(byte_order())] = np.arange(NUM_BYTES)
    arrays.cells[0] = np.iinfo(kind).max
    at, word = 1, 0
    for number in range(len(records)):
        at, word = _fill(
            records[number], ids, arrays.cells, arrays.word_of, arrays.weights, at, word
        )
    records.clear()
    return arrays


# Of each pair: left id, right id, where its list starts and its length. Of the heap: count, pair.
PAIR_COLUMNS = (np.uint32, np.uint32, np.int64, np.uint32, np.int64, np.uint32)


@kernel
def _size(record: Any) -> Any:
    """How many cells and pre-tokens of two bytes or more a packed record array has."""
    cells, words, at = 0, 0, 0
    while at < len(record):
        length = integer(record[at + 1])
        if length > 1:
            cells += length + 1
            words += 1
        at += record_words(length)
    return cells, words


@kernel
def _fill(record: Any, ids: Any, cells: Any, word_of: Any, weights: Any, at: Any, word: Any) -> Any:
    """Lay the pre-tokens of a packed record array into cells from `at` on."""
    place = 0
    text = record.view(np.uint8)
    while place < len(record):
        length = integer(record[place + 1])
        if length > 1:
            weights[word] = record[place]
            for byte in range(length):
                cells[at + byte] = ids[text[8 * (place + 2) + byte]]
                word_of[at + byte] = word
            at += length
            cells[at] = cells[0]
            at += 1
            word += 1
        place += record_words(length)
    return at, word


@inlined
def _is_before(count: Any, pair: Any, other_count: Any, other: Any, left: Any, right: Any) -> Any:
    if count != other_count:
        return count > other_count
    if left[pair] != left[other]:
        return left[pair] < left[other]
    return right[pair] < right[other]


@kernel
def _push(
    heap_counts: Any, heap: Any, size: Any, count: Any, pair: Any, left: Any, right: Any
) -> None:
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if not _is_before(count, pair, heap_counts[parent], heap[parent], left, right):
            break
        heap_counts[place] = heap_counts[parent]
        heap[place] = heap[parent]
        place = parent
    heap_counts[place] = count
    heap[place] = pair


@kernel
def _sink(
    heap_counts: Any, heap: Any, size: Any, count: Any, pair: Any, left: Any, right: Any
) -> None:
    """Put a pair in place of the first of a heap of `size`, and where it belongs."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _is_before(
            heap_counts[child + 1], heap[child + 1], heap_counts[child], heap[child], left, right
        ):
            child += 1
        if not _is_before(heap_counts[child], heap[child], count, pair, left, right):
            break
        heap_counts[place] = heap_counts[child]
        heap[place] = heap[child]
        place = child
    heap_counts[place] = count
    heap[place] = pair


@kernel
def _drop_first(heap_counts: Any, heap: Any, state: Any, left: Any, right: Any) -> None:
    last = state[HEAP_SIZE] - 1
    state[HEAP_SIZE] = last
    _sink(heap_counts, heap, last, heap_counts[last], heap[last], left, right)


@kernel
def _start(
    cells: Any, word_of: Any, weights: Any, left: Any, right: Any, starts: Any, lengths: Any,
    heap_counts: Any, heap: Any, lists: Any, state: Any,
) -> None:  # fmt: skip
    """List the places of each pair of bytes."""
    border = cells[0]
    numbers = np.zeros(NUM_BYTES * NUM_BYTES, np.int64)
    sums = np.zeros(NUM_BYTES * NUM_BYTES, np.int64)
    for at in range(1, len(cells) - 1):
        if cells[at] != border and cells[at + 1] != border:
            both = integer(cells[at]) * NUM_BYTES + integer(cells[at + 1])
            numbers[both] += 1
            sums[both] += weights[word_of[at]]
    filled = np.zeros(NUM_BYTES * NUM_BYTES, np.int64)
    used, pair = 0, 0
    for both in range(NUM_BYTES * NUM_BYTES):
        filled[both] = used
        if numbers[both]:
            left[pair], right[pair] = both // NUM_BYTES, both % NUM_BYTES
            starts[pair], lengths[pair] = used, numbers[both]
            used += numbers[both]
            _push(heap_counts, heap, pair, sums[both], pair, left, right)
            pair += 1
    for at in range(1, len(cells) - 1):
        if cells[at] != border and cells[at + 1] != border:
            both = integer(cells[at]) * NUM_BYTES + integer(cells[at + 1])
            lists[filled[both]] = at
            filled[both] += 1
    state[NUM_PAIRS], state[HEAP_SIZE], state[LISTS_USED] = pair, pair, used


@kernel
def _learn(
    cells: Any, word_of: Any, weights: Any, left: Any, right: Any, starts: Any, lengths: Any,
    heap_counts: Any, heap: Any, lists: Any, event_ids: Any, event_places: Any,
    token_lengths: Any, sums: Any, nums: Any, made: Any, counts: Any, state: Any, until: Any,
) -> Any:  # fmt: skip
    """Make merges until there are `until`; see the module's docstring."""
    border = cells[0]
    num_merges = state[NUM_MERGES]
    while num_merges < until and state[HEAP_SIZE] > 0:
        pair, count = heap[0], heap_counts[0]
        a, b = left[pair], right[pair]
        length_a, length_b = integer(token_lengths[a]), integer(token_lengths[b])
        start, found, total = starts[pair], 0, 0
        for entry in range(start, start + integer(lengths[pair])):
            at = integer(lists[entry])
            if cells[at] == a and cells[at + length_a] == b:
                lists[start + found] = at
                found += 1
                total += weights[word_of[at]]
        lengths[pair] = found
        if total == 0:
            _drop_first(heap_counts, heap, state, left, right)
            continue
        if total != count:
            _sink(heap_counts, heap, state[HEAP_SIZE], total, pair, left, right)
            continue
        if (
            state[LISTS_USED] + 2 * found > len(lists)
            or state[NUM_PAIRS] + 2 * min(found, NUM_BYTES + num_merges + 1) > len(left)
            or 2 * found > len(event_ids)
        ):
            state[LIST_WANTED] = found
            return CROWDED
        _drop_first(heap_counts, heap, state, left, right)

        new = np.uint32(NUM_BYTES + num_merges)
        token_lengths[new] = length_a + length_b
        made[num_merges, 0], made[num_merges, 1], counts[num_merges] = a, b, count
        num_merges += 1
        state[NUM_MERGES] = num_merges
        num_events = 0
        for entry in range(start, start + found):
            at = integer(lists[entry])
            middle, after = at + length_a, at + length_a + length_b
            if cells[at] != a or cells[middle] != b:
                continue  # aaa: the place before took one of the two
            if length_b > 1:
                cells[middle] = border - 1  # inside a token
            cells[at] = new
            cells[after - 1] = new
            weight = weights[word_of[at]]
            before, following = cells[at - 1], cells[after]
            if before != border:
                sums[0, before] += weight
                nums[0, before] += 1
                event_ids[num_events] = single(before) << single(1)
                event_places[num_events] = at - integer(token_lengths[before])
                num_events += 1
            if following != border:
                sums[1, following] += weight
                nums[1, following] += 1
                event_ids[num_events] = (single(following) << single(1)) | single(1)
                event_places[num_events] = at
                num_events += 1

        # Sums, then places: the first event of a neighbour makes the pair and reserves its list.
        for event in range(num_events):
            side, neighbour = event_ids[event] & 1, event_ids[event] >> 1
            if sums[side, neighbour]:
                fresh = state[NUM_PAIRS]
                left[fresh] = neighbour if side == 0 else new
                right[fresh] = new if side == 0 else neighbour
                starts[fresh], lengths[fresh] = state[LISTS_USED], nums[side, neighbour]
                _push(
                    heap_counts, heap, state[HEAP_SIZE], sums[side, neighbour], np.uint32(fresh),
                    left, right,
                )  # fmt: skip
                sums[side, neighbour] = 0
                nums[side, neighbour] = state[LISTS_USED]  # from here on: where the next place goes
                state[LISTS_USED] += integer(lengths[fresh])
                state[NUM_PAIRS] += 1
                state[HEAP_SIZE] += 1
            lists[nums[side, neighbour]] = event_places[event]
            nums[side, neighbour] += 1
        for event in range(num_events):
            nums[event_ids[event] & 1, event_ids[event] >> 1] = 0
    return DONE if num_merges == len(made) or state[HEAP_SIZE] == 0 else PAUSED
