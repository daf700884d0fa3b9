"""The kernel of `fused` on a model and a cache: addresses, buffers, threads."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wellread.base.lanes import LANES
from wellread.generation.fused import LAST_ROWS, ROWS, forward
from wellread.generation.vectors import STEP, TILE
from wellread.model.gpt2 import GPT2, Cache
from wellread.model.large_pages import copied

NOT_FINITE = (
    "the model's logits are not finite: its weights hold NaN, or numbers too large for their type"
)
TOGETHER = 64  # positions read at once, at least: reading weights then takes little of the time
_LAYING_OUT = threading.Lock()  # two generations may begin on one model at the same time


Ids = npt.NDArray[np.int64]
Scores = tuple[npt.NDArray[np.float64], Ids]  # log-probabilities, the likeliest ids


class Ahead(NamedTuple):
    """What a model says of the next position of each of N rows."""

    logits_NV: Tensor  # float32
    best_N: Tensor  # the likeliest ids
    log_sum_N: Tensor  # a logit less this is a log-probability

    def of_rows(self, rows: list[int]) -> "Ahead":
        return Ahead(*(part[rows] for part in self))

    def copy(self) -> "Ahead":
        return Ahead(*(part.clone() for part in self))

    @staticmethod
    def joined(parts: Sequence["Ahead"]) -> "Ahead":
        return parts[0] if len(parts) == 1 else Ahead(*map(torch.cat, zip(*parts, strict=True)))


def can_step(model: GPT2) -> bool:
    """Whether `Stepper` does this model."""
    shape, weight = model.config, model.wte.weight
    return (
        weight.device.type == "cpu"
        and weight.dtype in (torch.float32, torch.bfloat16)
        and all((p.dtype, p.device) == (weight.dtype, weight.device) for p in model.parameters())
        and shape.norm == "pre"
        and shape.final_norm
        and shape.width % STEP == 0
        and shape.width // shape.heads % STEP == 0
    )


class Stepper:
    """A model and a cache made ready for `forward`: addresses, buffers, threads.

    Matrices are used where they are (laid out again first if they are transposed views). Only
    biases and the positions' embedding are copied, to float32.
    """

    def __init__(self, model: GPT2, cache: Cache, *, threads: int | None = None) -> None:
        shape = model.config
        self._vocabulary = shape.vocab_size
        self._threads = threads or torch.get_num_threads()
        self._cache = cache
        self._kept: list[Any] = [model]
        rows = max(TOGETHER, len(cache.lengths))
        self._ids, self._places, self._slots, self._last = np.zeros((4, rows), np.int64)
        self._arrived = np.zeros(8, np.uint64)
        self._epsilon = np.float32(shape.norm_epsilon)
        padded = -(-shape.vocab_size // LANES) * LANES
        self._logits = np.full((rows, padded), -np.inf, np.float32)
        self._best = np.zeros(rows, np.int64)
        self._log_sums = np.zeros(rows, np.float32)
        room = cache.k_LBHSD.shape[3]
        depth = shape.width // shape.heads
        own_size = TILE * TILE + rows * (shape.width + 3 * depth) + room + LANES
        own = [np.zeros(own_size, np.float32) for _ in range(self._threads)]
        streams = [np.zeros((rows, shape.width * wide), np.float32) for wide in (1, 1, 6)]
        scratch = np.array([array.ctypes.data for array in own], np.uint64)
        numbers = [
            shape.layers, shape.width, shape.heads, shape.vocab_size, room,
            len(cache.lengths), model.wte.weight.element_size(), self._threads, 0, 0,
        ]  # fmt: skip
        final: Any = model.ln_f
        buffers: list[npt.NDArray[Any]] = [
            self._ids, self._places, self._slots, self._last, self._arrived, scratch,
            np.ones(shape.width, np.float32), *streams, self._logits, self._best, self._log_sums,
        ]  # fmt: skip
        addresses = [
            self._matrix(model.wte.weight), self._vector(model.wpe.weight),
            self._matrix(model.head_VC), self._vector(final.weight), self._vector(final.bias),
            cache.k_LBHSD.data_ptr(), cache.v_LBHSD.data_ptr(), *map(self._address, buffers),
        ]  # fmt: skip
        self._kept += own
        blocks: list[Any] = list(model.h)
        for block in blocks:
            for layer in (block.ln_1, block.attn.c_attn, block.attn.c_proj, block.ln_2,
                          block.mlp.c_fc, block.mlp.c_proj):  # fmt: skip
                one = self._matrix if layer.weight.dim() == 2 else self._vector
                addresses += [one(layer.weight), self._vector(layer.bias)]
        self._state = np.array([*numbers, *addresses], np.uint64)
        self._pool = ThreadPoolExecutor(max(self._threads - 1, 1))

    def _address(self, array: npt.NDArray[Any]) -> int:
        self._kept.append(array)
        return array.ctypes.data

    def _matrix(self, weight: Tensor) -> int:
        with _LAYING_OUT, torch.inference_mode(mode=False), torch.no_grad():
            if not weight.is_contiguous():
                weight.data = copied(weight.data, weight.dtype, weight.device)
            data = weight.detach()
        self._kept.append(data)  # as it is now, whatever the model's weight becomes
        return data.data_ptr()

    def _vector(self, weight: Tensor) -> int:
        return self._address(weight.detach().float().contiguous().numpy())

    def __call__(self, ids: dict[int, list[int]]) -> Ahead:
        """What comes after the next ids of each of the cache's rows; valid until the next call.

        The cache then holds them.
        """
        found: list[Ahead] = []
        is_one_part = sum(map(len, ids.values())) <= len(self._ids)
        for count in self._parts(ids, dict.fromkeys(ids, 1)):
            logits = self._logits[:count, : self._vocabulary]
            parts = (logits, self._best[:count], self._log_sums[:count])
            ahead = Ahead(*map(torch.from_numpy, parts))
            found.append(ahead if is_one_part else ahead.copy())
        return Ahead.joined(found)

    def score(self, ids: dict[int, Ids], targets: dict[int, Ids]) -> dict[int, Scores]:
        """Of each row's last predictions after its next ids, which the cache then holds.

        As many as it has targets: their log-probabilities, and the likeliest id at each place.
        """
        wanted_N = np.concatenate(list(targets.values()))
        log_probs_N = np.empty(len(wanted_N))
        best_N = np.empty(len(wanted_N), np.int64)
        done = 0
        for count in self._parts(ids, {row: len(own) for row, own in targets.items()}):
            part = slice(done, done + count)
            logits = self._logits[np.arange(count), wanted_N[part]]
            log_probs_N[part] = logits - self._log_sums[:count]
            best_N[part] = self._best[:count]
            done += count
        ends = np.cumsum([len(own) for own in targets.values()])[:-1]
        parts = zip(np.split(log_probs_N, ends), np.split(best_N, ends), strict=True)
        return dict(zip(targets, parts, strict=True))

    def _parts(
        self, ids: Mapping[int, Sequence[int] | Ids], num_wanted: Mapping[int, int]
    ) -> Iterator[int]:
        """Read the ids, TOGETHER at a time, whatever row they are of.

        After each time: how many of each row's last `num_wanted` predictions are in the buffers,
        in order.
        """
        lengths = self._cache.lengths
        sizes = [len(given) for given in ids.values()]
        tokens = np.concatenate([np.asarray(given, np.int64) for given in ids.values()])
        rows = np.repeat(list(ids), sizes)
        within = np.concatenate([np.arange(size) for size in sizes])
        places = within + np.repeat([lengths[row] for row in ids], sizes)
        least = [size - num_wanted[row] for row, size in zip(ids, sizes, strict=True)]
        is_wanted = within >= np.repeat(least, sizes)
        for start in range(0, len(tokens), len(self._ids)):
            part = slice(start, start + len(self._ids))
            count, last = len(tokens[part]), np.flatnonzero(is_wanted[part])
            self._ids[:count], self._places[:count] = tokens[part], places[part]
            self._slots[:count], self._last[: len(last)] = rows[part], last
            self._state[[ROWS, LAST_ROWS]] = count, len(last)
            self._run()
            yield len(last)
        for row, given in ids.items():
            lengths[row] += len(given)

    def _run(self) -> None:
        state, arrived = self._state.ctypes.data, int(self._arrived[0])
        try:
            others = [
                self._pool.submit(forward, state, thread, arrived, self._epsilon)
                for thread in range(1, self._threads)
            ]
            forward(state, 0, arrived, self._epsilon)
            for other in others:
                other.result()
        except BaseException:  # an interruption: whoever waits for a thread that never comes ends
            self._arrived[0] = 1 << 62
            raise

    def close(self) -> None:
        self._pool.shutdown()
