"""Which tokens each step sees: a pure function of (seed, step), so there is no state to lose."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.formats.tokens import Ids
from wellread.model.ranks import ALONE, Ranks


class Windows:
    """The windows of `context + 1` tokens that a split's shards hold, one after another.

    Neighbours share one token: the last target of one is the first input of the next.
    """

    def __init__(self, shards: Sequence[Ids], context: int) -> None:
        self._shards, self._context = shards, context
        counts = [max(len(shard) - 1, 0) // context for shard in shards]
        self._ends = np.cumsum(counts)
        self.num_windows = int(sum(counts))

    def __getitem__(self, number: int) -> npt.NDArray[np.int64]:
        """The window's tokens, shape (context + 1,)."""
        shard = int(np.searchsorted(self._ends, number, side="right"))
        before = int(self._ends[shard - 1]) if shard else 0
        start = (number - before) * self._context
        return self._shards[shard][start : start + self._context + 1].astype(np.int64)


class Batches:
    """Batches of windows, every window once an epoch, in an order of its own each epoch.

    Of several processes each has every so manieth window of a batch.
    """

    def __init__(
        self, windows: Windows, batch_sequences: int, seed: int, ranks: Ranks = ALONE
    ) -> None:
        if batch_sequences < ranks.size:
            raise InputError(
                f"batch_sequences is {batch_sequences} for {ranks.size} processes; expected at "
                "least one for each"
            )
        if windows.num_windows < 1:
            raise InputError("the training split is shorter than one context; give more text")
        self._windows, self._size, self._seed = windows, batch_sequences, seed
        self._ranks = ranks
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def _shuffled(self, epoch: int) -> npt.NDArray[np.int64]:
        source = generator(self._seed, "batches", f"epoch-{epoch}")
        return source.permutation(self._windows.num_windows)

    def __getitem__(self, step: int) -> npt.NDArray[np.int64]:
        """This process's part of a step's batch, which has batch_sequences; (B, context + 1)."""
        numbers = range(step * self._size, (step + 1) * self._size)
        own = numbers[self._ranks.rank :: self._ranks.size]
        per_epoch = self._windows.num_windows
        chosen = (self._order(n // per_epoch)[n % per_epoch] for n in own)
        return np.stack([self._windows[number] for number in chosen])
