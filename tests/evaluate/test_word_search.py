"""The stop-word filter, against values computed by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wellread.evaluate.language_model import Request
from wellread.evaluate.last_word import Passage, score_last_words
from wellread.evaluate.task import Setup
from wellread.evaluate.word_search import likeliest_words
from wellread.tokenizer.tokenizer import Tokenizer

# What follows what. Words after "x": "a" 0.6 (a stop word), "bc" 0.3 x 0.6 = 0.18,
# "b" 0.3 x 0.4 = 0.12, "c" 0.1.
CHANCES = {
    "x": {" ": 0.7, ".": 0.3},
    " ": {"a": 0.6, "b": 0.3, "c": 0.1},
    "a": {".": 1.0},
    "b": {".": 0.3, ",": 0.1, "c": 0.6},
    "c": {" ": 1.0},
}


@pytest.fixture
def lm(bigram: Callable[[Any, int], Any], byte_tokenizer: Tokenizer) -> Any:
    table = np.full((257, 257), -np.inf)
    for last, following in CHANCES.items():
        for character, chance in following.items():
            ids = byte_tokenizer.encode(last + character)
            table[ids[0], ids[1]] = np.log(chance)
    return bigram(table, 16)


@pytest.mark.parametrize(
    ("refused", "begun", "expected"),
    [
        ("", "", " a"),
        ("a", "", " bc"),
        ("a bc", "", " b"),
        ("a b bc", "", " c"),
        ("a b bc c", "", ""),
        ("", " b", " bc"),
        ("bc", " b", " b"),
    ],
)
def test_the_likeliest_word_is_the_one_of_the_table(
    refused: str, begun: str, expected: str, lm: Any, byte_tokenizer: Tokenizer
) -> None:
    request = Request(byte_tokenizer.encode("x"), byte_tokenizer.encode(begun))
    found = likeliest_words(
        lm, byte_tokenizer, [request] * 40, lambda word: word.strip() not in refused.split()
    )
    assert found == [expected] * 40


@pytest.mark.parametrize(
    ("setting", "right"),
    [
        ({"target": "word", "filter": "none"}, {" a": 1.0, " bc": 0.0, " c": 0.0}),
        ({"target": "word", "filter": "stop-words"}, {" a": 0.0, " bc": 1.0, " c": 0.0}),
        ({"target": "token", "filter": "stop-words"}, {" a": 0.0, " bc": 1.0, " b": 0.0}),
    ],
)
def test_a_stop_word_is_passed_over_and_perplexity_is_not_touched(
    setting: dict[str, str], right: dict[str, float], lm: Any, byte_tokenizer: Tokenizer
) -> None:
    passages = [Passage(item=word, prompt="x", target=word) for word in right]
    setup = Setup(lm, byte_tokenizer, setting, 0)
    found = score_last_words(setup, passages)
    assert {o.item.item: o.item.value for o in found} == right
    unfiltered = score_last_words(setup._replace(settings={**setting, "filter": "none"}), passages)
    assert [o.item.log_prob for o in found] == [o.item.log_prob for o in unfiltered]


def test_a_word_without_end_is_given_up(bigram: Callable[[Any, int], Any]) -> None:
    tokenizer = Tokenizer.train([""], vocab_size=257)
    table = np.full((257, 257), -np.inf)
    space, a = tokenizer.encode(" a").tolist()
    table[256, space] = table[space, a] = table[a, a] = 0.0
    request = Request(np.array([256]), np.array([], int))
    assert likeliest_words(bigram(table, 64), tokenizer, [request], lambda _: True) == [""]
