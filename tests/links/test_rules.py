"""One submission for each rule, and the differences between years of dumps."""

from collections.abc import Mapping
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellread.base.errors import InputError
from wellread.links.config import LinksConfig
from wellread.links.rules import Outbound, judge, policy_of
from wellread.links.submissions import decode_submission

IN_2015 = 1_430_000_000
PAGE = "http://example.com/page"


def verdict(record: Mapping[str, object], config: LinksConfig | None = None) -> str:
    """The canonical URL, or the reason of the refusal."""
    record = {"created_utc": IN_2015, "score": 10, "url": PAGE, "subreddit": "books", **record}
    found = judge(
        decode_submission(msgspec.json.encode(record)), policy_of(config or LinksConfig())
    )
    return found.url if isinstance(found, Outbound) else found


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, PAGE),
        ({"score": 3}, PAGE),
        ({"score": 2}, "karma below the minimum"),
        ({"score": -5}, "karma below the minimum"),
        ({"score": None}, "karma not recorded"),
        ({"is_self": True}, "self post"),
        ({"domain": "self.books"}, "self post"),
        ({"over_18": True}, "over_18"),
        ({"created_utc": 1_514_764_799}, PAGE),  # 2017-12-31 23:59:59
        ({"created_utc": 1_514_764_800}, "after the last day"),
        ({"subreddit": "GoneWild"}, "excluded subreddit"),
        ({"url": ""}, "no outbound URL"),
        ({"url": None}, "no outbound URL"),
        ({"url": "[deleted]"}, "no outbound URL"),
        ({"url": "/r/books/comments/abc/a_cross_post/"}, "links back to Reddit"),
        ({"url": "https://old.reddit.com/r/books/wiki"}, "links back to Reddit"),
        ({"url": "http://redd.it/abc"}, "links back to Reddit"),
        ({"url": "http://i.imgur.com/abc"}, "site of pictures, video or short posts"),
        ({"url": "https://en.m.wikipedia.org/wiki/Turing_test"}, "Wikipedia"),
        ({"url": "http://example.com/paper.PDF?download=1"}, "file type that is not a page"),
        ({"url": "http://example.com/a.jpg/about"}, "http://example.com/a.jpg/about"),
        ({"url": "mailto:someone@example.com"}, "not a web address"),
        ({"url": "http://[1:2/x"}, "not a web address"),
        ({"url": "http://example.com:99999/"}, "not a web address"),
    ],
)
def test_the_first_rule_that_refuses_gives_the_reason(
    record: dict[str, object], expected: str
) -> None:
    assert verdict(record) == expected


def test_numbers_and_truths_may_be_strings_as_in_early_dumps() -> None:
    record = {"created_utc": "1119552233", "score": "7", "is_self": "false", "over_18": "true"}
    assert verdict(record) == "over_18"


def test_where_a_post_really_points_comes_before_its_url() -> None:
    record = {"url": "/r/x/comments/1", "url_overridden_by_dest": "http://a.com/?x=1&amp;y=2"}
    assert verdict(record) == "http://a.com/?x=1&y=2"


def test_excluded_domains_include_their_subdomains_and_no_neighbours() -> None:
    config = LinksConfig(excluded_domains=["Example.com"])
    assert verdict({"url": "http://news.example.com/x"}, config) == "excluded domain"
    assert verdict({"url": "http://myexample.com/x"}, config) == "http://myexample.com/x"


def test_names_in_lists_may_be_written_as_people_write_them() -> None:
    config = LinksConfig(
        excluded_domains=["*.B\u00fccher.example"], excluded_subreddits=["r/Books"]
    )
    assert verdict({"url": "http://www.xn--bcher-kva.example/x"}, config) == "excluded subreddit"
    record = {"url": "http://www.xn--bcher-kva.example/x", "subreddit": "other"}
    assert verdict(record, config) == "excluded domain"
    for wrong in ("https://www.nytimes.com/", "||salon.com^", ""):
        with pytest.raises(InputError, match="is no domain"):
            verdict({}, LinksConfig(excluded_domains=[wrong]))
    with pytest.raises(InputError, match="is no name of a subreddit"):
        verdict({}, LinksConfig(excluded_subreddits=["two words"]))


def test_the_last_day_may_be_the_last_of_all() -> None:
    assert verdict({}, LinksConfig(until=date(9999, 12, 31))) == PAGE


def test_without_a_last_day_every_year_counts() -> None:
    assert verdict({"created_utc": 4_000_000_000}, LinksConfig(until=None)) == PAGE


@settings(deadline=None)  # the first call reads the public suffix list
@given(st.text(st.characters(exclude_categories=["Cs"])).map(lambda end: f"http://a.com{end}"))
def test_no_url_makes_the_rules_fail(url: str) -> None:
    assert verdict({"url": url})
