"""The recipe's section `[corpus]`."""

from typing import Literal

from wellread.base.config import Config


class CorpusConfig(Config, frozen=True):
    extractor: Literal["best", "fast"] = "best"  # trafilatura, or ours: decision 5
    languages: tuple[str, ...] = ("en",)  # paper, section 3.7: others were deliberately removed
    filters: tuple[str, ...] = ("wikipedia", "too-short", "few-letters", "repeated-lines")
    near_duplicate_similarity: float = 0.8  # ours; the paper's method is undisclosed
    near_duplicate_permutations: int = 128  # ours; values of a signature
    validation_per_mille: int = 50  # paper, section 3: a 5 % held-out sample
    test_per_mille: int = 10  # ours; the paper has a test set (figure 4) and gives no size

    def __post_init__(self) -> None:
        if not 0 < self.near_duplicate_similarity <= 1:
            raise ValueError("near_duplicate_similarity is not above 0 and at most 1")
        if not 16 <= self.near_duplicate_permutations <= 1024:
            raise ValueError("near_duplicate_permutations is not between 16 and 1024")
        if not 0 <= self.validation_per_mille + self.test_per_mille < 1000:
            raise ValueError("validation_per_mille + test_per_mille is not between 0 and 999")
