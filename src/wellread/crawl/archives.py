"""Pages out of WARC files that are already there: the source "warc"."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wellread.base.errors import WellreadError
from wellread.base.manifest import BAD_RECORDS, MAX_EXAMPLES, Draft
from wellread.base.progress import Progress
from wellread.crawl.blocklists import Lists
from wellread.crawl.config import CrawlConfig, parse_shard
from wellread.crawl.journal import Journal
from wellread.crawl.pages import judged
from wellread.crawl.provenance import provenance
from wellread.crawl.shard import urls_of_shard
from wellread.formats.archives import read_replies
from wellread.formats.pages import Outcome

ABSENT = "not in the given pages"
# Of a link's digest: WebText's 45 million links take 540 MB, and two of them share one with a
# probability of 1e-14.
DIGEST_BYTES = 12


def take_pages(draft: Draft, links: Path, config: CrawlConfig, progress: Progress) -> None:
    """Note in the journal what the archives hold of `links`.

    The first page that can be used stands for its link; else the first refusal says why not. What
    a list keeps out is not taken. Memory holds a digest for each link and what was refused.
    """
    shard, kept_out = parse_shard(config.shard), Lists(config).refusal

    def wanted_urls() -> Iterator[str]:
        for urls in urls_of_shard(links, shard):
            yield from urls.to_pylist()

    wanted = np.sort(np.fromiter(map(_digest, wanted_urls()), dtype=f"S{DIGEST_BYTES}"))
    is_found = np.zeros(len(wanted), dtype=bool)
    refused = {
        url: Outcome(url=url, outcome=why) for url in wanted_urls() if (why := kept_out(url))
    }
    kept = frozenset(refused)
    num_read = num_found = 0
    about = provenance(config)
    with Journal(draft.out, segment_bytes=config.segment_bytes, about=about) as journal:
        for path in config.warcs:
            for reply in read_replies(path, partial(_note_bad, draft), config.max_page_bytes):
                num_read += 1
                place = _place(wanted, reply.url)
                if place is not None and not is_found[place] and reply.url not in kept:
                    outcome, page = judged(reply, config.max_page_bytes)
                    if page is not None:
                        is_found[place] = True
                        num_found += 1
                        journal.add(outcome, page)
                    else:
                        refused.setdefault(reply.url, outcome)
                progress(num_found, len(wanted), f"pages found of {num_read} read")
        if num_read == 0 and draft.examples:
            bad = [f"{reason}: {named[0]}" for reason, named in draft.examples.items()]
            raise WellreadError(f"crawl: no answers in the given archives ({', '.join(bad)})")
        for url in wanted_urls():
            if not is_found[_place(wanted, url)]:
                journal.add(refused.get(url) or Outcome(url=url, outcome=ABSENT))


def _note_bad(draft: Draft, reason: str, where: str) -> None:
    # Beside the drops, which account for links: these records may be anybody's.
    draft.counts[BAD_RECORDS + reason] += 1
    named = draft.examples.setdefault(reason, [])
    if len(named) < MAX_EXAMPLES:
        named.append(where)


def _digest(url: str) -> bytes:
    # Without zeros at the end, as NumPy gives back strings of bytes.
    return hashlib.blake2b(url.encode(), digest_size=DIGEST_BYTES).digest().rstrip(b"\0")


def _place(wanted: np.ndarray[Any, Any], url: str) -> int | None:
    """Where `url` is among the wanted, or None."""
    digest = _digest(url)
    place = int(np.searchsorted(wanted, np.bytes_(digest)))
    return place if place < len(wanted) and wanted[place] == digest else None
