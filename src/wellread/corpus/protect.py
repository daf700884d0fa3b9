"""8-grams of texts that a model will be tested on, and how many of them a document has.

The paper measures what is shared, and removes nothing (section 4): this is off by default.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact, read_manifest
from wellread.formats.documents import read_documents
from wellread.formats.overlap import FILTER, INDEX_STAGE, NGRAMS, PLACES, read_index
from wellread.ngrams import NGRAM_WORDS
from wellread.ngrams.bloom import Bloom, load_bloom
from wellread.ngrams.hashing import Hashes, is_in, ngram_hashes
from wellread.ngrams.occurrences import Occurrences, load_occurrences


class Protected:
    """The sorted 8-grams of texts, and those that the overlap indexes among `paths` hold."""

    def __init__(self, hashes: Hashes, paths: Sequence[Path]) -> None:
        self._hashes = hashes
        self._indexes = [_opened(path) for path in paths if _is_index(path)]

    def shared(self, text: str) -> int:
        """How many different 8-grams of `text` are protected."""
        if not (self._indexes or len(self._hashes)):
            return 0
        hashes = np.unique(ngram_hashes(text))
        found = is_in(hashes, self._hashes)
        for index in self._indexes:
            found |= index.contains(hashes)
        return int(found.sum())


def protected_hashes(paths: Sequence[Path]) -> Hashes:
    """The sorted 8-grams of the texts among `paths`; what is neither text nor index is refused."""
    found: Hashes = np.empty(0, np.uint64)
    for path in paths:
        if _is_index(path):
            _opened(path)
            continue
        texts = [np.unique(ngram_hashes(one.text)) for one in read_documents(path)]
        found = np.unique(np.concatenate([found, *texts]))
        if not any(map(len, texts)):
            raise InputError(f"{path}: no text of {NGRAM_WORDS} words to protect")
    return found


def _is_index(path: Path) -> bool:
    return is_artifact(path) and read_manifest(path).stage == INDEX_STAGE


def _opened(path: Path) -> Bloom | Occurrences:
    index = read_index(path)
    if index.ngram_words != NGRAM_WORDS:
        raise InputError(
            f"{path}: an index of {index.ngram_words} words together, not {NGRAM_WORDS}"
        )
    if index.lines is None:
        return load_occurrences(path / NGRAMS, path / PLACES)
    return load_bloom(path / FILTER, index.lines)
