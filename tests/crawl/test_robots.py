"""robots.txt: who is asked for it, what counts as an answer, and what its lines mean to us."""

import gzip
from pathlib import Path

import pytest

from tests.crawl.conftest import quick, write_links_to
from tests.sites.hostile_site import HostileSite, head, hostile_site
from wellread.base.seeds import generator
from wellread.crawl.robots import own_groups, rules_from
from wellread.crawl.stage import crawl
from wellread.formats.pages import read_outcomes

FORBID = b"User-agent: *\nDisallow: /\n"
ALLOW = b"User-agent: *\nDisallow: /elsewhere\n"
PAGE = "http://a.com/page"


def is_open(body: bytes) -> bool:
    return rules_from(body).verdict(PAGE) != "forbidden"


def test_the_group_that_names_us_counts_and_not_the_one_for_everybody() -> None:
    ours = b"User-agent: other\nUser-agent: WellRead\nDisallow: /p\n\nUser-agent: *\nAllow: /\n"
    assert not is_open(ours)
    assert is_open(ours.replace(b"WellRead", b"wellreader"))
    assert not is_open(ours.replace(b"WellRead", b"wellread/0.1.0"))
    assert not is_open(ours.replace(b"WellRead", b"wellread*"))
    assert is_open(ours.replace(b"WellRead", b"wellread-news"))
    assert is_open(b"User-agent: *\nDisallow: /\nUser-agent: wellread\nAllow: /\n")


def test_a_mark_of_unicode_in_front_does_not_hide_the_first_group() -> None:
    assert not is_open(b"\xef\xbb\xbf" + FORBID)
    assert not is_open("\ufeffUser-agent: *\nDisallow: /\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        bytes(range(256)) * 2000,
        b"\x89PNG\r\n\x1a\n" * 999,
        b"<html>no such file</html>",
        b"#" * 999,
    ],
    ids=["empty", "binary", "picture", "page", "comment"],
)
def test_what_is_no_list_of_rules_forbids_nothing(body: bytes) -> None:
    assert is_open(body)


def test_rules_count_up_to_500_kib_and_half_a_line_behind_that_does_not() -> None:
    padding = b"# a line of thirty-two letters..\n" * 20_000
    size = 500 * 1024 - len(b"User-agent: *\nDisallow: /\n")
    assert not is_open(padding[:size].rpartition(b"\n")[0] + b"\n" + FORBID)
    assert is_open(padding[: 500 * 1024] + b"\n" + FORBID)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_the_rules_of_a_long_file_count_whatever_ends_its_lines(end: bytes) -> None:
    assert not is_open(FORBID.replace(b"\n", end) + (b"# a line" + end) * 99_999)


def test_a_crawl_delay_is_what_the_group_for_us_says() -> None:
    assert rules_from(b"User-agent: *\nCrawl-delay: 2.5\n").crawl_delay == 2.5
    assert rules_from(b"User-agent: other\nCrawl-delay: 9\n").crawl_delay is None
    assert rules_from(b"User-agent: *\nCrawl-delay: soon\n").crawl_delay is None
    assert rules_from(b"User-agent: *\nCrawl-delay: inf\n").crawl_delay is None


def test_a_file_that_names_a_million_robots_costs_what_it_says_to_us() -> None:
    agents = "".join(f"User-agent: robot{number}\n" for number in range(10_000))
    rules = "".join(f"Disallow: /{number}\n" for number in range(10_000))
    assert own_groups(agents + rules) == ""
    assert own_groups(agents + "User-agent: *\n" + rules) == ("User-agent: *\n" + rules).strip()


