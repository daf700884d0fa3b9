"""Markup, menus drawn with bullets, and data: Gopher counts "#" and ellipses a word for the same
(Rae et al. 2021, appendix A.1.1)."""

from wellread.corpus.characters import Kind, share
from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="more than {limit:g} of the characters are symbols",
    measure=lambda document: share(document.text, Kind.SYMBOL),
    limit=0.2,  # ours; source code in C has 0.1
    is_most=True,
)
