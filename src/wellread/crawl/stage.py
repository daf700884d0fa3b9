"""The stage: links in, pages out, and an outcome for every link."""

import hashlib
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import msgspec

from wellread.base.config import to_plain
from wellread.base.errors import InputError, Stopped, WellreadError
from wellread.base.files import sha256_of
from wellread.base.manifest import (
    Draft,
    Manifest,
    finished,
    is_artifact,
    marker_of,
    read_artifact,
    read_manifest,
    writing,
)
from wellread.base.progress import Progress, silent
from wellread.base.text import human_seconds
from wellread.base.unfinished import a_finished_other, refuse_another
from wellread.crawl.archives import take_pages
from wellread.crawl.blocklists import TakedownList, domains_in, list_files
from wellread.crawl.commoncrawl import Found, fetch_captures, found, look_up
from wellread.crawl.commoncrawl_captures import WORK
from wellread.crawl.config import CrawlConfig, parse_shard
from wellread.crawl.journal import JOURNAL, delete_journal, full_segments
from wellread.crawl.outcomes import GO_ON, JournalIndex, account, write_table
from wellread.crawl.policy import connect_to, is_allowed, url_refusal
from wellread.crawl.queue import QUEUE
from wellread.crawl.reopening import finish_reopening, reopen
from wellread.crawl.report import Report, describe
from wellread.crawl.takedown import finish_takedown, take_down
from wellread.formats.captures import FILE as CAPTURES
from wellread.formats.links import STAGE as LINKS
from wellread.formats.links import num_links, read_links
from wellread.formats.pages import OUTCOMES_FILE, STAGE
from wellread.formats.refused import SILENT

log = logging.getLogger(__name__)
MAX_SAID = 10_000  # bytes of a traceback: that of the first answer that nobody thought of
LISTS = "blocklists"  # the digest of each, as it was at the end
UNREACHED = SILENT | {"host_unreachable"}


def crawl(
    links: str | Path,
    out: str | Path,
    config: CrawlConfig,
    *,
    replaces: bool = True,
    progress: Progress = silent,
) -> Manifest:
    """Fetch every link of `links` once; store its page, or the reason why there is none.

    The same pages whether or not the crawl was interrupted. Manners and lists may change between
    calls and hold for what is asked from then on; with other settings or links, an interrupted
    crawl is refused, and a finished one replaced only if `replaces`. Memory grows with the number
    of hosts, and by 8 to 24 bytes with that of links (docs/decisions/0013-crawl-frontier.md).
    """
    links, out = Path(links), Path(out)
    _check(links, config)
    inputs = _inputs(links, config)
    finish_takedown(out)
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        _warn_of_new_lists(done, config)
        if missing := [name for name in config.again if name not in done.dropped]:
            log.warning("%s: no link ended as %s", out, ", ".join(missing))
        if len(missing) == len(config.again):
            return take_down(out, config.takedown) if config.takedown else done
        reopen(out, config.again, marker_of(STAGE, config, inputs))
    _refuse_another(out, config, inputs, replaces=replaces)
    with writing(out, stage=STAGE, config=config, inputs=inputs, resume=True) as draft:
        finish_reopening(out)
        # Interrupted after its last link. Archives are read again, for what is bad in them.
        is_settled = (out / OUTCOMES_FILE).exists() and config.source != "warc"
        if config.source == "warc":
            delete_journal(out)  # reading again is quick, and keeps "the first page" the first
            take_pages(draft, links, config, progress)
        elif config.source == "commoncrawl":
            known = (
                found(out, config) if is_settled else fetch_captures(draft, links, config, progress)
            )
            draft.counts |= {f"matched: {name}": count for name, count in known.matched.items()}
        elif not is_settled:
            _fetch(links, out, config, progress)
        if not is_settled:
            _settle(draft, links, config)
        account(draft)
        draft.facts[LISTS] = _digests(config)
        delete_journal(out)
        (out / QUEUE).unlink(missing_ok=True)
    if config.takedown:  # of what came before the list did, or from pages that were there
        return take_down(out, config.takedown)
    return read_manifest(out)


def survey(links: Path, out: Path, config: CrawlConfig, *, progress: Progress = silent) -> Found:
    """What `crawl` with these settings would fetch from Common Crawl; fetches nothing of it.

    Looking the links up is most of the work before the fetching: it stays in `out`, unfinished, and
    `crawl` goes on from it.
    """
    if config.source != "commoncrawl":
        raise InputError("crawl: a survey is of source 'commoncrawl'")
    _check(links, config)
    inputs = _inputs(links, config)
    if finished(out, stage=STAGE, config=config, inputs=inputs):
        return found(out, config)
    _refuse_another(out, config, inputs, replaces=False)
    with (
        suppress(Stopped),
        writing(out, stage=STAGE, config=config, inputs=inputs, resume=True) as draft,
    ):
        known = look_up(draft, links, config, progress)
        raise Stopped(f"{out}: looked up, nothing fetched")
    return known


