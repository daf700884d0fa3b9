"""Settings of overlap; the defaults are those of the paper's section 4."""

from wellread.base.config import Config
from wellread.ngrams import NGRAM_WORDS


class OverlapConfig(Config, frozen=True):
    """One section of a recipe, for the index and for what is measured against it."""

    ngram_words: int = NGRAM_WORDS
    false_positive_rate: float = 1e-8  # "upper bounded by 1/10^8"
    split: str = "train"  # of a corpus with splits; other corpora are all `train`
    seed: int = 0  # of the random n-grams that check the filter, and of the intervals
