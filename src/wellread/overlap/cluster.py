"""A filter built by a Ray cluster: some workers hash the corpus, and then some fill its parts.

No worker holds more than a part of the filter. Hashes go through files in the folder that is
written to, which all workers must see.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from wellread.base.cluster import use_ray
from wellread.base.manifest import Draft
from wellread.base.progress import Progress
from wellread.base.threads import in_order
from wellread.formats.document_tables import parquet_files, read_row_groups
from wellread.formats.overlap import FILTER
from wellread.ngrams.bloom import Size, header, size_for
from wellread.ngrams.distinct import Registers, estimate_distinct, new_registers, observe
from wellread.ngrams.filling import by_section, fill
from wellread.overlap.config import OverlapConfig
from wellread.overlap.filter import (
    ROOM,
    WRITTEN,
    Contents,
    parts_for,
    read_back,
    write_distinct,
    write_pages,
)
from wellread.overlap.hashed import hash_columns

GROUPS = 16  # of rows that a worker hashes at a time: some 80 MB of a corpus artifact


class _Piece(NamedTuple):
    """Some row groups of a file."""

    number: int
    file: Path
    groups: Sequence[int]


class _Hashed(NamedTuple):
    """What a worker found in a piece."""

    registers: Registers
    num_ngrams: int
    account: Draft


def filter_on_ray(
    corpus: Path, config: OverlapConfig, draft: Draft, progress: Progress
) -> Contents:
    """What `filter_corpus` writes of a corpus artifact or a Parquet file, byte for byte.

    Starts Ray on this machine where no cluster's address is set.
    """
    pieces = list(_pieces(parquet_files(corpus)))
    num_workers = use_ray()
    capacity, found = config.num_ngrams, None
    if capacity is None:
        found = list(_done(_hash, [(piece, config, None, 1) for piece in pieces], progress))
        capacity = round(estimate_distinct(_registers_of(found)) * ROOM)
    size = size_for(capacity, config.false_positive_rate)
    num_parts = parts_for(size, config.memory, num_workers)
    while num_parts < min(num_workers, size.num_sections):
        num_parts *= 2
    with tempfile.TemporaryDirectory(prefix=".hashes-", dir=draft.out.resolve()) as name:
        folder = Path(name)
        jobs = [(piece, config, folder, num_parts) for piece in pieces]
        again = list(_done(_hash, jobs, progress))
        parts = [(part, num_parts, size, len(pieces), folder) for part in range(num_parts)]
        with draft.open(FILTER) as file:
            file.write(header(size.num_pages))
            for path in _done(_fill, parts, progress):
                with path.open("rb") as pages:
                    while block := pages.read(WRITTEN * 8):
                        file.write(block)
                path.unlink()
    found = found or again
    for one in found:
        draft.add(one.account)
    num_ngrams = sum(one.num_ngrams for one in found)
    return write_distinct(draft, _registers_of(found), num_ngrams, capacity, size)


def _pieces(files: Sequence[Path]) -> Iterator[_Piece]:
    number = 0
    for file in files:
        num_groups = pq.read_metadata(file).num_row_groups
        for first in range(0, num_groups, GROUPS):
            groups = range(first, min(first + GROUPS, num_groups))
            yield _Piece(number, file.resolve(), groups)
            number += 1


def _done(work: Any, jobs: Sequence[tuple[Any, ...]], progress: Progress) -> Iterator[Any]:
    """What `work` finds in each of `jobs`, in their order."""
    import ray

    remote = ray.remote(work)
    waiting = [remote.remote(*job) for job in jobs]
    for number, one in enumerate(waiting, start=1):
        try:
            yield ray.get(one)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        progress(number, len(jobs), work.__name__.strip("_"))


def _hash(piece: _Piece, config: OverlapConfig, folder: Path | None, num_parts: int) -> _Hashed:
    """Count the n-grams of a piece and, if there is a `folder`, write them there by part."""
    account, registers, num_ngrams = Draft(piece.file), new_registers(), 0
    files = [_spill(folder, piece.number, part).open("wb") for part in range(num_parts)] if (
        folder
    ) else []  # fmt: skip
    try:
        for columns in read_row_groups(piece.file, piece.groups, account.drop):
            hashed = hash_columns(columns, config)
            hashed.account(account)
            observe(registers, hashed.found.hashes)
            num_ngrams += len(hashed.found.hashes)
            batch = by_section(hashed.found.hashes)
            for part, file in enumerate(files):
                file.write(batch.section(part, num_parts).data)
    finally:
        for file in files:
            file.close()
    return _Hashed(registers, num_ngrams, account)


def _fill(part: int, num_parts: int, size: Size, num_pieces: int, folder: Path) -> Path:
    """Write a part of the filter's pages to a file of its own."""
    spills = [_spill(folder, number, part) for number in range(num_pieces)]

    def batches() -> Iterator[Any]:
        for spill in spills:
            with spill.open("rb") as file:
                yield from in_order(by_section, read_back(file), 1)
            spill.unlink()

    path = folder / f"part-{part}"
    pages = fill(batches(), size, threads=1, part=part, num_parts=num_parts)
    with path.open("wb") as file:
        write_pages(file, pages)
    return path


def _spill(folder: Path, piece: int, part: int) -> Path:
    return folder / f"hashes-{piece}-{part}"


def _registers_of(found: Sequence[_Hashed]) -> Registers:
    registers = new_registers()
    for one in found:
        np.maximum(registers, one.registers, out=registers)
    return registers
