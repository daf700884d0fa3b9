"""The recipe's section `[tokens]`."""

from wellread.base.config import Config


class TokensConfig(Config, frozen=True):
    tokens_per_shard: int = 100_000_000  # ours: 200 MB, what is held in memory before a write
