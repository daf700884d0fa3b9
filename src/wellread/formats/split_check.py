"""How much of a test set's n-grams its training set has: `split-check.json`, `items.parquet`."""

from typing import Literal

import msgspec
import pyarrow as pa

from wellread.base.text import in_percent
from wellread.formats import tables
from wellread.formats.overlap import Share
from wellread.formats.published import paper

STAGE = "split-check"
FILE = "split-check.json"
ITEMS = tables.schema(
    "split-items",
    1,
    [
        ("item", pa.string()),  # the document's URL, or its name
        ("num_ngrams", pa.int64()),
        ("num_found", pa.int64()),  # of these, n-grams that some training document has
        ("num_unique", pa.int64()),  # distinct in the item
        (
            "document",
            pa.string(),
        ),  # the training document that has most of them; or None
        ("num_in_document", pa.int64()),  # of num_unique, those that it has
    ],
)


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """An item with much overlap, and the training document that has most of it."""

    item: str
    num_ngrams: int
    num_found: int
    num_unique: int
    document: str | None
    num_in_document: int  # of num_unique


class SplitCheck(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    # across: a test set against a training set; inside: each document of a set against the others
    kind: Literal["across", "inside"]
    train: str  # in words
    test: str
    ngram_words: int
    num_train_documents: int
    num_items: int
    num_short: int  # items without an n-gram
    share: Share
    items_by_share: dict[str, int]  # bucket of formats.overlap.BUCKETS -> items that have n-grams
    num_whole: int  # items that one training document has all n-grams of
    num_nearly: int  # others that one has NEARLY of
    worst: list[Suspect]
    limit: float | None  # the greatest share that passes; None: none was set

    @property
    def is_over(self) -> bool:
        return self.limit is not None and (self.share.share or 0.0) > self.limit

    @property
    def verdict(self) -> str:
        """One sentence, with the limit if there is one."""
        found = self.share
        if found.share is None:
            return f"{self.test}: no text of {self.ngram_words} words, so there is nothing to check"
        where = (
            f"of {self.test} are in {self.train}"
            if self.kind == "across"
            else f"of {self.test} stand in another of its documents"
        )
        known = ""
        if found.low is not None and found.high is not None:
            known = f" (95 % {in_percent(found.low)} to {in_percent(found.high)})"
        said = (
            f"{in_percent(found.share)} %{known} of the {self.ngram_words}-grams {where}; of "
            f"{self.num_items:,} item{'s' * (self.num_items > 1)} {self.num_whole:,} whole in one "
            f"document, {self.num_nearly:,} nearly"
        )
        if self.limit is None:
            return said
        side = "over" if self.is_over else "within"
        return f"{said}: {side} the limit of {100 * self.limit:g} %"


def usual() -> str:
    """What the paper found between data sets and their own training splits, in words."""
    own = [row.own_train for row in paper().overlaps if row.own_train is not None]
    return (
        f"between usual test sets and their own training sets the paper found {min(own):g} to "
        f"{max(own):g} %, {sum(own) / len(own):.1f} % on average (Table 6)"
    )
