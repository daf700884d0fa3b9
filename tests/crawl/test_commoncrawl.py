"""Pages out of an index and WARC files of Common Crawl's layout, over real sockets."""

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.crawl.common_crawl import CRAWL, FILLER, settings
from tests.crawl.conftest import link_to, write_links_to
from tests.sites.common_crawl import Captured, CommonCrawl
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact, writing
from wellread.crawl.commoncrawl_index import FOOTER_BYTES
from wellread.crawl.config import CrawlConfig
from wellread.crawl.shard import shard_of
from wellread.crawl.stage import crawl, survey
from wellread.crawl.surt import surt_key
from wellread.formats.archives import read_pages
from wellread.formats.captures import read_captures
from wellread.formats.links import Link, write_links
from wellread.formats.pages import read_outcomes

QUERY_BYTES = 20_000


def outcomes_of(out: Path) -> dict[str, str]:
    return {outcome.url: outcome.outcome for outcome in read_outcomes(out)}


def test_pages_of_links_come_out_of_the_captures(tmp_path: Path, served: CommonCrawl) -> None:
    served.add_crawl(CRAWL, [*FILLER, Captured("com,a)/b", "http://a.com/b", b"<p>A page.</p>")])
    links = write_links_to(tmp_path / "links", ["http://a.com/b", "http://a.com/c"])
    manifest = crawl(links, tmp_path / "pages", settings(served))
    (page,) = read_pages(tmp_path / "pages")
    assert (page.url, page.body, page.content_type) == (
        "http://a.com/b", b"<p>A page.</p>", "text/html",
    )  # fmt: skip
    assert page.fetched_at == datetime(2017, 12, 11, tzinfo=UTC)
    assert manifest.dropped == {"not in Common Crawl": 1}
    assert manifest.counts["out"] == manifest.counts["matched: exact"] == 1
    assert sorted(p.name for p in (tmp_path / "pages").iterdir()) == [
        "captures.parquet",
        "manifest.json",
        "outcomes.parquet",
        "pages-00000.warc.gz",
    ]


def test_only_row_groups_that_may_hold_a_key_are_read_and_only_needed_columns(
    tmp_path: Path, served: CommonCrawl
) -> None:
    paths = served.add_crawl(CRAWL, FILLER, files=3, rows_per_group=5, change=with_long_queries)
    links = write_links_to(tmp_path / "links", ["http://filler.com/030", "http://filler.com/031"])
    crawl(links, tmp_path / "pages", settings(served))
    asked_of = Counter(path for path, _ in served.asked if path in paths)
    # A footer each; and of the second file, which has rows 20 to 39, the keys and then the other
    # columns, in two parts, of the third of its row groups, which has rows 30 to 34.
    assert asked_of == {paths[0]: 1, paths[1]: 4, paths[2]: 1}
    groups = pq.read_metadata(pa.BufferReader(served.files[paths[1]]))
    (start, _), (_, end) = (extent(groups.row_group(2), at) for at in (0, -1))
    asked = [asked for path, asked in served.asked if path == paths[1] and "=-" not in asked]
    assert all(start <= int(byte) < end for span in asked for byte in re.findall(r"\d+", span))
    footers = 3 * FOOTER_BYTES
    assert sum(served.sent[path] for path in paths) - footers < 3_000 < QUERY_BYTES


