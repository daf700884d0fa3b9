"""A crawl of a local site beside bare Scrapy, and the memory of a crawl with many links.

    python benchmarks/crawl.py                              # the speed: three rounds
    python benchmarks/crawl.py --hosts 20 --pages 5 --rounds 1        # whether it works
    python benchmarks/crawl.py --memory 1000000             # the memory

The site has 200 hosts, names that `resolve` maps to one process here, and pages of about
30 kB of HTML from seeded random words, sent with gzip as most of the web is. There are no delays,
and ours makes one request at a time to a host. `wellread` is the whole fetching process: robots.txt
checked addresses, packed WARC records and the journal on disk. `scrapy` is a spider with the same
links, as many requests under way, eight of them to a host, and otherwise Scrapy's default settings,
that reads no robots.txt and writes nothing; `scrapy, stripped` has only the middlewares that ours
has, on the same reactor. Each run is a fresh process; its clock starts after the imports and stops
when the last page is done with. Ratios are taken by round; above 1, ours is faster.

`--memory N` queues N links of N / 20 hosts that rest for an hour after their first page, lets the
crawl go on for some time, and prints the peak of the fetching process.
"""

import argparse
import asyncio
import contextlib
import gzip
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from side_by_side import (
    Failure,
    Outcome,
    Run,
    in_rounds,
    machine,
    peak_bytes,
    ratios,
    run_fresh,
    seconds_of,
    spread,
    table,
    version_of,
)

from wellread.base.config import Config, convert, to_plain
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.crawl.config import CrawlConfig
from wellread.formats import tables
from wellread.formats.links import SCHEMA

OURS, SCRAPY, STRIPPED = "wellread", "scrapy", "scrapy, stripped"
PAGE_BYTES = 30_000  # of HTML
NUM_BODIES = 64  # different ones
LINKS_PER_HOST = 20  # with --memory
HOST = "h{:07}.bench.example"
EMPTY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    contestant: str
    links: str
    out: str
    config: dict[str, Any]
    seconds: float | None = None  # after which the memory is read and the work left


def bodies() -> list[bytes]:
    """Pages of words that are used as unevenly as words are (Zipf), so that they pack as text."""
    rng = generator(7, "pages")
    letters = rng.integers(ord("a"), ord("z") + 1, (20_000, 7)).astype("u1")
    words = [row.tobytes()[: 2 + n % 6].decode() for n, row in enumerate(letters)]
    found = []
    for number in range(NUM_BODIES):
        ranks = rng.zipf(1.3, PAGE_BYTES // 6) % len(words)
        text = " ".join(words[rank] for rank in ranks)
        chunks = [f"<p class='text'>{text[at : at + 600]}</p>" for at in range(0, len(text), 600)]
        title = f"<html><head><title>Page {number}</title></head><body>"
        found.append((title + "\n".join(chunks) + "</body></html>").encode()[:PAGE_BYTES])
    return found


class Site(asyncio.Protocol):
    """Answers from memory, as quickly as Python can; every robots.txt is missing."""

    answers: tuple[bytes, ...] = ()

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            path = self.received[:end].split(b" ", 2)[1]
            self.received = self.received[end + 4 :]
            if path == b"/robots.txt":
                self.transport.write(EMPTY)
            else:
                self.transport.write(self.answers[int(path[1:]) % NUM_BODIES])


def serve(port: Any) -> None:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n"
        "Server: bench\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n"
    )
    packed = [gzip.compress(body, 6) for body in bodies()]
    Site.answers = tuple(head.format(len(body)).encode() + body for body in packed)

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Site, "127.0.0.1", 0, backlog=1024)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


