"""One index of several, which were built apart: the same bytes as one built of all their texts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa

from wellread.base.config import convert
from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats.overlap import (
    DISTINCT,
    FILTER,
    INDEX_STAGE,
    INDEXED,
    NGRAMS,
    PLACES,
    Index,
)
from wellread.formats.overlap import DOCUMENTS as INDEXED_FILE
from wellread.formats.tables import open_table
from wellread.ngrams.bloom import MOST_SECTIONS, PAGE_BITS, Size, header, load_bloom
from wellread.ngrams.distinct import new_registers
from wellread.ngrams.filling import SECTION_SHIFT
from wellread.ngrams.hashing import Hashes
from wellread.ngrams.occurrences import WORD_BITS, Occurrences, load_occurrences
from wellread.overlap.config import OverlapConfig
from wellread.overlap.exact import Counts, in_both_orders, write_documents, write_places
from wellread.overlap.filter import Contents, write_distinct
from wellread.overlap.index import describe, open_overlap_index
from wellread.overlap.sources import parts_of

TOGETHER = 1 << 14  # pages of each filter: 64 MB


def merge_indexes(indexes: Sequence[Path], out: Path, *, progress: Progress = silent) -> Manifest:
    """Write the index of all texts that `indexes` are of.

    Filters must have one size, and so be built with the same `num_ngrams`; if they have more
    n-grams together, that is a WellreadError. The documents of exact ones follow each other.
    """
    if len(indexes) < 2:
        raise InputError("overlap merge: name two indexes or more")
    found = [open_overlap_index(path).index for path in indexes]
    for path, index in zip(indexes, found, strict=True):
        _refuse_other(indexes[0], found[0], path, index)
        if path.resolve() == out.resolve():
            raise InputError(f"{out}: is one of the indexes to merge; give another --out")
    _refuse_repeated(indexes)
    config = _config(indexes[0])
    inputs = {"indexes": list(indexes)}
    if done := finished(out, stage=INDEX_STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=INDEX_STAGE, config=config, inputs=inputs) as draft:
        draft.counts["in"] = draft.counts["out"] = sum(index.num_documents for index in found)
        contents: Contents | Counts
        if found[0].lines is None:
            contents = _merge_exact(indexes, found, draft, progress)
        else:
            contents = _merge_filters(indexes, found, draft, progress)
        corpora = [str(read_manifest(path).facts["corpus"]) for path in indexes]
        describe(draft, contents, config, "; ".join(corpora))
    return read_manifest(out)


def _refuse_other(first_path: Path, first: Index, path: Path, index: Index) -> None:
    for name in ("mode", "ngram_words"):
        mine, other = getattr(first, name), getattr(index, name)
        if mine != other:
            raise InputError(f"{path}: {name} is {other}, and {mine} in {first_path}")
    design = (index.num_bits, index.lines, index.capacity, index.false_positive_rate)
    if index.lines is not None and design != (
        first.num_bits, first.lines, first.capacity, first.false_positive_rate
    ):  # fmt: skip
        raise InputError(
            f"{path}: a filter for {index.capacity:,} n-grams at {index.false_positive_rate:g}, "
            f"and {first_path} is for {first.capacity:,} at {first.false_positive_rate:g}; build "
            "all with the same --num-ngrams, enough for all texts together"
        )


def _refuse_repeated(indexes: Sequence[Path]) -> None:
    """Of indexes and what they were merged of no two may be equal."""
    seen: dict[str, Path] = {}
    for part in (part for index in indexes for part in parts_of(index)):
        if part.digest in seen:
            raise InputError(
                f"{part.path}: holds what {seen[part.digest]} holds, whose documents would count "
                "twice; merge each once"
            )
        seen[part.digest] = part.path


def _config(index: Path) -> OverlapConfig:
    """The settings that the first index was built with; they are those of all but for the split."""
    return convert(read_manifest(index).config, OverlapConfig, where=str(index))


def _merge_filters(
    paths: Sequence[Path], indexes: Sequence[Index], draft: Draft, progress: Progress
) -> Contents:
    lines = indexes[0].lines or 0
    filters = [load_bloom(path / FILTER, lines).pages for path in paths]
    size = Size(indexes[0].num_bits // PAGE_BITS, lines)
    with draft.open(FILTER) as file:
        file.write(header(size.num_pages))
        for start in range(0, size.num_pages, TOGETHER):
            merged = np.array(filters[0][start : start + TOGETHER])
            for pages in filters[1:]:
                merged |= pages[start : start + TOGETHER]
            file.write(merged.view(np.uint8).data.cast("B"))
            progress(start, size.num_pages, "pages merged")
    registers = new_registers()
    for path in paths:
        np.maximum(registers, np.load(path / DISTINCT), out=registers)
    num_ngrams = sum(index.num_ngrams for index in indexes)
    return write_distinct(draft, registers, num_ngrams, indexes[0].capacity, size)


def _merge_exact(
    paths: Sequence[Path], indexes: Sequence[Index], draft: Draft, progress: Progress
) -> Counts:
    write_documents(draft, _documents(paths))
    opened = [load_occurrences(path / NGRAMS, path / PLACES) for path in paths]
    before = list(accumulate((index.num_documents for index in indexes), initial=0))
    num_ngrams = sum(len(one.hashes) for one in opened)

    def sections() -> Iterable[tuple[Hashes, Hashes]]:
        for number in range(MOST_SECTIONS):
            mine = [_section(one, number) for one in opened]
            moved = [
                places + (np.uint64(first) << WORD_BITS)
                for (_, places), first in zip(mine, before, strict=False)
            ]
            progress(number, MOST_SECTIONS, "parts merged")
            yield in_both_orders([hashes for hashes, _ in mine], moved)

    return write_places(draft, num_ngrams, sections())


def _section(one: Occurrences, number: int) -> tuple[Hashes, Hashes]:
    first, last = (
        len(one.hashes)
        if bound == MOST_SECTIONS
        else int(np.searchsorted(one.hashes, np.uint64(bound << SECTION_SHIFT)))
        for bound in (number, number + 1)
    )
    return one.hashes[first:last], one.places[first:last]


def _documents(paths: Sequence[Path]) -> Iterator[pa.Table]:
    for path in paths:
        with open_table(path / INDEXED_FILE, INDEXED) as file:
            for batch in file.iter_batches():
                yield pa.Table.from_batches([batch], schema=INDEXED)
