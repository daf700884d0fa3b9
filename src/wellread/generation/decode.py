"""From a model and the ids so far to the logits of what comes next, for several rows at once.

Rows are independent: each has its own prompt and its own length, may begin when others are far, and
starts over from the last half of what it has when the context is full.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from wellread.generation.replay import Replay, ahead_of
from wellread.generation.stepper import Ahead, Ids, Stepper, can_step
from wellread.model.gpt2 import GPT2, Cache

WORTH_WAITING_FOR = 8  # more ids in common with a prompt that has not been read than with others
PROMPT_TOKENS = 8192  # read together, padding included: bounds the memory of a prompt's pass


@contextlib.contextmanager
def on_one_thread() -> Iterator[None]:
    """Let PyTorch work on this thread alone.

    After an operation on several, its others look for more for milliseconds, on the cores that the
    kernel's threads need.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def num_shared(one: Ids, other: Ids) -> int:
    """How many ids both begin with; the last of `other` is left to be read.

    >>> num_shared(np.array([1, 2, 3, 4]), np.array([1, 2, 3])), num_shared(*np.eye(2))
    (2, 0)
    """
    num = min(len(one), len(other) - 1)
    differ = one[:num] != other[:num]
    return int(differ.argmax()) if differ.any() else num


class Decoder:
    """`rows` continuations of a model, each of at most `room` positions."""

    def __init__(self, model: GPT2, rows: int, room: int) -> None:
        self._model = model
        self._room = min(room, model.config.context)
        self._cache = Cache(model.config, rows, self._room, model.wte.weight)
        self._ids: list[list[int]] = [[] for _ in range(rows)]  # those that the cache holds
        self._prepare()

    def _prepare(self) -> None:
        """For the cache as it now is, what is faster than PyTorch's operations one by one."""
        model, cache = self._model, self._cache
        self._stepper = Stepper(model, cache) if can_step(model) else None
        self._replay = Replay(model, cache) if model.wte.weight.device.type == "cuda" else None

    def choosing(self) -> AbstractContextManager[None]:
        """Where the next tokens are chosen between two steps."""
        return contextlib.nullcontext() if self._stepper is None else on_one_thread()

    def close(self) -> None:
        if self._stepper is not None:
            self._stepper.close()

    def begin(self, prompts: dict[int, list[int]]) -> Ahead:
        """What comes after the prompt of each row; what was in the row is gone."""
        for row, prompt in prompts.items():
            self._ids[row] = prompt[-self._room :]
            self._cache.lengths[row] = 0
        if self._stepper is None:
            return self._read({row: self._ids[row] for row in prompts})
        parts: list[Ahead] = []
        order: list[int] = []
        for sources in self._waves(list(prompts)):
            for row, (source, length) in sources.items():
                if length:
                    self._cache.copy_row(source, row, length)
            ahead = self._stepper({row: self._ids[row][k:] for row, (_, k) in sources.items()})
            parts.append(ahead.copy())
            order += sources
        return Ahead.joined(parts).of_rows([order.index(row) for row in prompts])

    def _waves(self, new: list[int]) -> Iterator[dict[int, tuple[int, int]]]:
        """The rows to read, together those that can be: row -> (source, how much they share).

        What a prompt shares with what a row has read, or with an earlier prompt that is read first,
        is copied: the kernel's bits do not depend on how a text was cut.
        """
        held = [row for row, length in enumerate(self._cache.lengths) if length]
        ids = {row: np.array(self._ids[row]) for row in [*held, *new]}
        shared = {
            row: {other: num_shared(ids[other], ids[row]) for other in [*held, *new[:number]]}
            for number, row in enumerate(new)
        }
        left = list(new)
        while left:
            now: dict[int, tuple[int, int]] = {}
            for row in left:
                known = [(k, -other) for other, k in shared[row].items() if other not in left]
                length, source = max(known, default=(0, 0))
                waited_for = [k for other, k in shared[row].items() if other in left]
                if max(waited_for, default=0) < length + WORTH_WAITING_FOR:
                    now[row] = (-source, length)
            yield now
            left = [row for row in left if row not in now]

    def _read(self, prompts: dict[int, list[int]]) -> Ahead:
        """What the stepper does for prompts, with PyTorch: padded behind, a few at a time."""
        found: dict[int, Tensor] = {}
        waiting = sorted(prompts, key=lambda row: len(prompts[row]))
        while waiting:
            together = waiting[-max(1, PROMPT_TOKENS // len(prompts[waiting[-1]])) :]
            del waiting[-len(together) :]
            lengths = [len(prompts[row]) for row in together]
            ids_NT = torch.zeros(len(together), max(lengths), dtype=torch.long)
            for at, row in enumerate(together):
                ids_NT[at, : lengths[at]] = torch.tensor(prompts[row])
            weight = self._model.wte.weight
            fresh = Cache(self._model.config, len(together), max(lengths), weight)
            hidden_NTC = self._model.hidden(ids_NT.to(weight.device), fresh)
            for at, (row, length) in enumerate(zip(together, lengths, strict=True)):
                self._cache.k_LBHSD[:, row, :, :length] = fresh.k_LBHSD[:, at, :, :length]
                self._cache.v_LBHSD[:, row, :, :length] = fresh.v_LBHSD[:, at, :, :length]
                self._cache.lengths[row] = length
            last_N = torch.tensor(lengths, device=weight.device) - 1
            last_NC = hidden_NTC[torch.arange(len(together), device=weight.device), last_N]
            logits_NV = F.linear(last_NC, self._model.head_VC).float()
            found.update(zip(together, logits_NV, strict=True))
        return ahead_of(torch.stack([found[row] for row in prompts]))

    def step(self, chosen: dict[int, int]) -> Ahead:
        """What comes after one more id in each of the rows named; others stay as they are."""
        full = {
            row: (self._ids[row] + [token])[-max(self._room // 2, 1) :]
            for row, token in chosen.items()
            if self._cache.lengths[row] == self._room
        }
        if not full:
            return self._step(chosen)
        parts = [self.begin(full)]
        if going := {row: token for row, token in chosen.items() if row not in full}:
            parts.append(self._step(going))
        order = [*full, *going]
        return Ahead.joined(parts).of_rows([order.index(row) for row in chosen])

    def _step(self, chosen: dict[int, int]) -> Ahead:
        for row, token in chosen.items():
            self._ids[row].append(token)
        if self._stepper is not None:
            return self._stepper({row: [token] for row, token in chosen.items()})
        # Rows that stay take part, because a part of the cache would have to be copied. What they
        # write stands behind their length; a row that is full has ended, or begins anew.
        before, rows = list(self._cache.lengths), list(chosen)
        self._cache.lengths = [min(length, self._room - 1) for length in before]
        ids = [chosen.get(row, 0) for row in range(len(before))]
        ahead = self._all_rows(ids)
        self._cache.lengths = [length + (row in chosen) for row, length in enumerate(before)]
        return ahead if len(rows) == len(before) else ahead.of_rows(rows)

    def _all_rows(self, ids: Sequence[int]) -> Ahead:
        if self._replay is not None:
            return self._replay(ids)
        ids_B1 = torch.tensor(ids, device=self._model.wte.weight.device)[:, None]
        hidden_BC = self._model.hidden(ids_B1, self._cache)[:, 0]
        return ahead_of(F.linear(hidden_BC, self._model.head_VC).float())

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, numbered anew; the others' memory is given back."""
        self._cache = self._cache.with_rows(rows)
        self._ids = [self._ids[row] for row in rows]
        self.close()
        self._prepare()
