"""What a crawl would take, before anybody is asked; each figure with what it assumes."""

from collections import Counter
from pathlib import Path

import msgspec
import pyarrow.compute as pc

from wellread.base.manifest import read_artifact
from wellread.base.text import human_bytes, human_seconds
from wellread.crawl.config import CrawlConfig, parse_shard
from wellread.crawl.queue import by_host
from wellread.crawl.shard import rows_of_shard
from wellread.crawl.waiting import beyond, last_keys
from wellread.formats.links import STAGE as LINKS

NUM_LARGEST = 5  # hosts that are named
ANSWER_SECONDS = 1.0  # from a request to the end of its answer; ours
MOST_PER_SECOND = 200  # pages that one process takes in: less than benchmarks/crawl.py finds
# A page of the real ones in docs/test-data.md (181 articles, 157 of newspapers, 37 of Dolma's WARC
# files), on average, and packed as it is sent and stored.
PAGE_BYTES, PACKED_BYTES = 125_000, 26_000
RECORD_BYTES = 1_500  # of the records' own headers, packed, and of the outcome


class Host(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    num_links: int


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Of a crawl in which every link gives a page: an upper bound but of what is retried."""

    num_links: int
    num_hosts: int
    largest: list[Host]
    seconds: float
    received_bytes: int
    disk_bytes: int
    assumptions: dict[str, str]  # by figure


def estimate(links: Path, config: CrawlConfig) -> Estimate:
    """Count the links of this shard by host, and multiply. Memory: a counter for each host."""
    read_artifact(links, LINKS)
    counts: Counter[str] = Counter()
    shard = parse_shard(config.shard)
    limits = last_keys(links, shard, config.max_links_per_domain)
    within = (
        urls.filter(pc.invert(beyond(limits, urls, domains)))
        for urls, domains in rows_of_shard(links, shard)
    )
    for host, num_links in by_host(within):
        counts[host] += num_links
    total = counts.total()
    # By number and then by name: the counter's own order of equals is that of their first links.
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    largest = [Host(host=host, num_links=count) for host, count in ordered[:NUM_LARGEST]]
    each = config.delay_seconds + ANSWER_SECONDS
    of_largest = largest[0].num_links * each / config.requests_per_host if largest else 0.0
    rate = min(config.under_way / ANSWER_SECONDS, MOST_PER_SECOND)
    of_all = (total + len(counts)) / rate  # and the robots.txt of every host
    bound = f"{largest[0].host} alone" if of_largest > of_all else f"{rate:.0f} pages/s over all"
    if not largest:
        bound = "no links"
    return Estimate(
        num_links=total,
        num_hosts=len(counts),
        largest=largest,
        seconds=max(of_largest, of_all),
        received_bytes=total * PACKED_BYTES,
        disk_bytes=total * (PACKED_BYTES + RECORD_BYTES),
        assumptions={
            "seconds": f"{bound}; an answer takes {ANSWER_SECONDS:g} s, then its host rests "
            f"{config.delay_seconds:g} s; no host asks for longer rests",
            "received_bytes": f"every link gives a page of {human_bytes(PAGE_BYTES)}, "
            f"{human_bytes(PACKED_BYTES)} as it is sent",
            "disk_bytes": f"packed as well as it was sent, and {human_bytes(RECORD_BYTES)} "
            "beside each page",
        },
    )


def describe(found: Estimate) -> str:
    """The estimate as a few lines of text."""
    why = found.assumptions
    largest = ", ".join(f"{host.host} {host.num_links:,}" for host in found.largest)
    return "\n".join(
        [
            f"{found.num_links:,} links of {found.num_hosts:,} hosts; most: {largest}",
            f"time     {human_seconds(found.seconds):>10}  {why['seconds']}",
            f"received {human_bytes(found.received_bytes):>10}  {why['received_bytes']}",
            f"disk     {human_bytes(found.disk_bytes):>10}  {why['disk_bytes']}",
        ]
    )
