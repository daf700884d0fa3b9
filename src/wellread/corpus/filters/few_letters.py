"""Tables of numbers, dumps and ASCII art are not what a language model should read."""

from wellread.corpus.filter import Filter

MIN_LETTERS = 0.5  # ours; share of letters among the characters that are not white space


def letters_share(text: str) -> float:
    """
    >>> letters_share("ab 12")
    0.5
    """
    visible = "".join(text.split())
    return sum(map(str.isalpha, visible)) / len(visible) if visible else 0.0


FILTER = Filter(
    reason="less than half of the characters are letters",
    keep=lambda document: letters_share(document.text) >= MIN_LETTERS,
)
