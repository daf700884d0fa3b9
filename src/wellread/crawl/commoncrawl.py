"""Pages out of Common Crawl: the source "commoncrawl", which asks nothing of the sites.

First `captures.parquet` says which record stands for each link (commoncrawl_captures.py). Then the
records are fetched in the order of their places, neighbours in one request. A killed run goes on
from the index files that it has looked through, then from the last link in the journal.
"""

import logging
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.base.manifest import Draft
from wellread.base.progress import Progress
from wellread.base.text import human_bytes
from wellread.base.threads import in_order
from wellread.base.urls import canonical_url
from wellread.crawl.blocklists import Lists
from wellread.crawl.commoncrawl_captures import WORK, refused, resolve
from wellread.crawl.config import CrawlConfig, user_agent
from wellread.crawl.journal import Journal, read_journal
from wellread.crawl.pages import judged
from wellread.crawl.provenance import provenance
from wellread.crawl.ranges import Absent, RangeServer
from wellread.crawl.surt import MATCHES
from wellread.formats.archives import parse_record
from wellread.formats.captures import FILE, Capture, read_captures
from wellread.formats.pages import Outcome, Page
from wellread.formats.replies import TRUNCATED

log = logging.getLogger(__name__)

MISSING, DAMAGED, OTHER = "capture_missing", "capture_damaged", "capture_of_another_page"
# Bytes between two records that are read rather than asked for around: less than a request costs.
GAP_BYTES = 1 << 14
REQUEST_BYTES = 1 << 22  # records past this go into a request of their own
HEADER_BYTES = 1 << 20  # of a record beyond its body: far more than any has
UNFETCHED_TOGETHER = 1000
# Where Common Crawl cut bodies until 2025; not all of them are marked before CC-MAIN-2019-35
# (github.com/commoncrawl/cc-notebooks, warc-truncation).
CUT_AT_BYTES = 1 << 20
Unfetched = Callable[[Capture], str | None]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the index says before anything is fetched."""

    links: int
    matched: dict[str, int]  # exact, scheme, www, slash -> links; see crawl.surt.match
    fetched: int  # records worth fetching
    requests: int
    num_bytes: int  # that these requests bring


class Request(NamedTuple):
    """Neighbouring records of a WARC file; without file: captures that need not be fetched."""

    filename: str | None
    start: int
    end: int
    captures: list[Capture]


def open_server(config: CrawlConfig) -> RangeServer:
    return RangeServer(
        config.commoncrawl_base,
        user_agent=user_agent(config),
        timeout=config.timeout_seconds,
        patience=config.commoncrawl_patience_seconds,
    )


def look_up(draft: Draft, links: Path, config: CrawlConfig, progress: Progress) -> Found:
    """Find the links' captures and keep them in the draft; what fetching them would take."""
    if not (draft.out / FILE).exists():
        with open_server(config) as server:
            resolve(draft, links, server, config, progress)
    return found(draft.out, config)


def found(directory: Path, config: CrawlConfig) -> Found:
    """What `captures.parquet` holds, for a person who decides whether to go on."""
    matched: Counter[str] = Counter()

    def counted() -> Iterator[Capture]:
        for capture in read_captures(directory):
            matched[capture.matched or ""] += 1
            yield capture

    records = requests = num_bytes = 0
    for request in _requests(counted(), unfetched_by(config)):
        if request.filename is not None:
            requests += 1
            records += len(request.captures)
            num_bytes += request.end - request.start
    return Found(
        links=matched.total(),
        matched={name: matched[name] for name in MATCHES},
        fetched=records,
        requests=requests,
        num_bytes=num_bytes,
    )


def describe(known: Found) -> str:
    """
    >>> matched = {"exact": 5, "scheme": 2, "www": 0, "slash": 1}
    >>> print(describe(Found(links=9, matched=matched, fetched=7, requests=3, num_bytes=90_000)))
    8 of 9 links have a capture: 5 exact, 2 scheme, 1 slash
    7 of them may be pages, in 3 requests of 90.0 kB together
    """
    how = ", ".join(f"{count:,} {name}" for name, count in known.matched.items() if count)
    num_matched = sum(known.matched.values())
    return (
        f"{num_matched:,} of {known.links:,} links have a capture{how and f': {how}'}\n"
        f"{known.fetched:,} of them may be pages, in {known.requests:,} requests of "
        f"{human_bytes(known.num_bytes)} together"
    )


