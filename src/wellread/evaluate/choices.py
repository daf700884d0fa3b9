"""Choosing what is most probable: the Children's Book Test and Winograd schemas."""

from collections.abc import Sequence
from typing import NamedTuple

from wellread.evaluate.language_model import Request
from wellread.evaluate.metrics import ACCURACY, Metric, Outcome
from wellread.evaluate.task import Setup
from wellread.formats.results import Item

METRICS: dict[str, Metric] = {"accuracy": ACCURACY}


class Option(NamedTuple):
    """One way to read an item: `scored` after `prompt`."""

    name: str
    prompt: str
    scored: str


class Question(NamedTuple):
    """An item with its options, of which `options[right]` is the answer."""

    item: str
    text: str  # with the right answer in its place
    options: Sequence[Option]
    right: int
    document: str | None = None


class Requests(NamedTuple):
    """What a model is asked of one question."""

    options: list[Request]
    is_truncated: bool  # a prompt has lost its beginning


def requests_for(setup: Setup, question: Question) -> Requests:
    """All options of a question see the same last part of its context."""
    prompts = [setup.encode(option.prompt) for option in question.options]
    scored = [setup.tokenizer.encode(option.scored) for option in question.options]
    room = max(1, setup.lm.context + 1 - max(map(len, scored)))
    options = [Request(p[-room:], s) for p, s in zip(prompts, scored, strict=True)]
    return Requests(options, max(map(len, prompts)) > room)


def score_questions(setup: Setup, questions: Sequence[Question]) -> list[Outcome]:
    """The option of highest log probability; among equals, the chance of guessing right."""
    asked = [requests_for(setup, question) for question in questions]
    answers = iter(setup.lm.log_probs([request for one in asked for request in one.options]))
    outcomes = []
    for question, one in zip(questions, asked, strict=True):
        found = [next(answers) for _ in one.options]
        log_probs = [float(answer.log_probs.sum()) for answer in found]
        best = [number for number, value in enumerate(log_probs) if value == max(log_probs)]
        value = 1 / len(best) if question.right in best else 0.0
        right = question.options[question.right]
        item = Item(
            item=question.item,
            text=question.text,
            prompt=right.prompt,
            target=right.scored,
            prediction=question.options[best[0]].name,
            log_prob=log_probs[question.right],
            num_tokens=len(found[question.right].log_probs),
            num_units=1,
            value=value,
        )
        outcomes.append(
            Outcome(
                item,
                {"accuracy": (value, 1)},
                unit=question.document,
                chance=1 / len(question.options),
                is_truncated=one.is_truncated,
            )
        )
    return outcomes
