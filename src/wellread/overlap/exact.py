"""The exact index of a small corpus: each n-gram's hash with its places, and the documents."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from wellread.base.errors import InputError
from wellread.base.manifest import Draft
from wellread.base.memory import room
from wellread.base.progress import Progress
from wellread.base.text import human_bytes
from wellread.base.threads import in_order, num_threads
from wellread.formats.overlap import DOCUMENTS, INDEXED, NGRAMS, PLACES
from wellread.formats.tables import open_table
from wellread.ngrams.bloom import MOST_SECTIONS
from wellread.ngrams.filling import SECTION_SHIFT
from wellread.ngrams.hashing import Hashes
from wellread.ngrams.occurrences import WORD_BITS, positions
from wellread.overlap.config import OverlapConfig
from wellread.overlap.hashed import as_it_is, each_hashed

ROWS = 64  # of a row group: what is read for one document, some 300 KB of WebText
# Bytes for each n-gram while the index is built: hash and place, and half of that for the rest.
BYTES_EACH = 24


class Placed(NamedTuple):
    """Hashes and their places, sorted by section, and in a section by place."""

    hashes: Hashes
    places: Hashes
    starts: npt.NDArray[np.int64]  # (MOST_SECTIONS + 1,)


class Counts(NamedTuple):
    num_ngrams: int
    num_distinct: int


def place_corpus(corpus: Path, config: OverlapConfig, draft: Draft, progress: Progress) -> Counts:
    """Write all n-grams of a corpus with their places, and its documents.

    A corpus of which they take more memory than there is, is an InputError.
    """
    most = room(config.memory)
    threads, placed, num_ngrams = num_threads(config.threads), [], 0

    def documents() -> Iterator[pa.Table]:
        nonlocal num_ngrams
        for hashed in each_hashed(corpus, config, draft.drop, threads, as_it_is):
            placed.append(_placed(hashed.found.hashes, hashed.found.counts, draft.counts["out"]))
            num_ngrams += len(hashed.found.hashes)
            hashed.account(draft)
            if num_ngrams * BYTES_EACH > most:
                raise InputError(
                    f"{corpus}: its first {draft.counts['out']:,} documents alone have "
                    f"{num_ngrams:,} n-grams, which take {human_bytes(num_ngrams * BYTES_EACH)} in "
                    f"mode 'exact', more than {human_bytes(most)}; the rest was not read. Take "
                    "mode 'bloom', or allow more memory"
                )
            progress(draft.counts["out"], None, f"{num_ngrams:,} n-grams")
            yield pa.table([hashed.urls, hashed.texts], schema=INDEXED)

    write_documents(draft, documents())

    def section(number: int) -> tuple[Hashes, Hashes]:
        slices = [slice(*some.starts[number : number + 2]) for some in placed]
        hashes = [some.hashes[mine] for some, mine in zip(placed, slices, strict=True)]
        places = [some.places[mine] for some, mine in zip(placed, slices, strict=True)]
        return in_both_orders(hashes, places)

    return write_places(draft, num_ngrams, in_order(section, range(MOST_SECTIONS), threads))


def _placed(hashes: Hashes, counts: npt.NDArray[np.int64], first_document: int) -> Placed:
    documents = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    places = (documents + np.uint64(first_document)) << WORD_BITS
    places |= positions(counts).astype(np.uint64)
    sections = (hashes >> np.uint64(SECTION_SHIFT)).astype(np.uint8)
    order = np.argsort(sections, kind="stable")  # by radix for so small numbers
    starts = np.zeros(MOST_SECTIONS + 1, np.int64)
    starts[1:] = np.cumsum(np.bincount(sections, minlength=MOST_SECTIONS))
    return Placed(hashes[order], places[order], starts)


def in_both_orders(hashes: list[Hashes], places: list[Hashes]) -> tuple[Hashes, Hashes]:
    """All of them by hash and place; in each list, places come before those of the next."""
    if not hashes:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    every, where = np.concatenate(hashes), np.concatenate(places)
    order = np.argsort(every, kind="stable")
    return every[order], where[order]


def write_places(
    draft: Draft, num_ngrams: int, sections: Iterable[tuple[Hashes, Hashes]]
) -> Counts:
    """Write sorted hashes and places; `sections` are in order of hashes."""
    numbers = {"descr": "<u8", "fortran_order": False, "shape": (num_ngrams,)}
    num_distinct = 0
    with ExitStack() as held:
        files = [held.enter_context(draft.open(name)) for name in (NGRAMS, PLACES)]
        for file in files:
            np.lib.format.write_array_header_1_0(file, numbers)
        for section in sections:
            num_distinct += int(np.count_nonzero(np.diff(section[0]))) + bool(len(section[0]))
            for file, column in zip(files, section, strict=True):
                file.write(column.view(np.uint8).data)
    return Counts(num_ngrams, num_distinct)


def write_documents(draft: Draft, parts: Iterable[pa.Table]) -> None:
    """Write the documents of an index in row groups of ROWS each."""
    with (
        draft.open(DOCUMENTS) as file,
        pq.ParquetWriter(file, INDEXED, compression="zstd") as writer,
    ):
        waiting = INDEXED.empty_table()
        for part in parts:
            waiting = pa.concat_tables([waiting, part])
            whole = len(waiting) // ROWS * ROWS
            for start in range(0, whole, ROWS):
                writer.write_table(waiting.slice(start, ROWS).combine_chunks())
            waiting = waiting.slice(whole)
        if len(waiting):
            writer.write_table(waiting.combine_chunks())


class IndexedDocuments:
    """The documents of an exact index by their numbers; the file stays open."""

    def __init__(self, path: Path) -> None:
        self._file = open_table(path, INDEXED)

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def __getitem__(self, number: int) -> tuple[str, str]:
        """URL and text."""
        row = self._file.read_row_group(number // ROWS).slice(number % ROWS, 1).to_pylist()[0]
        return row["url"], row["text"]
