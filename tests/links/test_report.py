"""A table of links in numbers, and the story of one URL."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError
from wellread.formats.compressed import zstd
from wellread.formats.webtext_domains import read_domains
from wellread.links.config import LinksConfig
from wellread.links.explain import explain_url
from wellread.links.harvest import harvest_links
from wellread.links.report import report_links
from wellread.report.link_figures import link_figures

MARCH = int(datetime(2011, 3, 31, 23, 59, tzinfo=UTC).timestamp())


def post(url: str, karma: int, months: int = 0, subreddit: str = "books") -> bytes:
    created = MARCH + months * 30 * 86_400
    return msgspec.json.encode(
        {"url": url, "score": karma, "created_utc": created, "subreddit": subreddit}
    )


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    lines = [
        post("http://news.bbc.co.uk/a", 3),
        post("http://www.bbc.com/b", 25),
        post("http://blog.example/c?utm_source=x&b=1&a=2", 12_000, months=3),
        post("http://Blog.example/c?a=2&b=1#top", 2, months=4, subreddit="other"),
        post("http://imgur.com/x", 50),
        b"{",
    ]
    path = tmp_path / "RS.zst"
    path.write_bytes(zstd.compress(b"\n".join(lines)))
    return path


def test_a_report_counts_links_by_month_karma_and_name(dump: Path, tmp_path: Path) -> None:
    harvest_links([dump], tmp_path / "links", LinksConfig())
    domains = tmp_path / "domains.txt"
    domains.write_text("900 bbc\n20 \n10 elsewhere\n")
    found = report_links(tmp_path / "links", webtext_domains=domains)
    assert (found.submissions, found.kept, found.links) == (6, 3, 3)
    assert found.dropped == {
        "karma below the minimum": 1,
        "malformed record": 1,
        "site of pictures, video or short posts": 1,
    }
    months = [(row.month, row.links) for row in found.months]
    assert months == [("2011-03", 2), ("2011-04", 0), ("2011-05", 0), ("2011-06", 1)]
    filled = [(row.low, row.high, row.links) for row in found.karma if row.links]
    assert filled == [(3, 3, 1), (20, 49, 1), (10_000, None, 1)]
    assert sum(row.links for row in found.karma) == 3
    names = [(row.name, row.links, row.webtext_links) for row in found.domains]
    assert names == [("bbc", 2, 900), ("blog.example", 1, None)]
    assert (found.shared_names, found.rank_correlation) == (1, None)
    figures = link_figures(found)
    assert all(figure.file.startswith(b"<?xml") for figure in figures)
    assert [figure.key for figure in figures] == ["link-months", "link-karma", "link-sites"]


def test_a_report_of_no_links_and_a_bad_list_of_domains(dump: Path, tmp_path: Path) -> None:
    harvest_links([dump], tmp_path / "links", LinksConfig(min_karma=10**6))
    found = report_links(tmp_path / "links")
    assert (found.links, found.months, found.karma, found.domains) == (0, [], [], [])
    assert link_figures(found) == []
    bad = tmp_path / "bad.txt"
    bad.write_text("12 google\ngoogle 12\n")
    with pytest.raises(InputError, match=r"bad\.txt:2: expected a count and a name"):
        read_domains(bad)
    with pytest.raises(InputError, match="cannot be read"):
        read_domains(tmp_path / "none.txt")


def test_a_urls_story_is_told_by_its_submissions(dump: Path) -> None:
    found = explain_url("HTTP://blog.example/c?b=1&a=2", [dump], LinksConfig())
    assert found.url == "http://blog.example/c?a=2&b=1"
    assert (found.refused, found.karma) == (None, 12_000)
    told = [(row.where, row.karma, row.subreddit, row.refused) for row in found.mentions]
    assert told == [
        (f"{dump}:3", 12_000, "books", None),
        (f"{dump}:4", 2, "other", "karma below the minimum"),
    ]
    summed = explain_url("http://blog.example/c?a=2&b=1", [dump], LinksConfig(karma="sum"))
    assert summed.karma == 12_002


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://imgur.com/x", "site of pictures, video or short posts"),
        ("http://blog.example/none", "no submission in these dumps points to it"),
        ("http://a.com/x.pdf", "file type that is not a page"),
    ],
)
def test_a_url_that_is_out_has_a_reason(dump: Path, url: str, reason: str) -> None:
    assert explain_url(url, [dump], LinksConfig()).refused == reason


def test_a_url_whose_submissions_are_all_refused(dump: Path) -> None:
    config = LinksConfig(min_karma=20_000)
    found = explain_url("http://blog.example/c?a=2&b=1", [dump], config)
    assert found.refused == "each of its submissions is refused"
    assert {row.refused for row in found.mentions} == {"karma below the minimum"}
    found = explain_url(found.url, [dump], LinksConfig(min_karma=20_000, karma="sum"))
    assert (found.refused, found.karma) == ("karma below the minimum", 12_002)


def test_standard_input_cannot_be_explained() -> None:
    with pytest.raises(InputError, match="name the dumps"):
        explain_url("http://a.com/", [Path("-")], LinksConfig())


def test_what_is_no_url_is_refused(dump: Path) -> None:
    with pytest.raises(InputError, match="not a web address"):
        explain_url("eff.org", [dump], LinksConfig())
