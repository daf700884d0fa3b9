"""The recipe's section `[corpus]`."""

from pathlib import Path
from typing import ClassVar, Literal

from wellread.base.config import Config


class CorpusConfig(Config, frozen=True):
    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"engine"})

    extractor: Literal["best", "fast"] = "best"  # trafilatura, or ours: decision 5
    languages: tuple[str, ...] = ("en",)  # paper, section 3.7: others were deliberately removed
    filters: tuple[str, ...] = ("wikipedia", "too-short", "few-letters", "repeated-lines")
    repair: bool = True  # of damaged encodings, and white space
    repeated_lines: int = 5  # ours: a line in so many documents of a site is furniture; 0: keep
    repeated_paragraphs: int = 0  # the same for the whole corpus; 0: keep them
    near_duplicate_similarity: float = 0.8  # ours; the paper's method is undisclosed
    near_duplicate_permutations: int = 128  # ours; values of a signature
    unlike: tuple[Path, ...] = ()  # documents of which no near-duplicate is kept, as mirrors
    protect: tuple[Path, ...] = ()  # texts, or an overlap index, that training must not share with
    protection: Literal["drop", "mark"] = "drop"  # of training documents that do
    protected_ngrams: int = 1  # ours: from so many distinct 8-grams in common
    validation_per_mille: int = 50  # paper, section 3: a 5 % held-out sample
    test_per_mille: int = 10  # ours; the paper has a test set (figure 4) and gives no size
    tokenizer: Path | None = None  # counts the tokens of what is kept
    format: Literal["parquet", "jsonl.zst"] = "parquet"
    shard_bytes: int = 1 << 28  # ours: of text
    engine: Literal["native", "ray"] = "native"

    def __post_init__(self) -> None:
        if not 0 < self.near_duplicate_similarity <= 1:
            raise ValueError("near_duplicate_similarity is not above 0 and at most 1")
        if not 16 <= self.near_duplicate_permutations <= 1024:
            raise ValueError("near_duplicate_permutations is not between 16 and 1024")
        if not 0 <= self.validation_per_mille + self.test_per_mille < 1000:
            raise ValueError("validation_per_mille + test_per_mille is not between 0 and 999")
        for name in ("repeated_lines", "repeated_paragraphs"):
            if getattr(self, name) < 0 or getattr(self, name) == 1:
                raise ValueError(f"{name} is {getattr(self, name)}; 0, or at least 2, is needed")
        for name in ("shard_bytes", "protected_ngrams"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 is needed")
