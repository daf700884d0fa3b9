"""What `benchmarks/overlap.py` measures on: random keys, documents, documents of random words."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from side_by_side import Run, peak_bytes
from texts import benchmark_text

KEYS_TOGETHER = 200_000
DOCUMENT_LENGTH = 5_000  # characters, about WebText's
COLUMN_ROWS = 256


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement in a fresh process."""

    measure: str
    library: str
    cores: int
    amount: int  # keys, or characters of text
    gb: float
    peers: tuple[str, ...]
    text: str = ""  # a Parquet file
    bff: str = ""

    def __str__(self) -> str:
        return f"{self.measure}, {self.library}, {self.cores} cores"


def random_keys(purpose: int, count: int) -> list[np.ndarray]:
    generator = np.random.default_rng([7, purpose])
    sizes = [KEYS_TOGETHER] * (count // KEYS_TOGETHER)
    return [generator.integers(2**64, size=size, dtype=np.uint64) for size in sizes]


def documents_file(folder: Path, mb: float) -> Path:
    """A Parquet file of the installed documentation, in documents of DOCUMENT_LENGTH."""
    whole = benchmark_text("documentation", int(mb * 1e6)).read_text(encoding="utf-8")
    starts = range(0, len(whole), DOCUMENT_LENGTH)
    pieces = [whole[start : start + DOCUMENT_LENGTH] for start in starts]
    rows = {"url": [f"http://a.example/{n}" for n in range(len(pieces))], "text": pieces}
    path = folder / "documents.parquet"
    pq.write_table(pa.table(rows), path, row_group_size=1000)
    return path


def columns_of(job: Job) -> Iterator[pa.Array]:
    for batch in pq.ParquetFile(job.text).iter_batches(COLUMN_ROWS, columns=["text"]):
        yield batch["text"].cast(pa.large_string())


def some_texts(job: Job) -> tuple[list[str], list[str]]:
    """Documents of so many bytes, and others."""
    every = (text for column in columns_of(job) for text in column.to_pylist())
    found: tuple[list[str], list[str]] = ([], [])
    for number in range(2):
        size = 0
        for text in every:
            found[number].append(text)
            size += len(text.encode())
            if size >= job.amount:
                break
    return found


def random_words(folder: Path, millions: int) -> Path:
    """A Parquet file of documents of random words of one to eight letters."""
    generator = np.random.default_rng(11)
    path, num_bytes = folder / "words.parquet", 0
    schema = pa.schema([("url", pa.string()), ("text", pa.string())])
    writer = pq.ParquetWriter(path, schema, compression="zstd")
    for number in range(millions):
        letters = generator.integers(97, 123, size=(10**6, 9), dtype=np.uint8)
        lengths = generator.integers(1, 9, size=10**6)
        letters[np.arange(10**6), lengths] = ord(" ")
        keeps = np.arange(9) <= lengths[:, None]
        words = letters[keeps].tobytes().decode("ascii")
        texts = [words[at : at + DOCUMENT_LENGTH] for at in range(0, len(words), DOCUMENT_LENGTH)]
        urls = [f"http://a.example/{number}/{row}" for row in range(len(texts))]
        writer.write_table(pa.table([urls, texts], schema=schema), row_group_size=1000)
        num_bytes += len(words)
    writer.add_key_value_metadata({"bytes": str(num_bytes)})
    writer.close()
    return path


def timed(work: Callable[[], Any], amount: int) -> Run:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return Run(seconds=seconds, warm_up_seconds=0.0, peak_bytes=peak_bytes(), amount=amount)
