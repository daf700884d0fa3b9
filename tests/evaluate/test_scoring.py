"""Windows, metrics, intervals and choices, against values computed by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from wellread.base.seeds import generator
from wellread.evaluate.choices import Option, Question, score_questions
from wellread.evaluate.language_model import Request
from wellread.evaluate.language_modelling import Text, score_texts
from wellread.evaluate.metrics import (
    ACCURACY,
    MEAN,
    PERPLEXITY,
    Outcome,
    interval,
    score,
    score_all,
)
from wellread.evaluate.questions import CONFIDENCE
from wellread.evaluate.task import Setup
from wellread.evaluate.translation import METRICS as BLEU_METRICS
from wellread.evaluate.windows import windows
from wellread.formats.results import Item
from wellread.tokenizer.tokenizer import Tokenizer

# What follows what, for three tokens: the last is the end of text.
TABLE = np.log([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25]])


def outcome(name: str, row: tuple[float, ...], unit: str | None = None) -> Outcome:
    return Outcome(Item(item=name, text="", prompt="", target=""), {"metric": row}, unit=unit)


@given(
    length=st.integers(0, 60),
    context=st.integers(1, 20),
    stride=st.integers(1, 20),
    prefix=st.sampled_from([None, 99]),
    given_tokens=st.sampled_from([0, 0, 1, 7, 30]),
)
def test_windows_score_every_token_once_with_the_longest_context_that_fits(
    length: int, context: int, stride: int, prefix: int | None, given_tokens: int
) -> None:
    ids, stride = np.arange(length), min(stride, context)
    found = list(
        windows(ids, context=context, stride=stride, prefix=prefix, given=min(given_tokens, length))
    )
    scored = [int(i) for request in found for i in request.continuation]
    assert scored == list(range(max(prefix is None, given_tokens), length))
    assert all(len(r.continuation) <= stride for r in found[1:])
    assert all(len(r.context) + len(r.continuation) <= context + 1 for r in found)
    for request in found:
        before = [99] * (prefix is not None) + list(range(int(request.continuation[0])))
        wanted = context + 1 - len(request.continuation)
        assert request.context.tolist() == before[-wanted:]


def test_a_bigram_model_scores_a_text_as_the_product_of_its_table(
    bigram: Callable[[Any, int], Any], byte_tokenizer: Tokenizer
) -> None:
    table = np.full((257, 257), -np.log(257))
    a, b = byte_tokenizer.encode("ab").tolist()
    table[256, a], table[a, b], table[b, a] = np.log([0.5, 0.25, 0.125])
    settings = {"stride": "half", "prefix": "eot"}
    setup = Setup(bigram(table, 4), byte_tokenizer, settings, 0)
    found = score_texts(setup, [Text(item="1", text="abab" * 3)])[0]
    assert found.log_prob == pytest.approx(math.log(0.5 * 0.25**6 * 0.125**5))
    assert found.num_tokens == 12
    without = Setup(setup.lm, byte_tokenizer, {"stride": "1", "prefix": "none"}, 0)
    found = score_texts(without, [Text(item="1", text="abab" * 3)])[0]
    assert found.log_prob == pytest.approx(math.log(0.25**6 * 0.125**5))
    assert found.num_tokens == 11


def test_the_bigram_table_answers_a_request(bigram: Callable[[Any, int], Any]) -> None:
    model = bigram(TABLE, 8)
    answers = model.log_probs(
        [
            Request(np.array([2]), np.array([1, 1])),
            Request(np.array([0, 1]), np.array([0, 0])),
        ]
    )
    assert np.exp(answers[0].log_probs).tolist() == pytest.approx([0.5, 0.75])
    assert np.exp(answers[1].log_probs).tolist() == pytest.approx([0.125, 0.5])
    assert [answer.is_greedy for answer in answers] == [True, False]


def test_options_lose_the_same_beginning_of_their_context(
    bigram: Callable[[Any, int], Any], byte_tokenizer: Tokenizer
) -> None:
    lm = bigram(np.full((257, 257), -np.log(257)), 10)
    options = [Option("a", "0123456789", "a"), Option("bcde", "0123456789", "bcde")]
    setup = Setup(lm, byte_tokenizer, {}, 0)
    found = score_questions(setup, [Question("1", "", options, right=0)])[0]
    contexts = [byte_tokenizer.decode(request.context) for request in lm.asked]
    assert contexts == ["3456789", "3456789"]
    assert found.is_truncated
    assert found.item.prediction == "a"


def test_perplexity_divides_by_all_units_together() -> None:
    outcomes = [outcome("1", (math.log(1 / 8), 1)), outcome("2", (0.0, 2))]
    assert score("metric", PERPLEXITY, outcomes, seed=0).value == pytest.approx(2.0)


def test_an_interval_of_a_coin_has_the_width_that_statistics_gives() -> None:
    outcomes = [outcome(str(n), (n % 2, 1)) for n in range(400)]
    found = score("metric", ACCURACY, outcomes, seed=0)
    # 1.96 * sqrt(0.25 / 400) = 0.049
    assert found.value == 0.5
    assert found.low == pytest.approx(0.451, abs=0.005)
    assert found.high == pytest.approx(0.549, abs=0.005)


def test_items_of_one_document_are_drawn_together() -> None:
    alone = [outcome(str(n), (n // 20 % 2, 1)) for n in range(400)]
    together = [outcome(str(n), (n // 20 % 2, 1), unit=str(n // 20)) for n in range(400)]
    narrow = score("metric", ACCURACY, alone, seed=0)
    wide = score("metric", ACCURACY, together, seed=0)
    # 20 documents that are all right or all wrong are as good as 20 items, not 400.
    width = (wide.high or 0) - (wide.low or 0)
    assert width == pytest.approx(math.sqrt(20) * ((narrow.high or 0) - (narrow.low or 0)), rel=0.1)


def test_the_most_confident_hundredth_is_scored_whatever_the_order() -> None:
    rows = [(0.9, 1), (0.8, 1), (0.8, 0), *[(0.1, 0)] * 197]
    outcomes = [outcome(str(n), row) for n, row in enumerate(rows)]
    # Of 200 two count: the first, and one of the next two, which are equally sure.
    for ordered in (outcomes, outcomes[::-1]):
        found = score("metric", CONFIDENCE, ordered, seed=0)
        assert found.value == 0.75
        assert (found.low, found.high) == (0.0, 1.0)


def test_a_metric_in_which_no_item_takes_part_is_left_out() -> None:
    found = score_all({"metric": MEAN, "other": MEAN}, [outcome("1", (1, 2))], seed=0)
    assert [(one.metric, one.value) for one in found] == [("metric", 0.5)]


def test_an_accuracy_of_nought_has_wilsons_interval() -> None:
    found = score("metric", ACCURACY, [outcome(str(n), (0, 1)) for n in range(20)], seed=0)
    # z^2 / (n + z^2) = 3.8415 / 23.8415
    assert (found.low, round(found.high or 0, 4)) == (0.0, 0.1611)
    assert "Wilson" in found.note


def test_documents_of_different_length_that_are_all_wrong_have_it_too() -> None:
    outcomes = [outcome(str(n), (0, 1), unit=str(min(n, 19))) for n in range(30)]
    found = score("metric", ACCURACY, outcomes, seed=0)
    assert (found.low, round(found.high or 0, 4)) == (0.0, 0.1611)


def test_one_document_has_no_interval_and_says_so() -> None:
    found = interval(np.array([[3.0, 4.0]]), MEAN, generator(0, "test"))
    assert found == (None, None, "no interval: 1 unit, all alike")


@pytest.mark.parametrize("tokens", ["13a", "intl"])
def test_bleu_from_summed_counts_is_sacrebleus(tokens: str) -> None:
    hypotheses = ["the cat sat on the mat", "there is a dog here", "no"]
    references = ["a cat sat on the mat", "there is a dog in the house", "yes it is"]
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        scorer = BLEU(effective_order=True, tokenize=tokens)
        one = scorer.sentence_score(hypothesis, [reference])
        rows.append([*one.counts, *one.totals, one.sys_len, one.ref_len])
    metric = BLEU_METRICS["bleu" if tokens == "13a" else "bleu_intl"]
    whole = BLEU(tokenize=tokens, smooth_method="exp" if tokens == "13a" else "none")
    expected = whole.corpus_score(hypotheses, [references]).score
    assert metric.statistic(np.sum(rows, axis=0).astype(float)) == pytest.approx(expected)
    assert str(whole.get_signature()) == metric.note.split(";")[0].removeprefix("sacrebleu ")
