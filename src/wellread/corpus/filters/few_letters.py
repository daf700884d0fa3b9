"""Tables of numbers, dumps and ASCII art are not what a language model should read."""

from wellread.corpus.characters import Kind, share
from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="less than {limit:g} of the characters are letters",
    measure=lambda document: share(document.text, Kind.LETTER),
    limit=0.5,  # ours; source code has 0.7
    is_most=False,
)
