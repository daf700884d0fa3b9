"""Settings of overlap; the defaults are those of the paper's section 4."""

from typing import ClassVar, Literal

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.ngrams import NGRAM_WORDS


class OverlapConfig(Config, frozen=True):
    """One section of a recipe, for the index and for what is measured against it."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"memory", "threads", "engine"})

    ngram_words: int = NGRAM_WORDS
    false_positive_rate: float = 1e-8  # "upper bounded by 1/10^8"
    mode: Literal["bloom", "exact"] = "bloom"  # exact: for small corpora, and knows the places
    # Distinct ones that a filter has room for, the same in filters that are to be merged; none:
    # those of the corpus.
    num_ngrams: int | None = None
    split: str = "train"  # of a corpus with splits; other corpora are all `train`
    seed: int = 0  # of the random n-grams that check the filter, and of the intervals
    memory: int | None = None  # MB for an index while it is built; none: most of what is free
    threads: int | None = None  # none: one for each core
    engine: Literal["native", "ray"] = "native"  # ray: a cluster builds the filter

    def __post_init__(self) -> None:
        for name in ("ngram_words", "num_ngrams", "memory", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; at least 1 is needed")
        if not 0 < self.false_positive_rate < 1:
            raise ValueError(f"false_positive_rate is {self.false_positive_rate}; not in 0 to 1")
        if self.mode == "exact" and self.engine == "ray":
            raise ValueError("mode 'exact' is for small corpora, which need no engine 'ray'")


class SplitConfig(Config, frozen=True):
    """Of `overlap split-check`, which is of no recipe."""

    ngram_words: int = NGRAM_WORDS
    limit: float | None = None  # the greatest share of the test's n-grams that passes, as 0.01
    worst: int = 10  # items that are named
    seed: int = 0  # of the interval

    def __post_init__(self) -> None:
        if self.limit is not None and not 0 <= self.limit <= 1:
            raise InputError(f"--limit {self.limit:g}: expected a share from 0 to 1, as 0.01")
        if self.ngram_words < 1:
            raise InputError(f"ngram_words must be at least 1, not {self.ngram_words}")
