"""A text of any length, piece by piece."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.wanted import pieces, want

TEXTS = st.text(alphabet="aB9 \n\t-_.'ΣΑ\u00a0é語", max_size=120)


@settings(deadline=None)  # the first call compiles
@given(TEXTS, st.integers(1, 4), st.integers(1, 20))
def test_pieces_have_the_ngrams_of_the_text_and_no_others(text: str, n: int, size: int) -> None:
    found = {one for piece in pieces(text, n, size) for one in ngram_hashes(piece, n).tolist()}
    assert found == set(ngram_hashes(text, n).tolist())


def test_pieces_are_about_as_long_as_asked() -> None:
    lengths = [len(piece) for piece in pieces("word " * 1000, 8, 200)]
    assert max(lengths) < 250
    assert len(lengths) > 20


@settings(max_examples=20, deadline=None)  # each designs a filter
@given(TEXTS, TEXTS)
def test_places_are_those_of_the_shared_ngrams(first: str, second: str) -> None:
    distinct = np.unique(ngram_hashes(first, 2))
    shared = set(distinct.tolist()) & set(ngram_hashes(second, 2).tolist())
    assert set(distinct[want(distinct).places_in(second, 2)].tolist()) == shared
