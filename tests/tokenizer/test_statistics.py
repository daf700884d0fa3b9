"""How well tokenizers fit a text, against counting token by token."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from wellread.tokenizer.alphabet import PATTERN
from wellread.tokenizer.statistics import blocks, kind_of, measure, script_of
from wellread.tokenizer.tokenizer import Tokenizer

TEXT = "the cat sat on the mat"
TOY = Tokenizer.train([TEXT], vocab_size=261)
BYTES = Tokenizer.train([], vocab_size=257)


def test_a_text_is_measured_by_every_tokenizer() -> None:
    measured = measure([TEXT, "the cat"], {"toy": TOY, "bytes": BYTES})
    assert (measured.num_documents, measured.num_bytes, measured.num_words) == (2, 29, 8)
    toy, plain = measured.fits
    # the | Ġ cat | Ġ s at | Ġ o n | Ġ the | Ġ m at, and the | Ġ cat
    assert (toy.num_tokens, plain.num_tokens) == (14 + 3, 29)
    assert (toy.bytes_per_token, plain.bytes_per_token) == (29 / 17, 1.0)
    assert (toy.tokens_per_word, plain.tokens_per_word) == (17 / 8, 29 / 8)


def test_ids_that_the_text_lacks_are_named_and_special_ones_are_not() -> None:
    (toy,) = measure([TEXT], {"toy": TOY}).fits
    used = {b" ", b"s", b"o", b"n", b"m", b"at", b"the", b"cat"}
    assert {TOY.tokens[id_] for id_ in range(260)} - {TOY.tokens[id_] for id_ in toy.unused} == used
    assert (toy.num_unused, toy.unused_share) == (252, 252 / 260)
    assert TOY.end_of_text not in toy.unused


def test_the_longest_tokens_come_with_how_often_they_occur() -> None:
    (toy,) = measure([TEXT], {"toy": TOY}).fits
    longest = [(bytes.fromhex(used.hex), used.num_bytes, used.count) for used in toy.longest[:3]]
    assert longest == [(b"the", 3, 2), (b"cat", 3, 1), (b"at", 2, 2)]


def test_the_parts_add_up_to_the_whole() -> None:
    text = "Москва, 1147. f(x) = [1]\n\n日本語 and more prose here"
    measured = measure([text], {"toy": TOY})
    (fit,) = measured.fits
    for shares in (fit.by_kind, fit.by_script):
        assert sum(share.num_bytes for share in shares) == measured.num_bytes == len(text.encode())
        assert sum(share.num_tokens for share in shares) == fit.num_tokens
    assert [share.name for share in fit.by_script] == ["Latin", "no script", "Cyrillic", "Han"]


def test_a_kind_is_that_of_a_block_between_blank_lines() -> None:
    text = "It was a long day.\n\n    return x[0] + y[1]\n    print(x)\n\n3.14 2.72\n"
    (fit,) = measure([text], {"toy": TOY}).fits
    assert {share.name: share.num_bytes for share in fit.by_kind} == {
        "prose": 23,  # with the white space up to the last before "return"
        "code": 33,
        "numbers": 11,
    }


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ("He said (quietly): it is late; go home.", "prose"),
        ("for (i = 0; i < n; i++) { sum += a[i]; }", "code"),
        ("12 345 678\n90 12", "numbers"),
        ("\n \n", "other"),
        ("…!?…!?", "other"),
        ("Москва слезам не верит", "prose"),
        ("吾輩は猫である。", "prose"),
    ],
)
def test_the_kind_of_a_block(block: str, kind: str) -> None:
    assert kind_of(block) == kind


@pytest.mark.parametrize(
    ("pre_token", "script"),
    [
        (" Öl", "Latin"),
        ("'s", "Latin"),
        ("ι", "Greek"),
        ("\u093f", "Devanagari"),  # a vowel sign, no letter
        ("한국", "Hangul"),
        (" ᚠ", "other scripts"),
        ("\u0301", "no script"),
        ("\n\n", "no script"),
        ("🙂", "no script"),
        ("\ud83d", "no script"),
    ],
)
def test_the_script_of_a_pre_token(pre_token: str, script: str) -> None:
    assert script_of(pre_token) == script


@given(st.text(alphabet=st.sampled_from("ab'\n\t \u3000\x85.1é"), max_size=40))
def test_blocks_do_not_change_the_split(text: str) -> None:
    cut = list(blocks(text))
    assert "".join(cut) == text
    split = regex.compile(PATTERN).findall
    assert [piece for block in cut for piece in split(block)] == split(text)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_counts_are_those_of_encoding_each_text(texts: list[str]) -> None:
    (fit,) = measure(texts, {"toy": TOY}).fits
    ids = [id_ for text in texts for id_ in TOY.encode(text).tolist()]
    assert fit.num_tokens == len(ids)
    assert set(range(260)) - set(fit.unused) == set(ids)


def test_nothing_depends_on_when_counts_are_added_up() -> None:
    texts = ["the cat sat", "Москва, 1147", "f(x) = [1]\n\n2019", TEXT]
    assert measure(texts, {"toy": TOY}, max_distinct=1) == measure(texts, {"toy": TOY})


def test_no_text_has_no_rate() -> None:
    (fit,) = measure([], {"toy": TOY}).fits
    assert (fit.num_tokens, fit.bytes_per_token, fit.tokens_per_word) == (0, None, None)
    assert (fit.longest, fit.num_unused) == ([], 260)
