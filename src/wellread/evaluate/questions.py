"""Answering questions of fact after a few examples, as in section 3.8."""

import re
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.evaluate.metrics import EXACT_MATCH, MEAN, Metric, Outcome
from wellread.evaluate.task import Setup
from wellread.formats.results import Item

MAX_NEW_TOKENS = 24  # ours: the longest answers of NQ-open are dates and names
METRICS: dict[str, Metric] = {"exact_match": EXACT_MATCH, "f1": MEAN}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question, its accepted answers, and the pairs shown before it."""

    item: str
    question: str
    answers: list[str]
    shots: list[tuple[str, str]]


class _Record(msgspec.Struct):
    question: str
    answer: list[str]


def read_questions(path: Path, shots: Sequence[tuple[str, str]] = ()) -> list[Asked]:
    """NQ-open's layout: `question` and a list `answer` on each line."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            record = msgspec.json.decode(line, type=_Record)
        except msgspec.DecodeError as error:
            raise InputError(f"{path}:{number}: not a question ({error})") from None
        found.append(
            Asked(
                item=str(number),
                question=record.question,
                answers=record.answer,
                shots=list(shots),
            )
        )
    return found


def read_shots(path: Path) -> list[tuple[str, str]]:
    """Question and first answer of each line of a file in the same layout."""
    return [(asked.question, asked.answers[0]) for asked in read_questions(path)]


def prompt_for(asked: Asked) -> str:
    """The form of the pairs is not given in the paper."""
    shown = "".join(f"Q: {question}\nA: {answer}\n" for question, answer in asked.shots)
    return f"{shown}Q: {asked.question}\nA:"


def normalised(answer: str) -> str:
    """As SQuAD's scorer: lower case, no punctuation, no articles, single spaces.

    >>> normalised("The  Eiffel-Tower!")
    'eiffeltower'
    """
    plain = "".join(c for c in answer.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def f1(prediction: str, answer: str) -> float:
    """Harmonic mean of precision and recall over words.

    >>> f1("a red apple", "the apple")
    0.6666666666666666
    """
    said, wanted = normalised(prediction).split(), normalised(answer).split()
    common = sum((Counter(said) & Counter(wanted)).values())
    if not said or not wanted:
        return float(said == wanted)
    return 2 * common / (len(said) + len(wanted))


def score_answers(setup: Setup, questions: Sequence[Asked]) -> list[Outcome]:
    """Greedy answers up to the end of the line, against the best-matching accepted answer."""
    prompts = [prompt_for(asked) for asked in questions]
    ids = [setup.encode(prompt) for prompt in prompts]
    new = min(MAX_NEW_TOKENS, setup.lm.context // 2)
    found = setup.lm.generate(ids, max_new_tokens=new, top_k=1, seeds=[0] * len(ids))
    outcomes = []
    for asked, prompt, prompt_ids, generated in zip(questions, prompts, ids, found, strict=True):
        prediction = setup.tokenizer.decode(generated).split("\n")[0].strip()
        matches = any(normalised(prediction) == normalised(answer) for answer in asked.answers)
        best = max(f1(prediction, answer) for answer in asked.answers)
        item = Item(
            item=asked.item,
            text=f"{asked.question} {asked.answers[0]}",
            prompt=prompt,
            target=" " + asked.answers[0],
            prediction=prediction,
            value=float(matches),
        )
        outcomes.append(
            Outcome(
                item,
                {"exact_match": (float(matches), 1), "f1": (best, 1)},
                is_truncated=len(prompt_ids) > setup.lm.context - new,
            )
        )
    return outcomes
