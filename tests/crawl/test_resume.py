"""A killed crawl goes on where it was."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.crawl.conftest import quick, write_links_to
from tests.sites.local_site import LocalSite, local_site
from wellread.base.config import to_plain
from wellread.base.errors import InputError, WellreadError
from wellread.base.files import sha256_of
from wellread.base.manifest import is_artifact, read_manifest, writing
from wellread.base.seeds import generator
from wellread.crawl.config import CrawlConfig
from wellread.crawl.journal import DIGESTS, JOURNAL, Journal, full_segments, read_journal
from wellread.crawl.stage import crawl
from wellread.formats.archives import read_pages
from wellread.formats.pages import FETCHED, Outcome, Page, read_outcomes
from wellread.formats.segments import segment_files, segment_name
from wellread.formats.warc import encode_page

NUM_PAGES = 200
PROGRAM = """
import sys, msgspec
from pathlib import Path
from wellread.base.config import convert
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
config = convert(msgspec.json.decode(sys.argv[3]), CrawlConfig, where="crawl")
crawl(Path(sys.argv[1]), Path(sys.argv[2]), config)
"""


def page(url: str) -> Page:
    moment = datetime(2017, 1, 1, tzinfo=UTC)
    return Page(url=url, status=200, content_type="text/html", body=b"text", fetched_at=moment)


def add(directory: Path, urls: Iterable[str], segment_bytes: int = 1 << 30) -> None:
    with Journal(directory, segment_bytes=segment_bytes) as journal:
        for url in urls:
            journal.add(Outcome(url=url, outcome=FETCHED), page(url))


def urls_in(directory: Path) -> list[str]:
    return [entry.outcome.url for entry in read_journal(directory)]


def stored(directory: Path) -> list[str]:
    return [p.url for path in segment_files(directory) for p in read_pages(path)]


def test_a_record_and_a_line_cut_by_a_kill_are_as_if_never_written(tmp_path: Path) -> None:
    add(tmp_path, ["http://a.com/1"])
    with (tmp_path / segment_name(0)).open("ab") as file:
        file.write(encode_page(page("http://a.com/2"))[:30])
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"outcome": {"url": "http')
    add(tmp_path, ["http://a.com/2"])
    assert urls_in(tmp_path) == stored(tmp_path) == ["http://a.com/1", "http://a.com/2"]


def test_a_record_without_its_line_is_fetched_again(tmp_path: Path) -> None:
    add(tmp_path, ["http://a.com/1"])
    for number in range(2):
        with (tmp_path / segment_name(number)).open("ab") as file:
            file.write(encode_page(page("http://a.com/2")))
    add(tmp_path, ["http://a.com/2"])
    assert urls_in(tmp_path) == stored(tmp_path) == ["http://a.com/1", "http://a.com/2"]


def test_a_line_whose_record_the_disk_lost_is_forgotten_with_all_after_it(tmp_path: Path) -> None:
    add(tmp_path, ["http://a.com/1", "http://a.com/2"])
    with Journal(tmp_path) as journal:
        journal.add(Outcome(url="http://a.com/3", outcome="http_404"))
    path = tmp_path / segment_name(0)
    content = path.read_bytes()
    path.write_bytes(content[:-20] + bytes(20))
    add(tmp_path, ["http://a.com/4"])
    assert urls_in(tmp_path) == stored(tmp_path) == ["http://a.com/1", "http://a.com/4"]


NULS = bytes(60) + b"\n"  # what a loss of power leaves where blocks were not written


@pytest.mark.parametrize(("place", "kept"), [(1, 1), (3, 3)])
def test_a_line_that_says_nothing_ends_what_holds(tmp_path: Path, place: int, kept: int) -> None:
    urls = [f"http://a.com/{number}" for number in range(3)]
    add(tmp_path, urls)
    lines = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    (tmp_path / JOURNAL).write_bytes(b"".join([*lines[:place], NULS, *lines[place:]]))
    with Journal(tmp_path) as journal:
        assert journal.warning is not None
        assert journal.warning.startswith(f"{tmp_path / JOURNAL}:{place + 1}: no line of a journal")
    assert urls_in(tmp_path) == stored(tmp_path) == urls[:kept]
    with Journal(tmp_path) as journal:
        assert journal.warning is None


def test_a_crawl_says_that_its_journal_was_damaged_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls = sorted(site.page(f"/{number}", "text") for number in range(3))
        links = write_links_to(tmp_path / "links", urls)
        with (
            pytest.raises(KeyboardInterrupt),
            writing(out, stage="crawl", config=quick(), inputs={"links": [links]}, resume=True),
        ):
            add(out, urls[:1])
            with (out / JOURNAL).open("ab") as file:
                file.write(NULS)
            raise KeyboardInterrupt
        crawl(links, out, quick())
        assert sum(site.hits[f"/{number}"] for number in range(3)) == 2
    assert f"{JOURNAL}:2: no line of a journal" in caplog.text
    assert sorted(stored(out)) == urls


def test_a_digest_that_cannot_be_read_is_as_if_not_known(tmp_path: Path) -> None:
    add(tmp_path, [f"http://a.com/{number}" for number in range(10)], segment_bytes=1000)
    known = full_segments(tmp_path)
    with (tmp_path / DIGESTS).open("ab") as file:
        file.write(NULS)
    assert full_segments(tmp_path) == known
    assert len(known) == 3


def test_segments_stay_whole_over_interruptions_and_their_digests_hold(tmp_path: Path) -> None:
    urls = [f"http://a.com/{number}" for number in range(10)]
    for url in urls:
        add(tmp_path, [url], segment_bytes=1000)
    assert stored(tmp_path) == urls
    assert len(segment_files(tmp_path)) == 4
    add(tmp_path, [f"http://b.com/{number}" for number in range(10)], segment_bytes=1000)
    for name, sha256 in full_segments(tmp_path).items():
        assert sha256 == sha256_of(tmp_path / name)


def text(noise: bytes) -> bytes:
    """What packs badly and still passes for a page."""
    return b"<p>" + noise.replace(b"\0", b" ")


def slow_site(site: LocalSite) -> list[str]:
    return [site.slow(f"/{number:03}", 0.05) for number in range(NUM_PAGES)]


def started(links: Path, out: Path, config: CrawlConfig) -> subprocess.Popen[bytes]:
    """A crawl in a process of its own, head of a group with its fetching process."""
    encoded = msgspec.json.encode(to_plain(config)).decode()
    command = [sys.executable, "-c", PROGRAM, str(links), str(out), encoded]
    return subprocess.Popen(command, start_new_session=True)


def wait_for(process: subprocess.Popen[bytes], out: Path, num_done: int) -> None:
    deadline = time.monotonic() + 60
    while num_lines(out) < num_done and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def num_lines(out: Path) -> int:
    path = out / JOURNAL
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_crawl_goes_on_when_its_disk_has_room_again(tmp_path: Path) -> None:
    body = text(generator(7, "body").bytes(50_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with local_site() as site:
        urls = [site.page(f"/{number}", body) for number in range(9)]
        links = write_links_to(tmp_path / "links", urls)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
        try:
            with pytest.raises(WellreadError, match=r"no room to write .* run the same command"):
                crawl(links, tmp_path / "pages", quick())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        crawl(links, tmp_path / "pages", quick())
    pages = list(read_pages(tmp_path / "pages"))
    assert sorted(p.url for p in pages) == sorted(urls)
    assert {p.body for p in pages} == {body}


@pytest.mark.slow
def test_a_crawl_killed_at_twenty_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """The moments are seeded: after how many links, and how long after that."""
    out, num_pages, at_once = tmp_path / "pages", 800, 8
    rng = generator(7, "kill")
    with local_site() as site:
        # Incompressible, so that a good part of the time is spent in writing.
        bodies = {
            f"/{n:03}": text(rng.bytes(int(rng.integers(100, 200_000)))) for n in range(num_pages)
        }
        urls = [site.page(path, body) for path, body in bodies.items()]
        links = write_links_to(tmp_path / "links", urls)
        config = quick(segment_bytes=2_000_000, requests_per_host=at_once)
        moments = np.sort(rng.choice(num_pages - 40, 20, replace=False))
        num_kills = 0
        for num_done in moments.tolist():
            process = started(links, out, config)
            wait_for(process, out, num_done)
            time.sleep(rng.uniform(0, 0.03))
            num_kills += process.poll() is None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert num_kills >= 15
        crawl(links, out, config)
        repeated = sum(site.hits[path] - 1 for path in bodies)
    pages = list(read_pages(out))
    assert Counter(p.url for p in pages) == Counter(urls)
    assert all(p.body == bodies["/" + p.url.rpartition("/")[2]] for p in pages)
    assert [o.outcome for o in read_outcomes(out)] == ["fetched"] * num_pages
    assert 0 <= repeated <= num_kills * at_once
    check_places(out)
    for name, file in read_manifest(out).outputs.items():
        assert sha256_of(out / name) == file.sha256


def check_places(out: Path) -> None:
    """The table of outcomes says where each page's record is."""
    for outcome in read_outcomes(out):
        assert outcome.segment is not None
        with (out / segment_name(outcome.segment)).open("rb") as file:
            file.seek(outcome.offset or 0)
            record = next(iter(ArchiveIterator(file)))
            assert record.rec_headers.get_header("WARC-Target-URI") == outcome.url


