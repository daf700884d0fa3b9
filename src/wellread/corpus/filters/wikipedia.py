"""Wikipedia is left out: it "could complicate analysis due to overlapping training data with test
evaluation tasks" (paper, section 2.1)."""

from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="from Wikipedia",
    keep=lambda document: document.domain != "wikipedia.org",
)
