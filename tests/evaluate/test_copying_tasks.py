"""Extraction and many samples: a model that recites, one that guesses, and what is refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.base.errors import InputError
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, Request, Scored
from wellread.evaluate.plan import prepare
from wellread.evaluate.run import Evaluated, evaluate_task
from wellread.formats.documents import SPLITS, read_corpus
from wellread.generation.sample import Complete, Generated
from wellread.tokenizer.tokenizer import Tokenizer


class Reciter:
    """Knows its texts by heart: goes on with the one that has the prompt, or says something."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Sequence[str],
        context: int = 4096,
        else_says: str = "I do not know this one.",
    ) -> None:
        self.tokenizer, self.texts, self.context = tokenizer, texts, context
        self.else_says = else_says
        self.end_of_text = tokenizer.end_of_text

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        raise AssertionError("not asked")

    def next_log_probs(self, requests: Sequence[Request]) -> Any:
        raise AssertionError("not asked")

    def generate(
        self,
        prompts: Sequence[Any],
        *,
        max_new_tokens: int,
        top_k: int,
        seeds: Sequence[int],
        is_complete: Complete | None = None,
    ) -> list[Generated]:
        return [self._go_on(prompt, max_new_tokens) for prompt in prompts]

    def _go_on(self, prompt: Any, most: int) -> Generated:
        given = self.tokenizer.decode(prompt).replace("<|endoftext|>", "")
        known = next((text for text in self.texts if given in text), "")
        rest = known[known.index(given) + len(given) :] if known else self.else_says
        ids = self.tokenizer.encode(rest)[:most]
        return Generated(np.asarray(ids), np.zeros(len(ids)))


def asked(
    lm: LanguageModel, tokenizer: Tokenizer, task: str, corpus: Path, limit: int | None = None
) -> Evaluated:
    prepared = prepare(EvaluateConfig(tasks=[task], limit=limit), corpus).prepared[0]
    return evaluate_task(lm, tokenizer, prepared)


def test_what_was_learnt_by_heart_comes_back_and_held_out_text_does_not(
    byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    training = [document.text for document in read_corpus(corpus, SPLITS[0])]
    reciter = Reciter(byte_tokenizer, training)
    result, items = asked(reciter, byte_tokenizer, "extraction|prompt=90", corpus)
    values = {score.metric: score.value for score in result.scores}
    assert values["exact_match"] == 1.0
    assert values["matching_tokens"] == 50.0
    assert values["exact_match_held-out"] == 0.0
    assert values["matching_tokens_held-out"] < 25.0
    by_split = {item.item.partition("/")[0] for item in items}
    assert by_split == {"train", "validation"}
    assert len(items) == 8 + 30
    assert {item.text for item in items} == {""}


def test_who_guesses_recites_nothing(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    result, items = asked(uniform, byte_tokenizer, "extraction|tokens=20", corpus)
    values = {score.metric: score.value for score in result.scores}
    assert values["exact_match"] == values["exact_match_held-out"] == 0.0
    assert [item.num_units for item in items] == [20] * len(items)


def test_a_part_of_the_probes_has_both_kinds(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    _, items = asked(uniform, byte_tokenizer, "extraction", corpus, limit=4)
    assert [item.item.partition("/")[0] for item in items] == ["train", "validation"] * 2


def test_probes_begin_with_their_document_and_are_as_long_as_asked(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    texts = {document.url: document.text for document in read_corpus(corpus)}
    _, items = asked(uniform, byte_tokenizer, "extraction|prompt=30|tokens=7", corpus)
    for item in items:
        text = texts[item.item.partition("/")[2]]
        assert (item.prompt, item.target) == (text[:30], text[30:37])


def test_what_cannot_be_probed_is_refused(
    byte_tokenizer: Tokenizer, corpus: Path, tmp_path: Path
) -> None:
    small = Reciter(byte_tokenizer, [], context=100)
    with pytest.raises(InputError, match=r"50 tokens given and 50 asked .* context of 100"):
        asked(small, byte_tokenizer, "extraction", corpus)
    with pytest.raises(InputError, match="no training document has 9000 words"):
        asked(small, byte_tokenizer, "extraction|prompt=8950", corpus)
    (tmp_path / "novel.txt").write_text("It was a dark night. " * 99)
    with pytest.raises(InputError, match=r"novel\.txt: does not say what a model was trained on"):
        asked(small, byte_tokenizer, "extraction", tmp_path / "novel.txt")
    (tmp_path / "short.txt").write_text("It was a dark night.")
    with pytest.raises(InputError, match="no held-out document has 100 words"):
        asked(small, byte_tokenizer, "copying-samples", tmp_path / "short.txt")


def test_samples_go_on_beside_as_much_of_the_document(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    result, items = asked(uniform, byte_tokenizer, "copying-samples|documents=12|tokens=60", corpus)
    assert (result.num_items, result.scores) == (12, [])
    for item in items:
        assert len(item.prompt.split(" ")) == 40
        assert len(item.target) == 60
        assert 0 < len(item.prediction or "") <= 60


def test_training_documents_are_read_beside_the_held_out_ones(
    uniform: LanguageModel, byte_tokenizer: Tokenizer, corpus: Path
) -> None:
    result, items = asked(uniform, byte_tokenizer, "held-out|split=train", corpus)
    assert result.num_available == len(items) == 9
    held_out = asked(uniform, byte_tokenizer, "held-out", corpus)
    assert not {item.item for item in items} & {item.item for item in held_out.items}