def with_long_queries(table: pa.Table) -> pa.Table:
    """A column that nobody needs, longer than what a reader reads on between two columns."""
    digests = [hashlib.shake_128(bytes([n])).hexdigest(QUERY_BYTES // 2) for n in range(len(table))]
    place = table.schema.names.index("url_query")
    return table.set_column(place, "url_query", pa.array(digests))


def extent(group: pq.RowGroupMetaData, column: int) -> tuple[int, int]:
    chunk = group.column(column % group.num_columns)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    return start, start + chunk.total_compressed_size


def test_an_exact_capture_is_preferred_and_variants_are_counted(
    tmp_path: Path, served: CommonCrawl
) -> None:
    served.add_crawl(
        CRAWL,
        [
            Captured("com,a)/x", "https://a.com/x", b"other scheme"),
            Captured("com,a)/x", "http://a.com/x", b"exact"),
            Captured("com,a)/x", "http://a.com/X", b"another page"),
            Captured("com,b)/x", "https://b.com/x", b"scheme of b"),
            Captured("com,c)/x", "http://www.c.com/x", b"www of c"),
            Captured("com,d)/x", "http://d.com/x/", b"slash of d"),
            Captured("com,e)/x", "http://e.com/X", b"upper case of e"),
        ],
    )
    urls = [f"http://{host}.com/x" for host in "abcde"]
    out = tmp_path / "pages"
    manifest = crawl(write_links_to(tmp_path / "links", urls), out, settings(served))
    assert {page.url: page.body for page in read_pages(out)} == {
        "http://a.com/x": b"exact",
        "http://b.com/x": b"scheme of b",
        "http://c.com/x": b"www of c",
        "http://d.com/x": b"slash of d",
    }
    assert outcomes_of(out)["http://e.com/x"] == "not in Common Crawl"
    matched = {k: n for k, n in manifest.counts.items() if k.startswith("matched")}
    assert matched == {
        "matched: exact": 1,
        "matched: scheme": 1,
        "matched: www": 1,
        "matched: slash": 1,
    }
    captured = {capture.url: capture.captured_url for capture in read_captures(out)}
    assert captured["http://c.com/x"] == "http://www.c.com/x"
    assert captured["http://e.com/x"] is None


def test_of_several_crawls_the_capture_nearest_to_the_link_is_taken(
    tmp_path: Path, served: CommonCrawl
) -> None:
    years = {2013: "CC-MAIN-2013-20", 2015: "CC-MAIN-2015-14", 2017: CRAWL}
    for year, name in years.items():
        moment = datetime(year, 6, 1, tzinfo=UTC)
        pages = [Captured("com,a)/x", "http://a.com/x", str(year).encode(), moment)]
        if year == 2013:
            pages.append(Captured("com,b)/x", "http://b.com/x", b"b in 2013", moment))
        served.add_crawl(name, pages)
    submitted = {"http://a.com/x": 2014, "http://b.com/x": 2017}
    with writing(tmp_path / "links", stage="links", config=Config(), inputs={}) as draft:
        write_links(draft, [submitted_in(url, year) for url, year in submitted.items()])
    crawl(tmp_path / "links", tmp_path / "pages", settings(served, *years.values()))
    bodies = {page.url: page.body for page in read_pages(tmp_path / "pages")}
    # 10 September 2014 is nearer to 1 June 2015 than to 1 June 2013.
    assert bodies == {"http://a.com/x": b"2015", "http://b.com/x": b"b in 2013"}


def submitted_in(url: str, year: int) -> Link:
    return msgspec.structs.replace(link_to(url), created_utc=datetime(year, 9, 10, tzinfo=UTC))


def test_each_capture_that_is_no_page_has_its_reason(tmp_path: Path, served: CommonCrawl) -> None:
    pages = {
        "pdf": {"content_type": "application/pdf", "detected": "application/pdf"},
        "untyped": {"content_type": "", "detected": "text/html"},
        "cut": {"truncated": "length"},
        "cut-unknown": {"is_truncated_unknown": True},
        "cut-unmarked": {"body": b"x" * 1_048_576},
        "large": {"body": b"x" * 1_200_000},
        "good": {},
        "gone": {"status": 404},
    }
    served.add_crawl(
        CRAWL,
        [Captured(f"com,a)/{p}", f"http://a.com/{p}", **kw) for p, kw in pages.items()],  # type: ignore[arg-type]
    )
    links = write_links_to(tmp_path / "links", [f"http://a.com/{path}" for path in pages])
    crawl(links, tmp_path / "pages", settings(served, max_page_bytes=1_100_000))
    assert outcomes_of(tmp_path / "pages") == {
        "http://a.com/pdf": "not_a_page",
        "http://a.com/untyped": "fetched",  # as a site's answer without Content-Type
        "http://a.com/cut": "truncated",
        "http://a.com/cut-unknown": "truncated",
        "http://a.com/cut-unmarked": "truncated",
        "http://a.com/large": "too_large",
        "http://a.com/good": "fetched",
        "http://a.com/gone": "http_404",
    }


def test_an_index_that_lies_about_places_gives_no_wrong_page(
    tmp_path: Path, served: CommonCrawl
) -> None:
    def lie(table: pa.Table) -> pa.Table:
        rows = {row["url"]: row for row in table.to_pylist()}
        other = rows["http://a.com/other"]
        rows["http://a.com/swapped"]["warc_record_offset"] = other["warc_record_offset"]
        rows["http://a.com/swapped"]["warc_record_length"] = other["warc_record_length"]
        rows["http://a.com/swapped"]["warc_filename"] = other["warc_filename"]
        rows["http://a.com/shifted"]["warc_record_offset"] += 3
        rows["http://a.com/short"]["warc_record_length"] -= 20
        rows["http://a.com/past"]["warc_record_offset"] = 10_000_000
        rows["http://a.com/nowhere"]["warc_filename"] = "crawl-data/no-such.warc.gz"
        return pa.Table.from_pylist(list(rows.values()), schema=table.schema)

    names = ["nowhere", "other", "past", "shifted", "short", "swapped"]
    captured = [Captured(f"com,a)/{n}", f"http://a.com/{n}") for n in names]
    served.add_crawl(CRAWL, captured, change=lie)
    links = write_links_to(tmp_path / "links", [f"http://a.com/{n}" for n in names])
    crawl(links, tmp_path / "pages", settings(served))
    assert outcomes_of(tmp_path / "pages") == {
        "http://a.com/nowhere": "capture_missing",
        "http://a.com/other": "fetched",
        "http://a.com/past": "capture_missing",
        "http://a.com/shifted": "capture_damaged",
        "http://a.com/short": "capture_damaged",
        "http://a.com/swapped": "capture_of_another_page",
    }


def test_neighbouring_records_come_in_one_request(tmp_path: Path, served: CommonCrawl) -> None:
    served.add_crawl(CRAWL, FILLER)
    links = write_links_to(tmp_path / "links", [page.url for page in FILLER])
    crawl(links, tmp_path / "pages", settings(served))
    assert len(list(read_pages(tmp_path / "pages"))) == 60
    assert sum(path.endswith(".warc.gz") for path, _ in served.asked) == 2  # one a file


def test_an_index_out_of_order_or_without_statistics_is_read_in_full(
    tmp_path: Path, served: CommonCrawl
) -> None:
    # As of the crawls before 2022, whose files are two sorted halves dealt out in turn.
    zipped = lambda table: table.take([n // 2 + n % 2 * 30 for n in range(60)])  # noqa: E731
    served.add_crawl("CC-MAIN-2018-22", FILLER, change=zipped, rows_per_group=10)
    old = {"write_statistics": False, "use_deprecated_int96_timestamps": True}
    served.add_crawl(CRAWL, FILLER, **old)
    links = write_links_to(tmp_path / "links", ["http://filler.com/007", "http://filler.com/059"])
    for name in ("CC-MAIN-2018-22", CRAWL):
        crawl(links, tmp_path / name, settings(served, name))
        assert [page.url[-3:] for page in read_pages(tmp_path / name)] == ["007", "059"]
        captures = list(read_captures(tmp_path / name))
        assert {c.fetched_at for c in captures} == {datetime(2017, 12, 11, tzinfo=UTC)}


def test_a_survey_says_what_would_be_fetched_and_the_crawl_goes_on_from_it(
    tmp_path: Path, served: CommonCrawl
) -> None:
    paths = served.add_crawl(CRAWL, FILLER)
    urls = ["http://filler.com/002", "https://filler.com/004", "http://absent.com/"]
    links, out = write_links_to(tmp_path / "links", urls), tmp_path / "pages"
    known = survey(links, out, settings(served))
    lengths = {c.url: c.length for c in read_captures(out)}
    assert (known.links, known.fetched, known.requests) == (3, 2, 1)
    assert known.matched == {"exact": 1, "scheme": 1, "www": 0, "slash": 0}
    # Records of request and metadata lie between the two, less than a request of its own costs.
    assert lengths["http://filler.com/002"] is not None
    assert known.num_bytes > 2 * lengths["http://filler.com/002"]
    assert not is_artifact(out)
    assert not any(path.endswith(".warc.gz") for path, _ in served.asked)
    for path in paths:
        served.take_away(path)
    assert crawl(links, out, settings(served)).counts["out"] == 2
    assert survey(links, out, settings(served)) == known


def test_shards_and_lists_hold_for_common_crawl_too(tmp_path: Path, served: CommonCrawl) -> None:
    names = ["a.com", "b.com", "c.com", "d.com", "e.com"]
    captured = [Captured(f"com,{name[0]})/", f"http://www.{name}/") for name in names]
    served.add_crawl(CRAWL, [*FILLER, *captured])
    with writing(tmp_path / "links", stage="links", config=Config(), inputs={}) as draft:
        rows = [msgspec.structs.replace(link_to(f"http://{n}/"), domain=n) for n in names]
        write_links(draft, rows)
    blocked, takedown = tmp_path / "blocked.txt", tmp_path / "takedown.txt"
    blocked.write_text("a.com\n")
    takedown.write_text("www.b.com\n")  # where the link of b.com was captured
    found = {}
    for number in range(2):
        out = tmp_path / f"pages-{number}"
        lists = {"blocklists": {"adult": blocked}, "takedown": takedown}
        crawl(tmp_path / "links", out, settings(served, shard=f"{number}/2", **lists))
        outcomes = outcomes_of(out)
        assert outcomes.keys() == {f"http://{n}/" for n in names if shard_of(n, 2) == number}
        found |= outcomes
    fetched = dict.fromkeys([f"http://{n}/" for n in names[2:]], "fetched")
    assert found == {"http://a.com/": "blocked_adult", "http://b.com/": "taken_down", **fetched}
    assert {shard_of(name, 2) for name in names} == {0, 1}


def test_settings_of_common_crawl_belong_together() -> None:
    for raw, sentence in {
        '{"source": "commoncrawl"}': "give `commoncrawl_crawls` together with source",
        '{"commoncrawl_crawls": ["CC-MAIN-2017-51"]}': "give `commoncrawl_crawls` together",
        '{"source": "commoncrawl", "commoncrawl_crawls": ["2017"]}': "'2017' is no crawl",
        '{"source": "commoncrawl", "commoncrawl_crawls": ["CC-MAIN-2017-51"], '
        '"commoncrawl_base": "s3://commoncrawl/"}': "expected a web address",
    }.items():
        with pytest.raises(InputError, match=re.escape(sentence)):
            CrawlConfig(**json.loads(raw))


def test_the_real_common_crawl_is_asked_by_somebody_who_can_be_reached(tmp_path: Path) -> None:
    links = write_links_to(tmp_path / "links", ["http://a.com/"])
    config = CrawlConfig(source="commoncrawl", commoncrawl_crawls=[CRAWL])
    with pytest.raises(InputError, match=r"no user_agent_contact, and data\.commoncrawl\.org"):
        crawl(links, tmp_path / "pages", config)


@pytest.mark.real
def test_real_pages_come_back_as_they_were(
    tmp_path: Path, served: CommonCrawl, real_data: Path
) -> None:
    pages = {page.url: page for page in read_pages(real_data / "pages" / "articles.warc.gz")}
    captured = [
        Captured(surt_key(url), url, page.body, page.fetched_at, content_type=page.content_type)
        for url, page in pages.items()
    ]
    served.add_crawl(CRAWL, captured, files=4, rows_per_group=8)
    urls = list(pages)[::2]
    out = tmp_path / "pages"
    crawl(write_links_to(tmp_path / "links", urls), out, settings(served))
    assert {page.url: page.body for page in read_pages(out)} == {
        url: pages[url].body for url in urls
    }
