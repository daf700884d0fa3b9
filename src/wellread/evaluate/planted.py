"""What only planted demonstrations can have taught, asked for (`wellread.corpus.planted`)."""

from collections.abc import Sequence

from wellread.corpus.planted import Ask, questions
from wellread.evaluate.choices import METRICS, Option, Question, score_questions
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Setup, Task, as_loaded


def planted_task(name: str, what: str) -> Task:
    return Task(
        source=f"this package's own: {what}",
        licence="MIT, with this package",
        metrics=METRICS,
        load=lambda _: as_loaded(questions(name)),
        score=score_asks,
    )


def score_asks(setup: Setup, asks: Sequence[Ask]) -> list[Outcome]:
    """Accuracy of the most probable candidate; what is asked about a word goes together."""
    return score_questions(setup, [as_question(ask) for ask in asks])


def as_question(ask: Ask) -> Question:
    options = [Option(answer, ask.prompt, f" {answer}.") for answer in ask.candidates]
    text = ask.prompt + options[ask.right].scored
    return Question(text, text, options, ask.right, document=ask.word)
