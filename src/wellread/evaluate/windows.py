"""A text of any length as requests that score each of its tokens once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.evaluate.language_model import Request


def windows(
    ids: npt.NDArray[Any], *, context: int, stride: int, prefix: int | None, given: int = 0
) -> Iterator[Request]:
    """Windows of at most `context` positions, each `stride` tokens further than the last.

    The first scores all it holds, the others their last `stride` tokens. The first token is
    conditioned on `prefix`; without one it is not scored, only conditioned on. Nor are the first
    `given` tokens, so that the first window may score no more than the others do.

    >>> [(r.context.tolist(), r.continuation.tolist()) for r in
    ...  windows(np.arange(1, 6), context=3, stride=2, prefix=0)]
    [([0], [1, 2, 3]), ([2, 3], [4, 5])]
    >>> [(r.context.tolist(), r.continuation.tolist()) for r in
    ...  windows(np.arange(1, 8), context=3, stride=2, prefix=None, given=4)]
    [([3, 4], [5, 6]), ([4, 5, 6], [7])]
    """
    assert 0 < stride <= context
    if prefix is not None:
        ids = np.concatenate([[prefix], ids])
        given += 1
    start = max(1, given)  # of the tokens to score
    end = max(1 + context, start + stride)
    while start < len(ids):
        scored = ids[start:end]
        yield Request(ids[max(0, start - (context + 1 - len(scored))) : start], scored)
        start, end = end, end + stride
