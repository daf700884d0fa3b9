"""A step of decoding on a CUDA device as one recorded graph: one launch instead of hundreds.

A token of a small model is hundreds of short kernels, and starting them one by one takes several
times as long as they do.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from wellread.generation.stepper import Ahead
from wellread.model.gpt2 import GPT2, Cache


def ahead_of(logits_NV: Tensor) -> Ahead:
    return Ahead(logits_NV, logits_NV.argmax(dim=1), logits_NV.logsumexp(dim=1))


class Replay:
    """The step of all rows of a cache, from ids and lengths that lie in the device's memory."""

    def __init__(self, model: GPT2, cache: Cache) -> None:
        self._model, self._cache = model, cache
        rows, device = len(cache.lengths), cache.k_LBHSD.device
        self._given = torch.zeros(2, rows, dtype=torch.long, device=device)  # ids, lengths
        self._graph: torch.cuda.CUDAGraph | None = None
        self._ahead: Ahead

    def __call__(self, ids: Sequence[int]) -> Ahead:
        """What comes after one more id in each row; valid until the next call."""
        given = torch.tensor([ids, self._cache.lengths])
        self._given.copy_(given, non_blocking=True)
        if self._graph is None:
            self._record()
        assert self._graph is not None
        self._graph.replay()
        return self._ahead

    def _record(self) -> None:
        # What kernels need of memory and handles is made beforehand, on a stream of its own; that
        # writes the keys and values which the first replay writes again.
        with torch.cuda.device(self._given.device):
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                self._step()
            torch.cuda.current_stream().wait_stream(beside)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._ahead = self._step()

    def _step(self) -> Ahead:
        ids_B, lengths_B = self._given
        new = self._cache.following(lengths_B, 1, self._cache.k_LBHSD.shape[3])
        hidden_BC = self._model.hidden(ids_B[:, None], self._cache, new=new)[:, 0]
        return ahead_of(F.linear(hidden_BC, self._model.head_VC).float())
