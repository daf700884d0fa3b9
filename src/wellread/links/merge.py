"""One row for each page, from any number of submissions, in memory that does not grow with them.

DuckDB sorts the rows by URL, on disk where they do not fit; rows of one URL are then neighbours.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wellread.formats.links import SCHEMA
from wellread.formats.sorting import Room, sort
from wellread.links.block import ROWS, Names


class Group(NamedTuple):
    """Some pages: their links, and in how many submissions each was."""

    links: pa.Table
    submissions: npt.NDArray[np.int64]


def merge_rows(
    rows: Iterable[pa.RecordBatch], names: Names, room: Room, *, sums_karma: bool
) -> Iterator[Group]:
    """Every link once, in order of URL, whatever the order of `rows` (block.ROWS)."""
    ranks: npt.NDArray[np.int32] | None = None
    for part in _whole_groups(sort(rows, ROWS, "url", room)):
        if ranks is None:  # only now all names are known
            ranks = _ranks(names.subreddits.names)
            domains = pa.array(names.domains.names, pa.string())
            in_order = pa.array(sorted(names.subreddits.names), pa.string())
        yield _group(part, ranks, domains, in_order, sums_karma=sums_karma)


def _whole_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows, cut only between URLs."""
    waiting: list[pa.Table] = []
    for batch in batches:
        table = pa.Table.from_batches([batch])
        last = table["url"][-1]
        start = pc.index(table["url"], last).as_py()
        if start == 0 and waiting and waiting[-1]["url"][-1] == last:
            waiting.append(table)
            continue
        if waiting or start:
            yield pa.concat_tables([*waiting, table.slice(0, start)])
        waiting = [table.slice(start)]
    if waiting:
        yield pa.concat_tables(waiting)


def _ranks(names: list[str]) -> npt.NDArray[np.int32]:
    """The place of each name when they are sorted."""
    order = sorted(range(len(names)), key=names.__getitem__)
    ranks = np.empty(len(names), np.int32)
    ranks[order] = np.arange(len(names), dtype=np.int32)
    return ranks


def _group(
    rows: pa.Table,
    ranks: npt.NDArray[np.int32],
    domains: pa.Array,
    subreddits: pa.Array,
    *,
    sums_karma: bool,
) -> Group:
    urls = rows["url"].combine_chunks()
    differs = pc.not_equal(urls[1:], urls[:-1]).to_numpy(zero_copy_only=False)
    starts = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(differs) + 1])
    counts = np.diff(starts, append=len(urls))
    group = np.repeat(np.arange(len(starts)), counts)
    karma, created = rows["karma"].to_numpy(), rows["created"].to_numpy()
    names = ranks[rows["subreddit"].to_numpy()]
    best = starts  # the best submission: most karma, then earliest, then first in name
    if len(starts) < len(urls):
        best = np.lexsort((names, created, -karma, group))[starts]
    pairs = np.unique(group * len(ranks) + names)
    lists = pa.ListArray.from_arrays(
        np.searchsorted(pairs, np.arange(len(starts) + 1) * len(ranks)).astype(np.int32),
        subreddits.take(pa.array(pairs % len(ranks))),
    )
    columns = [
        urls.take(pa.array(starts)),
        domains.take(pa.array(rows["domain"].to_numpy()[starts])),
        pa.array(np.add.reduceat(karma, starts) if sums_karma else karma[best]),
        subreddits.take(pa.array(names[best])),
        pa.array(np.minimum.reduceat(created, starts) * 1000).cast(
            SCHEMA.field("created_utc").type
        ),
        pa.array(counts),
        lists,
    ]
    return Group(pa.Table.from_arrays(columns, schema=SCHEMA), counts)
