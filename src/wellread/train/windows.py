"""The windows of tokens that batches are made of, and those that are held out."""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.formats.ids import Ids
from wellread.formats.tokens import read_documents, read_header, read_split
from wellread.train.packing import pack

HELD_OUT_SHARE = 0.05  # of windows, where tokens have no splits; the paper's, section 3


class Place(NamedTuple):
    """Tokens of a shard, counted over the split's shards."""

    shard: int
    start: int
    end: int


class _Shards:
    """A split's shards as one sequence."""

    def __init__(self, shards: Sequence[Ids]) -> None:
        self._shards, self.starts = shards, np.cumsum([0, *map(len, shards)])

    def places(self, start: int, end: int) -> Iterator[Place]:
        """The tokens from `start` up to `end`, shard by shard."""
        shard = int(np.searchsorted(self.starts, start, side="right")) - 1
        while start < end:
            stop = min(end, int(self.starts[shard + 1]))
            yield Place(shard, start, stop)
            shard, start = shard + 1, stop

    def read(self, places: Iterable[Place]) -> npt.NDArray[np.int64]:
        parts = []
        for shard, start, end in places:
            before = self.starts[shard]
            parts.append(self._shards[shard][start - before : end - before])
        return np.concatenate(parts).astype(np.int64)


class Windows:
    """The windows of `context + 1` tokens that a split's shards hold, one after another.

    Neighbours share one token: the last target of one is the first input of the next.
    """

    def __init__(self, shards: Sequence[Ids], context: int) -> None:
        self._shards, self.context = _Shards(shards), context
        counts = [max(len(shard) - 1, 0) // context for shard in shards]
        self._ends = np.cumsum(counts)
        self._first, self.num_windows = 0, int(sum(counts))

    def part(self, start: int, stop: int) -> "Windows":
        """Those from number `start` up to `stop`, which have numbers from 0 there."""
        other = copy.copy(self)
        other._first, other.num_windows = self._first + start, stop - start
        return other

    def __getitem__(self, number: int) -> npt.NDArray[np.int64]:
        """The window's tokens, shape (context + 1,)."""
        return self._shards.read(self.places(number))

    def places(self, number: int) -> list[Place]:
        """Where the window's tokens lie."""
        number += self._first
        shard = int(np.searchsorted(self._ends, number, side="right"))
        before = int(self._ends[shard - 1]) if shard else 0
        start = int(self._shards.starts[shard]) + (number - before) * self.context
        return [Place(shard, start, start + self.context + 1)]


class DocumentWindows:
    """Windows of which as many as can begin at a document's start, and the others within one.

    They are cut as `Windows` are, but from the documents in the order that `pack` gives them.
    """

    def __init__(
        self, shards: Sequence[Ids], documents: npt.NDArray[np.int64], context: int
    ) -> None:
        """`documents` has where each begins in the split, and where the last ends."""
        self._shards, self._documents, self.context = _Shards(shards), documents, context
        self._packed = pack(np.diff(documents), context)
        self.num_windows = (self._packed.end - 1) // context

    def __getitem__(self, number: int) -> npt.NDArray[np.int64]:
        """The window's tokens, shape (context + 1,)."""
        return self._shards.read(self.places(number))

    def places(self, number: int) -> list[Place]:
        """Where the window's tokens lie, in their order."""
        start, missing = number * self.context, self.context + 1
        at = int(np.searchsorted(self._packed.starts, start, side="right")) - 1
        inside = start - int(self._packed.starts[at])
        found: list[Place] = []
        while missing:
            document = int(self._packed.order[at])
            begin = int(self._documents[document]) + inside
            end = min(begin + missing, int(self._documents[document + 1]))
            found += self._shards.places(begin, end)
            at, inside, missing = at + 1, 0, missing - (end - begin)
        return found

    def shares(self) -> dict[str, float]:
        """Of the windows that begin with a document; of tokens seen twice an epoch, and never."""
        starts, last = self._packed.starts, self.num_windows * self.context
        num_tokens = int(self._documents[-1] - self._documents[0])
        beginning = np.count_nonzero((starts % self.context == 0) & (starts < last))
        return {
            "windows": int(beginning) / self.num_windows,
            "twice": self._packed.twice / num_tokens,
            "left_out": (self._packed.end - 1 - last) / num_tokens,
        }


class Splits(NamedTuple):
    """What a run trains on, and what it is measured on."""

    train: Windows | DocumentWindows
    held_out: Windows
    held_out_from: str  # the split


def read_windows(tokens: Path, context: int, *, document_starts: bool = False) -> Splits:
    """The windows of `tokens`; if these have no validation split, the last are held out of train.

    So one text file is enough, which as one document cannot be in two splits. What is held out is
    the same with `document_starts`, which is about the windows to train on.
    """
    shards = read_split(tokens, "train")
    windows = Windows(shards, context)
    train: Windows | DocumentWindows = windows
    if "validation" in read_header(tokens).splits:
        held_out, split = Windows(read_split(tokens, "validation"), context), "validation"
        end = sum(map(len, shards))
    else:
        rest = windows.num_windows - math.ceil(windows.num_windows * HELD_OUT_SHARE)
        train, held_out = windows.part(0, rest), windows.part(rest, windows.num_windows)
        split, end = "train", held_out.places(0)[0].start + 1
    if document_starts and train.num_windows:
        train = DocumentWindows(shards, _bounds(tokens, end), context)
    return Splits(train, held_out, split)


def _bounds(tokens: Path, end: int) -> npt.NDArray[np.int64]:
    """Where documents begin in the training split, of its tokens up to `end`; and this."""
    starts = read_documents(tokens, "train", ["start"])["start"].to_numpy()
    if not len(starts) or starts[0] or (np.diff(starts) < 1).any():
        raise InputError(f"{tokens / 'documents.parquet'}: damaged; make the tokens again")
    return np.append(starts[: np.searchsorted(starts, end)], end)
