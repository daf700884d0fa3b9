"""Scores with and without the items that overlap with a corpus, `clean-scores.json`.

Beside it `items.parquet` has what they were made of: each item's overlap and its own score.
"""

from pathlib import Path

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.formats import tables
from wellread.formats.published import published_clean

STAGE = "clean-scores"
FILE = "clean-scores.json"
ITEMS = tables.schema(
    "clean-items",
    1,
    [
        ("results", pa.string()),
        ("task", pa.string()),
        ("item", pa.string()),
        ("unit", pa.string()),  # what intervals resample, a document; None: the item
        ("num_ngrams", pa.int64()),
        ("num_found", pa.int64()),  # of these, n-grams that the index holds
        ("bucket", pa.string()),  # of formats.overlap.BUCKETS
        ("value", pa.float64()),  # the item's own score
        ("log_prob", pa.float64()),  # natural log; None: not asked
    ],
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over some of a task's items."""

    name: str
    num_items: int
    num_units: int  # documents, where several items come from one
    value: float | None  # None: there is no item
    low: float | None  # 95 %; None: `note` says why
    high: float | None
    note: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of one part less that of another; 95 % by units resampled for both alike."""

    difference: float | None  # None: one of the parts is empty
    low: float | None  # None: one of the parts is of fewer than two units
    high: float | None


class CleanScore(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a task's result on all its items, without and with the overlapping ones."""

    results: str  # whose: the results directory's name
    task: str
    protocol: str
    comparable_to: str | None  # key of the paper's values
    metric: str
    higher_is_better: bool
    num_short: int  # items too short for an n-gram: they count as clean
    whole: Part
    clean: Part  # items without an n-gram that the corpus has
    overlapping: Part  # items with any
    buckets: list[Part]  # of the overlapping ones, by share; those that have items
    whole_less_clean: Gap
    overlapping_less_clean: Gap


class CleanScores(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    corpus: str  # which corpus and split, in words
    ngram_words: int
    scores: list[CleanScore]
    left_out: dict[str, str]  # "RESULTS TASK" -> why it has no part here

    @property
    def telling(self) -> list[CleanScore]:
        """Those of which some item overlaps, or of which the paper says something.

        The others have one score, which is clean.
        """
        return [
            one
            for one in self.scores
            if one.overlapping.num_items or published_clean(one.comparable_to, one.metric)
        ]

    @property
    def all_clean(self) -> list[str]:
        """The other tasks, of which no item overlaps."""
        found = {one.task for one in self.telling}
        return sorted({one.task for one in self.scores} - found)

    @property
    def short(self) -> dict[str, int]:
        """Task -> how many of its items are too short for an n-gram, if any is."""
        return {one.task: one.num_short for one in self.scores if one.num_short}


def read_clean_scores(directory: Path) -> CleanScores:
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=CleanScores)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path}: not clean scores of this version ({error}); make them again"
        ) from None
