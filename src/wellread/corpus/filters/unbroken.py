"""Addresses, encoded data, minified code and words run together are one long string after the
other. Languages without spaces are not meant, so only strings of ASCII count."""

import numpy as np

from wellread.corpus.characters import Kind, kinds
from wellread.corpus.filter import Filter
from wellread.formats.documents import Document

LONG = 40  # characters; ours: longer than a word of any language in Latin letters


def unbroken_share(document: Document) -> float:
    """How much of the text is in strings of more than LONG characters without white space."""
    text = document.text
    spaces = np.flatnonzero(kinds(text) == Kind.SPACE)
    bounds = np.concatenate(([-1], spaces, [len(text)]))
    long = np.flatnonzero(np.diff(bounds) > LONG + 1)
    strings = (text[bounds[at] + 1 : bounds[at + 1]] for at in long)
    return sum(len(string) for string in strings if string.isascii()) / max(len(text), 1)


FILTER = Filter(
    reason="more than {limit:g} of the text is in strings of more than 40 characters",
    measure=unbroken_share,
    limit=0.3,  # ours; a README with its badges has 0.2
    is_most=True,
)
