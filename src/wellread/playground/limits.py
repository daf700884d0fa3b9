"""How much the page takes at one time, and the sentence that says where it was cut."""

from typing import NamedTuple

PROMPT = 20_000  # characters: some twenty times a context of GPT-2's
TYPED = 5_000  # split again at every keystroke
LOOKED_UP = 50_000
CANDIDATES = 4_000
WORD = 60  # whose merges are drawn
NEW_TOKENS = 400
REQUEST_BYTES = 1 << 20  # of one request to the server, whatever is in it
WAITING = 20  # requests; more are told to come again


class Taken(NamedTuple):
    text: str
    note: str  # "": all of it was taken


def taken(text: str, limit: int) -> Taken:
    """The beginning of a text.

    >>> taken("abcdef", 4).note
    'Only the first 4 characters were taken: this box has room for no more.'
    """
    if len(text) <= limit:
        return Taken(text, "")
    return Taken(
        text[:limit],
        f"Only the first {limit:,} characters were taken: this box has room for no more.",
    )
