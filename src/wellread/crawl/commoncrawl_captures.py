"""Which capture of Common Crawl stands for a link, for all links of a crawl.

Every link is looked up in the index of every crawl. Memory holds a few row groups and the links
whose keys lie in their range, however many links there are: tables are sorted on disk.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.files import replacing
from wellread.base.manifest import Draft
from wellread.base.progress import Progress
from wellread.base.threads import in_order
from wellread.crawl.commoncrawl_index import WANTED, Wanted, find_rows, index_files, read_footer
from wellread.crawl.config import CrawlConfig, parse_shard
from wellread.crawl.ranges import Part, RangeServer
from wellread.crawl.shard import links_of_shard
from wellread.crawl.surt import MATCHES, match, surt_keys
from wellread.formats import tables
from wellread.formats.captures import PLACE, SCHEMA, Capture, write_captures
from wellread.formats.links import Link
from wellread.formats.pages import refusal
from wellread.formats.replies import TRUNCATED

WORK = "looking-up"  # a folder beside the journal: footers and what each index file has
SORTING = "sorting"
FILES_AT_ONCE = 2  # one decodes while the other loads; each takes some 150 MB
NOT_THERE = "not in Common Crawl"


def resolve(
    draft: Draft, links: Path, server: RangeServer, config: CrawlConfig, progress: Progress
) -> None:
    """Write `captures.parquet`: for each of `links` its capture, or that it has none."""
    work, shard = draft.out / WORK, parse_shard(config.shard)
    work.mkdir(exist_ok=True)
    wanted = work / "wanted.parquet"
    if not wanted.exists():
        _write(wanted, WANTED, _sorted_keys(links_of_shard(links, shard), work))
    parts = [
        (crawl, path, work / f"{crawl}-{number:05}")
        for crawl in config.commoncrawl_crawls
        for number, path in enumerate(index_files(server, crawl))
    ]
    look = partial(_look_through, server, wanted)
    threads = min(FILES_AT_ONCE, config.commoncrawl_requests)
    for done, _ in enumerate(in_order(look, parts, threads, server.stop), start=1):
        progress(done, len(parts), "index files")
    rows = tables.read_rows([part.with_suffix(".parquet") for _, _, part in parts], SCHEMA)
    by_link = tables.sorted_rows(rows, SCHEMA, "url", work / SORTING)
    chosen = map(msgspec.structs.asdict, _choose(links_of_shard(links, shard), by_link))
    by_place = tables.sorted_rows(chosen, SCHEMA, PLACE, work / SORTING)
    write_captures(draft, (Capture(**row) for row in by_place))


def _sorted_keys(links: Iterable[Link], work: Path) -> Iterator[dict[str, Any]]:
    rows = ({"key": key, "url": link.url} for link in links for key in surt_keys(link.url))
    return tables.sorted_rows(rows, WANTED, "key, url", work / SORTING)


def _write(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> None:
    with replacing(path) as partial_path:
        tables.write_rows(partial_path, schema, rows)


def _look_through(server: RangeServer, wanted: Path, part: tuple[str, str, Path]) -> None:
    """Write the captures of wanted links that one index file has, unless it was done before."""
    crawl, path, kept = part
    target = kept.with_suffix(".parquet")
    if target.exists():
        return
    end = read_footer(server, path, kept.with_suffix(".footer"))
    sought = Wanted(wanted)
    try:
        _write(target, SCHEMA, _captures(server, crawl, path, end, sought))
    finally:
        sought.close()


def _captures(
    server: RangeServer, crawl: str, path: str, end: Part, wanted: Wanted
) -> Iterator[dict[str, Any]]:
    for rows in find_rows(server, path, end, wanted):
        ends = pc.min_max(rows["key"]).as_py()
        links = defaultdict[str, list[str]](list)
        for some in wanted.between(ends["min"], ends["max"]):
            is_there = pc.is_in(some["key"], value_set=rows["key"].combine_chunks())
            for row in some.filter(is_there).to_pylist():
                links[row["key"]].append(row["url"])
        for row in rows.to_pylist():
            for url in links[row["key"]]:
                if how := match(url, row["url"]):
                    yield msgspec.structs.asdict(_capture(url, how, crawl, row))


def _capture(url: str, how: str, crawl: str, row: dict[str, Any]) -> Capture:
    sent, detected = row["content_mime_type"], row["content_mime_detected"]
    moment: datetime = row["fetch_time"]
    return Capture(
        url=url,
        matched=how,
        captured_url=row["url"],
        crawl=crawl,
        fetched_at=moment if moment.tzinfo else moment.replace(tzinfo=UTC),
        status=row["fetch_status"],
        content_type=sent if sent not in (None, "", "unk") else detected,
        truncated=row.get("content_truncated"),
        filename=row["warc_filename"],
        offset=row["warc_record_offset"],
        length=row["warc_record_length"],
    )


def _choose(links: Iterable[Link], candidates: Iterable[dict[str, Any]]) -> Iterator[Capture]:
    """For each link, both in order of URL, the capture that stands for it.

    Of those worth fetching, if there are any, the best match; of equal matches the nearest to the
    link's first submission; then the earliest.
    """
    groups = groupby(candidates, key=itemgetter("url"))
    url, group = next(groups, (None, iter(())))
    for link in links:
        if url != link.url:
            yield Capture(url=link.url)
            continue
        submitted = link.created_utc
        yield min((Capture(**row) for row in group), key=lambda c: _preference(c, submitted))
        url, group = next(groups, (None, iter(())))
    assert url is None, f"{url} was found and is no link"


def _preference(capture: Capture, submitted: datetime) -> tuple[Any, ...]:
    assert capture.matched is not None
    assert capture.fetched_at is not None
    return (
        refused(capture) is not None,
        MATCHES.index(capture.matched),
        abs(capture.fetched_at - submitted),
        capture.fetched_at,
        capture.place,
    )


def refused(capture: Capture) -> str | None:
    """Why the index alone says that there is no page, or None."""
    if capture.filename is None:
        return NOT_THERE
    if capture.truncated:
        return TRUNCATED
    return refusal(capture.status or 0, capture.content_type or "")
