"""Corpora for tests of indexes."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from wellread.base.seeds import generator


def random_text(purpose: str, num_words: int) -> str:
    numbers = generator(0, purpose).integers(10**6, size=num_words)
    return " ".join(f"w{number}" for number in numbers)


def write_jsonl(path: Path, texts: Sequence[str]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode({"text": text}) + b"\n" for text in texts))
    return path


def bytes_of(index: Path) -> dict[str, bytes]:
    """The files of an index but for its manifest."""
    return {path.name: path.read_bytes() for path in index.glob("*.*") if path.suffix != ".json"}
