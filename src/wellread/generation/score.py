"""The probabilities of given continuations, by the kernel that generates."""

from collections.abc import Iterator, Sequence

import numpy as np

from wellread.generation.decode import num_shared
from wellread.generation.stepper import Ids, Scores, Stepper
from wellread.model.gpt2 import GPT2, Cache

MOST_LANES = 16  # texts read side by side, so that short ones fill what is read at once


def scores(
    model: GPT2, texts: Sequence[Ids], num_scored: Sequence[int], *, positions: int
) -> Iterator[tuple[int, Scores]]:
    """For each text, by its number and in any order, how its last ids were expected.

    Texts lie in the order of their ids, and a lane goes back to where its next text parts from the
    last one, so that what they begin with alike is read once. `positions` of keys and values are
    kept. No bit depends on what else is scored.
    """
    if not texts:
        return
    room = max(map(len, texts)) - 1
    num_lanes = min(MOST_LANES, len(texts), max(1, positions // room))
    cache = Cache(model.config, num_lanes, room, model.wte.weight)
    stepper = Stepper(model, cache)
    held: list[Ids] = [np.zeros(0, np.int64)] * num_lanes
    order = sorted(range(len(texts)), key=lambda number: texts[number].astype(">i8").tobytes())
    lanes = _lanes(texts, order, num_lanes)
    try:
        for turn in range(max(map(len, lanes))):
            ids: dict[int, Ids] = {}
            targets: dict[int, Ids] = {}
            for row, lane in enumerate(lanes):
                if turn >= len(lane):
                    continue
                text, num = texts[lane[turn]], num_scored[lane[turn]]
                known = min(num_shared(held[row], text[:-1]), len(text) - 1 - num)
                cache.lengths[row], held[row] = known, text[:-1]
                ids[row], targets[row] = text[known:-1], text[-num:]
            for row, found in stepper.score(ids, targets).items():
                yield lanes[row][turn], found
    finally:
        stepper.close()


def _lanes(texts: Sequence[Ids], order: Sequence[int], num_lanes: int) -> list[list[int]]:
    """`order` in parts of about as much to read; texts that begin alike stay together."""
    lanes: list[list[int]] = [[] for _ in range(num_lanes)]
    loads, lane = [0] * num_lanes, 0
    last: Ids = np.zeros(0, np.int64)
    for number in order:
        text = texts[number]
        known = num_shared(last, text)
        if 2 * known < len(text):
            known, lane = 0, min(range(num_lanes), key=loads.__getitem__)
        lanes[lane].append(number)
        loads[lane] += len(text) - known
        last = text
    return lanes