@contextlib.contextmanager
def site() -> Iterator[int]:
    """The port of a site in a process of its own."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=serve, args=(sender,), daemon=True)
    process.start()
    try:
        yield receiver.recv()
    finally:
        process.terminate()
        process.join()


def write_links(directory: Path, num_hosts: int, num_pages: int) -> Path:
    """The links of the site, sorted, without an object of Python for each row."""
    with (
        writing(directory, stage="links", config=Config(), inputs={}) as draft,
        draft.open("links-00000.parquet") as file,
    ):
        tables.write_tables(file, SCHEMA, (rows(n, num_pages) for n in range(num_hosts)))
    return directory


def rows(host: int, num_pages: int) -> pa.Table:
    name = HOST.format(host)
    paths = sorted(str(number) for number in range(num_pages))
    moment = datetime(2017, 1, 1, tzinfo=UTC)
    constant = {
        "domain": name, "karma": 3, "subreddit": "books", "created_utc": moment, "submissions": 1,
        "subreddits": ["books"],
    }  # fmt: skip
    columns = {key: pa.repeat(pa.scalar(v), num_pages) for key, v in constant.items()}
    urls = pa.array([f"http://{name}/{path}" for path in paths])
    return pa.table({"url": urls, **columns}).cast(SCHEMA)


def work(job: Job) -> Run:
    config = convert(job.config, CrawlConfig, where="crawl")
    links, out = Path(job.links), Path(job.out)
    out.mkdir()
    if job.contestant == OURS:
        prepared = ours(links, out, config)
    else:
        prepared = scrapy_alone(links, config, stripped=job.contestant == STRIPPED)
    started = time.perf_counter()
    if job.seconds is not None:
        threading.Thread(target=leave, args=(job.seconds,), daemon=True).start()
    amount = prepared()
    return Run(
        seconds=time.perf_counter() - started,
        warm_up_seconds=0.0,
        peak_bytes=peak_bytes(),
        amount=amount,
    )


def leave(seconds: float) -> None:
    time.sleep(seconds)
    run = Run(seconds=seconds, warm_up_seconds=0.0, peak_bytes=peak_bytes(), amount=0)
    sys.stdout.buffer.write(msgspec.json.encode(run) + b"\n")
    sys.stdout.buffer.flush()
    os._exit(0)


def ours(links: Path, out: Path, config: CrawlConfig) -> Callable[[], int]:
    from wellread.crawl.fetch import run
    from wellread.crawl.journal import read_journal

    def fetch() -> int:
        run(links, out, config)
        return sum(1 for entry in read_journal(out) if entry.length)

    return fetch


def scrapy_alone(links: Path, config: CrawlConfig, *, stripped: bool) -> Callable[[], int]:
    import scrapy
    from scrapy.crawler import CrawlerProcess

    from wellread.crawl.fetch import settings_for
    from wellread.crawl.resolver import SETTING
    from wellread.formats.links import read_links

    urls = [link.url for link in read_links(links)]
    # The hosts in turn, so that none of them is what Scrapy waits for.
    urls.sort(key=lambda url: url.rpartition("/")[2])
    fetched = []

    class Spider(scrapy.Spider):  # type: ignore[misc]
        name = "bare"

        async def start(self) -> Any:
            for url in urls:
                yield scrapy.Request(url, dont_filter=True)

        def parse(self, response: Any) -> None:
            if response.status == 200 and len(response.body) > 1000:
                fetched.append(len(response.body))

    settings: dict[str, Any] = {
        "CONCURRENT_REQUESTS": config.under_way, "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        "DOWNLOAD_DELAY": 0, "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False,
        SETTING: config, "TWISTED_DNS_RESOLVER": "wellread.crawl.resolver.GuardedResolver",
    }  # fmt: skip
    if stripped:
        settings = {**settings_for(config), "CONCURRENT_REQUESTS_PER_DOMAIN": 8}
        del settings["DOWNLOADER_MIDDLEWARES_BASE"]["wellread.crawl.robots.StrictRobotsTxt"]

    def fetch() -> int:
        process = CrawlerProcess(settings)
        process.crawl(Spider)
        process.start()
        return len(fetched)

    return fetch


def measure(job: Job, limit_seconds: float) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        fresh = msgspec.structs.replace(job, out=str(Path(folder) / "pages"))
        encoded = msgspec.json.encode(fresh)
        return run_fresh(__file__, encoded, environment={}, limit_seconds=limit_seconds)


def config_for(port: int, **changes: Any) -> CrawlConfig:
    given = {"delay_seconds": 0.0, "resolve": {"*.bench.example": f"127.0.0.1:{port}"}, **changes}
    return CrawlConfig(**given)


def compare(links: Path, port: int, rounds: int, num_links: int) -> str:
    config = to_plain(config_for(port))

    def run(contestant: str) -> Outcome:
        job = Job(contestant=contestant, links=str(links), out="", config=config)
        outcome = measure(job, limit_seconds=1800)
        if isinstance(outcome, Run) and outcome.amount != num_links:
            return Failure(reason=f"{outcome.amount} pages instead of {num_links}")
        return outcome

    outcomes = in_rounds([OURS, SCRAPY, STRIPPED], rounds, run)
    our_seconds = seconds_of(outcomes[OURS])
    lines = []
    for contestant, runs in outcomes.items():
        seconds = seconds_of(runs)
        if not seconds:
            reason = next(run.reason for run in runs if isinstance(run, Failure))
            lines.append([contestant, reason, "", ""])
            continue
        rates = spread([num_links / second for second in seconds], 0)
        peak = max(run.peak_bytes for run in runs if isinstance(run, Run))
        lines.append([contestant, rates, ratios(seconds, our_seconds), f"{peak / 1e6:.0f}"])
    headings = ["", "pages/s", "our pages/s over theirs", "peak MB"]
    return table(headings, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--pages", type=int, default=40, help="of each host")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="LINKS")
    parser.add_argument("--seconds", type=float, default=120.0, help="with --memory")
    arguments = parser.parse_args()
    versions = f"Scrapy {version_of('scrapy')}, Twisted {version_of('twisted')}"
    sys.stdout.write(f"{machine()}; {versions}\n\n")
    with site() as port, tempfile.TemporaryDirectory() as folder:
        if arguments.memory:
            num_hosts = arguments.memory // LINKS_PER_HOST
            links = write_links(Path(folder) / "links", num_hosts, LINKS_PER_HOST)
            config = to_plain(config_for(port, delay_seconds=3600.0))
            job = Job(
                contestant=OURS, links=str(links), out="", config=config, seconds=arguments.seconds
            )
            outcome = measure(job, limit_seconds=arguments.seconds + 600)
            if isinstance(outcome, Failure):
                sys.exit(outcome.reason)
            peak = f"{outcome.peak_bytes / 1e6:.0f} MB after {outcome.seconds:.0f} s"
            sys.stdout.write(f"{arguments.memory:,} links of {num_hosts:,} hosts: {peak}\n")
            return
        links = write_links(Path(folder) / "links", arguments.hosts, arguments.pages)
        num_links = arguments.hosts * arguments.pages
        sys.stdout.write(compare(links, port, arguments.rounds, num_links) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["_worker"]:
        sys.stdout.buffer.write(
            msgspec.json.encode(work(msgspec.json.decode(sys.argv[2], type=Job)))
        )
        sys.stdout.buffer.write(b"\n")
    else:
        main()
