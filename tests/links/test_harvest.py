"""The stage: one row a page, every submission accounted for, bad dumps refused."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import zstandard

from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import is_artifact
from wellread.base.seeds import generator
from wellread.formats.links import Link, read_links
from wellread.links.config import LinksConfig
from wellread.links.harvest import harvest_links
from wellread.links.merge import LinkMerge

FIRST = datetime(2011, 1, 1, tzinfo=UTC)


def post(url: str, score: int, *, day: int = 0, subreddit: str = "books") -> bytes:
    created = int(FIRST.timestamp()) + 86_400 * day
    record = {"created_utc": created, "score": score, "url": url, "subreddit": subreddit}
    return msgspec.json.encode(record)


def write_dump(path: Path, *lines: bytes) -> Path:
    path.write_bytes(zstandard.ZstdCompressor().compress(b"\n".join(lines) + b"\n"))
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
    assert sorted(manifest.outputs) == ["links-00000.parquet"]


def test_rows_do_not_depend_on_the_order_of_submissions_or_on_spilling(tmp_path: Path) -> None:
    posts = [(f"http://a.com/{n % 7}", n % 3, 1000 + n % 5, f"s{n % 4}") for n in range(60)]
    in_order, shuffled = LinkMerge(tmp_path), LinkMerge(tmp_path, links_in_memory=3)
    for url, karma, created, subreddit in posts:
        in_order.add(url, karma, created, subreddit)
    for number in generator(0, "order").permutation(len(posts)):
        url, karma, created, subreddit = posts[number]
        shuffled.add(url, karma, created, subreddit)
    rows = list(shuffled.links())
    assert rows == list(in_order.links())
    assert len(list(tmp_path.iterdir())) > 1
    assert [row.url for row in rows] == [f"http://a.com/{n}" for n in range(7)]


def test_equal_karma_goes_to_the_earliest_and_then_to_the_first_name(tmp_path: Path) -> None:
    merge = LinkMerge(tmp_path)
    for created, subreddit in [(9, "a"), (5, "z"), (5, "m")]:
        merge.add("http://a.com/", 4, created, subreddit)
    assert [link.subreddit for link in merge.links()] == ["m"]


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
