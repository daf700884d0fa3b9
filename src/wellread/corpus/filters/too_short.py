"""A page with a sentence or two is a stub, an error or a login wall more often than a text."""

from wellread.corpus.filter import Filter

MIN_CHARACTERS = 128  # ours; the paper's cleaning is undisclosed

FILTER = Filter(
    reason=f"fewer than {MIN_CHARACTERS} characters of text",
    keep=lambda document: len(document.text) >= MIN_CHARACTERS,
)
