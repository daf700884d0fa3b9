"""Removes from finished pages what their owners had taken down, without fetching the rest again.

What changes is written whole into a directory beside, its manifest last; then it takes the old
files' places, the manifest last again. A process that is killed leaves a directory that is either
not whole, and is deleted, or is, and is moved the rest of the way by whoever comes next.
"""

import contextlib
import shutil
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from warcio.archiveiterator import ArchiveIterator

from wellread.base.errors import WellreadError
from wellread.base.files import HashingWriter, explaining_full_disks, sha256_of
from wellread.base.manifest import (
    MANIFEST,
    MAX_EXAMPLES,
    File,
    Manifest,
    amended,
    file_of,
    is_artifact,
    locked,
    read_artifact,
    work_ahead,
    write_manifest,
)
from wellread.crawl.blocklists import TakedownList
from wellread.crawl.config import CrawlConfig
from wellread.formats.pages import (
    FETCHED,
    OUTCOMES_FILE,
    STAGE,
    Outcome,
    outcomes_written,
    read_outcomes,
)
from wellread.formats.segments import segment_name
from wellread.formats.warc import LINK

TAKEN_DOWN = "taken_down"
STAGED = ".takedown"
FACT = "takedown"  # the digest of the list that was last taken out


def take_down(pages: Path, given: Path) -> Manifest:
    """Remove from the crawl artifact `pages` what the list `given` names.

    A page goes if the address of its link is listed or the one that it was redirected to. Its link
    keeps a row, with the outcome `taken_down`. Done again with the same list it does nothing.
    """
    finish_takedown(pages)
    manifest = read_artifact(pages, STAGE)
    listed = TakedownList.read(given)
    facts = {FACT: sha256_of(given)}
    if manifest.facts.get(FACT) == facts[FACT]:
        return manifest
    work_ahead(pages)
    removed = [o for o in read_outcomes(pages) if o.outcome == FETCHED and _goes(o, listed)]
    with contextlib.ExitStack() as held, explaining_full_disks(pages):
        locked(pages, held)
        staged = pages / STAGED
        staged.mkdir()
        outputs = dict(manifest.outputs)
        if removed:
            urls = {outcome.url for outcome in removed}
            gaps: dict[int, Gaps] = {}
            for number in sorted({o.segment for o in removed if o.segment is not None}):
                name = segment_name(number)
                gaps[number], outputs[name] = _stage_segment(pages / name, staged, urls)
            outputs[OUTCOMES_FILE] = _stage_outcomes(pages, staged, urls, gaps)
        changed = amended(
            manifest,
            CrawlConfig,
            outputs=outputs,
            facts=manifest.facts | facts,
            **_recounted(manifest, removed),
        )
        write_manifest(staged, changed)
        _move_in(pages)
    return changed


def finish_takedown(pages: Path) -> None:
    """Go on with a takedown that was interrupted, or undo it."""
    if not (pages / STAGED).is_dir():
        return
    work_ahead(pages)
    with contextlib.ExitStack() as held:
        locked(pages, held)
        if is_artifact(pages / STAGED):
            _move_in(pages)
        else:
            shutil.rmtree(pages / STAGED)


class Gaps:
    """What is gone from a segment, in order; where the rest has moved."""

    def __init__(self) -> None:
        self._starts, self._sums = list[int](), [0]

    def add(self, start: int, length: int) -> None:
        self._starts.append(start)
        self._sums.append(self._sums[-1] + length)

    def moved(self, offset: int) -> int:
        return offset - self._sums[bisect_left(self._starts, offset)]


def _move_in(pages: Path) -> None:
    staged = pages / STAGED
    for path in sorted(staged.iterdir(), key=lambda path: path.name == MANIFEST):
        path.replace(pages / path.name)
    staged.rmdir()


def _goes(outcome: Outcome, listed: TakedownList) -> bool:
    where = outcome.redirected_to
    return listed.covers(outcome.url) or (where is not None and listed.covers(where))


def _stage_segment(segment: Path, staged: Path, removed: set[str]) -> tuple[Gaps, File]:
    """Write the segment as it will be, without the records of `removed`; what is gone from it."""
    target, gaps = staged / segment.name, Gaps()
    with segment.open("rb") as source, HashingWriter(target) as file:
        for start, length, is_kept in _spans(segment, removed):
            if is_kept:
                source.seek(start)
                file.write(source.read(length))
            else:
                gaps.add(start, length)
    return gaps, file_of(target, file.sha256())


def _spans(segment: Path, removed: set[str]) -> Iterator[tuple[int, int, bool]]:
    """Start, length and fate of each record; a request or metadata record goes with its answer."""
    gone: set[str] = set()
    position = 0
    with segment.open("rb") as file:
        archive = ArchiveIterator(file, no_record_parse=True)  # what the records hold is no matter
        for record in archive:
            headers = record.rec_headers
            link = headers.get_header(LINK) or headers.get_header("WARC-Target-URI")
            goes = link in removed or any(
                headers.get_header(name) in gone
                for name in ("WARC-Concurrent-To", "WARC-Refers-To")
            )
            if goes:
                gone.add(headers.get_header("WARC-Record-ID"))
            archive.read_to_end(record)
            start, length = archive.get_record_offset(), archive.get_record_length()
            if start != position:
                raise WellreadError(f"{segment}: not a file of whole records; fetch it again")
            position = start + length
            yield start, length, not goes
    if position != segment.stat().st_size:
        raise WellreadError(f"{segment}: damaged after byte {position}; fetch it again")


def _stage_outcomes(pages: Path, staged: Path, removed: set[str], gaps: dict[int, Gaps]) -> File:
    target = staged / OUTCOMES_FILE
    with HashingWriter(target) as file:
        outcomes_written(file, (_changed(o, removed, gaps) for o in read_outcomes(pages)))
    return file_of(target, file.sha256())


def _changed(outcome: Outcome, removed: set[str], gaps: dict[int, Gaps]) -> Outcome:
    """The outcome as it is after the takedown, its page in its new place."""
    if outcome.url in removed:
        return msgspec.structs.replace(
            outcome, outcome=TAKEN_DOWN, num_bytes=0, segment=None, offset=None
        )
    if outcome.segment not in gaps or outcome.offset is None:
        return outcome
    offset = gaps[outcome.segment].moved(outcome.offset)
    return msgspec.structs.replace(outcome, offset=offset)


def _recounted(manifest: Manifest, removed: list[Outcome]) -> dict[str, Any]:
    """The manifest's counts, drops and examples without `removed`."""
    counts = dict(manifest.counts)
    counts["out"] -= len(removed)
    counts["bytes"] -= sum(outcome.num_bytes for outcome in removed)
    dropped, examples = dict(manifest.dropped), dict(manifest.examples)
    if removed:
        dropped[TAKEN_DOWN] = dropped.get(TAKEN_DOWN, 0) + len(removed)
        named = [*examples.get(TAKEN_DOWN, []), *(outcome.url for outcome in removed)]
        examples[TAKEN_DOWN] = named[:MAX_EXAMPLES]
    return {"counts": counts, "dropped": dict(sorted(dropped.items())), "examples": examples}
