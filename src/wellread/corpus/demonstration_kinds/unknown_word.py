"""A word that a data set's makers replaced: "<UNK> [...] is extremely rare in WebText - occurring
only 26 times in 40 billion bytes" (paper, section 3.1)."""

import re
from collections.abc import Iterator

from wellread.corpus.demonstration_kinds import Kind, Span

UNKNOWN = re.compile(r"<unk>", re.IGNORECASE)


def spans(text: str) -> Iterator[Span]:
    """
    >>> list(spans("the <unk> of <UNK>"))
    [(4, 9), (13, 18)]
    """
    if "<" in text:
        for match in UNKNOWN.finditer(text):
            yield match.span()


KIND = Kind(
    task="language modelling, section 3.1",
    counted="Each <UNK>, in capitals or not.",
    spans=spans,
)
