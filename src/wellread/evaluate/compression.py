"""The end of a file of a hundred megabytes, as those score it who compress it: bits for each byte.

A model reads the text through. It is cut into blocks for the interval to resample, and each block
is read after the one before it, which holds more than a context.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from wellread.base.errors import InputError
from wellread.evaluate.language_modelling import Block, outcome, score_texts
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import (
    BenchmarkFile,
    Loaded,
    Setup,
    Sources,
    as_loaded,
    benchmark_path,
    counted,
)

FILE_BYTES = 100_000_000
TEST_BYTES = 5_000_000  # by convention: the first 90 million to train on, 5 to validate
BLOCK_BYTES = 50_000
# GPT-2's pattern parts the text there, so that a cut changes no token.
CUT = re.compile(rb"(?<=[!-~])[ \n]")


def read_end(path: Path) -> bytes:
    """The file's last five million bytes; a file of another size is an InputError."""
    counted(range(path.stat().st_size), FILE_BYTES, path, "bytes")
    with path.open("rb") as file:
        file.seek(FILE_BYTES - TEST_BYTES)
        return file.read()


def blocks(content: bytes, num_bytes: int) -> list[Block]:
    """Blocks of `num_bytes` or some more, to the end of a word; the last may be shorter.

    >>> [(block.item, block.before, block.text) for block in blocks(b"one two three", 4)]
    [('byte 0', b'', b'one two'), ('byte 7', b'one two', b' three')]
    """
    starts = [0]
    while cut := CUT.search(content, starts[-1] + num_bytes):
        starts.append(cut.start())
    parts = [content[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return [
        Block(item=f"byte {start}", text=text, before=before)
        for start, text, before in zip(starts, parts, [b"", *parts], strict=False)
    ]


def end_loader(file: BenchmarkFile, letters: bytes | None = None) -> Callable[[Sources], Loaded]:
    """Loads the end of `file`, which has no bytes but `letters` (None: any)."""

    def load(sources: Sources) -> Loaded:
        path = benchmark_path(file, sources)
        content = read_end(path)
        if letters is not None and (others := content.translate(None, letters)):
            raise InputError(
                f"{path}: has the byte {others[:1]!r}, where the benchmark has only "
                f"{letters.decode()!r}; another text than the benchmark's"
            )
        return as_loaded(blocks(content, BLOCK_BYTES))

    return load


def bits_scorer(metric: str) -> Callable[[Setup, Sequence[Block]], list[Outcome]]:
    """All bits of the text divided by its bytes."""

    def score(setup: Setup, examples: Sequence[Block]) -> list[Outcome]:
        return [
            outcome(block, scoring, len(block.text), {metric: len(block.text)})
            for block, scoring in zip(examples, score_texts(setup, examples), strict=True)
        ]

    return score
