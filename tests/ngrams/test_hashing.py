"""The fast n-grams against the slow ones."""

from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.ngrams import slow_ngram_hashes, slow_ngrams, slow_words
from wellread.ngrams.hashing import column_hashes, ngram_hashes, word_spans, words

SCRIPTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aB9 _-'\n\tİßﬁΣσς١२Ⅷ²½漢字ไทย\u0301\u00ad\U0001d7d9\U0001f600\ud800"),
    ),
    max_size=120,
)


@settings(deadline=None)  # the first call compiles
@given(SCRIPTS, st.integers(1, 9))
def test_any_text_has_the_hashes_of_the_slow_reference(text: str, n: int) -> None:
    assert words(text) == slow_words(text)
    assert ngram_hashes(text, n).tolist() == slow_ngram_hashes(text, n)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("word", 0),
        ("😀 🎉 ...", 0),
        ("a b c d e f g", 0),
        ("a b c d e f g h", 1),
        ("A-b_c'd.e\nf\tg  h!", 1),
        ("a b c d e f g h i", 2),
        ("の 字 ß й á 1 २ x", 1),
    ],
)
def test_the_number_of_8_grams_of_short_texts(text: str, expected: int) -> None:
    assert len(ngram_hashes(text)) == expected


def test_case_and_punctuation_do_not_matter_and_order_does() -> None:
    plain = ngram_hashes("one two three four", n=4)
    assert plain == ngram_hashes("ONE, two; (three)... Four", n=4)
    assert plain != ngram_hashes("two one three four", n=4)


def test_a_text_beyond_ascii_hashes_its_ascii_words_alike() -> None:
    assert ngram_hashes("one two — é", n=2)[0] == ngram_hashes("one two", n=2)[0]


@settings(deadline=None)
@given(st.lists(SCRIPTS, max_size=5), st.integers(1, 9))
def test_a_column_has_the_hashes_of_its_texts_one_after_another(texts: list[str], n: int) -> None:
    texts = [text.replace("\ud800", "") for text in texts]  # Arrow's strings are whole
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    column = pa.array(["not asked for", *texts], pa.large_string())[1:]
    found = column_hashes(column, n)
    each = [slow_ngram_hashes(text, n) for text in texts]
    assert found.counts.tolist() == list(map(len, each))
    assert found.hashes.tolist() == list(chain(*each))


@settings(deadline=None)
@given(SCRIPTS)
def test_the_spans_of_words_say_where_they_are(text: str) -> None:
    found = [text[first:end].lower() for first, end in word_spans(text).tolist()]
    expected = slow_words(text)
    assert len(found) == len(expected)
    for span, word in zip(found, expected, strict=True):
        # Alone, a sigma is not at the end of a word; a dotted I is two characters, one a word's.
        assert span.rstrip("\u0307").replace("ς", "σ") == word.replace("ς", "σ")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("🎉 ...", []),
        ("It's é_2", [[0, 2], [3, 4], [5, 6], [7, 8]]),
        ("İz ΟΔΟΣ", [[0, 1], [1, 2], [3, 7]]),
    ],
)
def test_spans_count_characters(text: str, spans: list[list[int]]) -> None:
    assert word_spans(text).tolist() == spans


def test_a_line_of_ten_megabytes_is_hashed() -> None:
    assert len(ngram_hashes("word " * 2_000_000)) == 1_999_993


@pytest.mark.real
def test_real_novels_have_as_many_distinct_hashes_as_strings(real_data: Path) -> None:
    novels = sorted((real_data / "documents" / "novels").glob("*.txt"))[:5]
    texts = [novel.read_text(encoding="utf-8") for novel in novels]
    strings = {ngram for text in texts for ngram in slow_ngrams(text)}
    hashes = np.unique(np.concatenate([ngram_hashes(text) for text in texts]))
    assert len(hashes) == len(strings)
