"""Answering questions of fact after a few examples, as in section 3.8."""

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.evaluate.metrics import EXACT_MATCH, MEAN, Metric, Outcome, of_most_confident
from wellread.evaluate.task import Axis, Settings, Setup
from wellread.evaluate.written import write_greedily
from wellread.formats.results import Item

MAX_NEW_TOKENS = 24  # ours: the shortest answer to a question of NQ-open has 18 tokens at most
METRICS: dict[str, Metric] = {"exact_match": EXACT_MATCH, "f1": MEAN}
CONFIDENCE = Metric(
    statistic=of_most_confident,
    is_of_rows=True,
    share=0.01,
    is_proportion=True,
    note="of the hundredth of the answers to which the model gives most probability, each with its "
    f"end, if it ends within {MAX_NEW_TOKENS} tokens",
)
SHOTS = Axis(
    default="5",
    takes_number=True,
    reason="the paper gives neither the number of the example pairs nor the pairs; five show the "
    "form and leave the context to the question",
)
QUESTION_TYPE = re.compile(r"\b(how many|how much|who|when|where|what|which|why|how)(?:m|se)?\b")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question, its accepted answers, and the pairs shown before it."""

    item: str
    question: str
    answers: list[str]
    shots: list[tuple[str, str]]
    most_common: str | None = None  # answer to other questions of its type


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


def draw_shots(asked: Sequence[Asked], settings: Settings, path: Path) -> list[tuple[str, str]]:
    """As many questions with their first answers as the settings say."""
    num = int(settings["shots"])
    if num > len(asked):
        raise InputError(f"{path}: shots={num}, but there are only {len(asked):,} pairs to show")
    order = generator(int(settings["shot_seed"]), "shots", "questions").permutation(len(asked))
    return [(asked[n].question, asked[n].answers[0]) for n in order[:num]]


def question_type(question: str) -> str:
    """
    >>> question_type("in the film whose dog says how many")
    'who'
    """
    found = QUESTION_TYPE.search(question.lower())
    return found[1] if found else "other"


def most_common_answers(asked: Sequence[Asked]) -> dict[str, str]:
    """For each type of question the first answer most often given; of equals, the first of all."""
    counts: dict[str, Counter[str]] = {}
    for one in asked:
        kind = counts.setdefault(question_type(one.question), Counter())
        kind[normalised(one.answers[0])] += 1
    return {kind: answers.most_common(1)[0][0] for kind, answers in counts.items()}


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


def is_exact(prediction: str, answers: Sequence[str]) -> bool:
    return any(normalised(prediction) == normalised(answer) for answer in answers)


def score_answers(setup: Setup, questions: Sequence[Asked]) -> list[Outcome]:
    """Greedy answers up to the end of the line, against the best-matching accepted answer."""
    prompts = [prompt_for(asked) for asked in questions]
    written = write_greedily(setup, prompts, stop="line", max_new_tokens=MAX_NEW_TOKENS)
    outcomes = []
    for asked, prompt, one in zip(questions, prompts, written, strict=True):
        # With its end: else an empty answer would be certain, and the beginning of a longer one
        # likelier than the whole.
        confidence = math.exp(one.log_prob)
        is_right = float(is_exact(one.answer, asked.answers))
        item = Item(
            item=asked.item,
            text=f"{asked.question} {asked.answers[0]}",
            prompt=prompt,
            target=" " + asked.answers[0],
            prediction=one.answer,
            confidence=confidence,
            value=is_right,
        )
        sums: dict[str, tuple[float, ...]] = {
            "exact_match": (is_right, 1),
            "f1": (max(f1(one.answer, answer) for answer in asked.answers), 1),
            "accuracy_top_1_percent": (confidence, is_right),
        }
        if asked.most_common is not None:
            hit = float(is_exact(asked.most_common, asked.answers))
            sums["exact_match_most_common_answer"] = (hit, 1)
        outcomes.append(Outcome(item, sums, is_truncated=one.is_truncated))
    return outcomes