def _inputs(links: Path, config: CrawlConfig) -> dict[str, list[Path]]:
    return {"links": [links], **({"warcs": config.warcs} if config.warcs else {})}


def _refuse_another(
    out: Path, config: CrawlConfig, inputs: dict[str, list[Path]], *, replaces: bool
) -> None:
    if not replaces and is_artifact(out):
        raise a_finished_other(out, "crawl")
    if _has_fetched(out):
        refuse_another(out, "crawl", stage=STAGE, config=config, inputs=inputs)


def _has_fetched(out: Path) -> bool:
    """Whether an unfinished crawl has something to lose: answers, or what it looked up."""
    journal = out / JOURNAL
    is_begun = journal.exists() and journal.stat().st_size > 0
    return is_begun or (out / CAPTURES).exists() or any((out / WORK).glob("*.footer"))


def _digests(config: CrawlConfig) -> dict[str, str]:
    """Of the lists that keep the crawl out of domains."""
    found = {}
    for name, path in sorted(config.blocklists.items()):
        content = "".join(map(sha256_of, list_files(path)))
        found[name] = hashlib.sha256(content.encode()).hexdigest()
    return found


def _warn_of_new_lists(done: Manifest, config: CrawlConfig) -> None:
    before, now = done.facts.get(LISTS, {}), _digests(config)
    if added := [name for name, digest in now.items() if before.get(name) != digest]:
        log.warning(
            "blocklists %s: not those that this crawl ended with; pages that are there stay "
            "(--takedown removes some)",
            ", ".join(added),
        )


def _check(links: Path, config: CrawlConfig) -> None:
    """Refuse what cannot be crawled, before any work."""
    read_artifact(links, LINKS)
    if num_links(links) == 0:
        raise InputError(f"{links}: no links to fetch; see in its manifest why all were dropped")
    if config.source == "web":
        _require_contact((link.url for link in read_links(links)), config)
    elif config.source == "commoncrawl":
        _require_contact([config.commoncrawl_base], config)
    for path in config.blocklists.values():
        next(domains_in(path))
    if config.takedown:
        TakedownList.read(config.takedown)


def _require_contact(urls: Iterable[str], config: CrawlConfig) -> None:
    """Sites of others are visited by somebody who can be reached, or not at all."""
    if config.user_agent_contact:
        return
    for url in urls:
        if url_refusal(url):  # is not asked for, and has an outcome that says so
            continue
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        is_mapped = connect_to(host, config.resolve) is not None
        if not is_mapped and not is_allowed(host, port, config.allow_hosts):
            raise InputError(
                f"crawl: no user_agent_contact, and {host} is not in allow_hosts; give an address "
                "or page where the owner of a site can reach you"
            )


def _fetch(links: Path, out: Path, config: CrawlConfig, progress: Progress) -> None:
    """Run the fetching process to its end, passing on what it reports."""
    job = {"links": str(links), "out": str(out), "config": to_plain(config)}
    command = [sys.executable, "-m", "wellread.crawl.fetch"]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(msgspec.json.encode(job) + b"\n")
            child.stdin.flush()
            for line in child.stdout:
                _pass_on(line, out, config, progress)
            status = child.wait()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
            child.stdin.close()
        if status != 0:
            raise WellreadError(
                f"{out}: the fetching process ended with status {status} "
                f"({_last_line(errors)}); {GO_ON}"
            )
        errors.seek(0)
        if said := errors.read(MAX_SAID):
            log.warning("the fetching process said: %s", said.decode(errors="replace"))


def _pass_on(line: bytes, out: Path, config: CrawlConfig, progress: Progress) -> None:
    report = msgspec.json.decode(line, type=Report)
    if report.errno is not None:
        raise OSError(report.errno, "the pages could not be written", report.file or str(out))
    if report.warning:
        log.warning(report.warning)
    if report.is_lost:
        raise WellreadError(
            f"{out}: the network was down for {human_seconds(config.max_outage_seconds)}; "
            f"{GO_ON}, once hosts can be reached; no link was given up for it"
        )
    progress(report.done, report.total, describe(report))


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _settle(draft: Draft, links: Path, config: CrawlConfig) -> None:
    """The journal becomes the table of outcomes; from then on it is not needed."""
    index = JournalIndex(draft.out)
    _require_network(draft.out, index)
    for name, sha256 in full_segments(draft.out).items():
        draft.did_write(name, sha256)
    write_table(draft, index, links, parse_shard(config.shard))
    index.close()


def _require_network(out: Path, index: JournalIndex) -> None:
    """A crawl that reached nobody says so, and forgets it, instead of passing for a result."""
    if index.reasons and index.reasons.keys() <= UNREACHED:
        delete_journal(out)
        raise WellreadError(
            f"{out}: none of {index.reasons.total()} links could be reached "
            f"({', '.join(sorted(index.reasons))}); "
            "check the network and run the same command again"
        )
