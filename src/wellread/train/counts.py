"""Token embeddings from how often tokens stand near each other, before the first step.

What the text says about a token by its neighbours alone need not be learnt by gradients: a
factorisation of the table of counts has it (Levy and Goldberg 2014, "Neural Word Embedding as
Implicit Matrix Factorization"). Counted are the tokens that the training will see, and no others.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from wellread.base.seeds import generator
from wellread.model.gpt2 import GPT2
from wellread.model.ranks import Ranks, shared
from wellread.train.batches import Batches
from wellread.train.config import TrainConfig

DEVIATION = 0.05  # ours: of the embeddings' numbers
MOST_TOKENS = 2**25  # that are counted
AT_ONCE = 2**20  # tokens
FAR = range(2, 6)  # distances that say what a token is about; 1 says what may follow it
FAR_SHARE = 4  # one number in so many is of those
OVERSAMPLED, ROUNDS = 16, 3  # of the factorisation: Halko et al. 2011, algorithm 4.4

Table = Any  # scipy.sparse.csr_array, which has no types of its own
Rows = npt.NDArray[np.float64]


@torch.no_grad()
def begin_with_counts(network: GPT2, batches: Batches, config: TrainConfig, ranks: Ranks) -> None:
    """Give `network` the token embeddings that its training's own tokens speak for.

    Tokens that are not among them keep the embeddings that they have. The first process counts.
    """
    weight_VC, content = network.wte.weight, b""
    if ranks.rank == 0:
        whole = batches.of_all_processes()
        windows = (whole[step] for step in range(config.steps))
        content = embeddings_from_counts(
            windows, len(weight_VC), weight_VC.shape[1], config.seed
        ).tobytes()
    found_VC = np.frombuffer(bytearray(shared(content, bytes, ranks)), np.float32)
    found_VC = found_VC.reshape(weight_VC.shape)
    is_known = torch.from_numpy(found_VC.any(axis=1)).to(weight_VC.device)
    weight_VC[is_known] = torch.from_numpy(found_VC).to(weight_VC.device)[is_known]


def embeddings_from_counts(
    batches: Iterable[npt.NDArray[np.int64]], vocab_size: int, width: int, seed: int
) -> npt.NDArray[np.float32]:
    """Shape (vocab_size, width), of (B, T) windows of tokens each.

    Three eighths of a token's numbers are of what follows it, as many of what it follows, and two
    of what stands two to five tokens away.
    """
    following, near = _counts(batches, vocab_size)
    num_far = width // FAR_SHARE
    num_left = (width - num_far) // 2
    num_right = width - num_far - num_left
    left, right = _factors(following, max(num_left, num_right), generator(seed, "counts", "next"))
    about, _ = _factors(near + near.T, num_far, generator(seed, "counts", "near"))
    parts = (left[:, :num_left], right[:, :num_right], about)
    # Each part counts alike; a text of few kinds of tokens has nothing for the last columns.
    scaled = [part * (DEVIATION / (part.std() or 1.0)) for part in parts]
    return np.concatenate(scaled, axis=1).astype(np.float32)


def _counts(batches: Iterable[npt.NDArray[np.int64]], vocab_size: int) -> tuple[Table, Table]:
    """How often each token (row) is followed by each (column): next, and within `FAR`."""
    shape = (vocab_size, vocab_size)
    following, near = sparse.csr_array(shape), sparse.csr_array(shape)
    for windows in _pieces(batches):
        following = following + _pairs(windows, 1, shape)
        for distance in FAR:
            near = near + _pairs(windows, distance, shape)
    return following, near


def _pieces(batches: Iterable[npt.NDArray[np.int64]]) -> Iterator[npt.NDArray[np.int64]]:
    """Many windows of the same length at a time, until there are enough."""
    held: list[npt.NDArray[np.int64]] = []
    waiting = seen = 0
    for windows in batches:
        if held and (windows.shape[1] != held[0].shape[1] or waiting >= AT_ONCE):
            yield np.concatenate(held)
            held, waiting = [], 0
        held.append(windows)
        waiting, seen = waiting + windows.size, seen + windows.size
        if seen >= MOST_TOKENS:
            break
    yield np.concatenate(held)


def _pairs(windows: npt.NDArray[np.int64], distance: int, shape: tuple[int, int]) -> Table:
    first, second = windows[:, :-distance].ravel(), windows[:, distance:].ravel()
    ones = np.ones(len(first))
    return sparse.coo_array((ones, (first, second)), shape=shape).tocsr()


def _factors(counts: Table, rank: int, source: np.random.Generator) -> tuple[Rows, Rows]:
    """Of the positive pointwise mutual information: rows and columns, each (V, rank)."""
    pairs = counts.tocoo()
    of_rows, of_columns = (np.asarray(counts.sum(axis=axis)) + 1.0 for axis in (1, 0))
    expected = of_rows[pairs.row] * of_columns[pairs.col] / counts.sum()
    information = np.maximum(np.log(pairs.data / expected), 0.0)
    table = sparse.coo_array((information, (pairs.row, pairs.col)), shape=counts.shape).tocsr()
    # Its largest singular vectors, by powers of it times random ones.
    size = min(rank + OVERSAMPLED, counts.shape[0])
    found = np.linalg.qr(table @ source.standard_normal((counts.shape[1], size))).Q
    for _ in range(ROUNDS):
        found = np.linalg.qr(table @ np.linalg.qr(table.T @ found).Q).Q
    u, s, v = np.linalg.svd((table.T @ found).T, full_matrices=False)
    scale = np.sqrt(s[:rank])
    rows, columns = (found @ u)[:, :rank] * scale, v[:rank].T * scale
    missing = ((0, 0), (0, rank - len(scale)))  # of a vocabulary smaller than that
    return np.pad(rows, missing), np.pad(columns, missing)
