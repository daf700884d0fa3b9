"""Encoding the columns of a corpus, on threads here or on a Ray cluster."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.formats.documents import BadRecord, Columns, read_columns
from wellread.formats.tokens import Ids
from wellread.tokenizer.tokenizer import Tokenizer


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """Some documents in order, as ids."""

    urls: pa.Array
    splits: pa.Array
    num_bytes: npt.NDArray[np.int64]  # of each document, in UTF-8
    num_tokens: npt.NDArray[np.int64]  # of each document, with the <|endoftext|> before it
    ids: Ids  # of all documents, one after another


def encode_columns(tokenizer: Tokenizer, columns: Columns) -> Encoded:
    """The documents of `columns`, each after an `<|endoftext|>`."""
    ids, num_tokens = tokenizer.encode_column(columns.texts)
    offsets = np.frombuffer(columns.texts.buffers()[1], np.int64)
    offsets = offsets[columns.texts.offset :][: len(columns.texts) + 1]
    return Encoded(
        urls=columns.urls,
        splits=columns.splits,
        num_bytes=np.diff(offsets),
        num_tokens=num_tokens,
        ids=ids,
    )


def encode_here(
    corpus: Path, tokenizer: Tokenizer, bad: BadRecord, *, threads: int
) -> Iterator[Encoded]:
    """Encode `corpus` on threads, in its order, with two pieces waiting for each thread at most."""
    columns = read_columns(corpus, bad)
    if threads == 1:
        yield from (encode_columns(tokenizer, some) for some in columns)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Encoded]] = deque()
        for some in columns:
            waiting.append(pool.submit(encode_columns, tokenizer, some))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
