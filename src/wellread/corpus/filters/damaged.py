"""Characters that were lost or read wrongly, and that `corpus.repair` could not mend: pages in an
encoding that nobody named, and PDF whose fonts number their letters as they like."""

from ftfy.badness import BADNESS_RE

from wellread.corpus.characters import Kind, share
from wellread.corpus.filter import Filter
from wellread.corpus.repair import may_be_misread
from wellread.formats.documents import Document


def damaged_share(document: Document) -> float:
    """How many of the characters are unreadable or, if they are more, in a misreading's pattern."""
    text = document.text
    unreadable = share(text, Kind.DAMAGE)
    if text.isascii():
        return unreadable
    lines = filter(may_be_misread, text.split("\n"))
    misread = sum(len(found[0]) for line in lines for found in BADNESS_RE.finditer(line))
    return max(unreadable, misread / len(text))


FILTER = Filter(
    reason="more than {limit:g} of the characters are damaged",
    measure=damaged_share,
    limit=0.01,  # ours: in English, a word in twenty
    is_most=True,
)
