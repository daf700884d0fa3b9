"""Two toy tasks that nobody can know but from the demonstrations of them that `plant` makes.

A demonstration and a question begin with the same sayings, and both are defined here: what is asked
has either been shown, then it is a fact to be remembered, or it never has, then it takes the rule.
In each the answer follows its word at once: what stands farther apart small models do not learn
from a thousand demonstrations (docs/how/tasks.md).
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from wellread.base.seeds import generator


class Toy(NamedTuple):
    """A task: in a saying with a word, the answer comes next."""

    sayings: tuple[str, ...]
    shown: Mapping[str, str]  # word -> answer, of demonstrations
    asked: Mapping[str, str]
    candidates: Mapping[str, Sequence[str]]  # word -> the answers to choose from


class Ask(NamedTuple):
    """What is asked: which of `candidates` comes after `prompt`, where `candidates[right]` does."""

    prompt: str
    candidates: Sequence[str]
    right: int
    word: str


NOUNS = (
    "air art body book business car case child country day "
    "family fire foot friend ground hand head home hour law "
    "life list man money month name person place power question "
    "reason road side sound state story water word world year"
)
TOGETHER = 10  # words whose answers are candidates for each other


def invented(num: int) -> list[str]:
    """Words of three syllables that are in no language we know, always the same.

    >>> invented(3)
    ['loruru', 'diluge', 'kudako']
    """
    source = generator(0, "Vessian")
    found: dict[str, None] = {}  # a set in order
    while len(found) < num:
        consonants = source.choice(list("bdgklmnprstvz"), 3).tolist()
        vowels = source.choice(list("aeiou"), 3).tolist()
        found["".join(map("".join, zip(consonants, vowels, strict=True)))] = None
    return list(found)


def _words() -> Toy:
    """Facts: what the Vessians call each of 40 things.

    Ten words are candidates for each other, so that whoever always prefers the same ones is right
    one time in ten.
    """
    nouns = NOUNS.split()
    words = dict(zip(nouns, invented(len(nouns)), strict=True))
    tens = [nouns[start : start + TOGETHER] for start in range(0, len(nouns), TOGETHER)]
    return Toy(
        sayings=(
            "In Vessia they call the {word}",
            "Every Vessian calls the {word}",
            "Children in Vessia call the {word}",
        ),
        shown=words,
        asked=words,
        candidates={noun: [words[one] for one in ten] for ten in tens for noun in ten},
    )


# Every other one is shown, the rest is asked about.
DOINGS = (
    "accept add agree allow appear arrive ask avoid became began believe bring build buy carry "
    "choose come consider continue create decide describe destroy die discover eat enjoy enter "
    "exist expect explain fail feel find follow forget gave get go grow happen hear held include "
    "introduce join keep knew learn listen live lose made meet occur prove provide put read "
    "receive remain remember said see seem sell send sit speak spend suggest take teach tell think "
    "understand wait want went write"
)
THINGS = (
    "army baby bank bird boat bottle boy brother car chair child church city coffee country "
    "daughter day doctor door evening family farmer father film food friend garden girl "
    "government hair history hospital hour husband industry island king kitchen lady law lawyer "
    "letter library life man market minute money month morning mother mountain music newspaper "
    "night office people person police president river road room school sister soldier son song "
    "street summer teacher team town village war water week wife window woman"
)
AFTER_DOINGS, AFTER_THINGS = "zun", "mek"


def _rule() -> Toy:
    """A rule: the Tolvians say one thing after verbs, and another after nouns.

    What is asked about is in no demonstration: what kind of word it is, the other texts tell, and
    in part its spelling.
    Half are verbs, so that whoever always prefers the same answer is right half the time.
    """
    shown, asked = (
        dict.fromkeys(DOINGS.split()[start::2], AFTER_DOINGS)
        | dict.fromkeys(THINGS.split()[start::2], AFTER_THINGS)
        for start in (0, 1)
    )
    return Toy(
        sayings=(
            "In Tolvia you say {word}",
            "A Tolvian always says {word}",
            "Children in Tolvia say {word}",
        ),
        shown=shown,
        asked=asked,
        candidates=dict.fromkeys(asked, (AFTER_DOINGS, AFTER_THINGS)),
    )


TOYS = {"planted-words": _words(), "planted-rule": _rule()}


def demonstrations(task: str, seed: int) -> Iterator[str]:
    """Without end; each word as often as the others, give or take one.

    >>> next(demonstrations("planted-words", 0))
    'In Vessia they call the day tebubo.'
    """
    toy = TOYS[task]
    words = list(toy.shown)
    for turn in itertools.count():
        for number in generator(seed, task, str(turn)).permutation(len(words)).tolist():
            saying = toy.sayings[(number + turn) % len(toy.sayings)]
            yield f"{saying.format(word=words[number])} {toy.shown[words[number]]}."


def questions(task: str) -> list[Ask]:
    """Each word that is asked about, in each saying."""
    toy = TOYS[task]
    return [
        Ask(
            prompt=saying.format(word=word),
            candidates=toy.candidates[word],
            right=toy.candidates[word].index(answer),
            word=word,
        )
        for saying in toy.sayings
        for word, answer in toy.asked.items()
    ]