def fetch_captures(draft: Draft, links: Path, config: CrawlConfig, progress: Progress) -> Found:
    """Note in the journal what Common Crawl has of each of `links`; what it was found to have."""
    known = look_up(draft, links, config, progress)
    about = provenance(config)
    with (
        open_server(config) as server,
        Journal(draft.out, segment_bytes=config.segment_bytes, about=about) as journal,
    ):
        if journal.warning:
            log.warning(journal.warning)
        done = sum(1 for _ in read_journal(draft.out))
        rest = islice(read_captures(draft.out), done, None)
        unfetched = unfetched_by(config)
        fetch = partial(_fetch, server, config, unfetched)
        pages = 0
        requests, threads = _requests(rest, unfetched), config.commoncrawl_requests
        for results in in_order(fetch, requests, threads, server.stop):
            for outcome, page in results:
                journal.add(outcome, page)
                done += 1
                pages += page is not None
            progress(done, known.links, f"{pages} pages")
    shutil.rmtree(draft.out / WORK, ignore_errors=True)
    return known


def unfetched_by(config: CrawlConfig) -> Unfetched:
    """A function that says why a capture is not worth fetching, if that is known beforehand."""
    lists = Lists(config)
    most_bytes = config.max_page_bytes + HEADER_BYTES  # of the compressed record alone

    def reason(capture: Capture) -> str | None:
        for url in (capture.url, capture.captured_url):
            if url is not None and (listed := lists.refusal(url)):
                return listed
        if bad := refused(capture):
            return bad
        return "too_large" if (capture.length or 0) > most_bytes else None

    return reason


def _requests(captures: Iterable[Capture], unfetched: Unfetched) -> Iterator[Request]:
    """Captures in order of place, those that are fetched in one request together."""
    waiting: Request | None = None
    for capture in captures:
        new = _request(capture, unfetched)
        if waiting is not None and _are_one(waiting, new):
            end = max(waiting.end, new.end)
            waiting = waiting._replace(end=end)
            waiting.captures.append(capture)
        else:
            if waiting is not None:
                yield waiting
            waiting = new
    if waiting is not None:
        yield waiting


def _request(capture: Capture, unfetched: Unfetched) -> Request:
    if unfetched(capture):
        return Request(None, 0, 0, [capture])
    assert capture.offset is not None
    assert capture.length is not None
    return Request(capture.filename, capture.offset, capture.offset + capture.length, [capture])


def _are_one(waiting: Request, new: Request) -> bool:
    if waiting.filename != new.filename:
        return False
    if waiting.filename is None:
        return len(waiting.captures) < UNFETCHED_TOGETHER
    return new.start - waiting.end <= GAP_BYTES and new.end - waiting.start <= REQUEST_BYTES


def _fetch(
    server: RangeServer, config: CrawlConfig, unfetched: Unfetched, request: Request
) -> list[tuple[Outcome, Page | None]]:
    if request.filename is None:
        return [
            (Outcome(url=c.url, outcome=reason, status=c.status), None)
            for c in request.captures
            if (reason := unfetched(c))  # all of them
        ]
    try:
        content = server.read(request.filename, request.start, request.end - request.start)
    except Absent:
        return [(Outcome(url=c.url, outcome=MISSING), None) for c in request.captures]
    return [
        _judged(c, content[c.offset - request.start :][: c.length], config)  # type: ignore[operator]
        for c in request.captures
    ]


def _judged(capture: Capture, packed: bytes, config: CrawlConfig) -> tuple[Outcome, Page | None]:
    """What the bytes at a capture's place are to its link."""

    def without_page(reason: str) -> tuple[Outcome, None]:
        return Outcome(url=capture.url, outcome=reason), None

    room = config.max_page_bytes + HEADER_BYTES
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(packed, room)
    except zlib.error:
        return without_page(DAMAGED)
    if len(content) == room:
        return without_page("too_large")
    if not unpacker.eof:
        return without_page(DAMAGED)
    where = f"{capture.filename}, byte {capture.offset}"
    reply = next(parse_record(content, where, _ignore, config.max_page_bytes), None)
    if reply is None:
        return without_page(DAMAGED)
    if reply.url != canonical_url(capture.captured_url or ""):
        return without_page(OTHER)
    flaw = TRUNCATED if len(reply.body) == CUT_AT_BYTES else reply.flaw
    reply = msgspec.structs.replace(reply, url=capture.url, flaw=flaw)
    return judged(reply, config.max_page_bytes)


def _ignore(_reason: str, _where: str) -> None:
    """The link's outcome says it."""
