"""Overlap of test sets with a corpus: `overlap.json`, and its items in `items.parquet`."""

import bisect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.base.manifest import changed_files, read_artifact
from wellread.formats import tables
from wellread.formats.published import published_overlap

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
    2,
    [
        ("test_set", pa.string()),
        ("item", pa.string()),
        ("unit", pa.string()),  # what intervals resample, a document; None: the item
        ("num_ngrams", pa.int64()),
        ("num_found", pa.int64()),  # of these, n-grams that the index holds
        ("num_unique", pa.int64()),  # distinct in the item
        ("num_unique_found", pa.int64()),
        ("num_within", pa.int64()),  # that do not cross the end of a line
        ("num_within_found", pa.int64()),
        ("num_own_found", pa.int64()),  # of num_ngrams, in its own training text; None: not asked
    ],
)
# By share of an item's n-grams: fixed borders, so that test sets compare; quantiles would differ
# from set to set, and most items have none. 15 % is the paper's "greater than 15 % overlap".
BORDERS = (0.0, 0.01, 0.05, 0.15)
BUCKETS = ("none", "up to 1 %", "1 to 5 %", "5 to 15 %", "over 15 %")


def bucket_of(num_found: int, num_ngrams: int) -> str:
    """
    >>> bucket_of(0, 0), bucket_of(1, 100), bucket_of(2, 100), bucket_of(100, 100)
    ('none', 'up to 1 %', '1 to 5 %', 'over 15 %')
    """
    share = num_found / num_ngrams if num_ngrams else 0.0
    return BUCKETS[bisect.bisect_left(BORDERS, share)]


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


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of some n-grams were found."""

    num_ngrams: int
    num_found: int
    share: float | None  # num_found / num_ngrams; None: there is no n-gram
    low: float | None  # 95 %, bootstrap over units; None: all units are alike, or there is one
    high: float | None


# "all": each n-gram as often as it stands in the set; "unique": each distinct one once; "within":
# as "all", without those that cross the end of a line.
Counting = Literal["all", "unique", "within"]
COUNTINGS: tuple[Counting, ...] = get_args(Counting)


class OwnTrain(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a test set's n-grams its own training text contains, counted exactly."""

    name: str  # of the text
    num_documents: int
    shares: dict[Counting, Share]


class TestSet(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one test set's n-grams the corpus contains."""

    name: str
    num_items: int
    num_units: int  # documents, where several items come from one
    num_short: int  # items without an n-gram
    items_with_any: int
    shares: dict[Counting, Share]
    num_by_chance: float  # false positives of the filter to expect among all n-grams
    shuffled: Share  # of all n-grams of each item's words in random order
    own_train: OwnTrain | None = None

    @property
    def whole(self) -> Share:
        """The share by which test sets are named: of all n-grams, repeats counted."""
        return self.shares["all"]


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 2
    corpus: str  # which corpus and split, in words
    index: Index
    test_sets: list[TestSet]


class TrainingText(NamedTuple):
    """A row of the paper's Table 6: the share of each test set that one training text holds."""

    name: str
    by_set: dict[str, Share]
    paper: dict[str, float]  # shares of the paper's row

    def mean(self, test_sets: Iterable[str]) -> float | None:
        found = [one.share for name in test_sets if (one := self.by_set.get(name))]
        return _mean([share for share in found if share is not None])

    def paper_mean(self, test_sets: Iterable[str]) -> float | None:
        return _mean([self.paper[name] for name in test_sets if name in self.paper])


def _mean(numbers: list[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def table_6(found: Overlap) -> tuple[TrainingText, TrainingText]:
    """Its two rows: the test sets' own training texts, and the corpus (the paper's: WebText)."""
    theirs = {one.name: row for one in found.test_sets if (row := published_overlap(one.name))}
    own = {one.name: one.own_train.shares["all"] for one in found.test_sets if one.own_train}
    return (
        TrainingText(
            "own train",
            own,
            {
                name: row.own_train / 100
                for name, row in theirs.items()
                if row.own_train is not None
            },
        ),
        TrainingText(
            found.corpus,
            {one.name: one.whole for one in found.test_sets},
            {name: row.webtext_train / 100 for name, row in theirs.items()},
        ),
    )


def read_overlap(directory: Path) -> Overlap:
    path = directory / "overlap.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Overlap)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not an overlap table of this version ({error}); measure it again"
        ) from None


def read_overlap_items(directory: Path) -> Iterator[dict[str, Any]]:
    yield from tables.read_rows([directory / "items.parquet"], ITEMS)
