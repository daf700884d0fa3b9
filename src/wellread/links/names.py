"""Numbers for names that come again and again: hosts, domains, subreddits."""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint64 as word

from wellread.base.kernels import kernel
from wellread.links.select import HASH_START, HASH_TIMES

FIRST_SLOTS = 1 << 12


class Numbering:
    """One number for each name, from 0 on, for all threads."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> int:
        with self._lock:
            number = self._numbers.setdefault(name, len(self.names))
            if number == len(self.names):
                self.names.append(name)
            return number


@kernel
def _slot_of(text: Any, start: Any, end: Any, slots: Any, ends: Any, arena: Any) -> Any:
    """Where in the table the name is, or would be."""
    state = HASH_START
    for at in range(start, end):
        state = (state ^ word(text[at])) * HASH_TIMES
    mask = word(len(slots) - 1)
    slot = (state ^ (state >> word(32))) & mask
    while slots[slot] >= 0:
        number = slots[slot]
        begin = ends[number - 1] if number else 0
        same = ends[number] - begin == end - start
        at = 0
        while same and at < end - start:
            same = arena[begin + at] == text[start + at]
            at += 1
        if same:
            break
        slot = (slot + word(1)) & mask
    return slot


@kernel
def _number_all(
    text: Any, starts: Any, stops: Any, slots: Any, ends: Any, arena: Any, count: Any, out: Any
) -> Any:
    for row in range(len(starts)):
        slot = _slot_of(text, starts[row], stops[row], slots, ends, arena)
        if slots[slot] < 0:
            used = ends[count - 1] if count else 0
            for at in range(starts[row], stops[row]):
                arena[used] = text[at]
                used += 1
            ends[count] = used
            slots[slot] = count
            count += 1
        out[row] = slots[slot]
    return count


@kernel
def _fill(slots: Any, ends: Any, arena: Any, count: Any) -> None:
    """Enter the first `count` names into an empty table."""
    for number in range(count):
        begin = ends[number - 1] if number else 0
        slots[_slot_of(arena, begin, ends[number], slots, ends, arena)] = number


class SeenNames:
    """The names that one thread has met, in a table that a kernel looks them up in."""

    def __init__(self) -> None:
        self._slots = np.full(FIRST_SLOTS, -1, np.int32)
        self._ends = np.empty(FIRST_SLOTS, np.int64)
        self._arena = np.empty(FIRST_SLOTS, np.uint8)
        self._count = 0

    def numbers(
        self,
        text: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        stops: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.int32], list[str]]:
        """A number for each name (bytes of ASCII), and the names that are new, in order."""
        before = self._count
        used = int(self._ends[before - 1]) if before else 0
        self._make_room(before + len(starts), used + int((stops - starts).sum()))
        out = np.empty(len(starts), np.int32)
        self._count = _number_all(
            text, starts, stops, self._slots, self._ends, self._arena, before, out
        )
        new = range(before, self._count)
        return out, [self._name(number) for number in new]

    def _name(self, number: int) -> str:
        begin = self._ends[number - 1] if number else 0
        return self._arena[begin : self._ends[number]].tobytes().decode("ascii")

    def _make_room(self, names: int, num_bytes: int) -> None:
        if num_bytes > len(self._arena):
            self._arena = np.concatenate([self._arena, np.empty(num_bytes, np.uint8)])
        if names > len(self._ends):
            self._ends = np.concatenate([self._ends, np.empty(names, np.int64)])
        if 2 * names > len(self._slots):
            self._slots = np.full(1 << (4 * names - 1).bit_length(), -1, np.int32)
            _fill(self._slots, self._ends, self._arena, self._count)
