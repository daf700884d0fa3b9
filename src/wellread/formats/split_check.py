"""How much of a test set's n-grams its training set has: `split-check.json`, `items.parquet`."""

from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
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
        ("document", pa.string()),  # the training document that has most of them; or None
        ("num_in_document", pa.int64()),  # of num_ngrams, those that it has
        # Of num_found, those that so many items have that their documents were not looked for.
        ("num_unfollowed", pa.int64()),
    ],
)


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """An item with much overlap, and the training document that has most of it."""

    item: str
    num_ngrams: int
    num_found: int
    document: str | None
    num_in_document: int  # of num_ngrams
    num_unfollowed: int  # of num_found: of so many items that their documents were not looked for

    @property
    def most_in_document(self) -> int:
        """What one document may have, if it has all that was not followed."""
        return min(self.num_found, self.num_in_document + self.num_unfollowed)


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
    num_undecided: int  # that may be more than they were counted as, for what was not followed
    worst: list[Suspect]
    limit: float | None  # the greatest share that passes; None: none was set

    @property
    def is_over(self) -> bool:
        return self.limit is not None and (self.share.share or 0.0) > self.limit

    @property
    def verdict(self) -> str:
        """One sentence, with the limit if there is one."""
        found = self.share
        assert found.share is not None  # a test without n-grams is refused
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
        if self.num_undecided:
            said += (
                f", {self.num_undecided:,} undecided (what very many items share is not followed)"
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


def read_split_check(directory: Path) -> SplitCheck:
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=SplitCheck)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not a check of this version ({error}); delete {directory} and check again"
        ) from None
