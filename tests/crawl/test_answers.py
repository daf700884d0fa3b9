"""What headers of strangers mean, whatever they say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.crawl.answers import retry_after

NOW = datetime(2017, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 999, float("inf")),
        ("Sun, 31 Dec 2017 00:01:00 GMT", 60.0),
        ("Sun, 31 Dec 2017 00:01:00 +0100", 0.0),
        ("Sun, 31 Dec 99999999999999 00:01:00 GMT", None),
        ("Sun, 31 Dec 2017 00:01:00 +999999999999999999999999", None),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_a_server_is_waited_for_if_it_says_for_how_long(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


PARTS = ["Sun,", "31", "Dec", "2017", "99999999999", "00:01:00", "GMT", "-2359", "+9999", "-", ""]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PARTS)).map(" ".join)))
def test_no_header_is_beyond_understanding(text: str) -> None:
    wait = retry_after(text, NOW)
    assert wait is None or wait >= 0.0
