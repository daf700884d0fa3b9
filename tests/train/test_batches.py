"""Every window once an epoch, in an order that only the seed and the step decide."""

import numpy as np

from wellread.model.ranks import Ranks
from wellread.train.batches import Batches, Windows

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
