"""Encoding the columns of a corpus, on threads here or on a Ray cluster."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.threads import in_order
from wellread.formats.document_tables import Columns, read_columns
from wellread.formats.documents import BadRecord
from wellread.formats.ids import Ids
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
    return Encoded(
        urls=columns.urls,
        splits=columns.splits,
        num_bytes=pc.binary_length(columns.texts).to_numpy(),
        num_tokens=num_tokens,
        ids=ids,
    )


def encode_here(
    corpus: Path, tokenizer: Tokenizer, bad: BadRecord, *, threads: int
) -> Iterator[Encoded]:
    """Encode `corpus` on threads, in its order, a few pieces in advance."""
    columns = read_columns(corpus, bad)
    return in_order(lambda some: encode_columns(tokenizer, some), columns, threads)
