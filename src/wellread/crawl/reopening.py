"""Opens a finished crawl again for the links that had certain outcomes; its pages stay.

The table of outcomes becomes a journal once more, without these links, as if the crawl had been
interrupted before it came to them. The manifest goes when all else is there: a process that is
killed before leaves the finished crawl, and one killed after an interrupted one.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from wellread.base.files import explaining_full_disks, replacing, write_bytes
from wellread.base.manifest import (
    MANIFEST,
    UNFINISHED,
    Manifest,
    locked,
    read_manifest,
    work_ahead,
)
from wellread.crawl.journal import DIGESTS, JOURNAL, Digest, Entry
from wellread.formats.pages import OUTCOMES_FILE, Outcome, read_outcomes
from wellread.formats.segments import segment_name

REOPENED = "reopened"  # a file that stays until the old table of outcomes is gone


def reopen(pages: Path, again: Collection[str], marker: bytes) -> None:
    """Make the crawl artifact `pages` one that is unfinished, without the outcomes in `again`.

    `marker` says whose unfinished work it is.
    """
    work_ahead(pages)
    with contextlib.ExitStack() as held, explaining_full_disks(pages):
        locked(pages, held)
        last_segment = 0
        with replacing(pages / JOURNAL) as path, path.open("wb") as file:
            for entry in _entries(pages, again):
                file.write(msgspec.json.encode(entry) + b"\n")
                last_segment = entry.outcome.segment or 0
            file.flush()
            os.fsync(file.fileno())
        write_bytes(pages / DIGESTS, _digests(read_manifest(pages), last_segment))
        write_bytes(pages / UNFINISHED, marker)
        (pages / REOPENED).touch()
        (pages / MANIFEST).unlink()


def finish_reopening(pages: Path) -> None:
    """In an unfinished crawl: the old table is void, and says no more that all links are done."""
    if (pages / REOPENED).exists():
        (pages / OUTCOMES_FILE).unlink(missing_ok=True)
        (pages / REOPENED).unlink()


def _entries(pages: Path, again: Collection[str]) -> Iterator[Entry]:
    """Those that stay; at the end the page that lies last, behind which new ones will."""
    last: Outcome | None = None
    for outcome in read_outcomes(pages):
        if outcome.outcome in again:
            continue
        if last is None:
            last = outcome
            continue
        earlier, last = sorted((outcome, last), key=_place)
        yield Entry(outcome=earlier)
    if last is not None:
        name, offset = segment_name(last.segment or 0), last.offset
        length = 0 if offset is None else (pages / name).stat().st_size - offset
        yield Entry(outcome=last, length=length)


def _place(outcome: Outcome) -> tuple[int, int]:
    if outcome.segment is None or outcome.offset is None:
        return -1, -1
    return outcome.segment, outcome.offset


def _digests(manifest: Manifest, before: int) -> bytes:
    """Of the segments before the number `before`, which will not grow."""
    digests = [
        Digest(segment=number, sha256=manifest.outputs[segment_name(number)].sha256)
        for number in range(before)
    ]
    return b"".join(msgspec.json.encode(digest) + b"\n" for digest in digests)
