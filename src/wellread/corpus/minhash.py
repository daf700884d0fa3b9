"""MinHash signatures of texts: how alike two of them are, in 128 numbers each.

Texts are sets of runs of five words, as `ngrams.hashing` has words: lower case, no punctuation.
Two signatures agree at each place with a probability that is the Jaccard similarity of the sets
(Broder 1997).
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import kernel
from wellread.base.seeds import generator
from wellread.ngrams.hashing import Hashes, mix, ngram_hashes

WORDS_PER_SHINGLE = 5
Signatures = npt.NDArray[np.uint32]  # (num_documents, num_permutations)


def signatures(texts: Iterable[str], num_permutations: int) -> Signatures:
    factors, offsets = _permutations(num_permutations)
    found = [_signature(shingles(text), factors, offsets) for text in texts]
    return np.stack(found) if found else np.empty((0, num_permutations), np.uint32)


def shingles(text: str) -> Hashes:
    """Hashes of the runs of WORDS_PER_SHINGLE words; a shorter text is one run of all its words.

    A text without words is like its own copies only.
    """
    for length in range(WORDS_PER_SHINGLE, 0, -1):
        if len(found := ngram_hashes(text, length)):
            return found
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.frombuffer(digest, np.uint64)


@cache
def _permutations(number: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Of multiply-add-shift hashing, h -> (factor * h + offset) mod 2^64, its upper half."""
    source = generator(0, "minhash")
    factors, offsets = source.integers(2**64, size=(2, number), dtype=np.uint64)
    return factors | np.uint64(1), offsets


@kernel
def _signature(hashes: Any, factors: Any, offsets: Any) -> Any:
    least = np.full(len(factors), 2**64 - 1, np.uint64)
    for hashed in hashes:
        for at in range(len(factors)):
            least[at] = min(least[at], hashed * factors[at] + offsets[at])
    return (least >> np.uint64(32)).astype(np.uint32)


@kernel
def band_keys(found: Any, band: Any, num_bands: Any) -> Any:
    """For each document a number that equal values in the band have in common."""
    keys = np.empty(len(found), np.uint64)
    rows = found.shape[1] // num_bands
    for document in range(len(found)):
        key = np.uint64(band)
        for at in range(band * rows, (band + 1) * rows):
            key = mix(key ^ np.uint64(found[document, at]))
        keys[document] = key
    return keys
