"""The recipe's section `[tokens]`."""

from typing import ClassVar, Literal

from wellread.base.config import Config


class TokensConfig(Config, frozen=True):
    """Settings of the stage `tokens`; none of them alters an id."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"threads", "engine"})

    tokens_per_shard: int = 32_000_000  # ours: 64 MB, held for each split until it is written
    threads: int | None = None  # none: one for each core
    engine: Literal["native", "ray"] = "native"  # ray: a cluster encodes, this process writes

    def __post_init__(self) -> None:
        if self.tokens_per_shard < 1:
            raise ValueError(f"tokens_per_shard is {self.tokens_per_shard}; at least 1 is needed")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; at least 1 is needed")
