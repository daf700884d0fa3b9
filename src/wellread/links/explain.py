"""Why a URL is among the links, or is not: what each submission of it was refused or kept for."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import STDIN, HashingReader
from wellread.base.progress import Progress, silent
from wellread.base.urls import canonical_url
from wellread.formats.compressed import read_blocks
from wellread.links.config import LinksConfig
from wellread.links.dumps import dump_files, expand_globs
from wellread.links.rules import LOW_KARMA, Outbound, Policy, judge, judge_url, policy_of
from wellread.links.submissions import Submission, decode_submission, linked_url

BLOCK_BYTES = 4 << 20


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that points to the URL."""

    where: str  # FILE:LINE
    created_utc: datetime
    subreddit: str
    karma: int | None
    refused: str | None  # the first rule that refuses it; None: kept


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    url: str  # canonical
    refused: str | None  # why it is no link; None: it is one
    karma: int | None  # of the link, as the settings count it
    mentions: list[Mention]
    twin: str | None = None  # of http and https the other, if submissions point to that one only


def explain_url(
    url: str, dumps: Sequence[Path], config: LinksConfig, *, progress: Progress = silent
) -> Explanation:
    """Look for submissions of `url`, in any spelling, in `dumps`, and say what becomes of each."""
    wanted = canonical_url(url)
    if wanted is None:
        raise InputError(f"{url}: not a web address; expected http:// or https://")
    policy, files = policy_of(config), dump_files(expand_globs(dumps))
    if files == [STDIN]:
        raise InputError("-: standard input cannot be explained; name the dumps")
    total, done = sum(path.stat().st_size for path in files), 0
    mentions: list[Mention] = []
    scheme, rest = wanted.split(":", 1)
    twin, has_twin = f"{'http' if scheme == 'https' else 'https'}:{rest}", False
    for path in files:
        for mention, num_bytes in _mentions(path, wanted, twin, policy):
            has_twin |= mention is twin
            mentions += [mention] if isinstance(mention, Mention) else []
            progress(done + num_bytes, total, f"{len(mentions)} submissions of it")
        done += path.stat().st_size
    kept = [mention.karma or 0 for mention in mentions if mention.refused is None]
    karma = None
    if kept:
        karma = sum(kept) if config.karma == "sum" else max(kept)
    return Explanation(
        url=wanted, refused=_refused(wanted, mentions, karma, config, policy), karma=karma,
        mentions=mentions, twin=twin if has_twin and not mentions else None,
    )  # fmt: skip


def _refused(
    url: str,
    mentions: Sequence[Mention],
    karma: int | None,
    config: LinksConfig,
    policy: Policy,
) -> str | None:
    verdict = judge_url(url, policy)
    if isinstance(verdict, str):
        return verdict
    if karma is not None:
        return LOW_KARMA if karma < config.min_karma else None
    if not mentions:
        return "no submission in these dumps points to it"
    return "each of its submissions is refused"


def _mentions(
    path: Path, wanted: str, twin: str, policy: Policy
) -> Iterator[tuple[Mention | str | None, int]]:
    """Those in one dump, and how far it is read; None now and then for the latter alone.

    For a submission of `twin` this itself.
    """
    needle = (urlsplit(wanted).hostname or "").encode()
    number = 0
    with HashingReader(path) as file:
        for block in read_blocks(path, file, BLOCK_BYTES):
            content = bytes(block)
            for at, line in enumerate(content.split(b"\n"), start=number + 1):
                found = _read(line, needle) if _may_hold(line, needle) else None
                url = None if found is None else canonical_url(linked_url(found))
                if found is not None and url == wanted:
                    yield _mention(found, f"{path}:{at}", policy), file.num_bytes
                elif url == twin:
                    yield twin, file.num_bytes
            number += content.count(b"\n")
            yield None, file.num_bytes


def _may_hold(line: bytes, host: bytes) -> bool:
    """Whether a URL of `host` can be in a line: as it is, or spelt with more than ASCII."""
    return host in line.lower() or not line.isascii() or b"\\u" in line


def _read(line: bytes, host: bytes) -> Submission | None:
    """The submission in a line, unless its link cannot be to `host`."""
    try:
        submission = decode_submission(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    url = linked_url(submission)
    if url.isascii() and host.decode() not in url.lower():
        return None
    return submission


def _mention(submission: Submission, where: str, policy: Policy) -> Mention:
    verdict = judge(submission, policy)
    return Mention(
        where=where,
        created_utc=datetime.fromtimestamp(submission.created_utc, UTC),
        subreddit=submission.subreddit or "",
        karma=submission.score,
        refused=None if isinstance(verdict, Outbound) else verdict,
    )
