"""Menus, tag clouds and lists of names stand a word or three to the line. Poems have longer lines,
and so has nearly all of an article with such a list in it."""

from wellread.corpus.filter import Filter
from wellread.formats.documents import Document

MOST_WORDS = 3
MOST_CHARACTERS = 30  # of a line; languages without spaces have sentences of one word


def label_share(document: Document) -> float:
    """How much of the text, white space at the ends of lines apart, is in such lines."""
    lengths = [0, 0]
    for line in map(str.strip, document.text.split("\n")):
        is_label = len(line) <= MOST_CHARACTERS and line.count(" ") < MOST_WORDS
        lengths[is_label] += len(line)
    return lengths[True] / max(sum(lengths), 1)


FILTER = Filter(
    reason="more than {limit:g} of the text is in lines of up to three words",
    measure=label_share,
    limit=0.5,  # ours
    is_most=True,
)
