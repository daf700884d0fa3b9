"""The merges, against the reference and Hugging Face's BpeTrainer."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import models, pre_tokenizers, trainers

from tests.reference.bpe import BYTES, byte_characters, slow_tokens, slow_train
from tests.tokenizer.trouble import TEXTS, TROUBLE, fuzzed_strings
from wellread.base.seeds import generator
from wellread.tokenizer.tokenizer import Tokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
Pair = tuple[int, int]

SPACE, A, B, C, D = (BYTES.index(ord(character)) for character in " abcd")


def learnt(texts: Sequence[str], num_merges: int) -> tuple[list[Pair], list[int] | None]:
    vocabulary = Tokenizer.train(texts, vocab_size=256 + num_merges + 1).vocabulary
    return vocabulary.merges, vocabulary.merge_counts


def merges_of_hugging_face(texts: Sequence[str], num_merges: int) -> list[Pair]:
    """Theirs as pairs of ids; the texts of a merge's two parts say which."""
    theirs = HuggingFaceTokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + num_merges,
        initial_alphabet=list(byte_characters().values()),
        special_tokens=[],
        show_progress=False,
    )
    theirs.train_from_iterator(texts, trainer)
    model = json.loads(theirs.to_str())["model"]
    return [(model["vocab"][left], model["vocab"][right]) for left, right in model["merges"]]


def repository_texts() -> list[str]:
    """Prose and code of this repository, a document each."""
    paths = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs" / "how").glob("*.md"))]
    paths += sorted((REPOSITORY / "src" / "wellread" / "base").glob("*.py"))
    return [path.read_text(encoding="utf-8") for path in paths]


@pytest.mark.parametrize(
    ("texts", "merges", "counts"),
    [
        (["ab"], [(A, B)], [1]),
        # Of equal counts the smallest ids: a b before c d, and a space (id 220) after both.
        (["cd ab cd ab"], [(A, B), (C, D), (SPACE, 256), (SPACE, 257)], [2, 2, 2, 1]),
        (["ba"], [(B, A)], [1]),
        # The first part decides before the second: a d before b a.
        (["ad", "ba"], [(A, D), (B, A)], [1, 1]),
        # "aaaa" has the pair three times, which become two; then that pair is there once.
        (["aaaa"], [(A, A), (256, 256)], [3, 1]),
        (["aaa"], [(A, A), (256, A)], [2, 1]),
        # From the left: of five, two pairs are joined and the last one is left over.
        (["aaaaa"], [(A, A), (256, A), (256, 257)], [4, 1, 1]),
        # A new id is larger than every old one, so it loses a tie: b c before ab.
        (["abab bc"], [(A, B), (B, C), (SPACE, 257), (256, 256)], [2, 1, 1, 1]),
        # What a merge takes away from its neighbours is taken off their counts.
        (["abc", "abc", "bcd"], [(B, C), (A, 256), (256, D)], [3, 2, 1]),
    ],
)
def test_merges_and_counts_that_can_be_checked_by_hand(
    texts: list[str], merges: list[Pair], counts: list[int]
) -> None:
    assert learnt(texts, 20) == (merges, counts)
    assert slow_train(texts, 20) == (merges, counts)
    assert merges_of_hugging_face(texts, 20) == merges


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text("ab", min_size=1, max_size=14), max_size=12), st.integers(0, 40))
def test_words_of_two_letters_have_the_merges_of_the_reference(
    words: list[str], num_merges: int
) -> None:
    assert learnt([" ".join(words)], num_merges) == slow_train([" ".join(words)], num_merges)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text("abcd ", max_size=30), max_size=8), st.integers(0, 60))
def test_texts_full_of_ties_have_the_merges_of_the_reference_and_hugging_face(
    texts: list[str], num_merges: int
) -> None:
    expected = slow_train(texts, num_merges)
    assert learnt(texts, num_merges) == expected
    assert merges_of_hugging_face(texts, num_merges) == expected[0]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 40), max_size=6))
def test_runs_of_one_letter_have_the_merges_of_the_reference(lengths: list[int]) -> None:
    texts = [" ".join("a" * length for length in lengths), "\n".join("-" * n for n in lengths)]
    assert learnt(texts, 30) == slow_train(texts, 30)


@settings(deadline=None, max_examples=150)
@given(st.lists(TEXTS, max_size=4))
def test_troublesome_texts_have_the_merges_of_the_reference(texts: list[str]) -> None:
    assert learnt(texts, 80) == slow_train(texts, 80)


