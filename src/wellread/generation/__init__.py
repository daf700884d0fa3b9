"""Continuing a text with a model."""

from wellread.generation.sample import generate, generate_ids

__all__ = ["generate", "generate_ids"]
