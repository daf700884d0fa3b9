"""A page with a sentence or two is a stub, an error or a login wall more often than a text."""

from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="fewer than {limit:g} characters of text",
    measure=lambda document: float(len(document.text)),
    limit=128,  # ours; the paper's cleaning is undisclosed
    is_most=False,
)
