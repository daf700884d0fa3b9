"""Whose turn it is, told by a clock that the tests hold."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from wellread.crawl.config import CrawlConfig
from wellread.crawl.frontier import MAX_OPEN, Answer, Frontier, Ticket
from wellread.crawl.queue import write_queue

QUICK = Answer(kind="answered", seconds=0.1)
FAILED = Answer(kind="failed", seconds=0.1)
Start = Callable[..., Frontier]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened = []

    def begin(*urls: str, **settings: object) -> Frontier:
        queue = write_queue(tmp_path, [pa.array(sorted(urls), pa.string())])
        opened.append(queue)
        return Frontier(queue, CrawlConfig(**settings))  # type: ignore[arg-type]

    yield begin
    for queue in opened:
        queue.__exit__()


def run(
    frontier: Frontier, answer: Answer = QUICK, seconds: float = 0.1
) -> list[tuple[float, Ticket]]:
    """When each ticket was given, where each is answered before the next is asked for."""
    now, given = 0.0, []
    while not frontier.is_empty:
        ticket = frontier.take(now)
        if ticket is None:
            due = frontier.next_due()
            assert due is not None
            now = due
            continue
        given.append((round(now, 3), ticket))
        now += seconds
        frontier.finish(ticket, answer, now)
    return given


def pages(host: str, number: int) -> list[str]:
    return [f"http://{host}/{n}" for n in range(number)]


def test_a_host_rests_for_the_delay_after_each_answer(start: Start) -> None:
    given = run(start(*pages("a.com", 3), delay_seconds=2.0))
    assert [(moment, ticket.url) for moment, ticket in given] == [
        (0.0, "http://a.com/0"),
        (2.1, "http://a.com/1"),
        (4.2, "http://a.com/2"),
    ]


def test_hosts_take_turns_and_the_largest_begins(start: Start) -> None:
    given = run(start(*pages("a.com", 2), *pages("b.com", 3), delay_seconds=1.0))
    assert [ticket.url for _, ticket in given] == [
        "http://b.com/0",
        "http://a.com/0",
        "http://b.com/1",
        "http://a.com/1",
        "http://b.com/2",
    ]


def test_the_same_links_are_given_in_the_same_order(start: Start) -> None:
    urls = [url for n in range(50) for url in pages(f"{n}.com", 1 + n % 3)]
    first, second = (run(start(*given, delay_seconds=1.0)) for given in (urls, urls[::-1]))
    assert first == second
    assert Counter(ticket.url for _, ticket in first) == Counter(urls)


def test_no_more_is_under_way_at_a_host_than_allowed(start: Start) -> None:
    frontier = start(*pages("a.com", 5), requests_per_host=2, delay_seconds=0.0)
    only = frontier.take(0.0)
    assert only is not None
    assert frontier.take(0.0) is None  # until its robots.txt is known
    frontier.finish(only, QUICK, 0.0)
    first, second = frontier.take(0.0), frontier.take(0.0)
    assert first is not None
    assert second is not None
    assert frontier.take(100.0) is None
    assert frontier.next_due() is None
    frontier.finish(first, QUICK, 100.0)
    assert frontier.take(100.0) is not None


def test_http_https_and_ports_are_one_host(start: Start) -> None:
    urls = ["http://a.com/1", "https://a.com/2", "http://a.com:8080/3", "http://a.com.au/4"]
    frontier = start(*urls, delay_seconds=1.0)
    given = [frontier.take(0.0), frontier.take(0.0), frontier.take(0.0)]
    assert [ticket and ticket.url for ticket in given] == [
        "http://a.com/1",
        "http://a.com.au/4",
        None,
    ]


def test_a_host_that_answers_slowly_is_asked_less_often(start: Start) -> None:
    frontier = start(*pages("a.com", 4), delay_seconds=1.0)
    slow = Answer(kind="answered", seconds=9.0)
    assert [moment for moment, _ in run(frontier, slow, seconds=0.0)] == [0.0, 5.0, 12.0, 20.0]


def test_the_delay_that_robots_txt_asks_for_is_kept(start: Start) -> None:
    frontier = start(*pages("a.com", 2), delay_seconds=1.0)
    ticket = frontier.take(0.0)
    assert ticket is not None
    frontier.ask_patience("a.com", 30.0)
    frontier.finish(ticket, QUICK, 0.5)
    assert frontier.next_due() == 30.5


def test_a_host_that_asks_for_more_patience_than_there_is_is_left_alone(start: Start) -> None:
    frontier = start(*pages("a.com", 3), max_wait_seconds=60.0)
    ticket = frontier.take(0.0)
    assert ticket is not None
    frontier.ask_patience("a.com", 86_400.0)
    frontier.finish(ticket, QUICK, 0.1)
    rest = run(frontier)
    assert [(ticket.url, ticket.refused) for _, ticket in rest] == [
        ("http://a.com/1", "crawl_delay"),
        ("http://a.com/2", "crawl_delay"),
    ]


def test_a_busy_host_is_waited_for_as_it_asks_but_not_for_ever(start: Start) -> None:
    frontier = start(*pages("a.com", 4), max_wait_seconds=60.0)
    for now, asked in [(0.0, 20.0), (20.0, 61.0)]:
        ticket = frontier.take(now)
        assert ticket is not None
        frontier.finish(ticket, Answer(kind="busy", retry_after=asked), now)
        assert frontier.next_due() == 20.0
    assert [ticket.refused for _, ticket in run(frontier)] == ["host_gave_up"] * 2


def test_a_busy_host_that_names_no_time_is_given_ever_more(start: Start) -> None:
    frontier = start(*pages("a.com", 9), delay_seconds=1.0)
    busy = Answer(kind="busy")
    given = run(frontier, busy, seconds=0.0)
    asked = [moment for moment, ticket in given if ticket.refused is None]
    assert asked == [0.0, 2.0, 6.0, 14.0, 30.0]
    assert [t.refused for _, t in given[5:]] == ["host_gave_up"] * 4


def test_a_host_that_cannot_be_reached_is_tried_again_and_again_before_it_is_given_up(
    start: Start,
) -> None:
    given = run(start(*pages("a.com", 7), delay_seconds=1.0, max_wait_seconds=900.0), FAILED, 0.0)
    assert [moment for moment, _ in given] == [0.0, 60.0, 360.0, 1260.0, 1260.0, 1260.0, 1260.0]
    assert [t.refused for _, t in given] == [None] * 4 + ["host_unreachable"] * 3


def test_where_there_are_no_second_tries_a_host_is_given_up_without_rests(start: Start) -> None:
    given = run(start(*pages("a.com", 7), delay_seconds=1.0, retries=0), FAILED, 0.0)
    assert [moment for moment, _ in given] == [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0]
    assert [t.refused for _, t in given] == [None] * 5 + ["host_unreachable"] * 2


def test_others_go_on_while_a_host_is_parked(start: Start) -> None:
    frontier, now, moments = (
        start(*pages("a.com", 4), *pages("b.com", 3), delay_seconds=1.0),
        0.0,
        [],
    )
    while not frontier.is_empty:
        if ticket := frontier.take(now):
            moments.append((now, ticket.url))
            frontier.finish(ticket, FAILED if "a.com" in ticket.url and now < 60 else QUICK, now)
        else:
            now = frontier.next_due() or 0.0
    assert [moment for moment, url in moments if "b.com" in url] == [0.0, 1.0, 2.0]
    assert [moment for moment, url in moments if "a.com" in url] == [0.0, 60.0, 61.0, 62.0]


def test_a_known_host_is_parked_after_five_failures_in_a_row(start: Start) -> None:
    frontier, now = start(*pages("a.com", 20), delay_seconds=1.0), 0.0
    moments = []
    for answer in [QUICK, *[FAILED] * 4, QUICK, *[FAILED] * 6, QUICK]:
        ticket = frontier.take(now)
        assert ticket is not None
        moments.append(now)
        frontier.finish(ticket, answer, now)
        now = frontier.next_due() or 0.0
    assert moments == [*range(11), 70.0, 370.0]
    assert now == 371.0


def test_a_second_try_waits_until_the_host_has_answered_another_link(start: Start) -> None:
    frontier = start(*pages("a.com", 4), delay_seconds=1.0)
    asked = []
    for now, answer in enumerate([QUICK, FAILED, FAILED, QUICK, QUICK, QUICK]):
        ticket = frontier.take(float(now))
        assert ticket is not None
        asked.append(ticket.url[-1])
        if answer is FAILED:
            frontier.again(ticket, float(now))
        frontier.finish(ticket, answer, float(now))
    assert asked == list("012312")
    assert frontier.is_empty


def test_what_was_under_way_when_a_host_was_parked_counts_for_one(start: Start) -> None:
    frontier = start(*pages("a.com", 30), delay_seconds=1.0, requests_per_host=8)
    first = frontier.take(0.0)
    assert first is not None
    frontier.finish(first, QUICK, 0.0)
    tickets = [frontier.take(float(now)) for now in range(1, 9)]
    for ticket in tickets:
        assert ticket is not None
        assert frontier.is_in_doubt(ticket.url) == (ticket.url >= "http://a.com/13")
        frontier.finish(ticket, FAILED, 9.0)
    assert frontier.take(68.9) is None
    assert frontier.next_due() == 69.0


def test_a_host_without_robots_txt_to_be_had_is_parked_as_long_as_it_asks(start: Start) -> None:
    frontier = start(*pages("a.com", 3), delay_seconds=1.0, max_wait_seconds=400.0)
    for now, asked, due in [(0.0, None, 60.0), (60.0, 90.0, 360.0), (360.0, 350.0, 710.0)]:
        ticket = frontier.take(now)
        assert ticket is not None
        answer = Answer(kind="closed", tries=1 if now < 60 else 2, retry_after=asked)
        frontier.again(ticket, now)
        frontier.finish(ticket, answer, now)
        assert frontier.next_due() == due
    last = frontier.take(710.0)
    assert last is not None
    frontier.again(last, 710.0)
    frontier.finish(last, Answer(kind="closed", retry_after=401.0), 710.0)
    assert [ticket.refused for _, ticket in run(frontier)] == ["host_gave_up"] * 3


def test_parked_hosts_take_no_room_from_others(start: Start) -> None:
    frontier = start(*(f"http://{n}.com/" for n in range(MAX_OPEN + 100)))
    for _ in range(MAX_OPEN + 100):
        ticket = frontier.take(0.0)
        assert ticket is not None
        frontier.again(ticket, 0.0)
        frontier.finish(ticket, FAILED, 0.0)
    assert frontier.num_parked == MAX_OPEN + 100


def test_a_host_that_was_given_up_stays_so_for_redirects_to_it(start: Start) -> None:
    frontier = start(*pages("a.com", 1), *pages("b.com", 1), delay_seconds=1.0)
    for _ in range(2):
        ticket = frontier.take(0.0)
        assert ticket is not None
        if "a.com" in ticket.url:
            frontier.ask_patience("a.com", 86_400.0)
            frontier.finish(ticket, QUICK, 0.0)
        else:
            other = ticket
    assert frontier.take(1000.0) is None
    assert frontier.closed == ["a.com"]
    frontier.again(Ticket(link=other.link, url="http://a.com/new", redirects=1), 1000.0)
    frontier.finish(other, QUICK, 1000.0)
    step = frontier.take(1000.0)
    assert step is not None
    assert step.refused == "crawl_delay"


def test_what_was_not_asked_for_costs_no_rest(start: Start) -> None:
    given = run(start(*pages("a.com", 3)), Answer(kind="unasked"), seconds=0.0)
    assert [moment for moment, _ in given] == [0.0, 0.0, 0.0]


def test_a_redirect_waits_its_turn_at_its_new_host(start: Start) -> None:
    frontier = start(*pages("a.com", 1), *pages("b.com", 1), delay_seconds=1.0)
    first, second = frontier.take(0.0), frontier.take(0.0)
    assert first is not None
    assert second is not None
    other = "http://b.com/new" if first.link == "http://a.com/0" else "http://a.com/new"
    frontier.again(Ticket(link=first.link, url=other, redirects=1), 0.1)
    frontier.finish(first, QUICK, 0.1)
    frontier.finish(second, QUICK, 0.5)
    assert frontier.take(1.4) is None
    step = frontier.take(1.5)
    assert step == Ticket(link=first.link, url=other, redirects=1)
    frontier.finish(step, QUICK, 1.6)
    assert frontier.is_empty


def test_redirects_to_one_host_of_no_link_keep_its_delay(start: Start) -> None:
    frontier = start(*pages("a.com", 1), *pages("b.com", 1), delay_seconds=1.0)
    moments = []
    for now in (0.0, 0.2):
        ticket = frontier.take(now)
        assert ticket is not None
        frontier.again(Ticket(link=ticket.link, url="http://login.com/", redirects=1), now)
        frontier.finish(ticket, QUICK, now)
        step = frontier.take(now)
        if step is None:
            moments.append(frontier.next_due())
        else:
            moments.append(now)
            frontier.finish(step, QUICK, now + 0.1)
    assert moments == [0.0, 1.1]


def test_links_are_given_once_to_a_host_that_a_redirect_opened(start: Start) -> None:
    frontier = start(*pages("a.com", 3), *pages("b.com", 1))
    ticket = frontier.take(0.0)
    assert ticket is not None
    frontier.again(Ticket(link=ticket.link, url="http://b.com/0", redirects=1), 0.0)
    frontier.finish(ticket, QUICK, 0.0)
    given = Counter(ticket.link for _, ticket in run(frontier))
    assert given == {
        "http://a.com/0": 1,
        "http://a.com/1": 1,
        "http://a.com/2": 1,
        "http://b.com/0": 1,
    }


def test_hosts_that_are_still_remembered_make_room_for_others_in_time(start: Start) -> None:
    given = run(start(*(f"http://{n}.com/" for n in range(MAX_OPEN + 100))), seconds=0.0)
    assert len({ticket.link for _, ticket in given}) == MAX_OPEN + 100
    assert given[-1][0] == 10.0


def test_a_host_is_forgotten_some_time_after_its_last_link(start: Start) -> None:
    frontier = start(*pages("a.com", 1))
    ticket = frontier.take(0.0)
    assert ticket is not None
    frontier.finish(ticket, QUICK, 0.1)
    frontier.take(5.0)
    assert frontier.closed == []
    frontier.take(11.0)
    assert frontier.closed == ["a.com"]
