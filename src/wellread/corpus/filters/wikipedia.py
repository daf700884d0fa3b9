"""Wikipedia is left out: it "could complicate analysis due to overlapping training data with test
evaluation tasks" (paper, section 2.1)."""

from wellread.corpus.filter import Filter

FILTER = Filter(
    reason="from Wikipedia",
    measure=lambda document: float(document.domain == "wikipedia.org"),
    limit=0,
    is_most=True,
)
