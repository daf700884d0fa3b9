"""What a model writes after a prompt, up to where its answer ends."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from wellread.evaluate.task import Axis, Setup

# The space before a closing guillemet is French, and belongs to the sentence. Models write long
# rows of marks; only the first of them is tried.
SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++(?:[\"'”’)\]]|\s?»)*\s++(?!»)|\n+")
# Initials and titles, English and French; "No." and "Jr." end sentences too often.
ABBREVIATED = re.compile(
    r"\b(?:[^\W\d_]|Mr|Mrs|Ms|Dr|St|Mme|Mlle|MM|Prof|Gen|Sen|Rep|Gov|Lt|Col|Capt|vs)\.\s+$"
)
STOP = Axis(
    default="line",
    others=("sentence", "none"),
    reason="the paper does not say where an answer ends: with its line, as the answers before it "
    "do, with its first sentence, or with the last token",
)

SHOT_SEED = Axis(default="1", takes_number=True, reason="which pairs are shown, and in which order")


class Answer(NamedTuple):
    """What a text says before it goes on to something else."""

    text: str
    is_complete: bool  # whatever is written behind the text changes nothing in it


class Written(NamedTuple):
    """An answer of a model."""

    answer: str
    space: str  # what was written before it
    log_prob: float  # of the answer and of the token that ended it, if one did
    is_truncated: bool  # the prompt did not fit


def sentences(text: str) -> list[str]:
    """
    >>> sentences("Mr. X's works. Does it? « Oui. » Yes")
    ["Mr. X's works.", 'Does it?', '« Oui. »', 'Yes']
    """
    found, start = [], 0
    for end in SENTENCE_END.finditer(text):
        if "\n" in end[0] or not ABBREVIATED.search(text[start : end.end()]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [part for part in (*found, text[start:].strip()) if part]


def answer_in(text: str, stop: str) -> Answer:
    """The answer at the beginning of `text`, which ends with its line, a sentence or the text.

    >>> answer_in(" In Rome. Or Pisa", "sentence")
    Answer(text='In Rome.', is_complete=True)
    """
    line, newline, _ = text.partition("\n")
    if stop == "line":
        return Answer(line.strip(), bool(newline))
    if stop == "sentence":
        found = sentences(line)
        return Answer(found[0] if found else "", bool(newline) or len(found) > 1)
    return Answer(text.strip(), is_complete=False)


def text_so_far(setup: Setup, ids: Sequence[int]) -> str:
    """The text of ids that others will follow, without a character of which bytes are missing."""
    return setup.tokenizer.decode(ids).rstrip("\ufffd")


class Fitted(NamedTuple):
    """The part of a prompt for which there is room."""

    ids: npt.NDArray[Any]
    is_truncated: bool


def num_new(setup: Setup, most: int) -> int:
    """How many tokens there is room to write: `most`, or half of a small context."""
    return min(most, setup.lm.context // 2)


def fitted(setup: Setup, prompt: str, max_new_tokens: int) -> Fitted:
    """The end of a prompt; at most half of the context is kept for what is written."""
    ids = setup.encode(prompt)
    room = setup.lm.context - num_new(setup, max_new_tokens)
    return Fitted(ids[-room:], len(ids) > room)


def write_greedily(
    setup: Setup, prompts: Sequence[str], *, stop: str, max_new_tokens: int
) -> list[Written]:
    """A greedy answer to each prompt; a prompt that is too long loses its beginning."""
    every = [fitted(setup, prompt, max_new_tokens) for prompt in prompts]

    def is_complete(ids: Sequence[int]) -> bool:
        return answer_in(text_so_far(setup, ids), stop).is_complete

    found = setup.lm.generate(
        [one.ids for one in every],
        max_new_tokens=num_new(setup, max_new_tokens),
        top_k=1,
        seeds=[0] * len(every),
        is_complete=is_complete,
    )
    texts = [setup.tokenizer.decode(generated.ids) for generated in found]
    return [
        Written(
            answer=answer_in(text, stop).text,
            space=text[: len(text) - len(text.lstrip())],
            log_prob=float(generated.log_probs.sum()),
            is_truncated=one.is_truncated,
        )
        for one, generated, text in zip(every, found, texts, strict=True)
    ]
