"""A line of progress says what a person wants to know, and no more."""

from wellread.crawl.frontier import Delay
from wellread.crawl.report import Report, describe

OUTCOMES = {"fetched": 1200, "http_404": 31, "robots_txt": 4, "dns": 9, "timeout": 2}


def test_the_commonest_reasons_and_the_rate_are_named() -> None:
    report = Report(total=5000, outcomes=OUTCOMES, num_bytes=30_000_000, seconds=60.0)
    assert describe(report) == "1,200 pages (20.0/s, 30.0 MB), http_404 31, dns 9, robots_txt 4"


def test_hosts_that_will_keep_the_crawl_waiting_are_named() -> None:
    slow = Delay(host="slow.com", num_links=900, seconds=1800.0)
    quick = Delay(host="quick.com", num_links=40, seconds=80.0)
    outcomes = {"fetched": 4000}
    report = Report(total=5000, outcomes=outcomes, seconds=400.0, slowest=[slow, quick])
    assert describe(report) == "4,000 pages (10.0/s, 0 B), slowest: slow.com 900 (30:00)"
