"""What headers of strangers mean, whatever they say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response

from wellread.crawl.config import CrawlConfig
from wellread.crawl.frontier import Ticket
from wellread.crawl.guards import SECONDS
from wellread.crawl.judging import judge_response
from wellread.crawl.patience import retry_after
from wellread.formats.pages import FETCHED

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


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Location": st.one_of(st.binary(), st.sampled_from([b"/a", b"//[", b"http://a:x/", b"?"])),
        "Retry-After": st.one_of(st.binary(), st.sampled_from([b"9", b"0", b"Sun, 31 Dec 0 0:0"])),
        "Content-Type": st.one_of(
            st.binary(), st.sampled_from([b"text/html", b";;", b"a/b;c=\xff"])
        ),
    },
)


@given(
    status=st.one_of(st.integers(100, 999), st.sampled_from([200, 301, 429, 503])),
    headers=HEADERS,
    body=st.binary(max_size=20),
)
def test_every_answer_gives_its_link_an_outcome_or_another_request(
    status: int, headers: dict[str, bytes], body: bytes
) -> None:
    ticket = Ticket(link="http://a.com/", url="http://a.com/")
    request = Request(ticket.url, meta={SECONDS: 0.1})
    response = Response(ticket.url, status=status, headers=headers, body=body)
    verdict = judge_response(ticket, request, response, CrawlConfig())
    assert (verdict.outcome is None) != (verdict.again is None)
    is_page = verdict.outcome is not None and verdict.outcome.outcome == FETCHED
    assert (verdict.page is not None) == is_page
