"""From documents to shards of token ids."""

from wellread.tokens.build import TokensConfig, tokenize_corpus

__all__ = ["TokensConfig", "tokenize_corpus"]
