"""Two models on the same items."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.evaluate.compare import compare, compare_results
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel
from wellread.evaluate.plan import prepare
from wellread.evaluate.run import evaluate_task
from wellread.evaluate.sites import score_by_site
from wellread.formats.comparisons import Side
from wellread.formats.results import (
    STAGE,
    Item,
    Result,
    Score,
    read_items,
    read_results,
    write_result,
)
from wellread.tokenizer.tokenizer import Tokenizer


def a_score(metric: str) -> Score:
    return Score(metric=metric, value=0.5, low=None, high=None, num_items=1, higher_is_better=True)


TASKS = ["demo-lambada", "demo-translation", "demo-lambada|target=token"]


def scored(lm: LanguageModel, tokenizer: Tokenizer, out: Path, limit: int | None = None) -> Path:
    with writing(out, stage=STAGE, config=Config(), inputs={}) as draft:
        for prepared in prepare(EvaluateConfig(tasks=TASKS, limit=limit)).prepared:
            write_result(draft, *evaluate_task(lm, tokenizer, prepared))
    return out


@pytest.fixture
def leaning(bigram: Callable[[Any, int], LanguageModel]) -> LanguageModel:
    """Expects small letters, each alike."""
    table = np.full((257, 257), 1e-4)
    table[:, ord("a") : ord("z") + 1] = 1.0
    return bigram(np.log(table / table.sum(axis=1, keepdims=True)), 1_000_000)


def test_differences_are_those_of_the_scores_and_their_intervals_are_paired(
    uniform: LanguageModel, leaning: LanguageModel, byte_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first = scored(uniform, byte_tokenizer, tmp_path / "first")
    second = scored(leaning, byte_tokenizer, tmp_path / "second")
    found = {(one.protocol, one.metric): one for one in compare(first, second)}
    for directory, which in ((first, "first"), (second, "second")):
        for result in read_results(directory, variants=True):
            for score in result.scores:
                assert getattr(found[result.protocol, score.metric], which) == pytest.approx(
                    score.value
                )
    protocol = "demo-lambada:1|target=word|filter=none"
    nats = [
        np.array([row["log_prob"] for row in read_items(each, "demo-lambada")])
        for each in (first, second)
    ]
    change = math.exp(-nats[1].mean()) - math.exp(-nats[0].mean())
    one = found[protocol, "perplexity"]
    assert one.difference == pytest.approx(change)
    assert one.low < one.difference < one.high
    assert (one.num_items, one.num_units, one.higher_is_better) == (20, 20, False)
    same = compare(first, first)
    assert {(each.difference, each.low, each.high) for each in same} == {(0.0, 0.0, 0.0)}


def test_the_interval_of_a_difference_has_the_width_of_theory(tmp_path: Path) -> None:
    """400 differences of variance 1 have a mean with a standard error of 0.05."""
    gains = generator(0, "gains").standard_normal(400)
    base = 100 * generator(0, "base").standard_normal(400)
    result = Result(
        task="demo-qa", protocol="demo-qa:1", comparable_to=None, num_items=400,
        num_available=400, scores=[], seconds=0.0,
    )  # fmt: skip
    sides = []
    for name, values in (("first", base), ("second", base + gains)):
        with writing(tmp_path / name, stage=STAGE, config=Config(), inputs={}) as draft:
            items = [
                Item(item=f"{n}", text="", prompt="", target="", sums={"f1": (value, 1.0)})
                for n, value in enumerate(values)
            ]
            write_result(draft, result, items)
        sides.append(Side(tmp_path / name, result))
    [found] = compare_results(*sides, 0)
    assert found.low is not None
    assert found.high is not None
    assert found.difference == pytest.approx(gains.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * gains.std() / 20, rel=0.1)


def test_only_items_that_both_have_are_compared(
    uniform: LanguageModel, leaning: LanguageModel, byte_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first = scored(uniform, byte_tokenizer, tmp_path / "first")
    second = scored(leaning, byte_tokenizer, tmp_path / "second", limit=5)
    assert {one.num_items for one in compare(first, second)} == {5}


def test_results_without_an_item_in_common_are_refused(tmp_path: Path) -> None:
    result = Result(
        task="demo-qa", protocol="demo-qa:1", comparable_to=None, num_items=1,
        num_available=1, scores=[a_score("f1")], seconds=0.0,
    )  # fmt: skip
    for name in ("a", "b"):
        with writing(tmp_path / name, stage=STAGE, config=Config(), inputs={}) as draft:
            item = Item(item=name, text="", prompt="", target="", sums={"f1": (0.5, 1.0)})
            write_result(draft, result, [item])
    with pytest.raises(InputError, match=r"no items in common of demo-qa:1; score both models"):
        compare(tmp_path / "a", tmp_path / "b")


def test_results_compared_with_themselves_are_warned_of(
    uniform: LanguageModel,
    byte_tokenizer: Tokenizer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = scored(uniform, byte_tokenizer, tmp_path / "first", limit=2)
    compare(first, first / ".." / "first")
    assert "first is compared with itself: no difference says anything" in caplog.text


def test_results_without_a_protocol_in_common_are_refused(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    first = scored(uniform, byte_tokenizer, tmp_path / "first")
    with writing(tmp_path / "other", stage=STAGE, config=Config(), inputs={}) as draft:
        [prepared] = prepare(EvaluateConfig(tasks=["demo-cbt"], limit=1)).prepared
        write_result(draft, *evaluate_task(uniform, byte_tokenizer, prepared))
    with pytest.raises(InputError, match="no protocol in common; the first has demo-lambada:1"):
        compare(first, tmp_path / "other")


def test_scores_by_site_are_those_of_its_items(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path, tmp_path: Path
) -> None:
    with writing(tmp_path / "out", stage=STAGE, config=Config(), inputs={}) as draft:
        config = EvaluateConfig(tasks=["held-out|kilobytes=10"])
        [prepared] = prepare(config, corpus).prepared
        result, items = evaluate_task(uniform, byte_tokenizer, prepared)
        turned = [msgspec.structs.replace(items[0], item="https://other.example/1"), *items[1:]]
        write_result(draft, result, turned)
    found = score_by_site(tmp_path / "out", "held-out")
    scores = [(site.name, score) for site in found for score in site.scores]
    assert [(name, one.metric, one.num_items) for name, one in scores] == [
        ("ports.example", "perplexity", 2),
        ("ports.example", "bits_per_byte", 2),
        ("other.example", "perplexity", 1),
        ("other.example", "bits_per_byte", 1),
    ]
    assert {round(one.value, 6) for _, one in scores} == {257.0, round(math.log2(257), 6)}
    with pytest.raises(InputError, match="no scores of 'ptb'; it has held-out"):
        score_by_site(tmp_path / "out", "ptb")
