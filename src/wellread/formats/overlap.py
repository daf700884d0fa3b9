"""Overlap of test sets with a corpus: `overlap.json`, and its items in `items.parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.base.manifest import changed_files, read_artifact
from wellread.formats import tables

STAGE = "overlap"
INDEX_STAGE = "overlap-index"
# Files of an index. Of mode `bloom`: the filter, and the registers that num_distinct is from.
INDEX_VERSION = 2
FILTER, DISTINCT = "filter.npy", "distinct.npy"
# Of mode `exact`: every n-gram's hash, sorted; where each is (document << 32 | word); the texts.
NGRAMS, PLACES, DOCUMENTS = "ngrams.npy", "places.npy", "documents.parquet"
INDEXED = tables.schema("overlap-documents", 1, [("url", pa.string()), ("text", pa.large_string())])
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
    """What an index of the n-grams of a corpus has in it."""

    version: int = INDEX_VERSION
    mode: Literal["bloom", "exact"] = "bloom"
    ngram_words: int  # 8 in the paper, section 4
    num_documents: int
    num_ngrams: int  # inserted, repeats counted
    num_distinct: int  # estimated, before sizing; exact: counted
    capacity: int  # distinct n-grams that the rate is kept with; exact: num_distinct
    num_bits: int  # of the filter; exact: of the hashes
    lines: int | None  # cache lines of the filter that each n-gram has bits in; None: exact
    false_positive_rate: float  # designed; exact: of a hash that is another n-gram's too
    num_random_checked: int  # random n-grams asked for afterwards
    num_random_found: int


def read_index(directory: Path) -> Index:
    """Of what is in a finished index; a damaged, foreign or older one is an InputError.

    Files that were changed are found by their digests; this reads those whose time is not as
    recorded, as of copies.
    """
    facts = read_artifact(directory, INDEX_STAGE).facts.get("index")
    if isinstance(facts, dict) and facts.get("version", 1) != INDEX_VERSION:
        raise InputError(
            f"{directory}: an index of version {facts.get('version', 1)}, and this is wellread "
            f"with version {INDEX_VERSION}; build the index again"
        )
    try:
        index = msgspec.convert(facts, Index)
    except msgspec.ValidationError as error:
        raise InputError(f"{directory}: its manifest has no index ({error}); rebuild it") from None
    if changed := changed_files(directory):
        raise InputError(f"{directory / changed[0]}: not as it was written; build the index again")
    return index


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
