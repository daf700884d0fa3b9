"""The dump has every kind of submission that a real one has."""

import json
from pathlib import Path
from typing import Any

import pytest

from wellread.demo.site import page_files, url_of
from wellread.formats.compressed import zstd

Submissions = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lines(web: Path) -> list[bytes]:
    content = (web / "dump" / "RS_demo.zst").read_bytes()
    return zstd.decompress(content).splitlines()


@pytest.fixture(scope="module")
def submissions(lines: list[bytes]) -> Submissions:
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def test_exactly_one_line_is_malformed(lines: list[bytes], submissions: Submissions) -> None:
    assert len(lines) == len(submissions) + 1


def test_every_page_is_linked_to(web: Path, submissions: Submissions) -> None:
    linked = {submission["url"] for submission in submissions}
    assert {url_of(where) for where in page_files(web)} <= linked


def test_karma_lies_on_both_sides_of_the_papers_minimum(submissions: Submissions) -> None:
    karma = [submission["score"] for submission in submissions]
    assert min(karma) == -2
    low = sum(value < 3 for value in karma) / len(karma)
    assert 0.05 < low < 0.35


@pytest.mark.parametrize(
    "is_one",
    [
        lambda s: s["is_self"],
        lambda s: s["over_18"],
        lambda s: s["author"] == "[deleted]",
        lambda s: "en.wikipedia.org" in s["url"],
        lambda s: "i.imgur.com" in s["url"],
        lambda s: "utm_source" in s["url"],
        lambda s: s["created_utc"] >= 1_514_764_800,  # 2018
        lambda s: s["url"] == "http://oddities.example/round.html",
        lambda s: s["url"] == "http://oddities.example/members/secret.html",
    ],
)
def test_each_kind_is_there(submissions: Submissions, is_one: Any) -> None:
    assert sum(map(bool, map(is_one, submissions))) >= 1


def test_identifiers_are_distinct_as_reddits_are(submissions: Submissions) -> None:
    assert len({submission["id"] for submission in submissions}) == len(submissions)
