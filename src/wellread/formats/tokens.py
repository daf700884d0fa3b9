"""Tokens: `SPLIT-*.npy` shards of ids, `documents.parquet` (where each lies), `tokens.json`.

Every document is preceded by the id of `<|endoftext|>`, so that a model sees where it begins.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.formats import tables
from wellread.formats.ids import Ids

STAGE = "tokens"
DOCUMENTS = tables.schema(
    "token-documents",
    1,
    [
        ("url", pa.string()),
        ("split", pa.string()),
        ("start", pa.int64()),  # of its <|endoftext|>, counted over the split's shards
        ("num_tokens", pa.int64()),  # <|endoftext|> included
        ("num_bytes", pa.int64()),  # of the text in UTF-8
    ],
)


class SplitSize(msgspec.Struct, frozen=True, kw_only=True):
    num_tokens: int  # <|endoftext|> included
    num_bytes: int  # of text in UTF-8
    num_documents: int


class TokensHeader(msgspec.Struct, frozen=True, kw_only=True):
    """`tokens.json`: what a reader must know before touching the shards."""

    version: int = 1
    dtype: str  # "uint16", or "uint32" past 65,536 ids
    vocab_size: int
    end_of_text: int
    merges_digest: str  # SHA-256 of the merges.txt these ids belong to
    splits: dict[str, SplitSize]


def shard_name(split: str, number: int) -> str:
    return f"{split}-{number:05}.npy"


def read_header(directory: Path) -> TokensHeader:
    path = directory / "tokens.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=TokensHeader)
    except (FileNotFoundError, NotADirectoryError):
        read_artifact(directory, STAGE)
        raise InputError(f"{directory}: no tokens here (no tokens.json)") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: damaged ({error})") from None


def read_split(directory: Path, split: str) -> list[Ids]:
    """The shards of a split, memory-mapped, each of shape (num_tokens,)."""
    header = read_header(directory)
    paths = sorted(directory.glob(f"{split}-*.npy"))
    shards = [_mapped(path) for path in paths]
    found = sum(len(shard) for shard in shards)
    expected = header.splits[split].num_tokens if split in header.splits else 0
    if found != expected:
        raise InputError(f"{directory}: split {split!r} has {found} tokens, expected {expected}")
    return shards


def read_documents(directory: Path, split: str, columns: Sequence[str]) -> pa.Table:
    """Columns of the documents of a split, in the order of its tokens."""
    with tables.open_table(directory / "documents.parquet", DOCUMENTS) as file:
        table = file.read(columns=list({*columns, "start", "split"}))
    return table.filter(pc.equal(table["split"], split)).sort_by("start").select(columns)


def _mapped(path: Path) -> Ids:
    try:
        ids: Ids = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"{path}: damaged; make the tokens again") from None
    return ids
