"""How many characters of a text are of which kind, counted once for all filters that ask."""

import re
import sys
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt


class Kind(IntEnum):
    OTHER = 0  # punctuation, accents that stand alone, emoji
    SPACE = 1
    LETTER = 2
    DIGIT = 3
    SYMBOL = 4  # of markup, code, drawings and menus, not of sentences
    DAMAGE = 5  # what could not be read, control characters, private use, lone surrogates


MEMBERS = {
    Kind.SPACE: r"\s+",
    Kind.LETTER: r"[^\W\d_]+",
    Kind.DIGIT: r"\d+",
    Kind.SYMBOL: r"[#$%&*+/<=>@\[\\\]^_`{|}~…•·■●►▪→«»]",
    Kind.DAMAGE: (
        r"[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ue000-\uf8ff\ufffd"
        r"\U000f0000-\U000ffffd\U00100000-\U0010fffd]+"
    ),
}


def share(text: str, kind: Kind) -> float:
    """Of the characters that are not white space, how many are of `kind`; 0 if there are none.

    >>> share("ab 12", Kind.LETTER)
    0.5
    """
    counts = _counts(text)
    visible = len(text) - counts[Kind.SPACE]
    return counts[kind] / visible if visible else 0.0


@lru_cache(maxsize=1)
def kinds(text: str) -> npt.NDArray[np.uint8]:
    """The Kind of each character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    found: npt.NDArray[np.uint8] = _kind_of_code()[codes]
    return found


@lru_cache(maxsize=1)
def _counts(text: str) -> list[int]:
    counts: list[int] = np.bincount(kinds(text), minlength=len(Kind)).tolist()
    return counts


@lru_cache(maxsize=1)
def _kind_of_code() -> npt.NDArray[np.uint8]:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    table = np.full(len(every), Kind.OTHER, np.uint8)
    for kind, members in MEMBERS.items():
        for run in re.finditer(members, every):
            table[run.start() : run.end()] = kind
    return table
