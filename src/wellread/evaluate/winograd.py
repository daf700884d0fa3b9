"""Winograd schemas: whom or what the pronoun means (Trinh and Le's formulation)."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from lxml import etree

from wellread.base.errors import InputError
from wellread.evaluate.choices import Option, Question, score_questions
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Setup

# See docs/paper-map.md.
SCORING = Axis(
    default="partial",
    others=("full",),
    reason="partial scores what follows the pronoun, full the answer too; figure 3 has both, and "
    "the headline is the partial one",
)
ANSWERS = Axis(
    default="written",
    others=("harness", "stored"),
    reason="the collection's answers do not fit everywhere, and the paper does not say what it did "
    "about it: written gives them the pronoun's case and possessive, harness follows "
    "lm-evaluation-harness, which lowers a leading article and appends 's, stored changes nothing",
)
POSSESSIVE = {"my", "his", "her", "our", "their"}
# Words that begin an answer with a capital only at the beginning of a sentence.
LOWERED = {"A", "An", "The", "She", "He", "It", "They", "My", "His", "Her", "Their"}


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence around a pronoun, and what it may mean."""

    item: str
    before: str
    pronoun: str
    after: str
    answers: list[str]
    right: int


def read_winograd(path: Path) -> list[Schema]:
    """The layout of WSCollection.xml."""
    try:
        root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"{path}: not a collection of Winograd schemas ({error})") from None
    schemas = []
    for number, schema in enumerate(root.iterfind(".//schema"), start=1):
        letter = _words(schema, "correctAnswer").rstrip(".")
        answers = [" ".join((a.text or "").split()) for a in schema.iterfind("answers/answer")]
        if letter not in ("A", "B") or len(answers) != 2:
            raise InputError(
                f"{path}: schema {number} has {len(answers)} answers and {letter!r} as the right "
                "one; expected two, and A or B"
            )
        schemas.append(
            Schema(
                item=str(number),
                before=_words(schema, "text/txt1"),
                pronoun=_words(schema, "text/pron"),
                after=_words(schema, "text/txt2"),
                answers=answers,
                right="AB".index(letter),
            )
        )
    return schemas


def _words(schema: etree._Element, path: str) -> str:
    return " ".join((schema.findtext(path) or "").split())


def in_place(schema: Schema, answer: str, rules: str) -> str:
    """The answer as it stands where the pronoun stood."""
    if rules == "stored":
        return answer
    is_possessive = schema.pronoun.lower() in POSSESSIVE
    first = answer.partition(" ")[0]
    if rules == "harness":
        if is_possessive:
            answer += "'s"
        starts = schema.before.endswith(".")
        return answer.replace(first, first.lower()) if first in LOWERED and not starts else answer
    if schema.pronoun.lower() != "it":  # which may stand for "Tina's", her drawing
        answer = answer.removesuffix("'s") + "'s" * is_possessive
    if schema.pronoun[0].isupper():
        return answer[0].upper() + answer[1:]
    return answer[0].lower() + answer[1:] if first in LOWERED else answer


def as_question(schema: Schema, scoring: str, answers: str) -> Question:
    """One option for each answer."""
    glue = "" if schema.after[:1] in ".,;:!?'" else " "
    options = []
    for answer in schema.answers:
        phrase = in_place(schema, answer, answers)
        start = " " if schema.before else ""
        if scoring == "full":
            option = Option(answer, schema.before, f"{start}{phrase}{glue}{schema.after}")
        else:
            option = Option(answer, f"{schema.before}{start}{phrase}", f"{glue}{schema.after}")
        options.append(option)
    right = options[schema.right]
    return Question(
        item=schema.item, text=right.prompt + right.scored, options=options, right=schema.right
    )


def score_schemas(setup: Setup, schemas: Sequence[Schema]) -> list[Outcome]:
    """Accuracy of the more probable answer."""
    scoring, answers = setup.settings["scoring"], setup.settings["answers"]
    return score_questions(setup, [as_question(schema, scoring, answers) for schema in schemas])
