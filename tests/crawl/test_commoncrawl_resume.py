"""A crawl out of Common Crawl that was killed goes on where it was."""

import hashlib
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.crawl.common_crawl import CRAWL, settings
from tests.crawl.conftest import write_links_to
from tests.crawl.test_resume import PROGRAM
from tests.sites.common_crawl import Captured, CommonCrawl
from tests.sites.local_site import Answer
from wellread.base.config import to_plain
from wellread.base.manifest import is_artifact
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages
from wellread.formats.pages import read_outcomes
from wellread.formats.segments import segment_files

NUM_PAGES, REQUESTS = 200, 4


def text(number: int) -> bytes:
    """What no compressor makes shorter than the gap that one request reads over."""
    noise = hashlib.shake_128(b"%d" % number).digest(20_000)
    return b"<p>" + noise.replace(b"\0", b" ")


PAGES = [Captured(f"com,a)/{n:03}", f"http://a.com/{n:03}", text(n)) for n in range(NUM_PAGES)]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [(2, 5, 12), (3, 40, 25), (90, 20)])
def test_a_crawl_killed_at_any_request_has_the_pages_of_one_that_was_not(
    tmp_path: Path, served: CommonCrawl, kills: tuple[int, ...]
) -> None:
    served.add_crawl(CRAWL, scattered(PAGES), files=6, rows_per_group=10)
    links = write_links_to(tmp_path / "links", [page.url for page in PAGES[::2]])
    config = settings(served, commoncrawl_requests=REQUESTS)
    whole = crawl(links, tmp_path / "whole", config)
    unbroken = len(served.asked)
    for path, answer in served.site.answers.items():
        served.site.answers[path] = late(answer)
    out = tmp_path / "pages"
    served.asked.clear()
    for number in kills:
        kill_at(served, number, links, out, config)
        assert not is_artifact(out)
    manifest = crawl(links, out, config)
    assert manifest.digest == whole.digest
    assert [p.url for p in read_pages(out)] == [page.url for page in PAGES[::2]]
    assert sum(1 for _ in read_outcomes(out)) == NUM_PAGES // 2
    assert [p.read_bytes() for p in segment_files(out)] == [
        p.read_bytes() for p in segment_files(tmp_path / "whole")
    ]
    # Listings are asked for in each run, index files under way and requests not yet noted again.
    records = Counter(asked for asked in served.asked if asked[0].endswith(".warc.gz"))
    assert sum(count - 1 for count in records.values()) <= len(kills) * (2 * REQUESTS + 1)
    assert len(served.asked) - unbroken <= len(kills) * (2 * REQUESTS + 1 + REQUESTS * 10)


def scattered(pages: list[Captured]) -> list[Captured]:
    """Each wanted page between two that nobody wants, so that it takes a request of its own."""
    return [page for n in range(0, len(pages), 2) for page in (pages[n], pages[n], pages[n + 1])]


def late(answer: Answer) -> Answer:
    def wait(handler: object) -> None:
        time.sleep(0.02)
        answer(handler)  # type: ignore[arg-type]

    return wait


def kill_at(
    served: CommonCrawl, number: int, links: Path, out: Path, config: msgspec.Struct
) -> None:
    """Run a crawl until it has asked the server `number` times."""
    encoded = msgspec.json.encode(to_plain(config)).decode()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(links), str(out), encoded])
    deadline = time.monotonic() + 60
    before = len(served.asked)
    while len(served.asked) < before + number:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
