"""The recipe's section `[tokenizer]`."""

from pathlib import Path

from wellread.base.config import Config


class TokenizerConfig(Config, frozen=True):
    vocab_size: int = 50_257  # paper, section 2.3
    vocabulary: Path | None = None  # a folder with a ready vocabulary, taken as it is

    def __post_init__(self) -> None:
        if not 257 <= self.vocab_size <= 2**24:
            raise ValueError(f"vocab_size {self.vocab_size} is not between 257 and {2**24}")
