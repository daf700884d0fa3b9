"""Byte-level byte-pair encoding, as GPT-2 has it (section 2.2 of the paper)."""

from wellread.tokenizer.tokenizer import Tokenizer

__all__ = ["Tokenizer"]
