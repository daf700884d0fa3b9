"""The stage: one row a page, every submission accounted for, bad dumps refused."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import is_artifact
from wellread.base.seeds import generator
from wellread.formats.compressed import zstd
from wellread.formats.links import Link, read_links
from wellread.links.config import LinksConfig
from wellread.links.harvest import harvest_links
from wellread.links.reading import READER

FIRST = datetime(2011, 1, 1, tzinfo=UTC)


def post(url: str, score: int, *, day: int = 0, subreddit: str = "books") -> bytes:
    created = int(FIRST.timestamp()) + 86_400 * day
    record = {"created_utc": created, "score": score, "url": url, "subreddit": subreddit}
    return msgspec.json.encode(record)


def write_dump(path: Path, *lines: bytes) -> Path:
    path.write_bytes(zstd.compress(b"\n".join(lines) + b"\n"))
    return path


def test_submissions_of_one_page_become_one_row(tmp_path: Path) -> None:
    first = write_dump(tmp_path / "a.zst", post("http://A.com/x#top", 5, subreddit="early"))
    second = write_dump(
        tmp_path / "b.zst",
        post("http://a.com/x?utm_source=y", 90, day=2, subreddit="best"),
        post("http://a.com/x", 90, day=3, subreddit="later"),
        post("http://a.com/y", 4),
    )
    manifest = harvest_links([second, first], tmp_path / "out", LinksConfig())
    rows = list(read_links(tmp_path / "out"))
    assert [row.url for row in rows] == ["http://a.com/x", "http://a.com/y"]
    assert rows[0] == Link(
        url="http://a.com/x",
        domain="a.com",
        karma=90,
        subreddit="best",
        created_utc=FIRST,
        submissions=3,
        subreddits=["best", "early", "later"],
    )
    assert manifest.dropped == {"same page as another submission": 2}


def test_every_submission_is_kept_or_counted_and_bad_records_are_named(tmp_path: Path) -> None:
    dump = write_dump(
        tmp_path / "d.zst",
        post("http://a.com/x", 5),
        b'{"created_utc": 5, "score": "ma',
        b"",
        b'{"score": 9}',
        b'"\xff"',
        post("http://a.com/x", 9),
        post("http://imgur.com/x", 9),
        post("http://a.com/z", 1),
    )
    manifest = harvest_links([dump], tmp_path / "out", LinksConfig())
    assert manifest.counts == {"in": 7, "submissions_kept": 2, "out": 1}
    assert manifest.dropped == {
        "karma below the minimum": 1,
        "malformed record": 3,
        "same page as another submission": 1,
        "site of pictures, video or short posts": 1,
    }
    assert [example.split(" ")[0] for example in manifest.examples["malformed record"]] == [
        "d.zst:2",
        "d.zst:4",
        "d.zst:5",
    ]
    assert sorted(manifest.outputs) == ["links-00000.parquet", "links-report.json"]


def test_karma_may_be_summed_over_submissions(tmp_path: Path) -> None:
    dump = write_dump(
        tmp_path / "d.zst",
        post("http://a.com/x", 2, subreddit="one"),
        post("http://a.com/x", 1, subreddit="two"),
        post("http://a.com/y", 2),
        post("http://a.com/z", 9),
        post("http://a.com/z", -4),
    )
    manifest = harvest_links([dump], tmp_path / "out", LinksConfig(karma="sum"))
    rows = list(read_links(tmp_path / "out"))
    assert [(row.url, row.karma) for row in rows] == [("http://a.com/x", 3), ("http://a.com/z", 5)]
    assert rows[0].subreddits == ["one", "two"]
    assert manifest.counts == {"in": 5, "submissions_kept": 4, "out": 2}
    assert manifest.dropped == {"karma below the minimum": 1, "same page as another submission": 2}


def test_lists_of_names_come_from_files_too(tmp_path: Path) -> None:
    dump = write_dump(
        tmp_path / "d.zst",
        post("http://a.com/x", 5, subreddit="Kitchen"),
        post("http://www.b.com/x", 5),
        post("http://c.com/x", 5),
    )
    subreddits, domains = tmp_path / "subreddits.txt", tmp_path / "domains.txt"
    subreddits.write_text("# ours\n\nkitchen\n")
    domains.write_text("B.com  # with its subdomains\n")
    config = LinksConfig(subreddits_file=subreddits, domains_file=domains)
    manifest = harvest_links([dump], tmp_path / "out", config)
    assert manifest.dropped["excluded subreddit"] == manifest.dropped["excluded domain"] == 1
    assert [link.url for link in read_links(tmp_path / "out")] == ["http://c.com/x"]
    assert harvest_links([dump], tmp_path / "out", config) == manifest
    domains.write_text("c.com\n")
    assert harvest_links([dump], tmp_path / "out", config) != manifest


def test_many_dumps_give_the_same_whatever_their_order_and_the_number_of_threads(
    tmp_path: Path,
) -> None:
    source = generator(0, "dumps")
    dumps = [
        write_dump(
            tmp_path / f"RS_{number}.zst",
            *(
                post(
                    f"http://a{n % 7}.com/{n % 50}",
                    int(n % 9),
                    day=int(n % 11),
                    subreddit=f"s{n % 4}",
                )
                for n in source.integers(10_000, size=500)
            ),
            b"{}",
        )
        for number in range(5)
    ]
    one = harvest_links(dumps, tmp_path / "one", LinksConfig(threads=1))
    other = harvest_links(dumps[::-1], tmp_path / "other", LinksConfig(threads=4))
    assert list(read_links(tmp_path / "one")) == list(read_links(tmp_path / "other"))
    assert (one.counts, one.dropped, one.examples) == (other.counts, other.dropped, other.examples)


def test_a_dump_cut_short_leaves_no_artifact(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "d.zst", post("http://a.com/x", 5))
    dump.write_bytes(dump.read_bytes()[:-3])
    with pytest.raises(WellreadError, match=r"d\.zst: damaged or cut short"):
        harvest_links([dump], tmp_path / "out", LinksConfig())
    assert not is_artifact(tmp_path / "out")


def test_files_without_submissions_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_bytes(b'[\n{"a": 1}\n]\n')
    with pytest.raises(WellreadError, match=r"page\.json: none of its 3 lines is a submission"):
        harvest_links([page], tmp_path / "out", LinksConfig())
    page.write_bytes(b"\n")
    with pytest.raises(InputError, match="no submissions"):
        harvest_links([page], tmp_path / "out", LinksConfig())


def test_two_spellings_of_a_host_give_one_row_and_its_registrable_domain(tmp_path: Path) -> None:
    dump = write_dump(
        tmp_path / "d.zst",
        post("http://b\u00fccher.example.com/x", 5),
        post("http://xn--bcher-kva.example.com/x", 6),
        post("http://exam\u00adple.com/x", 5),
        post("http://im\u00adgur.com/x", 5),
        post("http://example.com/x%2Epdf", 5),
    )
    manifest = harvest_links([dump], tmp_path / "out", LinksConfig())
    rows = [(link.url, link.domain) for link in read_links(tmp_path / "out")]
    assert rows == [
        ("http://example.com/x", "example.com"),
        ("http://xn--bcher-kva.example.com/x", "example.com"),
    ]
    assert manifest.dropped["file type that is not a page"] == 1
    assert manifest.dropped["site of pictures, video or short posts"] == 1


def test_a_record_of_endless_depth_is_malformed(tmp_path: Path) -> None:
    deep = b'{"created_utc": 1400000000, "score": 5, "x": %s}' % (
        b"[" * 2_000_000 + b"]" * 2_000_000
    )
    dump = write_dump(tmp_path / "d.zst", deep, post("http://a.com/x", 5))
    manifest = harvest_links([dump], tmp_path / "out", LinksConfig())
    assert (manifest.counts["out"], manifest.dropped["malformed record"]) == (1, 1)


def test_an_error_in_one_dump_ends_the_reading_of_all(tmp_path: Path) -> None:
    dumps = [write_dump(tmp_path / f"{n}.zst", post("http://a.com/x", 5)) for n in range(4)]
    dumps[2].write_bytes(dumps[2].read_bytes()[:-3])
    with pytest.raises(WellreadError, match=r"2\.zst: damaged or cut short"):
        harvest_links(dumps, tmp_path / "out", LinksConfig(threads=2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(READER)]


@pytest.mark.real
def test_the_real_dumps_are_counted_as_a_plain_loop_counts_them(
    real_data: Path, tmp_path: Path
) -> None:
    """Counted with `json.loads` on every line and one `if` for each rule."""
    manifest = harvest_links([real_data / "reddit"], tmp_path / "out", LinksConfig())
    assert manifest.counts["in"] == 144_720 + 103 + 1_079 + 181
    assert manifest.counts["in"] == manifest.counts["out"] + sum(manifest.dropped.values())
    assert manifest.dropped["karma below the minimum"] == 1_383 + 20 + 322 + 46
    assert manifest.dropped["self post"] == 25_608
