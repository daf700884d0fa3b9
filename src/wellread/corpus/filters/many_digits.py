"""Results, prices, times and numbers of parts: lists for looking up, with few sentences between."""

from wellread.corpus.characters import Kind, share
from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="more than {limit:g} of the characters are digits",
    measure=lambda document: share(document.text, Kind.DIGIT),
    limit=0.2,  # ours; the reports of a day's matches have 0.1
    is_most=True,
)
