"""The stage `links`: dumps of Reddit submissions in, a table of links out."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.errors import InputError
from wellread.base.files import STDIN
from wellread.base.manifest import MAX_EXAMPLES, Draft, Manifest, finished, read_manifest, writing
from wellread.base.previous import LASTING
from wellread.base.progress import Progress, silent
from wellread.base.threads import num_threads
from wellread.formats import link_report
from wellread.formats.links import STAGE, write_link_tables
from wellread.formats.sorting import Room
from wellread.links.block import Names
from wellread.links.config import LinksConfig
from wellread.links.dumps import dump_files, expand_globs
from wellread.links.merge import Group, merge_rows
from wellread.links.names import Numbering
from wellread.links.reading import read_dumps
from wellread.links.report import SAME_PAGE, describe
from wellread.links.rules import LOW_KARMA, policy_of
from wellread.links.stored import Account, Store


def harvest_links(
    dumps: Sequence[str | Path],
    out: str | Path,
    config: LinksConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """Write the outbound links of `dumps` (files, folders, patterns or `-`) that readers upvoted.

    Every submission is kept or counted under the first rule that refuses it; submissions of one
    page become one row, with the karma of the best, or the sum. Of a refused submission only the
    fields that refuse it are looked at: garbage elsewhere in its record goes unnoticed.
    """
    given, out = expand_globs([Path(dump) for dump in dumps]), Path(out)
    files = dump_files(given)
    policy, is_stdin = policy_of(config), files == [STDIN]
    inputs = {"dumps": [] if is_stdin else given}
    if lists := [path for path in (config.subreddits_file, config.domains_file) if path]:
        inputs["lists"] = lists
    # What comes by standard input is not known before it is read.
    if not is_stdin and (done := finished(out, stage=STAGE, config=config, inputs=inputs)):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        threads = num_threads(config.threads)
        store = Store(out / LASTING, config)
        accounts = read_dumps(files, policy, store, threads, progress)
        names = Names(Numbering(), Numbering())
        total = sum(account.kept for account in accounts)
        rows = _shown(store.rows(files, names), total, progress)
        groups = merge_rows(
            rows, names, Room(out / "runs", threads), sums_karma=config.karma == "sum"
        )
        write_link_tables(draft, _counted(groups, draft, config))
        for account in accounts:
            _note(account, draft)
        if not draft.counts["in"]:
            raise InputError(f"{dumps[0]}: no submissions; expected one JSON record a line")
        found = describe(out, draft.counts, draft.dropped, webtext={})
        draft.write(link_report.NAME, link_report.encode(found))
        shutil.rmtree(out / "runs", ignore_errors=True)
    return read_manifest(out)


def _shown(
    batches: Iterator[pa.RecordBatch], total: int, progress: Progress
) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in batches:
        done += len(batch)
        progress(done, total, f"{done:,} links into order")
        yield batch


def _counted(groups: Iterator[Group], draft: Draft, config: LinksConfig) -> Iterator[pa.Table]:
    """The links of `groups` with enough karma; the rest, and repeats, are counted."""
    draft.counts.update(out=0, submissions_kept=0)
    for group in groups:
        links, submissions = group
        if config.karma == "sum":
            enough = links["karma"].to_numpy() >= config.min_karma
            _drop(draft, LOW_KARMA, links["url"], np.where(enough, 0, submissions))
            links, submissions = links.filter(pa.array(enough)), submissions[enough]
        _drop(draft, SAME_PAGE, links["url"], submissions - 1)
        draft.counts["out"] += len(links)
        draft.counts["submissions_kept"] += int(submissions.sum())
        yield links


def _drop(draft: Draft, reason: str, urls: pa.ChunkedArray, counts: npt.NDArray[np.int64]) -> None:
    """Count for each URL so many submissions as left out."""
    if not counts.any():
        return
    draft.dropped[reason] += int(counts.sum())
    for url in urls.filter(pa.array(counts > 0)).slice(0, MAX_EXAMPLES).to_pylist():
        draft.drop(reason, url, count=0)


def _note(account: Account, draft: Draft) -> None:
    path = Path(account.path)
    if path != STDIN:
        draft.did_read(path, account.sha256)
    draft.counts["in"] += account.records
    for reason, count in account.dropped.items():
        draft.dropped[reason] += count
    for reason, named in account.examples.items():
        for example in named:
            draft.drop(reason, example, count=0)
    dumps = draft.facts.setdefault("dumps", [])
    dumps.append(
        {
            "name": path.name,
            "sha256": account.sha256,
            "submissions": account.records,
            "kept": account.kept,
        }
    )
