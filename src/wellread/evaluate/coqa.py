"""CoQA: the next answer in a conversation about a document (section 3.5)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.evaluate.metrics import MEAN, Metric, Outcome
from wellread.evaluate.questions import f1, is_exact
from wellread.evaluate.task import Axis, Setup
from wellread.evaluate.written import STOP, write_greedily
from wellread.formats.results import Item

# Between the document and the conversation, and between its turns.
LAYOUTS = {"blank-line": ("\n\n", "\n"), "lines": ("\n", "\n"), "blank-lines": ("\n\n", "\n\n")}
AXES = {
    "prompt": Axis(
        default="blank-line",
        others=("lines", "blank-lines"),
        reason="the paper gives only the final `A:`; here lines `Q:` and `A:`, with a blank line "
        "after the document, nowhere, or also between the turns",
    ),
    "stop": STOP,
    "history": Axis(
        default="gold",
        reason="the paper does not say whose answers stand in the conversation so far; the data "
        "set's own keep every question in its place",
    ),
    "tokens": Axis(
        default="48",
        takes_number=True,
        reason="ours: of the answers in 50 conversations the longest has 44 tokens",
    ),
}
# Source of a document -> its domain, as in the official scorer. The last two are only in the
# hidden test set.
DOMAINS = {
    "mctest": "children_stories",
    "gutenberg": "literature",
    "race": "mid-high_school",
    "cnn": "news",
    "wikipedia": "wikipedia",
    "science": "science",
    "reddit": "reddit",
}
METRICS: dict[str, Metric] = dict.fromkeys(
    ["f1", "exact_match", *(f"f1_{domain}" for domain in list(DOMAINS.values())[:5])], MEAN
)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A question in a conversation, with what was said before it."""

    item: str
    document: str  # its id
    domain: str
    story: str
    history: list[tuple[str, str]]
    question: str
    answers: list[str]  # one by each human


class _Said(msgspec.Struct):
    input_text: str
    turn_id: int


class _Conversation(msgspec.Struct):
    id: str
    source: str
    story: str
    questions: list[_Said]
    answers: list[_Said]
    additional_answers: dict[str, list[_Said]] = {}


class _Release(msgspec.Struct):
    data: list[_Conversation]


def read_coqa(path: Path) -> list[Turn]:
    """The original layout: one JSON file of conversations, with further answers under a key."""
    try:
        release = msgspec.json.decode(path.read_bytes(), type=_Release)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not a release of CoQA ({error})") from None
    return [turn for conversation in release.data for turn in _turns(path, conversation)]


def _turns(path: Path, said: _Conversation) -> list[Turn]:
    humans = [said.answers, *said.additional_answers.values()]
    numbers = [question.turn_id for question in said.questions]
    if any([answer.turn_id for answer in answers] != numbers for answers in humans):
        raise InputError(f"{path}: conversation {said.id}: not one answer to each question")
    if said.source not in DOMAINS:
        raise InputError(
            f"{path}: conversation {said.id}: unknown source {said.source!r}; expected one of "
            f"{', '.join(DOMAINS)}"
        )
    pairs = [
        (q.input_text, a.input_text) for q, a in zip(said.questions, said.answers, strict=True)
    ]
    return [
        Turn(
            item=f"{said.id}/{number}",
            document=said.id,
            domain=DOMAINS[said.source],
            story=said.story,
            history=pairs[:place],
            question=pairs[place][0],
            answers=[answers[place].input_text for answers in humans],
        )
        for place, number in enumerate(numbers)
    ]


def prompt_for(turn: Turn, layout: str) -> str:
    """
    >>> prompt_for(Turn(item="1/2", document="1", domain="news", story="Rome is old.",
    ...     history=[("Is it?", "yes")], question="How old?", answers=["very"]), "lines")
    'Rome is old.\\nQ: Is it?\\nA: yes\\nQ: How old?\\nA:'
    """
    after_story, after_turn = LAYOUTS[layout]
    said = "".join(f"Q: {question}\nA: {answer}{after_turn}" for question, answer in turn.history)
    return f"{turn.story}{after_story}{said}Q: {turn.question}\nA:"


def against_humans(
    prediction: str, answers: Sequence[str], similarity: Callable[[str, str], float]
) -> float:
    """The best match among all answers but one, averaged over which one is left out.

    So a model is compared with as many people as each of them with the others (the official
    scorer). With one answer there is nothing to leave out.

    >>> against_humans("cat", ["cat", "dog"], f1)
    0.5
    """
    if len(answers) == 1:
        return similarity(prediction, answers[0])
    scores = [similarity(prediction, answer) for answer in answers]
    best = [max([*scores[:left_out], *scores[left_out + 1 :]]) for left_out in range(len(scores))]
    return sum(best) / len(best)


def score_turns(setup: Setup, turns: Sequence[Turn]) -> list[Outcome]:
    """F1 and exact match of greedy answers, every turn counting alike."""
    settings = setup.settings
    prompts = [prompt_for(turn, settings["prompt"]) for turn in turns]
    written = write_greedily(
        setup, prompts, stop=settings["stop"], max_new_tokens=int(settings["tokens"])
    )
    outcomes = []
    for turn, prompt, one in zip(turns, prompts, written, strict=True):
        overlap = against_humans(one.answer, turn.answers, f1)
        exact = against_humans(
            one.answer, turn.answers, lambda said, answer: float(is_exact(said, [answer]))
        )
        item = Item(
            item=turn.item,
            text=turn.story,
            prompt=prompt,
            target=" " + turn.answers[0],
            prediction=one.answer,
            value=overlap,
        )
        outcomes.append(
            Outcome(
                item,
                {
                    "f1": (overlap, 1),
                    "exact_match": (exact, 1),
                    f"f1_{turn.domain}": (overlap, 1),
                },
                unit=turn.document,
                is_truncated=one.is_truncated,
            )
        )
    return outcomes
