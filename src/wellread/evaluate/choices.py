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


def score_questions(setup: Setup, questions: Sequence[Question]) -> list[Outcome]:
    """The option of highest log probability; among equals, the chance of guessing right.

    All options of a question see the same last part of its context.
    """
    requests, is_truncated = [], []
    for question in questions:
        prompts = [setup.encode(option.prompt) for option in question.options]
        scored = [setup.tokenizer.encode(option.scored) for option in question.options]
        room = max(1, setup.lm.context + 1 - max(map(len, scored)))
        requests += [Request(p[-room:], s) for p, s in zip(prompts, scored, strict=True)]
        is_truncated.append(max(map(len, prompts)) > room)
    answers = iter(setup.lm.log_probs(requests))
    outcomes = []
    for question, was_cut in zip(questions, is_truncated, strict=True):
        found = [next(answers) for _ in question.options]
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
                is_truncated=was_cut,
            )
        )
    return outcomes
