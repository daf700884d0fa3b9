"""A Bloom filter of a corpus's n-grams: how large it must be, and the file with all of them in it.

A corpus of more than KEPT n-grams is read twice, to estimate how many different ones there are
and to insert them, unless that number is given.
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import numpy as np

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import HashingWriter
from wellread.base.manifest import Draft
from wellread.base.memory import room
from wellread.base.progress import Progress
from wellread.base.threads import in_order, num_threads
from wellread.formats.overlap import DISTINCT, FILTER
from wellread.ngrams.bloom import Pages, Size, header, size_for
from wellread.ngrams.distinct import (
    RELATIVE_ERROR,
    Registers,
    estimate_distinct,
    new_registers,
    observe,
)
from wellread.ngrams.filling import Sorted, by_section, fill
from wellread.ngrams.hashing import Hashes
from wellread.overlap.config import OverlapConfig
from wellread.overlap.hashed import Hashed, each_hashed

# Four standard deviations: an estimate that is short would make the filter too small.
ROOM = 1 + 4 * RELATIVE_ERROR
KEPT = 1 << 24  # n-grams up to which a corpus is read once: 128 MB
SPILLED = 1 << 20  # keys read back together
WRITTEN = 1 << 17  # words written together


class Contents(NamedTuple):
    """What is in a filter."""

    num_ngrams: int
    num_distinct: int
    capacity: int
    size: Size


class Survey:
    """What is known of a corpus's n-grams after reading it, and they themselves if they are few."""

    def __init__(self) -> None:
        self.registers = new_registers()
        self.num_ngrams = 0
        self.kept: list[Sorted] | None = []

    def add(self, hashes: Sorted, registers: Registers) -> None:
        np.maximum(self.registers, registers, out=self.registers)
        self.num_ngrams += len(hashes.hashes)
        if self.kept is not None:
            self.kept.append(hashes)
            if self.num_ngrams > KEPT:
                self.kept = None


def filter_corpus(
    corpus: Path, config: OverlapConfig, draft: Draft, progress: Progress
) -> Contents:
    """Write the filter of all n-grams of a corpus, and the registers that count the distinct."""
    survey = Survey()
    surveyed = _surveyed(corpus, config, draft, survey, progress)
    if config.num_ngrams is None:
        for _ in surveyed:
            pass
        capacity = round(estimate_distinct(survey.registers) * ROOM)
        again = _again(corpus, config, survey.num_ngrams, progress)
        batches = again if survey.kept is None else iter(survey.kept)
    else:
        capacity, batches = config.num_ngrams, surveyed
    size = size_for(capacity, config.false_positive_rate)
    if config.num_ngrams is not None:
        survey.kept = None
    write_filter(draft, batches, size, config)
    return write_distinct(draft, survey.registers, survey.num_ngrams, capacity, size)


def write_distinct(
    draft: Draft, registers: Registers, num_ngrams: int, capacity: int, size: Size
) -> Contents:
    """Write the registers; more n-grams than the filter has room for are a WellreadError."""
    num_distinct = min(estimate_distinct(registers), num_ngrams)  # an estimate may be over it
    if num_distinct > capacity * ROOM:
        raise WellreadError(
            f"{draft.out}: about {num_distinct:,} different n-grams, in a filter that keeps to its "
            f"false-positive rate with {capacity:,}; build with num_ngrams = "
            f"{round(num_distinct * ROOM)} or more"
        )
    with draft.open(DISTINCT) as file:
        np.save(file, registers)
    return Contents(num_ngrams, num_distinct, capacity, size)


def _surveyed(
    corpus: Path, config: OverlapConfig, draft: Draft, survey: Survey, progress: Progress
) -> Iterator[Sorted]:
    """All n-grams, and what there is to know about them once they are all asked for."""

    def work(hashed: Hashed) -> tuple[Hashed, Sorted, Registers]:
        registers = new_registers()
        observe(registers, hashed.found.hashes)
        return hashed, by_section(hashed.found.hashes), registers

    for hashed, hashes, registers in each_hashed(
        corpus, config, draft.drop, num_threads(config.threads), work
    ):
        hashed.account(draft)
        survey.add(hashes, registers)
        progress(draft.counts["out"], None, f"{survey.num_ngrams:,} n-grams")
        yield hashes


def _again(
    corpus: Path, config: OverlapConfig, num_ngrams: int, progress: Progress
) -> Iterator[Sorted]:
    def nothing(*_: str) -> None:
        """What is bad was counted before."""

    def work(hashed: Hashed) -> Sorted:
        return by_section(hashed.found.hashes)

    inserted = 0
    for hashes in each_hashed(corpus, config, nothing, num_threads(config.threads), work):
        inserted += len(hashes.hashes)
        progress(inserted, num_ngrams, "n-grams inserted")
        yield hashes


def write_filter(
    draft: Draft, batches: Iterable[Sorted], size: Size, config: OverlapConfig
) -> None:
    """Write the filter with all n-grams in it, part by part where memory is less."""
    threads = num_threads(config.threads)
    num_parts = parts_for(size, config.memory)
    with draft.open(FILTER) as file:
        file.write(header(size.num_pages))
        if num_parts == 1:
            write_pages(file, fill(batches, size, threads=threads))
            return
        with contextlib.ExitStack() as held:
            spills = [
                held.enter_context(tempfile.TemporaryFile(dir=draft.out)) for _ in range(num_parts)
            ]
            for batch in batches:
                for part, spill in enumerate(spills):
                    spill.write(batch.section(part, num_parts).data)
            for part, spill in enumerate(spills):
                spill.seek(0)
                back = in_order(by_section, read_back(spill), threads)
                write_pages(file, fill(back, size, threads=threads, part=part, num_parts=num_parts))
                spill.truncate(0)


def parts_for(size: Size, memory: int | None, together: int = 1) -> int:
    """In how many parts a filter is filled, of which so many fit into `memory` MB."""
    most = room(memory)
    num_parts = 1
    while size.num_bytes * min(together, num_parts) / num_parts > most:
        num_parts *= 2
    if num_parts > size.num_sections:
        raise InputError(
            f"memory is {most / 1e6:,.0f} MB; a filter of {size.num_bytes / 1e9:.1f} GB is built "
            f"in parts of {size.num_bytes / size.num_sections / 1e6:,.0f} MB at least"
        )
    return num_parts


def read_back(spill: IO[bytes]) -> Iterator[Hashes]:
    """The hashes in a file, from where it is."""
    while raw := spill.read(SPILLED * 8):
        yield np.frombuffer(raw, np.uint64)


def write_pages(file: HashingWriter | BinaryIO, pages: Pages) -> None:
    words = pages.reshape(-1)
    for start in range(0, len(words), WRITTEN):
        file.write(words[start : start + WRITTEN].view(np.uint8).data)
