"""What the report shows of a vocabulary: its longest tokens, and one word on its way to ids."""

from pathlib import Path
from typing import NamedTuple

from wellread.tokenizer.explain import PreToken, explain, visible
from wellread.tokenizer.tokenizer import Tokenizer

LONGEST_SHOWN = 12
WORD = " unsupervised"  # of the paper's title: "Unsupervised Multitask Learners"


class Vocabulary(NamedTuple):
    longest: list[tuple[int, str, int]]  # id, its text made visible, bytes
    word: PreToken


def read_vocabulary(directory: Path) -> Vocabulary | None:
    """None where the artifact holds no vocabulary."""
    if not (directory / "vocab.json").is_file():
        return None
    tokenizer = Tokenizer.load(directory)
    ordinary = [
        (number, raw)
        for number, raw in enumerate(tokenizer.tokens)
        if number != tokenizer.end_of_text
    ]
    ordinary.sort(key=lambda token: (-len(token[1]), token[0]))
    longest = [(number, visible(raw), len(raw)) for number, raw in ordinary[:LONGEST_SHOWN]]
    return Vocabulary(longest, explain(tokenizer, WORD).pre_tokens[0])
