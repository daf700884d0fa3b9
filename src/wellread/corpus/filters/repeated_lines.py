"""The same line again and again is a menu, a log or a list made by a machine.

Gopher allows 0.3 of the lines (Rae et al. 2021, appendix A.1.1), of which songs have more, and
interviews that name who speaks.
"""

from wellread.corpus.filter import Filter
from wellread.formats.documents import Document


def repeated_share(document: Document) -> float:
    """Of the lines that are not empty, how many stood earlier in the document."""
    lines = [line for line in map(str.strip, document.text.split("\n")) if line]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


FILTER = Filter(
    reason="more than {limit:g} of the lines are repeated",
    measure=repeated_share,
    limit=0.5,  # ours
    is_most=True,
)
