"""Batches that break training or shake it: which texts they are made of, and what a spike is."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from wellread.base.errors import WellreadError
from wellread.formats.metrics import Step
from wellread.formats.tokens import read_documents, shard_name
from wellread.train.batches import Batches

log = logging.getLogger(__name__)
MOST_NAMED = 3  # documents or shards of a batch, in a sentence
RECENT = 50  # logged losses that a spike is told by


class Diverged(WellreadError):
    """A loss or a gradient is no number any more."""


class BadBatch(Diverged):
    """A step (from 1) whose loss or gradients are no numbers."""

    def __init__(self, step: int, what: str, advice: str) -> None:
        super().__init__(f"step {step}: {what}; {advice}")
        self.step, self.what, self.advice = step, what, advice


@contextlib.contextmanager
def naming_texts(texts: Callable[[int], str]) -> Iterator[None]:
    """Let a BadBatch in this block say what its batch is made of."""
    try:
        yield
    except BadBatch as bad:
        what = f"{bad.what}; its batch is of {texts(bad.step)}"
        raise BadBatch(bad.step, what, bad.advice) from None


class Spikes:
    """How far losses are above the median of the last logged ones before them."""

    def __init__(self, losses: Iterable[float], nats: float | None) -> None:
        self._recent, self._nats = deque(losses, maxlen=RECENT), nats

    def above(self, loss: float) -> float | None:
        """Nats above the median if they are too many; `loss` counts from then on."""
        above = loss - median(self._recent) if self._recent else 0.0
        self._recent.append(loss)
        return above if self._nats is not None and above > self._nats else None


def marking_spikes(
    steps: Iterable[Step], spikes: Spikes, texts: Callable[[int], str]
) -> Iterator[Step]:
    """The steps, with a warning for each spike, which they then have a number for."""
    for step in steps:
        above = None if step.loss is None else spikes.above(step.loss)
        if above is not None:
            log.warning(
                "step %d: the loss is %.3f, which is %.3f above the median of the last; its batch "
                "is of %s", step.step, step.loss, above, texts(step.step),
            )  # fmt: skip
        yield msgspec.structs.replace(step, spike=above)


def texts_of(tokens: Path, batches: Batches, step: int) -> str:
    """The documents and shards in the batch of a step (from 1), for a sentence.

    As "http://one/, http://two/ and 6 more documents (train-00000.npy)".
    """
    places = batches.places(step - 1)
    documents = read_documents(tokens, "train", ["url", "start"])
    starts = documents["start"].to_numpy()
    found: dict[str, None] = {}  # a set in order
    for place in places:
        first, last = np.searchsorted(starts, [place.start, place.end - 1], side="right") - 1
        found |= dict.fromkeys(documents["url"][first : last + 1].to_pylist())
    shards = {shard_name("train", place.shard): None for place in places}
    return f"{_first(found, 'documents')} ({_first(shards, 'shards')})"


def _first(names: Iterable[str], what: str) -> str:
    listed = list(names)
    more = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" and {more} more {what}" if more > 0 else "")
