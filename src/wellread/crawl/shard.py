"""Which links are this machine's, where several crawl together."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.crawl.config import Shard
from wellread.formats import tables
from wellread.formats.links import SCHEMA, links_files


def shard_of(domain: str, num_shards: int) -> int:
    """The same for all hosts of a registrable domain, so that its delays hold over machines.

    >>> shard_of("bbc.co.uk", 4)
    3
    """
    digest = hashlib.blake2b(domain.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_shards


def urls_of_shard(links: Path, shard: Shard) -> Iterator[pa.StringArray]:
    """The URLs of an artifact of links that belong to `shard`, in their order, some at a time."""
    for path in links_files(links):
        with tables.open_table(path, SCHEMA) as file:
            for batch in file.iter_batches(columns=["url", "domain"]):
                yield _own(batch["url"], batch["domain"], shard)


def _own(urls: pa.StringArray, domains: pa.StringArray, shard: Shard) -> pa.StringArray:
    number, of = shard
    if of == 1:
        return urls
    coded = pc.dictionary_encode(domains)
    is_own = np.array([shard_of(str(d), of) == number for d in coded.dictionary], bool)
    return urls.filter(pa.array(is_own[coded.indices.to_numpy(zero_copy_only=False)]))
