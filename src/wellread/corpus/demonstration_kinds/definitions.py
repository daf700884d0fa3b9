"""Glossaries: terms, and what they mean."""

import re
from collections.abc import Iterator
from itertools import groupby

from wellread.corpus.demonstration_kinds import Kind, Span, lines_of

FEWEST = 3  # lines in a row that make a list
SEPARATORS = (":", " – ", " — ", " - ")
# A term of a few words, and what it means: not a sentence, a name or what somebody says. No digits:
# times, scores and years make other lists. A line that begins small may be the rest of another.
# Lists with bullets announce, advise and report as often as they define: an article tells.
DEFINITION = re.compile(
    r"""[ \t]*(?P<bullet>[-*•][ \t]+)? (?P<term>[A-Z][^\d:–—_"“”?!.;,\n]{1,40}?)
        (?P<by>:|[ ][–—-]) [ ]
        (?:(?:[Aa]n?|[Tt]he|[Aa]ny|[Oo]ne|[Ss]ome(?:one|thing)) [ ][a-z] | (?(bullet)(?!))[a-z])
        [a-z]*[ ,;(-] [^\d\n]{4,}""",
    re.VERBOSE,
)


def spans(text: str) -> Iterator[Span]:
    """
    >>> glossary = "Bow: the front of a ship.\\nStern: the other end.\\nKeel: what ribs stand on."
    >>> list(spans(glossary))
    [(0, 73)]
    """
    defined = []
    for number, (start, line, begins) in enumerate(lines_of(text)):
        head = line[:60]
        likely = begins and any(separator in head for separator in SEPARATORS)
        if likely and (match := DEFINITION.fullmatch(line)):
            defined.append((number, start, start + len(line), match))
    for _, run in groupby(enumerate(defined), key=lambda at: (at[1][0] - at[0], at[1][3]["by"])):
        lines = [line for _, line in run]
        terms = {match["term"] for _, _, _, match in lines}
        if len(terms) == len(lines) >= FEWEST:
            yield lines[0][1], lines[-1][2]


KIND = Kind(
    task="question answering, section 3.8",
    counted="Each list of at least three lines in a row that are a term and its definition; the "
    "terms differ, for somebody who speaks twice is none.",
    spans=spans,
)
