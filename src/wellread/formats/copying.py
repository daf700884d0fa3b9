"""What models copied: `copying.json`, and behind it `texts.parquet` and `probes.parquet`.

`evaluate` has the texts written; these are the names of its tasks.
"""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.formats import tables

STAGE = "copying"
SAMPLES_TASK, EXTRACTION_TASK = "copying-samples", "extraction"
WRITTEN, TRUE = "written", "held-out"  # what a model wrote, and what the document goes on with
NAME, TEXTS_FILE, PROBES_FILE = "copying.json", "texts.parquet", "probes.parquet"
TEXTS = tables.schema(
    "copying-texts",
    1,
    [
        ("model", pa.string()),
        ("item", pa.string()),  # the held-out document whose beginning was given
        ("kind", pa.string()),  # WRITTEN or TRUE
        ("text", pa.string()),
        ("num_ngrams", pa.int64()),
        ("num_found", pa.int64()),  # in training documents
        # The characters of every passage that a training document has too, in order.
        ("starts", pa.list_(pa.int64())),
        ("ends", pa.list_(pa.int64())),
        ("longest_words", pa.int64()),  # of these the longest; 0: fewer words than an n-gram's
        ("longest_start", pa.int64()),
        ("longest_end", pa.int64()),
        ("url", pa.string()),  # a training document that has it, the first by URL
        ("document_start", pa.int64()),
        ("document_end", pa.int64()),
        ("num_documents", pa.int64()),  # that have it
    ],
)
PROBES = tables.schema(
    "copying-probes",
    1,
    [
        ("model", pa.string()),
        ("url", pa.string()),
        ("split", pa.string()),
        ("num_matching", pa.int64()),  # tokens, up to the first that differs
        ("num_tokens", pa.int64()),  # asked for
        # Training documents with the words that were asked for; None: fewer than an n-gram's.
        ("num_documents", pa.int64()),
    ],
)


class Longest(msgspec.Struct, frozen=True, kw_only=True):
    """The longest copied passage."""

    num_words: int
    words: str
    item: str
    url: str
    num_documents: int


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its 95 % interval; None: too few to say."""

    value: float
    low: float | None
    high: float | None


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """How much of texts is in the training text: one line of the paper's figure 5."""

    num_texts: int  # that have an n-gram
    num_short: int  # left out: without one
    shares: list[float]  # of each text's n-grams those found, ascending
    median: Estimate
    without: Estimate  # the share of texts of which nothing is found
    below: Estimate  # the share of texts of which less than a hundredth is found
    longest: Longest | None


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """Probes whose words are in as many training documents."""

    is_held_out: bool
    documents: str  # "1", "2 to 9"; empty: the words are too few to tell
    seen: str  # how often the model read them, as far as is known
    num_probes: int
    exact: Estimate  # the share of which all tokens came back
    matching: Estimate  # tokens that came back before the first other one


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """One model."""

    name: str
    epochs: float | None  # of its training; None: unknown
    num_parameters: int | None
    samples: Texts | None  # None: the task was not run
    held_out: Texts | None
    num_tokens: int | None  # that a probe asks for
    extraction: list[Extracted]


class Copying(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    corpus: str  # which corpus and split, in words
    ngram_words: int
    num_documents: int
    num_false: int  # n-grams that the index held and no document had
    models: list[Copied]


def read_copying(directory: Path) -> Copying:
    path = directory / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Copying)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not an account of copying ({error})") from None


def most_copied(directory: Path, number: int) -> list[dict[str, Any]]:
    """The rows of TEXTS of those written texts that have the longest passages."""
    rows = tables.read_rows([directory / TEXTS_FILE], TEXTS)
    written = [row for row in rows if row["kind"] == WRITTEN and row["longest_words"]]
    written.sort(key=lambda row: (-row["longest_words"], row["model"], row["item"]))
    return written[:number]
