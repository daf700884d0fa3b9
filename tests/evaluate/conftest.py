"""Language models whose scores can be computed by hand, and a corpus small enough to read."""

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.evaluate.language_model import LanguageModel, Request, Scored
from wellread.formats.documents import Document, write_documents
from wellread.formats.results import Item
from wellread.generation.sample import Complete, Generated
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

    def next_log_probs(self, requests: Sequence[Request]) -> Any:
        last = [int(np.concatenate(request)[-1]) for request in requests]
        return self.log_table[last].astype(np.float32)

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
            ids, log_probs = [int(prompt[-1])], []
            for _ in range(max_new_tokens):
                best = int(self.log_table[ids[-1]].argmax())
                log_probs.append(self.log_table[ids[-1], best])
                if best == self.end_of_text:
                    break
                ids.append(best)
                if is_complete is not None and is_complete(ids[1:]):
                    break
            found.append(Generated(np.array(ids[1:], dtype=int), np.array(log_probs)))
        return found


class Oracle:
    """Has read the answers: sure of every token of a text that it knows, of no other."""

    def __init__(self, tokenizer: Tokenizer, items: Sequence[Item]) -> None:
        self.tokenizer, self.context = tokenizer, LONG
        self.end_of_text = tokenizer.end_of_text
        self.answers = {item.prompt: item.target for item in items}
        self.texts = [*(item.text for item in items), "".join(item.text for item in items)]
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

    def next_log_probs(self, requests: Sequence[Request]) -> Any:
        log_probs = np.full((len(requests), self.tokenizer.vocab_size), -np.inf, np.float32)
        for row, (context, continuation) in zip(log_probs, requests, strict=True):
            text = self.tokenizer.decode(np.concatenate([context, continuation]).astype(int))
            known = next(known for known in self.endings if known.startswith(text))
            row[[*self.tokenizer.encode(known[len(text) :]), self.end_of_text][0]] = 0.0
        return log_probs

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
        found = [self.tokenizer.encode(self.answers[text]) for text in texts]
        return [Generated(ids, np.zeros(len(ids))) for ids in found]


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


@pytest.fixture(scope="session")
def layout_data(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole benchmarks of the few records that stand here for those in their original layout."""
    folder = tmp_path_factory.mktemp("layouts")
    for archive in (real_data / "benchmarks/original_layouts").glob("cbt__*.zip"):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                found = re.search(r"CBTest/data/cbtest_\w+_(\d+)ex.txt$", name)
                if found:
                    path = folder / found.group()
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(opened.read(name) * int(found[1]))
    return folder


PORTS = """alpha beta gamma delta kappa sigma omega lambda theta zeta
lima oscar tango victor quebec juliet romeo sierra hotel golf"""


def page(number: int) -> Document:
    """A document of forty sentences about twenty ports, with words that come again; the last two
    pages have eighty, which are more than 1,024 words."""
    ports, lines = PORTS.split(), [f"Harbours of coast {number}"]
    for n in range(80 if number >= 28 else 40):
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
    """Thirty held-out documents, one to train on that is too short for any task, and eight more."""
    out = tmp_path_factory.mktemp("corpus")
    training = [
        Document(url="https://ports.example/train", text="Do not read this.", split="train"),
        *(msgspec.structs.replace(page(number), split="train") for number in range(100, 108)),
    ]
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, [*training, *map(page, range(30))])
    return out


LINES = 6_074  # of 25 words, and one of 1,733: with the line ends 159,658


def news(number: int) -> str:
    words = f"Mr. {number} 's ship didn 't sail from {PORTS.split()[number % 20]}".split()
    return " ".join([*words, *(str(number + n) for n in range(24 - len(words))), "."]) + "\n"


def hundred_megabytes(path: Path, end: bytes) -> None:
    """Nought bytes that take no room, and an end of five million."""
    path.parent.mkdir()
    with path.open("wb") as file:
        file.seek(95_000_000)
        file.write(end[-5_000_000:])


@pytest.fixture(scope="session")
def made_benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts made here in the layout of benchmarks that are not at hand."""
    folder = tmp_path_factory.mktemp("benchmarks")
    lines = [news(number) for number in range(LINES)]
    (folder / "1bw").mkdir()
    (folder / "1bw/news.en.heldout-00000-of-00050").write_text(
        "".join([*lines, "a " * 1732 + ".\n"]), encoding="utf-8"
    )
    # Ends and begins inside a character.
    xml = "".join(f"<page>\n  <title>Café №{n}</title>\n</page>\n" for n in range(110_000)).encode()
    hundred_megabytes(folder / "enwik8/enwik8", b"\xa9" + xml[-4_999_998:] + b"\xc3")
    ports = PORTS.split()
    letters = " ".join(f"{ports[n % 20]} {ports[n // 20 % 20]}" for n in range(500_000)).encode()
    hundred_megabytes(folder / "text8/text8", letters)
    # Sixty articles: a title, and words that come to 241,211 with the others'.
    articles = [f" \n = Coast {n} = \n \n {'Ships sail . ' * 1338}\n" for n in range(60)]
    (folder / "wikitext103").mkdir()
    (folder / "wikitext103/wiki.test.tokens").write_text(
        "".join([*articles, " " + "sea " * (241_211 - 60 * (4 + 3 * 1338)) + "\n"]),
        encoding="utf-8",
    )
    return folder
