"""The stage `links`: dumps of Reddit submissions in, a table of links out."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import HashingReader
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats.compressed import read_lines
from wellread.formats.links import STAGE, Link, write_links
from wellread.links.config import LinksConfig
from wellread.links.dumps import dump_files, expand_globs
from wellread.links.merge import LinkMerge
from wellread.links.rules import Policy, judge, policy_of
from wellread.links.submissions import decode_submission

MALFORMED = "malformed record"
SAME_PAGE = "same page as another submission"
PROGRESS_EVERY = 20_000  # records


class Tracker(msgspec.Struct):
    """How far the reading of all dumps is."""

    total_bytes: int
    progress: Progress
    done_bytes: int = 0  # of the dumps finished

    def show(self, draft: Draft, file: HashingReader) -> None:
        counts = draft.counts
        note = f"{counts['in']:,} submissions, {counts['submissions_kept']:,} kept"
        self.progress(self.done_bytes + file.num_bytes, self.total_bytes, note)


def harvest_links(
    dumps: Sequence[Path], out: Path, config: LinksConfig, *, progress: Progress = silent
) -> Manifest:
    """Write the outbound links of `dumps` (files, folders or patterns) that readers upvoted.

    Every submission is kept or counted under the first rule that refuses it; submissions of one
    page become one row, with the karma of the best.
    """
    given = expand_globs(dumps)
    files = dump_files(given)
    policy, inputs = policy_of(config), {"dumps": given}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        runs = out / "runs"
        merge = LinkMerge(runs)
        tracker = Tracker(total_bytes=sum(p.stat().st_size for p in files), progress=progress)
        for path in files:
            _harvest_dump(path, policy, merge, draft, tracker)
        if not draft.counts["in"]:
            raise InputError(f"{dumps[0]}: no submissions; expected one JSON record a line")
        draft.counts["out"] = write_links(draft, _counting_repeats(merge.links(), draft))
        shutil.rmtree(runs, ignore_errors=True)
    return read_manifest(out)


def _harvest_dump(
    path: Path, policy: Policy, merge: LinkMerge, draft: Draft, tracker: Tracker
) -> None:
    before = draft.counts["in"], draft.counts["submissions_kept"], draft.dropped[MALFORMED]
    with HashingReader(path) as file:
        for number, line in enumerate(read_lines(path, file), start=1):
            if not line or line.isspace():
                continue
            draft.counts["in"] += 1
            _take(line, f"{path.name}:{number}", policy, merge, draft)
            if draft.counts["in"] % PROGRESS_EVERY == 0:
                tracker.show(draft, file)
        draft.did_read(path, file.sha256())
        tracker.show(draft, file)
        tracker.done_bytes += file.num_bytes
    records = draft.counts["in"] - before[0]
    if records and draft.dropped[MALFORMED] - before[2] == records:
        example = draft.examples[MALFORMED][0]
        raise WellreadError(
            f"{path}: none of its {records} lines is a submission (such as {example}); "
            "expected one JSON record a line, so take this file away"
        )
    kept = draft.counts["submissions_kept"] - before[1]
    dumps = draft.facts.setdefault("dumps", [])
    dumps.append({"name": path.name, "submissions": records, "kept": kept})


def _take(line: bytes, where: str, policy: Policy, merge: LinkMerge, draft: Draft) -> None:
    try:
        submission = decode_submission(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        draft.drop(MALFORMED, f"{where} ({error})")
        return
    verdict = judge(submission, policy)
    if isinstance(verdict, str):
        draft.drop(verdict, where)
        return
    draft.counts["submissions_kept"] += 1
    merge.add(
        verdict.url, submission.score or 0, submission.created_utc, submission.subreddit or ""
    )


def _counting_repeats(links: Iterator[Link], draft: Draft) -> Iterator[Link]:
    for link in links:
        if link.submissions > 1:
            draft.drop(SAME_PAGE, link.url, count=link.submissions - 1)
        yield link
