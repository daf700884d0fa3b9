"""The same line again and again is a menu, a log or a list made by a machine."""

from wellread.corpus.filter import Filter

MAX_REPEATED = 0.5  # ours; share of lines that stood earlier in the same document


def repeated_share(text: str) -> float:
    """
    >>> repeated_share("a\\nb\\na\\na")
    0.5
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


FILTER = Filter(
    reason="more than half of the lines are repeated",
    keep=lambda document: repeated_share(document.text) <= MAX_REPEATED,
)
