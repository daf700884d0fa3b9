"""Which of torchrun's processes this one is, as far as its variables say."""

import os


def num_processes() -> int:
    """That torchrun started, on all machines; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Of them: the one that writes, and that says what ends all."""
    return os.environ.get("RANK", "0") == "0"