def test_a_lone_surrogate_is_learnt_as_a_replacement_character() -> None:
    expected = slow_train(["\ufffd\ufffd a\ufffd"], 20)
    assert learnt(["\udfff\ud800 a\ud800"], 20) == expected


def test_a_long_pre_token_has_the_merges_of_the_reference() -> None:
    letters = generator(0, "tests", "long word").choice(list("abc"), size=3_000)
    texts = ["".join(letters.tolist()), "a" * 1_000, "ab" * 500]
    assert learnt(texts, 60) == slow_train(texts, 60)


def test_repository_text_has_the_merges_of_the_reference() -> None:
    texts = [text[:4_000] for text in repository_texts()[:8]]
    assert learnt(texts, 150) == slow_train(texts, 150)


def test_repository_text_has_all_the_merges_of_hugging_face() -> None:
    texts = repository_texts()
    merges, counts = learnt(texts, 3_000)
    assert merges == merges_of_hugging_face(texts, 3_000)
    assert counts is not None
    assert len(set(counts)) < len(counts) / 5  # most merges were chosen from a tie


def test_fuzzed_texts_have_the_merges_of_hugging_face() -> None:
    texts = [*fuzzed_strings(500, "learning"), *TROUBLE]
    assert learnt(texts, 800)[0] == merges_of_hugging_face(texts, 800)


def test_the_order_of_documents_and_where_they_end_do_not_matter() -> None:
    texts = [text[:10_000] for text in repository_texts()[:10]]
    expected = learnt(texts, 400)
    assert learnt(texts[::-1], 400) == expected
    assert learnt([texts[number] for number in (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)], 400) == expected
    paragraphs = [part for text in texts for part in text.split("\n\n")]
    assert learnt(paragraphs, 400) == learnt(sorted(paragraphs), 400)


def test_twice_the_text_has_the_same_merges_and_twice_the_counts() -> None:
    texts = [text[:10_000] for text in repository_texts()[:4]]
    merges, counts = learnt(texts, 200)
    assert counts is not None
    assert learnt(texts * 2, 200) == (merges, [2 * count for count in counts])


def test_the_vocabulary_is_bytes_then_merges_in_order_then_end_of_text() -> None:
    vocabulary = Tokenizer.train(["low lower lowest"] * 3, vocab_size=262).vocabulary
    assert vocabulary.tokens[:256] == [bytes([byte]) for byte in BYTES]
    assert vocabulary.tokens[256:] == [
        b"lo",
        b"low",
        b" low",
        b" lowe",
        b"st",
        b"<|endoftext|>",
    ]
    assert vocabulary.tokens[:-1] == slow_tokens(vocabulary.merges)
    assert vocabulary.merge_counts == [9, 9, 6, 6, 3]
    assert vocabulary.special == {"<|endoftext|>": 261}


def test_learning_ends_where_no_pair_is_left() -> None:
    assert Tokenizer.train(["ab ab"], vocab_size=300).vocabulary.tokens[256:] == [
        b"ab", b" ab", b"<|endoftext|>"
    ]  # fmt: skip


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["a", "b 1"[:1], "\n"]])
def test_a_text_without_pairs_gives_the_bytes_alone(texts: list[str]) -> None:
    assert Tokenizer.train(texts, vocab_size=300).vocab_size == 257


def test_the_text_of_end_of_text_is_learnt_as_plain_text() -> None:
    tokenizer = Tokenizer.train(["<|endoftext|>"] * 5, vocab_size=300)
    assert tokenizer.tokens.count(b"endoftext") == 1
    assert tokenizer.tokens[-1] == b"<|endoftext|>"


@pytest.mark.real
def test_5_megabytes_of_novels_have_all_8_192_ids_of_hugging_face(real_data: Path) -> None:
    texts, size = [], 0
    for path in sorted((real_data / "documents" / "novels").glob("*.txt")):
        texts.append(path.read_text(encoding="utf-8", errors="replace")[: 5_000_000 - size])
        size += len(texts[-1])
    merges, counts = learnt(texts, 8_192 - 257)
    assert len(merges) == 8_192 - 257
    assert merges == merges_of_hugging_face(texts, 8_192 - 257)
    assert counts == sorted(counts, reverse=True)
    assert learnt(texts[::-1], 8_192 - 257) == (merges, counts)