def answers(site: HostileSite) -> dict[str, tuple[str, str]]:
    """By host: what answers to robots.txt, and what its page then comes to."""
    forbid = head(b"Content-Length: %d" % len(FORBID)) + FORBID
    endless = head(kind=b"text/plain") + FORBID
    large = FORBID + b"# a line\n" * 99_999
    noise = generator(7, "noise").bytes(1 << 20).replace(b"\n", b"").replace(b"\r", b"")
    noisy = gzip.compress(FORBID + b"#" + noise)  # above 500 kB as it is sent
    return {
        "absent": (site.page("#absent", FORBID, status=b"404 None"), "fetched"),
        "secret": (site.page("#secret", FORBID, status=b"403 No"), "fetched"),
        "allows": (site.page("#allows", ALLOW), "fetched"),
        "forbids": (site.raw("#forbids", forbid), "robots_txt"),
        "packed": (
            site.page("#packed", gzip.compress(FORBID), b"Content-Encoding: gzip"),
            "robots_txt",
        ),
        "unpacked": (site.page("#unpacked", FORBID, b"Content-Encoding: gzip"), "robots_failed"),
        "unbrotlied": (site.page("#unbrotlied", FORBID, b"Content-Encoding: br"), "robots_failed"),
        "cut-packed": (
            site.page("#cut-packed", gzip.compress(ALLOW)[:-9], b"Content-Encoding: gzip"),
            "robots_failed",
        ),
        "large-packed": (
            site.page("#large-packed", gzip.compress(large, 1), b"Content-Encoding: gzip"),
            "robots_txt",
        ),
        "endless-packed": (
            site.drip("#endless-packed", head(b"Content-Encoding: gzip"), noisy, 0.0),
            "robots_txt",
        ),
        "failing": (site.page("#failing", ALLOW, status=b"500 Oh"), "robots_failed"),
        "busy": (site.page("#busy", ALLOW, status=b"429 Later"), "robots_failed"),
        "dropping": (site.raw("#dropping"), "connection"),
        "cut": (site.raw("#cut", head(b"Content-Length: 999") + ALLOW), "robots_failed"),
        "malformed": (site.raw("#malformed", b"hello\r\n\r\n"), "robots_failed"),
        "silent": (site.drip("#silent", b"HTTP/1.1 200 OK\r\n", b"", 0.1), "timeout"),
        "endless": (site.drip("#endless", endless, b"# more\n" * 9999, 0.0), "robots_txt"),
        "moved": (site.redirect("#moved", b"/moved-1"), "robots_txt"),
        "circling": (site.redirect("#circling", b"/robots.txt"), "robots_failed"),
        "elsewhere": (site.redirect("#elsewhere", b"http://forbids.test/robots.txt"), "robots_txt"),
        "inward": (
            site.redirect("#inward", f"http://localhost:{site.port}/robots.txt".encode()),
            "private_address",
        ),
        "downward": (site.redirect("#downward", b"file:///etc/passwd"), "robots_failed"),
    }


def test_a_host_is_visited_only_as_its_answer_to_robots_txt_allows(tmp_path: Path) -> None:
    with hostile_site() as site:
        expected = answers(site)
        site.page("/page", b"<p>a page</p>")
        for name in expected:
            site.answers[f"{name}.test/robots.txt"] = site.answers.pop(f"#{name}")
        for step in range(1, 5):  # the fifth redirect, which is still followed
            site.redirect(f"/moved-{step}", b"/moved-%d" % (step + 1))
        site.page("/moved-5", FORBID)
        config = quick(
            resolve={"*.test": f"127.0.0.1:{site.port}"},
            user_agent_contact="owner@example.com",
            timeout_seconds=1.5,
            retries=0,
        )
        site.redirect("/away", b"http://forbids.test/page")
        urls = [f"http://{name}.test/page" for name in expected] + ["http://allows.test/away"]
        crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", config)
        outcomes = {o.url: o.outcome for o in read_outcomes(tmp_path / "pages")}
        assert outcomes.pop("http://allows.test/away") == "robots_txt"
        assert outcomes == {f"http://{n}.test/page": out for n, (_, out) in expected.items()}
        visited = {name for name in expected if site.hits[f"{name}.test/page"]}
        assert visited == {"absent", "secret", "allows"}
        assert max(site.sent.values()) < 16 << 20
