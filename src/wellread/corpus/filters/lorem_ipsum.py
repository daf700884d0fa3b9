"""Filler text of a site that was never finished. C4 leaves out every page that says "lorem ipsum"
(Raffel et al. 2019, section 2.2); here a text about it stays."""

from wellread.corpus.filter import Filter
from wellread.formats.documents import Document
from wellread.ngrams.hashing import words

# Of the passage as it is usually set, and of its usual continuations: what English has not.
FILLER = frozenset({
    "lorem", "ipsum", "dolor", "amet", "consectetur", "consectetuer", "adipiscing", "adipisicing",
    "adipisci", "elit", "eiusmod", "tempor", "incididunt", "labore", "dolore", "magna",
    "aliqua", "enim", "minim", "veniam", "nostrud", "exercitation", "ullamco", "laboris",
    "nisi", "aliquip", "commodo", "consequat", "duis", "aute", "irure", "reprehenderit",
    "voluptate", "velit", "cillum", "fugiat", "nulla", "pariatur", "excepteur", "sint",
    "occaecat", "cupidatat", "proident", "officia", "deserunt", "mollit", "anim",
    "laborum", "diam", "nonummy", "nibh", "euismod", "tincidunt", "laoreet", "aliquam", "erat",
    "volutpat", "wisi", "vestibulum", "pellentesque", "vivamus", "praesent", "curabitur",
    "suspendisse",
})  # fmt: skip


def filler_share(document: Document) -> float:
    """How many of the words are FILLER, in a text that says "dolor"."""
    found = words(document.text) if "dolor" in document.text else []
    return sum(word in FILLER for word in found) / max(len(found), 1)


FILTER = Filter(
    reason="more than {limit:g} of the words are filler text",
    measure=filler_share,
    limit=0.2,  # ours
    is_most=True,
)
