"""Randomness from a seed and a purpose, never from global state."""

from hashlib import sha256

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """An independent stream for each purpose, the same on every machine.

    >>> int(generator(7, "shuffle", "epoch-3").integers(1000))
    126
    """
    words = [int.from_bytes(sha256(part.encode()).digest()[:4]) for part in purpose]
    return np.random.default_rng([seed, *words])


def seed_for(seed: int, *purpose: str) -> int:
    """A 63-bit seed for a library that wants one number (torch.Generator)."""
    return int(generator(seed, *purpose).integers(2**63))
