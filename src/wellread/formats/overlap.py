"""Overlap of test sets with a corpus: `overlap.json`, and its items in `items.parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.formats import tables

STAGE = "overlap"
INDEX_STAGE = "overlap-index"
FILTER = "filter.npy"  # of an index
ITEMS = tables.schema(
    "overlap-items",
    1,
    [
        ("test_set", pa.string()),
        ("item", pa.string()),
        ("num_ngrams", pa.int64()),
        ("num_found", pa.int64()),  # of these, n-grams that the index holds
    ],
)


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """The filter that the n-grams of a corpus were put into."""

    ngram_words: int  # 8 in the paper, section 4
    num_documents: int
    num_ngrams: int  # inserted, repeats counted
    num_distinct: int  # estimated, before sizing
    num_bits: int
    num_probes: int
    false_positive_rate: float  # designed
    num_random_checked: int  # random n-grams asked for afterwards
    num_random_found: int


def read_index(directory: Path) -> Index:
    """Of what is in the filter of a finished index; a damaged or foreign one is an InputError."""
    try:
        return msgspec.convert(read_artifact(directory, INDEX_STAGE).facts.get("index"), Index)
    except msgspec.ValidationError as error:
        raise InputError(f"{directory}: its manifest has no index ({error}); rebuild it") from None


class TestSet(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one test set's n-grams the corpus contains."""

    name: str
    num_items: int
    num_ngrams: int
    num_found: int
    share: float | None  # num_found / num_ngrams; None: no item has an n-gram
    low: float | None  # 95 %, bootstrap over items
    high: float | None
    items_with_any: int


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    corpus: str  # which corpus and split, in words
    index: Index
    test_sets: list[TestSet]


def read_overlap(directory: Path) -> Overlap:
    path = directory / "overlap.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Overlap)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not an overlap table ({error})") from None


def read_overlap_items(directory: Path) -> Iterator[dict[str, Any]]:
    yield from tables.read_rows([directory / "items.parquet"], ITEMS)
