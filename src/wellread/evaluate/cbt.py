"""The Children's Book Test: which of ten words fills the blank after twenty sentences."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.evaluate.choices import Option, Question, score_questions
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Setup

BLANK = "XXXXX"
QUESTION_LINE = "21"
SCOPE = Axis(
    default="rest",
    others=("choice",),
    reason="the paper scores the choice and the rest of the sentence (section 3.2)",
)


class Cloze(msgspec.Struct, frozen=True, kw_only=True):
    """A passage, a sentence with a blank after it, and words for the blank."""

    item: str
    passage: str
    before: str  # of the last sentence, up to the blank
    after: str
    candidates: tuple[str, ...]
    answer: str
    document: str | None = None


def read_cbt(path: Path) -> list[Cloze]:
    """The original layout: lines `1 ...` to `20 ...`; question, answer, nothing, candidates."""
    examples: list[Cloze] = []
    sentences: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        label, _, rest = line.partition(" ")
        if not line.strip():
            continue
        if label != QUESTION_LINE:
            sentences.append(rest.strip())
            continue
        fields = rest.split("\t")
        if len(fields) != 4 or fields[0].count(BLANK) != 1:
            raise InputError(
                f"{path}:{number}: not a CBT question; expected one {BLANK}, and after it the "
                "answer, an empty field and the candidates, separated by tabs"
            )
        before, after = fields[0].split(BLANK)
        examples.append(
            Cloze(
                item=str(len(examples) + 1),
                passage=" ".join(sentences),
                before=before,
                after=after.rstrip(),
                candidates=tuple(fields[3].strip().split("|")),
                answer=fields[1],
            )
        )
        sentences = []
    return examples


def as_question(example: Cloze, scope: str) -> Question:
    """Each candidate in the blank; `scope` says whether what follows is scored with it."""
    start = f"{example.passage} {example.before}".rstrip()
    glue = " " if not example.before or example.before[-1].isspace() else ""
    after = example.after if scope == "rest" else ""
    options = [Option(word, start, f"{glue}{word}{after}") for word in example.candidates]
    return Question(
        item=example.item,
        text=f"{start}{glue}{example.answer}{example.after}",
        options=options,
        right=example.candidates.index(example.answer),
        document=example.document,
    )


def score_clozes(setup: Setup, examples: Sequence[Cloze]) -> list[Outcome]:
    """Accuracy of the most probable candidate."""
    scope = setup.settings["scope"]
    return score_questions(setup, [as_question(example, scope) for example in examples])
