"""When the network is down, the crawl waits for it, and no link is given up."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.crawl.conftest import quick, write_links_to
from tests.sites.local_site import HTML, LocalSite, local_site, send
from wellread.base.errors import WellreadError
from wellread.base.manifest import is_artifact
from wellread.crawl.config import CrawlConfig
from wellread.crawl.journal import JOURNAL, Journal
from wellread.crawl.outage import NUM_WITNESSES, TAIL_BYTES, Silence, witnesses_in
from wellread.crawl.stage import crawl
from wellread.formats.pages import Outcome, read_outcomes

NUM_HOSTS, NUM_LINKS = 30, 4
PATIENCE_SECONDS = 30.0


def urls_of(site: LocalSite, hosts: int = NUM_HOSTS) -> list[str]:
    """Of many hosts, all at this one site; some pages take a while, and no connection stays."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2 * (handler.path == "/1"))
        send(handler, 200, b"<p>here</p>", HTML, Connection="close")

    site.answers |= {f"/{path}": answer for path in (*range(NUM_LINKS), "robots.txt")}
    return [f"http://{h}.up.example/{n}" for h in range(hosts) for n in range(NUM_LINKS)]


def config_for(site: LocalSite, **changes: object) -> CrawlConfig:
    resolve = {"*.up.example": f"127.0.0.1:{site.port}", "*.dead.example": "127.0.0.1:1"}
    return quick(resolve=resolve, user_agent_contact="a@b.c", requests_per_host=1, **changes)


class Notes:
    """The progress of a crawl, and who waits for what it says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._changed = threading.Condition()  # guards the list

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        with self._changed:
            self.said.append(note)
            self._changed.notify_all()

    def wait_for(self, words: str) -> None:
        with self._changed:
            is_said: Callable[[], bool] = lambda: any(words in note for note in self.said)  # noqa: E731
            assert self._changed.wait_for(is_said, PATIENCE_SECONDS)


def test_a_crawl_waits_for_its_network_and_loses_no_link(tmp_path: Path) -> None:
    notes, out = Notes(), tmp_path / "pages"
    with local_site() as site:
        links = write_links_to(tmp_path / "links", urls_of(site))
        crawling = threading.Thread(
            target=crawl,
            args=(links, out, config_for(site, max_outage_seconds=16.0)),
            kwargs={"progress": notes},
        )
        crawling.start()
        notes.wait_for("pages")
    notes.wait_for("network down, next try in 2.0 s")
    with local_site(site):
        crawling.join(PATIENCE_SECONDS)
    assert [o.outcome for o in read_outcomes(out)] == ["fetched"] * (NUM_HOSTS * NUM_LINKS)


@pytest.mark.slow
def test_a_crawl_whose_network_stays_down_ends_and_goes_on_later(tmp_path: Path) -> None:
    notes, out = Notes(), tmp_path / "pages"
    errors: list[WellreadError] = []

    def crawling(config: CrawlConfig) -> None:
        try:
            crawl(links, out, config, progress=notes)
        except WellreadError as error:
            errors.append(error)

    with local_site() as site:
        links = write_links_to(tmp_path / "links", urls_of(site))
        config = config_for(site, max_outage_seconds=0.8)
        first = threading.Thread(target=crawling, args=(config,))
        first.start()
        notes.wait_for("pages")
    first.join(PATIENCE_SECONDS)
    with pytest.raises(WellreadError, match=r"down for 0\.8 s; run the same command again"):
        crawl(links, out, config)  # whose witnesses are those of the time before
    assert [str(error) for error in errors] == [
        f"{out}: the network was down for 0.8 s; run the same command again to go on where it "
        "stopped, once hosts can be reached; no link was given up for it"
    ]
    assert not is_artifact(out)
    with local_site(site):
        manifest = crawl(links, out, config)
    assert manifest.counts["out"] == NUM_HOSTS * NUM_LINKS


def test_a_network_that_is_down_from_the_start_is_waited_for_too(tmp_path: Path) -> None:
    urls = [f"http://{number}.dead.example/" for number in range(NUM_HOSTS)]
    links = write_links_to(tmp_path / "links", urls)
    with local_site() as site, pytest.raises(WellreadError, match=r"network was down for 0\.4 s"):
        crawl(links, tmp_path / "pages", config_for(site, max_outage_seconds=0.4))


def test_many_dead_hosts_are_believed_while_others_answer(tmp_path: Path) -> None:
    with local_site() as site:
        urls = urls_of(site, hosts=1)
        urls += [f"http://{n}.dead.example/{m}" for n in range(100) for m in range(3)]
        links, out = write_links_to(tmp_path / "links", urls), tmp_path / "pages"
        manifest = crawl(links, out, config_for(site, max_outage_seconds=0.0))
    assert manifest.counts["out"] == NUM_LINKS
    assert manifest.dropped["connection"] + manifest.dropped["host_unreachable"] == 300


def test_witnesses_are_found_behind_any_number_of_silent_hosts(tmp_path: Path) -> None:
    last = [f"http://{n}.up.example" for n in range(7)]
    with Journal(tmp_path) as journal:
        for origin in ["http://busy.example", *last]:
            status = 503 if "busy" in origin else 404
            journal.add(Outcome(url=f"{origin}/a", outcome=f"http_{status}", status=status))
        for number in range(5_000):
            url = f"http://{number}.dead.example/{'long' * 20}"
            journal.add(Outcome(url=url, outcome="host_unreachable"))
    assert (tmp_path / JOURNAL).stat().st_size > 2 * TAIL_BYTES
    assert witnesses_in(tmp_path) == last[-NUM_WITNESSES:]


def test_a_host_that_wants_rest_is_no_witness() -> None:
    silence = Silence([], 60.0)
    silence.heard("http://a.example/1", is_witness=True)
    silence.heard("http://b.example/1", is_witness=True)
    assert silence.witnesses() == ["http://b.example", "http://a.example"]
    silence.heard("http://b.example/2", is_witness=False)
    assert silence.witnesses() == ["http://a.example"]
