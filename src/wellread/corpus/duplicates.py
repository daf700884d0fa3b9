"""Near-duplicates: MinHash signatures, candidates by bands, groups by connected components."""

from typing import Any

import numpy as np
import numpy.typing as npt
from daft import DataFrame, col
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

NUM_BANDS = 16  # of 8 values each: pairs of similarity 0.8 share a band with probability 0.95
NUM_PERMUTATIONS = 128
WORDS_PER_SHINGLE = 5

Signatures = npt.NDArray[np.uint32]


def signatures(documents: DataFrame) -> Signatures:
    """MinHash signatures of the column `text`, (num_documents, NUM_PERMUTATIONS), in its order.

    Texts are compared by their lower-cased words without punctuation.
    """
    plain = col("text").normalize(remove_punct=True, lowercase=True, white_space=True)
    hashed = plain.minhash(
        num_hashes=NUM_PERMUTATIONS, ngram_size=WORDS_PER_SHINGLE, seed=1, hash_function="xxhash64"
    )
    column = documents.select(hashed.alias("signature")).to_arrow()["signature"]
    values = column.combine_chunks().flatten().to_numpy()
    return np.asarray(values, dtype=np.uint32).reshape(-1, NUM_PERMUTATIONS)


def similarity(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The Jaccard similarity that pairs of signatures estimate, row by row."""
    equal: npt.NDArray[np.float64] = (a == b).mean(axis=-1)
    return equal


def near_duplicate_groups(found: Signatures, *, threshold: float) -> npt.NDArray[np.int32]:
    """A group number for each document; equal for near-duplicates, directly or through others."""
    pairs = [_candidates(band) for band in np.split(found, NUM_BANDS, axis=1)]
    left, right = np.concatenate(pairs, axis=1)
    alike = similarity(found[left], found[right]) >= threshold
    edges = coo_matrix(
        (np.ones(int(alike.sum()), dtype=np.int8), (left[alike], right[alike])),
        shape=(len(found), len(found)),
    )
    groups: npt.NDArray[np.int32] = connected_components(edges, directed=False)[1]
    return groups


def _candidates(band: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Pairs of documents with the same values in a band: each with the one before it, (2, n)."""
    keys = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * 4))).ravel()
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    return np.stack([order[:-1][same], order[1:][same]])
