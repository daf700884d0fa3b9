"""Language models whose scores can be computed by hand, and a corpus small enough to read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.evaluate.language_model import LanguageModel, Request, Scored
from wellread.formats.documents import Document, write_documents
from wellread.formats.results import Item
from wellread.generation.sample import Complete
from wellread.tokenizer.tokenizer import Tokenizer

LONG = 1_000_000  # a context in which nothing is cut


class BigramModel:
    """Knows only log_table[last, next]; its context is as long as it is told."""

    def __init__(self, log_table: Any, context: int) -> None:
        self.log_table = np.asarray(log_table, dtype=float)
        self.context = context
        self.end_of_text = len(self.log_table) - 1
        self.asked: list[Request] = []

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        self.asked += requests
        answers = []
        for context, continuation in requests:
            assert len(context) + len(continuation) <= self.context + 1
            ids = np.concatenate([context[-1:], continuation]).astype(int)
            rows = self.log_table[ids[:-1]]
            is_greedy = bool((rows.argmax(axis=1) == ids[1:]).all())
            answers.append(Scored(rows[np.arange(len(rows)), ids[1:]], is_greedy))
        return answers

    def generate(
        self,
        prompts: Sequence[Any],
        *,
        max_new_tokens: int,
        top_k: int,
        seeds: Sequence[int],
        is_complete: Complete | None = None,
    ) -> list[Any]:
        found = []
        for prompt in prompts:
            ids = [int(prompt[-1])]
            for _ in range(max_new_tokens):
                best = int(self.log_table[ids[-1]].argmax())
                if best == self.end_of_text:
                    break
                ids.append(best)
                if is_complete is not None and is_complete(ids[1:]):
                    break
            found.append(np.array(ids[1:], dtype=int))
        return found


class Oracle:
    """Has read the answers: sure of every token of a text that it knows, of no other."""

    def __init__(self, tokenizer: Tokenizer, items: Sequence[Item]) -> None:
        self.tokenizer, self.context = tokenizer, LONG
        self.end_of_text = tokenizer.end_of_text
        self.answers = {item.prompt: item.target for item in items}
        self.texts = [item.text for item in items]
        self.endings = [item.prompt + item.target for item in items]

    def knows(self, text: str) -> bool:
        text = text.replace("<|endoftext|>", "").strip("�")
        ended = [known for known in self.endings if text.startswith(known)]
        is_answer = any(not text[len(known) : len(known) + 1].isalnum() for known in ended if known)
        return is_answer or any(text in known for known in self.texts)

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        answers = []
        for context, continuation in requests:
            ids = np.concatenate([context, continuation]).astype(int)
            sure = self.knows(self.tokenizer.decode(ids))
            answers.append(Scored(np.full(len(continuation), 0.0 if sure else -9.0), sure))
        return answers

    def generate(
        self,
        prompts: Sequence[Any],
        *,
        max_new_tokens: int,
        top_k: int,
        seeds: Sequence[int],
        is_complete: Complete | None = None,
    ) -> list[Any]:
        texts = [self.tokenizer.decode(prompt).replace("<|endoftext|>", "") for prompt in prompts]
        return [self.tokenizer.encode(self.answers[text]) for text in texts]


@pytest.fixture(scope="session")
def byte_tokenizer() -> Tokenizer:
    """Every byte is a token; with the end of text there are 257."""
    return Tokenizer.train([""], vocab_size=257)


@pytest.fixture(scope="session")
def bigram() -> Callable[[Any, int], BigramModel]:
    return BigramModel


@pytest.fixture(scope="session")
def uniform() -> LanguageModel:
    """Finds each of 257 tokens equally likely."""
    return BigramModel(np.full((257, 257), -np.log(257)), LONG)


@pytest.fixture(scope="session")
def oracle(byte_tokenizer: Tokenizer) -> Callable[[Sequence[Item]], Oracle]:
    return lambda items: Oracle(byte_tokenizer, items)


PORTS = """alpha beta gamma delta kappa sigma omega lambda theta zeta
lima oscar tango victor quebec juliet romeo sierra hotel golf"""


def page(number: int) -> Document:
    """A document of forty sentences about twenty ports, with words that come again."""
    ports, lines = PORTS.split(), [f"Harbours of coast {number}"]
    for n in range(40):
        port, other = ports[(number + n) % 20], ports[(3 * n + number) % 20]
        lines.append(
            f"On day {n} the pilot left {port} for the little town of {other} with cargo, timber "
            f"and {ports[(n + 5) % 20]} before the storm reached {port}."
        )
    return Document(
        url=f"https://ports.example/{number}", text="\n".join(lines), split="validation"
    )


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty held-out documents, and one to train on that no task may see."""
    out = tmp_path_factory.mktemp("corpus")
    training = Document(url="https://ports.example/train", text="Do not read this.", split="train")
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, [training, *map(page, range(30))])
    return out
