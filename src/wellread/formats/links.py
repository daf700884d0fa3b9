"""Links: one row for each canonical URL that submissions point to. Parquet, `links-*.parquet`."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from wellread.base.manifest import Draft
from wellread.formats import tables

STAGE = "links"
# Where ranges of karma begin that are drawn: the paper's 3, and then ever wider ones.
KARMA_FROM = (*range(3, 10), 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
SCHEMA = tables.schema(
    "links",
    2,
    [
        ("url", pa.string()),
        ("domain", pa.string()),
        ("karma", pa.int64()),
        ("subreddit", pa.string()),
        ("created_utc", pa.timestamp("ms", tz="UTC")),
        ("submissions", pa.int64()),
        ("subreddits", pa.list_(pa.string())),
    ],
)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An outbound link and what its submissions earned."""

    url: str  # canonical, see base.urls
    domain: str  # registrable
    karma: int  # of the best submission, or the sum of all
    subreddit: str  # of the submission with that karma; the earliest of equals
    created_utc: datetime  # of the first submission
    submissions: int
    subreddits: list[str] = []  # of all submissions, by name


def write_links(draft: Draft, links: Iterable[Link]) -> int:
    """Write `links` (sorted by URL by the caller) as one shard; how many there were."""
    rows = [msgspec.structs.asdict(link) for link in links]
    return write_link_tables(draft, [pa.Table.from_pylist(rows, schema=SCHEMA)])


def write_link_tables(draft: Draft, parts: Iterable[pa.Table]) -> int:
    """Write tables of links (SCHEMA, sorted by URL by the caller) as a shard; how many links."""
    with draft.open("links-00000.parquet") as file:
        tables.write_tables(file, SCHEMA, parts)
    return num_links(draft.out)


def links_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("links-*.parquet"))


def read_links(directory: Path) -> Iterator[Link]:
    """All links of an artifact, in order of URL."""
    for row in tables.read_rows(links_files(directory), SCHEMA):
        yield Link(**row)


def num_links(directory: Path) -> int:
    return tables.num_rows(links_files(directory))
