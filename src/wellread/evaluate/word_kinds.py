"""Names, nouns, verbs and prepositions, told by what stands before them in a body of text.

A word belongs to a kind if it is used so nearly always; most words that can be two things belong to
none. No tagger is needed, and none of its errors come in.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from wellread.evaluate.stop_words import STOP_WORDS

Kind = Literal["names", "nouns", "verbs", "prepositions"]
_PREPOSITIONS = """
about above across after against along among around at before behind below beneath beside between
beyond by down during for from in into like near of off on onto out over past round since through
till to toward towards under until up upon with within without
"""
_BEFORE_NOUNS = """
the a an his her its their my your our this that these those some any every no each
"""
_BEFORE_VERBS = """
he she they we i you who to would will could should can may might must did not never
"""
PREPOSITIONS = frozenset(_PREPOSITIONS.split())
BEFORE_NOUNS, BEFORE_VERBS = frozenset(_BEFORE_NOUNS.split()), frozenset(_BEFORE_VERBS.split())
PAIR = re.compile(r"(?<![\w'’-])([A-Za-z]+) ([A-Za-z]{3,})(?![\w'’-])")
WORD = re.compile(r"(?<![\w'’-])[A-Za-z]{3,}(?![\w'’-])")
LEAST_SEEN = 4
MOSTLY, HARDLY = 0.3, 0.1  # shares of a word's uses


def kinds_of(texts: Iterable[str]) -> dict[str, Kind]:
    """The words of `texts` that are of one kind, as they are written.

    >>> text = "Then Anna took the lamp to Bonn. He ran, they ran. Let Anna have a lamp. "
    >>> found = kinds_of([text * 4])
    >>> found["Anna"], found["lamp"], found["ran"], found["with"], "Then" in found
    ('names', 'nouns', 'verbs', 'prepositions', False)
    """
    seen, as_noun, as_verb, inside = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        seen.update(WORD.findall(text))
        for found in PAIR.finditer(text):
            before, word = found[1].lower(), found[2]
            inside[word] += 1  # after a word, so that no capital begins a sentence
            as_noun[word] += before in BEFORE_NOUNS
            as_verb[word] += before in BEFORE_VERBS
    kinds: dict[str, Kind] = dict.fromkeys(sorted(PREPOSITIONS), "prepositions")
    for word, count in seen.items():
        if count < LEAST_SEEN or word.lower() in STOP_WORDS or word in PREPOSITIONS:
            continue
        if word[0].isupper():
            if inside[word] >= LEAST_SEEN and word[1:].islower() and not seen[word.lower()]:
                kinds[word] = "names"
        elif as_noun[word] >= MOSTLY * count and as_verb[word] < HARDLY * count:
            kinds[word] = "nouns"
        elif as_verb[word] >= MOSTLY * count and as_noun[word] < HARDLY * count:
            kinds[word] = "verbs"
    return kinds