def test_work_that_ended_before_its_manifest_was_written_is_not_done_again(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", [site.page("/a"), site.url("/missing")])
        first = crawl(links, tmp_path / "whole", quick())
    out, inputs = tmp_path / "pages", {"links": [links]}
    with (
        pytest.raises(KeyboardInterrupt),
        writing(out, stage="crawl", config=quick(), inputs=inputs, resume=True),
    ):
        for name in first.outputs:
            shutil.copy(tmp_path / "whole" / name, out)
        raise KeyboardInterrupt
    again = crawl(links, out, quick())
    assert (again.counts, again.dropped) == (first.counts, first.dropped)
    assert again.digest == first.digest


def test_manners_and_lists_may_change_on_the_way_and_nothing_else(tmp_path: Path) -> None:
    out, blocked = tmp_path / "pages", tmp_path / "blocked.txt"
    blocked.write_text("bad.example\n")
    with local_site() as site:
        urls = [site.page(f"/{number}") for number in range(3)]
        links = write_links_to(tmp_path / "links", urls)
        config = quick(blocklists={"bad": blocked})
        inputs = {"links": [links]}
        with (
            suppress(KeyboardInterrupt),
            writing(out, stage="crawl", config=config, inputs=inputs, resume=True),
        ):
            with Journal(out) as journal:
                journal.add(Outcome(url=urls[0], outcome="http_404", status=404))
            raise KeyboardInterrupt
        with pytest.raises(InputError, match="interrupted crawl with another max_redirects is"):
            crawl(links, out, quick(max_redirects=1))
        blocked.write_text("bad.example\nworse.example\n")
        patient = msgspec.structs.replace(config, user_agent_contact="me@a.com", retries=2)
        manifest = crawl(links, out, patient)
        assert manifest.dropped == {"http_404": 1}  # which was not asked for again
        assert crawl(links, out, quick(), replaces=False) == manifest
        with pytest.raises(InputError, match="a finished crawl of other settings"):
            crawl(links, out, quick(max_redirects=1), replaces=False)


@pytest.mark.slow
def test_a_crawl_killed_twice_has_the_pages_of_one_that_was_not(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    with local_site() as site:
        urls = slow_site(site)
        links, config = write_links_to(tmp_path / "links", urls), quick()
        for number in (1, 2):
            process = started(links, out, config)
            wait_for(process, out, 40 * number)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not is_artifact(out)
        manifest = crawl(links, out, config)
        assert sorted(p.url for p in read_pages(out)) == sorted(urls)
        assert (manifest.counts["in"], manifest.counts["out"]) == (NUM_PAGES, NUM_PAGES)
        # Only what was under way when the process died was asked for again.
        repeated = sum(site.hits[f"/{number:03}"] - 1 for number in range(NUM_PAGES))
        assert repeated <= 2 * 8
    assert sorted(p.name for p in out.iterdir()) == [
        "manifest.json",
        "outcomes.parquet",
        "pages-00000.warc.gz",
    ]


@pytest.mark.slow
def test_the_fetching_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    with local_site() as site:
        links = write_links_to(tmp_path / "links", slow_site(site))
        process = started(links, tmp_path / "pages", quick())
        wait_for(process, tmp_path / "pages", 40)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)
        before = sum(site.hits.values())
        time.sleep(0.5)
        assert sum(site.hits.values()) == before
