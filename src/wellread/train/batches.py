"""Which tokens each step sees: a pure function of (seed, step), so there is no state to lose."""

import copy
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.model.ranks import ALONE, Ranks
from wellread.train.windows import DocumentWindows, Place, Windows


class Early(NamedTuple):
    """The first steps of a training, whose batches are smaller or of shorter sequences."""

    steps: int
    sequences: int  # windows of a batch
    context: int  # of the pieces that windows are cut into


class Batches:
    """Batches of windows, every window once an epoch, in an order of its own each epoch.

    Of several processes each has every so manieth window of a batch. What is `early` changes
    neither the windows nor their order.
    """

    def __init__(
        self,
        windows: Windows | DocumentWindows,
        batch_sequences: int,
        seed: int,
        ranks: Ranks = ALONE,
        early: Early | None = None,
    ) -> None:
        self._early = early or Early(0, batch_sequences, windows.context)
        if (fewest := min(batch_sequences, self._early.sequences)) < ranks.size:
            raise InputError(
                f"batch_sequences is {fewest} for {ranks.size} processes; expected at least one "
                "for each"
            )
        if windows.num_windows < 1:
            raise InputError("the training split is shorter than one context; give more text")
        self.context = windows.context
        self._windows, self._size, self._seed = windows, batch_sequences, seed
        self._ranks = ranks
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def _shuffled(self, epoch: int) -> npt.NDArray[np.int64]:
        source = generator(self._seed, "batches", f"epoch-{epoch}")
        return source.permutation(self._windows.num_windows)

    def __getitem__(self, step: int) -> npt.NDArray[np.int64]:
        """This process's part of a step's batch: B sequences, (B, their context + 1)."""
        windows = np.stack([self._windows[number] for number in self._chosen(step)])
        if (context := self.context_of(step)) == self.context:
            return windows
        # Pieces share a token as windows do.
        cut = np.lib.stride_tricks.sliding_window_view(windows, context + 1, axis=1)
        return cut[:, ::context].reshape(-1, context + 1)

    def of_all_processes(self) -> "Batches":
        """As one process alone would have them."""
        other = copy.copy(self)
        other._ranks = ALONE
        return other

    @property
    def tokens_of_epoch(self) -> int:
        """Those that are predicted until a window comes again."""
        return self._windows.num_windows * self.context

    def context_of(self, step: int) -> int:
        """How long a step's sequences are."""
        return self._early.context if step < self._early.steps else self.context

    def sequences(self, step: int) -> int:
        """Windows in a step's batch, of all processes."""
        return self._early.sequences if step < self._early.steps else self._size

    def tokens_before(self, step: int) -> int:
        """Those that the steps before this one predict."""
        return self._windows_before(step) * self.context

    def _windows_before(self, step: int) -> int:
        early = min(step, self._early.steps)
        return early * self._early.sequences + (step - early) * self._size

    def places(self, step: int) -> list[Place]:
        """Where this process's part of a step's batch comes from."""
        return [place for number in self._chosen(step) for place in self._windows.places(number)]

    def _chosen(self, step: int) -> list[int]:
        numbers = range(self._windows_before(step), self._windows_before(step + 1))
        own = numbers[self._ranks.rank :: self._ranks.size]
        per_epoch = self._windows.num_windows
        return [int(self._order(n // per_epoch)[n % per_epoch]) for n in own]
