"""Words in the same order again and again: templates filled by a machine, spam, stuck loops.

Gopher has nine such rules, for runs of two to ten words (Rae et al. 2021, appendix A.1.1), and
keeps what has at most 0.15 of its characters in repeated runs of five. Songs have more than that,
and so have pages on which an article stands twice.
"""

import numpy as np

from wellread.corpus.filter import Filter
from wellread.formats.documents import Document
from wellread.ngrams.hashing import ngram_hashes

WORDS = 5


def repeated_share(document: Document) -> float:
    """Of the runs of WORDS words but one, how many stood earlier in the document."""
    runs = np.sort(ngram_hashes(document.text, WORDS))
    return float(np.mean(runs[1:] == runs[:-1])) if len(runs) > 1 else 0.0


FILTER = Filter(
    reason="more than {limit:g} of the runs of five words are repeated",
    measure=repeated_share,
    limit=0.5,  # ours
    is_most=True,
)
