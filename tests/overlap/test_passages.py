"""Passages against brute force over lists of words, planted and drawn."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.ngrams import slow_words
from wellread.formats.documents import Document
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.passages import _equal, find_passages, words_of
from wellread.overlap.runs import Tracks, row_of

GETTYSBURG = (
    "Four score and seven years ago our fathers brought forth, upon this continent, a new nation, "
    "conceived in Liberty, and dedicated to the proposition that all men are created equal."
)


def documents_of(*texts: str) -> list[Document]:
    return [Document(url=f"http://d/{number}", text=text) for number, text in enumerate(texts)]


def slow_passages(text: str, documents: Sequence[Document], n: int) -> set[tuple[int, int, int]]:
    """(first word, words, documents that have them all) of every run that no longer one holds."""
    words = slow_words(text)
    theirs = [slow_words(document.text) for document in documents]

    def number_with(start: int, end: int) -> int:
        size = end - start
        return sum(
            any(one[at : at + size] == words[start:end] for at in range(len(one) - size + 1))
            for one in theirs
        )

    every = [
        (start, end)
        for start, end in itertools.combinations(range(len(words) + 1), 2)
        if end - start >= n and number_with(start, end)
    ]
    return {
        (start, end - start, number_with(start, end))
        for start, end in every
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in every)
    }


def test_a_planted_copy_is_found_with_both_places_and_its_address() -> None:
    text = f"He said: {GETTYSBURG.upper()} And sat down."
    (found,) = find_passages([text], documents_of("Nothing.", f"[1863] {GETTYSBURG}"))
    (one,) = found
    assert (one.first_word, one.num_words, one.url, one.num_documents) == (2, 30, "http://d/1", 1)
    assert text[one.start : one.end] == GETTYSBURG.upper()[:-1]
    assert (one.before, one.words, one.after) == ("[1863] ", GETTYSBURG[:-1], ".")
    assert (one.document_start, one.document_end) == (7, 7 + len(GETTYSBURG) - 1)


def test_documents_are_counted_once_and_the_first_by_address_is_named() -> None:
    texts = [f"{GETTYSBURG} {GETTYSBURG}", "other words", f"Again: {GETTYSBURG}"]
    (found,) = find_passages([GETTYSBURG], documents_of(*texts)[::-1])
    assert [(one.num_documents, one.url, one.document_start) for one in found] == [
        (2, "http://d/0", 0)
    ]


def test_eight_words_are_a_passage_and_seven_are_none() -> None:
    words = GETTYSBURG.split()
    eight, seven = " ".join(words[3:11]), " ".join(words[13:20])
    found = find_passages([f"x {eight} y", f"x {seven} y"], documents_of(GETTYSBURG))
    assert [[one.num_words for one in passages] for passages in found] == [[8], []]


LETTERS = st.lists(st.sampled_from("ab"), max_size=14).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(LETTERS, min_size=1, max_size=3),
    st.lists(LETTERS, max_size=4),
    st.integers(1, 4),
    st.integers(1, 2),
)
def test_passages_are_those_of_brute_force(
    texts: list[str], others: list[str], n: int, threads: int
) -> None:
    documents = documents_of(*others)
    found = find_passages(texts, documents, n=n, threads=threads)
    for text, passages in zip(texts, found, strict=True):
        assert {
            (one.first_word, one.num_words, one.num_documents) for one in passages
        } == slow_passages(text, documents, n)
        for one in passages:
            theirs = documents[int(one.url.rpartition("/")[2])].text
            assert one.words == theirs[one.document_start : one.document_end]
            assert slow_words(one.words) == slow_words(text[one.start : one.end])
    assert find_passages(texts, documents[::-1], n=n, threads=3 - threads) == found


def test_of_many_documents_none_is_lost() -> None:
    many = documents_of(*(f"text {n} of many" for n in range(300)))
    many[150] = Document(url="http://d/150", text=GETTYSBURG)
    many[299] = Document(url="http://d/299", text=GETTYSBURG)
    (found,) = find_passages([GETTYSBURG], many, threads=2)
    assert [(one.url, one.num_documents) for one in found] == [("http://d/150", 2)]


def test_texts_do_not_run_into_each_other() -> None:
    words = GETTYSBURG.split()
    parts = [" ".join(words[:12]), " ".join(words[12:])]
    found = find_passages(parts, documents_of(GETTYSBURG))
    assert [[one.num_words for one in passages] for passages in found] == [[12], [18]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("İ ağaç İ b c d e f g h i j", "İ ağaç İ b c d e f g h i j"),
        ("🎉 1 два три 四 пять six 7 восемь 🎉", "1 два три 四 пять six 7 восемь"),
        ("一 二 三 四 五 六 七 八。", "一 二 三 四 五 六 七 八"),
        ("ΟΔΟΣ α β γ δ ε ζ η", "ΟΔΟΣ α β γ δ ε ζ η"),
    ],
)  # fmt: skip
def test_places_are_those_of_the_text_as_it_is_written(text: str, shown: str) -> None:
    (found,) = find_passages([text], documents_of(f"¿? {text.swapcase().swapcase()}"))
    assert [text[one.start : one.end] for one in found] == [shown]
    assert [one.words.lower() for one in found] == [shown.lower()]


@pytest.mark.parametrize("text", ["", "🎉 🎉", "word", "_ - !"])
def test_texts_without_enough_words_have_no_passage(text: str) -> None:
    assert find_passages([text, GETTYSBURG], documents_of(text, "")) == [[], []]
    assert find_passages([], documents_of(text)) == []


def test_a_line_of_ten_megabytes_is_searched() -> None:
    line = " ".join(map(str, range(1_450_000)))
    middle = " ".join(map(str, range(700_000, 700_020)))
    assert len(line) > 10_000_000
    (found,) = find_passages([f"so {middle} it is"], documents_of(line, "a " * 5_000_000))
    assert [(one.num_words, one.words) for one in found] == [(20, middle)]


def test_one_word_over_and_over_is_one_passage() -> None:
    (found,) = find_passages(["the " * 300], documents_of("the " * 200_000, "the " * 40))
    assert [(one.first_word, one.num_words, one.num_documents) for one in found] == [(0, 300, 1)]


def test_words_of_equal_hashes_are_told_apart() -> None:
    assert list(_equal(list("abcdefgh"), list("abcXefgh"))) == [(0, 3), (4, 8)]
    assert list(_equal(list("efgh"), list("Xfgh"))) == [(1, 4)]


def test_a_document_leaves_nothing_for_the_next() -> None:
    row = row_of([ngram_hashes("a b c d e", 2)])
    tracks = Tracks(row)
    first = tracks.follow(*row.wanted.matches(ngram_hashes("a b c", 2)))
    second = tracks.follow(*row.wanted.matches(ngram_hashes("c d e", 2)))
    assert [run.tolist() for run in first] == [[2], [2], [1]]
    assert [run.tolist() for run in second] == [[4], [2], [1]]
    assert np.all(tracks.best == 0)


def test_the_characters_of_words() -> None:
    text = "It's İstanbul, 2019"
    found = words_of(text)
    assert found.some(0, 5) == ["it", "s", "i", "stanbul", "2019"]
    assert [text[start:end] for start, end in found.spans] == ["It", "s", "İ", "stanbul", "2019"]
