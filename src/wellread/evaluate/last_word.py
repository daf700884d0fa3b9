"""Predicting a passage's last word: LAMBADA, and sets of its form."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from wellread.base.errors import InputError
from wellread.evaluate.language_model import Request
from wellread.evaluate.metrics import ACCURACY, PERPLEXITY, Metric, Outcome
from wellread.evaluate.stop_words import STOP_WORDS
from wellread.evaluate.task import Axis, Setup
from wellread.evaluate.word_search import likeliest_words
from wellread.formats.results import Item

# See docs/paper-map.md.
TARGET = Axis(
    default="word",
    others=("token",),
    reason="the paper does not say; the last BPE token alone is a community reading of its scores",
)
# See docs/paper-map.md.
FILTER = Axis(
    default="none",
    others=("stop-words",),
    reason="none asks whether greedy decoding writes the target, whatever else may end the "
    "passage; table 3 seems to include the paper's filter (52.66 without, 63.24 with it, for the "
    "largest model), but its list is not published. stop-words takes the likeliest word, letters "
    "and digits up to where it ends, that is not in evaluate/stop_words.py; perplexity stays",
)
METRICS: dict[str, Metric] = {"accuracy": ACCURACY, "perplexity": PERPLEXITY}


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage whose end is to be predicted."""

    item: str
    prompt: str
    target: str  # with the space before it
    document: str | None = None  # where it was taken from, if several come from one


class _Record(msgspec.Struct):
    text: str


def at_last_space(item: str, text: str) -> Passage:
    """The target is what follows the last space, as in lm-evaluation-harness's lambada_openai.

    >>> at_last_space("1", "She sat down and began to read").target
    ' read'
    """
    prompt, space, word = text.rpartition(" ")
    return Passage(item=item, prompt=prompt, target=space + word)


def straight(text: str) -> str:
    """As OpenAI described its preparation in openai/gpt-2#131: plain quotes, a line end before.

    >>> straight("“Yes,” she said ")
    '\\n"Yes," she said'
    """
    for quote in ("“", "”", "``", "''"):
        text = text.replace(quote, '"')
    return "\n" + text.strip()


def read_plain(path: Path) -> list[Passage]:
    """The original layout: a tokenised passage on each line."""
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [at_last_space(f"{number}", line.strip()) for number, line in enumerate(lines, start=1)]


def read_lambada(path: Path, prepare: Callable[[str], str] = str) -> list[Passage]:
    """OpenAI's layout: one JSON object with `text` on each line."""
    passages = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            text = msgspec.json.decode(line, type=_Record).text
        except msgspec.DecodeError as error:
            raise InputError(f"{path}:{number}: not a LAMBADA item ({error})") from None
        passages.append(at_last_space(f"{number}", prepare(text)))
    return passages


def guess(passage: Passage) -> float:
    """The chance of hitting the word by guessing among the different words of the passage.

    >>> guess(Passage(item="1", prompt="the cat saw the dog, and the", target=" cat"))
    0.2
    """
    words = set(re.findall(r"\w+", passage.prompt.lower()))
    return 1 / len(words) if passage.target.strip().lower() in words else 0.0


def filtered_words(
    setup: Setup, passages: Sequence[Passage], requests: Sequence[Request]
) -> list[str]:
    """The likeliest word that is no stop word, from where the scored tokens begin."""
    asked = []
    for passage, request in zip(passages, requests, strict=True):
        length = len(setup.encode(passage.prompt))
        asked.append(Request(request.context[:length], request.context[length:]))
    return likeliest_words(
        setup.lm, setup.tokenizer, asked, lambda word: word.strip().lower() not in STOP_WORDS
    )


def score_last_words(setup: Setup, passages: Sequence[Passage]) -> list[Outcome]:
    """Right if greedy decoding, or the filtered prediction, is exactly the target."""
    requests = []
    for passage in passages:
        context, target = setup.encode(passage.prompt), setup.tokenizer.encode(passage.target)
        if setup.settings.get("target") == "token":
            context, target = np.concatenate([context, target[:-1]]), target[-1:]
        requests.append(Request(context, target))
    outcomes = []
    answers = setup.lm.log_probs(requests)
    is_filtered = setup.settings.get("filter") == "stop-words"
    words: Sequence[str | None]
    if is_filtered:
        words = filtered_words(setup, passages, requests)
    else:  # the likeliest token at each place, which is what greedy decoding writes up to an error
        decode = setup.tokenizer.decode
        words = [None if one.best is None else decode(one.best) for one in answers]
    for passage, request, answer, word in zip(passages, requests, answers, words, strict=True):
        log_prob = float(answer.log_probs.sum())
        is_right = float(word == passage.target if is_filtered else answer.is_greedy)
        item = Item(
            item=passage.item,
            text=passage.prompt + passage.target,
            prompt=passage.prompt,
            target=passage.target,
            prediction=word,
            log_prob=log_prob,
            num_tokens=len(answer.log_probs),
            num_units=1,
            value=is_right,
        )
        outcomes.append(
            Outcome(
                item,
                {"accuracy": (is_right, 1), "perplexity": (log_prob, 1)},
                unit=passage.document,
                chance=guess(passage),
                is_truncated=len(request.context) + len(request.continuation)
                > setup.lm.context + 1,
            )
        )
    return outcomes
