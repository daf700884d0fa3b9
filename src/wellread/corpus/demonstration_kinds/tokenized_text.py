"""Spellings that only prepared data sets have: where one is, a benchmark may be in the corpus."""

import re
from collections.abc import Iterator

from wellread.corpus.demonstration_kinds import Kind, Span

# WikiText's and Moses' hyphen and number marks, Penn Treebank's brackets and numbers, the end of a
# line in language models' files, CNN and Daily Mail's mark of a summary's sentence.
MARKS = re.compile(
    r" @[-,.]@ |<eos>|-[LR]RB-|\$ N (?:million|billion|a share)\b|^@highlight$", re.MULTILINE
)


def spans(text: str) -> Iterator[Span]:
    """
    >>> list(spans("a well @-@ known sum of $ N million"))
    [(6, 11), (24, 35)]
    """
    if "@" in text or "<" in text or ("$" in text and "$ N " in text) or "RB-" in text:
        for match in MARKS.finditer(text):
            yield match.span()


KIND = Kind(
    task="language modelling, section 3.1",
    counted="Each mark that a benchmark's prepared text has and others have not: @-@, @,@, @.@, "
    "<eos>, -LRB-, -RRB-, $ N million and a line @highlight.",
    spans=spans,
)
