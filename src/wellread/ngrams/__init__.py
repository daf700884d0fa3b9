"""What an n-gram is, for overlap: the paper's section 4, once and fast."""

NGRAM_WORDS = 8  # paper, section 4
