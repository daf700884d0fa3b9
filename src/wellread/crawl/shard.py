"""Which links are this machine's, where several crawl together."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.crawl.config import Shard
from wellread.formats import tables
from wellread.formats.links import SCHEMA, Link, links_files, read_links


def shard_of(domain: str, num_shards: int) -> int:
    """The same for all hosts of a registrable domain, so that its delays hold over machines.

    >>> shard_of("bbc.co.uk", 4)
    3
    """
    digest = hashlib.blake2b(domain.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_shards


def urls_of_shard(links: Path, shard: Shard) -> Iterator[pa.StringArray]:
    """The URLs of an artifact of links that belong to `shard`, in their order, some at a time."""
    for urls, _ in rows_of_shard(links, shard):
        yield urls


def rows_of_shard(links: Path, shard: Shard) -> Iterator[tuple[pa.StringArray, pa.StringArray]]:
    """These URLs, and the registrable domains that they belong to."""
    for path in links_files(links):
        with tables.open_table(path, SCHEMA) as file:
            for batch in file.iter_batches(columns=["url", "domain"]):
                is_own = _is_own(batch["domain"], shard)
                yield batch["url"].filter(is_own), batch["domain"].filter(is_own)


def links_of_shard(links: Path, shard: Shard) -> Iterator[Link]:
    """The whole rows."""
    number, of = shard
    known: dict[str, bool] = {}  # domains come in runs, mostly
    for link in read_links(links):
        if link.domain not in known:
            known = {link.domain: of == 1 or shard_of(link.domain, of) == number}
        if known[link.domain]:
            yield link


def _is_own(domains: pa.StringArray, shard: Shard) -> pa.Array:
    number, of = shard
    if of == 1:
        return pa.array(np.ones(len(domains), bool))
    coded = pc.dictionary_encode(domains)
    is_own = np.array([shard_of(str(d), of) == number for d in coded.dictionary], bool)
    return pa.array(is_own[coded.indices.to_numpy(zero_copy_only=False)])
