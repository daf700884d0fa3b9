"""What the web has still to be asked for: the links of this machine that have no outcome yet."""

from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.crawl.config import CrawlConfig, Shard, parse_shard
from wellread.crawl.journal import Journal, done_keys, url_key, url_keys
from wellread.crawl.queue import Queue, without, write_queue
from wellread.crawl.shard import rows_of_shard
from wellread.formats.pages import Outcome

OVER = "domain_limit"


def waiting_links(
    links: Path, journal: Journal, out: Path, config: CrawlConfig
) -> tuple[Queue, int]:
    """The links that are to be asked for, and how many have an outcome.

    Those beyond the limit of their domain are given theirs.
    """
    done, shard = done_keys(out), parse_shard(config.shard)
    limits = last_keys(links, shard, config.max_links_per_domain)
    num_over = 0

    def batches() -> Iterator[pa.StringArray]:
        nonlocal num_over
        for urls, domains in rows_of_shard(links, shard):
            is_over = beyond(limits, urls, domains)
            for url in without(urls.filter(is_over), done).to_pylist():
                journal.add(Outcome(url=url, outcome=OVER))
                num_over += 1
            yield without(urls.filter(pc.invert(is_over)), done)

    queue = write_queue(out, batches())
    return queue, len(done) + num_over


def last_keys(links: Path, shard: Shard, limit: int | None) -> dict[str, int]:
    """Of each domain with more than `limit` links, the key of the last that is within it.

    In the order of their keys, which is the same in each run and says nothing of what they are.
    Memory: 8 bytes for each link of these domains.
    """
    if limit is None:
        return {}
    counts: Counter[str] = Counter()
    for _, domains in rows_of_shard(links, shard):
        for count in pc.value_counts(domains).to_pylist():
            counts[count["values"]] += count["counts"]
    keys = {domain: array("Q") for domain, number in counts.items() if number > limit}
    for urls, domains in rows_of_shard(links, shard):
        is_large = pc.is_in(domains, value_set=pa.array(keys, pa.string()))
        large = zip(
            urls.filter(is_large).to_pylist(), domains.filter(is_large).to_pylist(), strict=True
        )
        for url, domain in large:
            keys[domain].append(url_key(url))
    return {
        domain: int(np.partition(np.frombuffer(own, np.uint64), limit - 1)[limit - 1])
        for domain, own in keys.items()
    }


def beyond(limits: dict[str, int], urls: pa.StringArray, domains: pa.StringArray) -> pa.Array:
    """Which of `urls` come after the last of their domain that is within the limit."""
    is_over = np.zeros(len(urls), bool)
    if limits and len(urls):
        is_large = pc.is_in(domains, value_set=pa.array(limits, pa.string()))
        places = np.flatnonzero(is_large.to_numpy(zero_copy_only=False))
        last = [limits[domain] for domain in domains.filter(is_large).to_pylist()]
        keys = url_keys(urls.filter(is_large).to_pylist())
        is_over[places] = keys > np.array(last, np.uint64)
    return pa.array(is_over)
