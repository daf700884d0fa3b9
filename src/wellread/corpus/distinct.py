"""Which document of each group of near-duplicates stays, over the whole corpus.

Needs of each document a signature, 4 bytes for each permutation, which lie on disk, and some 100
bytes of memory: 8 million documents take 0.8 GB. Texts are not read.
"""

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.corpus.config import CorpusConfig
from wellread.corpus.duplicates import near_duplicate_groups
from wellread.corpus.split import bucket_of, splits_of
from wellread.formats.sorting import Room, named, query

# By what tells documents apart, so that the order of the input does not matter.
ORDER = (
    "url, is_unwanted, num_bytes DESC, key, is_input, page_bytes, removed_bytes, is_repaired, id"
)
NO_KARMA = -(2**63)  # of a document that came without a link


class Verdict(IntEnum):
    STAYS, UNLIKE, SAME_ADDRESS, DUPLICATE, NEAR_DUPLICATE = range(5)


OUTCOMES = {
    Verdict.UNLIKE: ("mirror", "near-duplicate of a document that is not wanted"),
    Verdict.SAME_ADDRESS: ("same-address", "a shorter text of the same address"),
    Verdict.DUPLICATE: ("duplicate", "same words as another document"),
    Verdict.NEAR_DUPLICATE: ("near-duplicate", "near-duplicate of another document"),
}


class Distinct(NamedTuple):
    """Arrays over the documents that may be kept, in order of URL."""

    ids: npt.NDArray[np.int64]  # of clean.schema
    num_bytes: npt.NDArray[np.int64]
    karma: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]
    best: npt.NDArray[np.int64]  # the ID of the document that stays in its stead, or is not wanted
    sizes: npt.NDArray[np.int64]  # of each group of near-duplicates
    splits: npt.NDArray[np.int8]  # places in formats.documents.SPLITS, the same within a group


def distinct(
    cleaned: Sequence[Path], links: Sequence[Path], config: CorpusConfig, work: Path, room: Room
) -> Distinct:
    """Compare all documents with each other, and say which stay: of a group that of most karma.

    `cleaned` are files of clean.schema, `links` the tables that have the karma.
    """
    table = _gathered(cleaned, links, config.near_duplicate_permutations, work, room)
    chosen, numbers = table.is_candidate, np.arange(len(table.ids))
    # One text of each address: the first, which is the longest.
    addresses = np.where(chosen & table.is_web, table.addresses, 0)
    is_later = np.zeros(len(numbers), bool)
    is_later[1:] = (addresses[1:] == addresses[:-1]) & (addresses[1:] != 0)
    groups = near_duplicate_groups(
        table.signatures, threshold=config.near_duplicate_similarity, among=~is_later
    )
    worth = np.where(table.karma == NO_KARMA, 0, table.karma)
    best = _first_of_groups(groups, (numbers, -worth, ~chosen))
    not_wanted = _first_of_groups(groups, (numbers, chosen))
    is_mirror = ~chosen[not_wanted]
    verdicts = np.full(len(groups), Verdict.NEAR_DUPLICATE, np.int8)
    verdicts[table.words == table.words[best]] = Verdict.DUPLICATE
    verdicts[best == numbers] = Verdict.STAYS
    verdicts[is_mirror] = Verdict.UNLIKE
    verdicts[is_later] = Verdict.SAME_ADDRESS
    # That of its smallest URL, or of its first text by hash if it has none.
    by_hash = np.where(table.is_web, 0, table.keys)
    naming = _first_of_groups(groups, (numbers, by_hash, ~table.is_web, ~chosen))
    splits = splits_of(
        table.buckets[naming],
        validation_per_mille=config.validation_per_mille,
        test_per_mille=config.test_per_mille,
    )
    return Distinct(
        ids=table.ids[chosen],
        num_bytes=table.num_bytes[chosen],
        karma=table.karma[chosen],
        verdicts=verdicts[chosen],
        best=table.ids[np.where(is_mirror, not_wanted, best)[chosen]],
        sizes=np.bincount(groups[chosen & ~is_mirror & ~is_later], minlength=len(groups)),
        splits=splits[chosen],
    )


def _first_of_groups(
    groups: npt.NDArray[np.int64], order: tuple[npt.NDArray[Any], ...]
) -> npt.NDArray[np.int64]:
    """For each document the one of its group that comes first by `order`, whose last decides."""
    ordered = np.lexsort((*order, groups))
    heads = ordered[np.concatenate([[True], np.diff(groups[ordered]) != 0])[: len(ordered)]]
    first = np.zeros(len(groups), np.int64)
    first[groups[heads]] = heads
    return first[groups]


class _Table(NamedTuple):
    signatures: npt.NDArray[np.uint32]
    ids: npt.NDArray[np.int64]
    num_bytes: npt.NDArray[np.int64]
    addresses: npt.NDArray[np.uint64]  # hashes of URLs
    words: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.uint64]  # hashes of texts
    karma: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int16]
    is_web: npt.NDArray[np.bool_]
    is_candidate: npt.NDArray[np.bool_]


def _gathered(
    cleaned: Sequence[Path], links: Sequence[Path], permutations: int, work: Path, room: Room
) -> _Table:
    given: dict[str, Any] = {"files": named(cleaned)}
    counted = "SELECT count(*) AS num FROM read_parquet($files) WHERE signature IS NOT NULL"
    (number,) = (row for batch in query(counted, given, room) for row in batch["num"].to_pylist())
    words = (np.uint64,) * 3
    kinds = (np.int64, np.int64, *words, np.int64, np.int16, bool, bool)
    found = _Table(
        _on_disk(work / "signatures", number, permutations),
        *(np.empty(number, kind) for kind in kinds),
    )
    given["none"] = NO_KARMA
    karma, joined = "$none", ""
    if links:
        given["links"] = named(links)
        karma = "coalesce(karma, $none)"
        joined = "LEFT JOIN (SELECT url, karma FROM read_parquet($links)) USING (url) "
    wanted = (
        f"SELECT id AS ids, num_bytes, words, {karma} AS karma, hash(url) AS addresses, "
        "NOT is_unwanted AS is_candidate, signature, key, url "
        f"FROM read_parquet($files) {joined}WHERE signature IS NOT NULL ORDER BY {ORDER}"
    )
    done = 0
    for batch in query(wanted, given, room):
        rows = slice(done, done + len(batch))
        for name in ("ids", "num_bytes", "addresses", "words", "karma"):
            getattr(found, name)[rows] = batch[name].to_numpy()
        found.is_candidate[rows] = batch["is_candidate"].to_numpy(zero_copy_only=False)
        urls, keys = batch["url"].to_pylist(), batch["key"].to_pylist()
        found.keys[rows] = [int.from_bytes(key[:8]) for key in keys]
        is_web = [url.startswith(("http://", "https://")) for url in urls]
        found.is_web[rows] = is_web
        found.buckets[rows] = [
            bucket_of(url if has_address else key.hex())
            for url, key, has_address in zip(urls, keys, is_web, strict=True)
        ]
        flat = batch["signature"].cast(pa.binary(4 * permutations)).buffers()[1]
        found.signatures[rows] = np.frombuffer(flat, np.uint32).reshape(-1, permutations)
        done += len(batch)
    return found


def _on_disk(path: Path, number: int, permutations: int) -> npt.NDArray[np.uint32]:
    if not number:
        return np.empty((0, permutations), np.uint32)
    return np.asarray(np.memmap(path, np.uint32, "w+", shape=(number, permutations)))
