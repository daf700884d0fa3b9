"""The recipe's section `[tokenizer]`."""

from pathlib import Path
from typing import ClassVar

from wellread.base.config import Config


class TokenizerConfig(Config, frozen=True):
    """Settings of the stage `tokenizer`: a vocabulary learnt, or a ready one taken."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"memory", "threads"})

    vocab_size: int = 50_257  # paper, section 2.3
    vocabulary: Path | None = None  # a ready vocabulary (folder or file), taken as it is
    memory: int = 1024  # MB that counts, and then merges, may take before they go to disk
    threads: int | None = None  # none: one for each core

    def __post_init__(self) -> None:
        if not 257 <= self.vocab_size <= 2**21:
            raise ValueError(f"vocab_size {self.vocab_size} is not between 257 and {2**21}")
        if self.memory < 1:
            raise ValueError(f"memory is {self.memory} MB; at least 1 is needed")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; at least 1 is needed")
