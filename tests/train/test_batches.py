"""Every window once an epoch, in an order that only the seed and the step decide."""

import numpy as np
import pytest

from wellread.base.errors import InputError
from wellread.model.ranks import Ranks
from wellread.train.batches import Batches, Early
from wellread.train.windows import Windows

SHARDS = [np.arange(0, 101, dtype=np.uint16), np.arange(200, 251, dtype=np.uint16)]


def test_windows_overlap_by_the_one_token_that_is_target_and_input() -> None:
    windows = Windows(SHARDS, context=10)
    assert windows.num_windows == 15
    assert windows[0].tolist() == list(range(11))
    assert windows[9].tolist() == list(range(90, 101))
    assert windows[10].tolist() == list(range(200, 211))


def test_an_epoch_sees_every_window_once() -> None:
    batches = Batches(Windows(SHARDS, context=10), batch_sequences=5, seed=1)
    starts = np.concatenate([batches[step][:, 0] for step in range(3)])
    expected = [*range(0, 100, 10), *range(200, 250, 10)]
    assert sorted(starts.tolist()) == expected


def test_epochs_differ_and_the_same_step_is_always_the_same() -> None:
    batches = Batches(Windows(SHARDS, context=10), batch_sequences=15, seed=1)
    first, second = batches[0], batches[1]
    assert not np.array_equal(first, second)
    again = Batches(Windows(SHARDS, context=10), batch_sequences=15, seed=1)
    assert np.array_equal(again[1], second)


def test_processes_share_a_batch_without_a_rest() -> None:
    windows = Windows(SHARDS, context=10)
    batch = Batches(windows, batch_sequences=5, seed=1)[2]
    parts = [Batches(windows, 5, 1, Ranks(rank, 3))[2] for rank in range(3)]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert np.array_equal(parts[0], batch[[0, 3]])
    assert np.array_equal(parts[1], batch[[1, 4]])
    assert np.array_equal(parts[2], batch[[2]])


def test_early_batches_are_smaller_and_of_pieces_and_the_order_is_as_without() -> None:
    windows = Windows(SHARDS, context=10)
    order = np.concatenate([Batches(windows, 1, seed=1)[step] for step in range(9)])
    batches = Batches(windows, 3, seed=1, early=Early(steps=2, sequences=2, context=5))
    first, second, third = (batches[step] for step in range(3))
    assert [batches.sequences(step) for step in range(4)] == [2, 2, 3, 3]
    assert [batches.tokens_before(step) for step in range(4)] == [0, 20, 40, 70]
    pieces = [piece for window in order[:4] for piece in (window[:6], window[5:])]
    assert np.array_equal(np.concatenate([first, second]), pieces)
    assert np.array_equal(third, order[4:7])
    assert batches.places(1) == Batches(windows, 2, seed=1).places(1)


def test_processes_share_early_batches_too() -> None:
    windows, early = Windows(SHARDS, context=10), Early(steps=2, sequences=2, context=5)
    whole = Batches(windows, 3, 1, early=early)[1]
    parts = [Batches(windows, 3, 1, Ranks(rank, 2), early)[1] for rank in range(2)]
    assert np.array_equal(np.concatenate(parts), whole)
    with pytest.raises(InputError, match="batch_sequences is 2 for 3 processes"):
        Batches(windows, 3, 1, Ranks(0, 3), early)
