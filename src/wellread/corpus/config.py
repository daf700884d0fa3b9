"""The recipe's sections `[corpus]` and `[plant]`."""

from pathlib import Path
from typing import ClassVar, Literal

from wellread.base.config import Config


class CorpusConfig(Config, frozen=True):
    """Settings of the stage `corpus`: what is main text, what is dropped, what is held out."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"engine"})

    extractor: Literal["best", "fast"] = "best"  # trafilatura, or ours: decision 5
    # Keep documents in these, all if none is named. Paper, section 3.7: others were removed.
    languages: tuple[str, ...] = ("en",)
    # NAME, or NAME=LIMIT; in this order, which is the cheapest first.
    filters: tuple[str, ...] = (
        *("wikipedia", "too-short", "lorem-ipsum", "repeated-lines", "short-lines"),
        *("few-letters", "many-digits", "many-symbols", "unbroken", "walls"),
        *("repeated-phrases", "damaged"),
    )
    repair: bool = True  # mend damaged encodings and white space
    # Remove lines that so many documents of a host, and a tenth of them, have (ours); 0: keep them.
    repeated_lines: int = 5
    repeated_paragraphs: int = 0  # remove lines that so many documents of all have; 0: keep them
    # Of documents that share so much of their 5-grams one is kept (ours; the paper's is not known).
    near_duplicate_similarity: float = 0.8
    near_duplicate_permutations: int = 128  # values of a signature
    unlike: tuple[Path, ...] = ()  # documents of which no near-duplicate is kept, as of Wikipedia
    protect: tuple[Path, ...] = ()  # texts of tests, or an overlap index of them
    protection: Literal["drop", "mark"] = "drop"  # training documents with their 8-grams
    protected_ngrams: int = 1  # that have so many different ones of them
    validation_per_mille: int = 50  # paper, section 3: a 5 % held-out sample
    test_per_mille: int = 10  # ours; the paper has a test set (figure 4) and gives no size
    tokenizer: Path | None = None  # count the tokens of what is kept
    format: Literal["parquet", "jsonl.zst"] = "parquet"  # of the documents
    shard_bytes: int = 1 << 28  # of text in a file of documents
    engine: Literal["native", "ray"] = "native"  # processes here, or a cluster's

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


class PlantConfig(Config, frozen=True):
    """The recipe's section `[plant]`."""

    demonstrations: int = 0  # of each of the two toy tasks
    seed: int = 0  # of what is demonstrated, and where

    def __post_init__(self) -> None:
        for name in ("demonstrations", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 0 is needed")
