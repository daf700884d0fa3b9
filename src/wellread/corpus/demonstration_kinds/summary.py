"""A summary that says so; the paper induces summaries with the words "TL;DR:" (section 3.6)."""

import re
from collections.abc import Iterator

from wellread.corpus.demonstration_kinds import Kind, Span, lines_of

SUMMARY = re.compile(
    r"""[^\w\n]{0,4}
        (?: (?P<tldr>[Tt][Ll];?[ ]?[Dd][Rr])\b
          | (?:In[ ](?:short|brief|summary)|Summary|To[ ]sum[ ]up|Long[ ]story[ ]short):)
        [\s:,*–—-]{0,6} \w.{19,}""",  # it may begin on the next line
    re.VERBOSE,
)
SUMMARISED = 200  # characters of other text, at least; ours


def spans(text: str) -> Iterator[Span]:
    """
    >>> list(spans("It rained. " * 20 + "\\nTL;DR: it rained all day long."))
    [(221, 251)]
    """
    end = 0
    for start, _, begins in lines_of(text):
        match = SUMMARY.match(text, start) if start >= end else None
        if match and (begins or match["tldr"]) and len(text) - len(match[0]) >= SUMMARISED:
            end = match.end()
            yield match.span()


KIND = Kind(
    task="summarisation, section 3.6",
    counted="Each line that begins with TL;DR, or with In short, Summary or the like and a colon, "
    "beside a longer text.",
    spans=spans,
)
