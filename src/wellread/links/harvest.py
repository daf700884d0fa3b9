"""The stage `links`: dumps of Reddit submissions in, a table of links out."""

import contextlib
import queue
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import STDIN, HashingReader
from wellread.base.intrinsics import PADDING
from wellread.base.manifest import MAX_EXAMPLES, Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.threads import num_threads
from wellread.formats.compressed import read_blocks
from wellread.formats.links import STAGE, write_link_tables
from wellread.links.block import MALFORMED, KernelReader, Names, PlainReader, Rows
from wellread.links.config import LinksConfig
from wellread.links.dumps import dump_files, expand_globs
from wellread.links.merge import Group, merge_rows
from wellread.links.names import Numbering
from wellread.links.rules import LOW_KARMA, Policy, policy_of

SAME_PAGE = "same page as another submission"
BLOCK_BYTES = 1 << 20
PLAIN_BYTES = 4 << 20  # of dumps: below, kernels would take longer to compile than Python to read
READER = "dump reader"  # the name of its threads
WAITING = 8  # batches that are read and not yet sorted, of all threads


class Account(msgspec.Struct):
    """What became of one dump's lines."""

    path: Path
    sha256: str = ""
    records: int = 0
    lines: int = 0
    dropped: Counter[str] = msgspec.field(default_factory=Counter)
    examples: dict[str, list[str]] = msgspec.field(default_factory=dict)

    @property
    def kept(self) -> int:
        return self.records - self.dropped.total()

    def add(self, rows: Rows) -> None:
        for line, reason, detail in rows.examples:
            named = self.examples.setdefault(reason, [])
            if len(named) < MAX_EXAMPLES:
                why = f" ({detail})" if detail else ""
                named.append(f"{self.path.name}:{self.lines + line + 1}{why}")
        self.dropped.update(rows.dropped)
        self.records += rows.num_records
        self.lines += rows.num_lines


def harvest_links(
    dumps: Sequence[Path], out: Path, config: LinksConfig, *, progress: Progress = silent
) -> Manifest:
    """Write the outbound links of `dumps` (files, folders, patterns or `-`) that readers upvoted.

    Every submission is kept or counted under the first rule that refuses it; submissions of one
    page become one row, with the karma of the best, or the sum. Of a refused submission only the
    fields that refuse it are looked at: garbage elsewhere in its record goes unnoticed.
    """
    given = expand_globs(dumps)
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
        names = Names(Numbering(), Numbering())
        reading = Reading(files, policy, names, min(threads, len(files)), progress)
        groups = merge_rows(
            reading.batches(),
            names,
            out / "runs",
            sums_karma=config.karma == "sum",
            threads=threads,
        )
        write_link_tables(draft, _counted(groups, draft, config))
        for account in reading.accounts:
            _note(account, draft)
        if not draft.counts["in"]:
            raise InputError(f"{dumps[0]}: no submissions; expected one JSON record a line")
        shutil.rmtree(out / "runs", ignore_errors=True)
    return read_manifest(out)


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
    if account.path != STDIN:
        draft.did_read(account.path, account.sha256)
    draft.counts["in"] += account.records
    draft.dropped.update(account.dropped)
    for reason, named in account.examples.items():
        for example in named:
            draft.drop(reason, example, count=0)
    dumps = draft.facts.setdefault("dumps", [])
    dumps.append(
        {
            "name": account.path.name,
            "sha256": account.sha256,
            "submissions": account.records,
            "kept": account.kept,
        }
    )


class Reading:
    """Dumps read by threads, a file each, while the caller takes what they found."""

    def __init__(
        self, files: Sequence[Path], policy: Policy, names: Names, threads: int, progress: Progress
    ) -> None:
        self.accounts = [Account(path) for path in files]
        self._policy, self._names, self._progress = policy, names, progress
        self._threads = threads
        self._todo = iter(self.accounts)
        self._found = queue.Queue[pa.RecordBatch | BaseException | None](WAITING)
        self._lock, self._stopped = threading.Lock(), threading.Event()
        known = [path.stat().st_size for path in files if path != STDIN]
        self._total_bytes = sum(known) if known else None
        self._done_bytes = self._records = self._kept = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows (block.ROWS) in no order; the first error of a thread is raised here."""
        workers = [threading.Thread(target=self._work, name=READER) for _ in range(self._threads)]
        for worker in workers:
            worker.start()
        try:
            at_work = len(workers)
            while at_work:
                match self._found.get():
                    case None:
                        at_work -= 1
                    case BaseException() as error:
                        raise error
                    case batch:
                        yield batch
                self._show()
        finally:
            self._stopped.set()
            while any(worker.is_alive() for worker in workers):
                with contextlib.suppress(queue.Empty):  # so that none of them waits for room
                    self._found.get(timeout=0.01)

    def _work(self) -> None:
        is_small = self._total_bytes is not None and self._total_bytes < PLAIN_BYTES
        kind = PlainReader if is_small else KernelReader
        reader = kind(self._policy, self._names)
        try:
            while (account := self._next()) is not None:
                self._read(account, reader)
            self._found.put(None)
        except BaseException as error:  # noqa: BLE001  # raised again by `batches`
            self._found.put(error)

    def _next(self) -> Account | None:
        with self._lock:
            return next(self._todo, None)

    def _read(self, account: Account, reader: PlainReader | KernelReader) -> None:
        with HashingReader(account.path) as file:
            before = 0
            for block in read_blocks(account.path, file, BLOCK_BYTES, PADDING):
                if self._stopped.is_set():
                    return
                rows = reader.read(block)
                account.add(rows)
                with self._lock:
                    self._done_bytes += file.num_bytes - before
                    self._records += rows.num_records
                    self._kept += sum(map(len, rows.kept))
                before = file.num_bytes
                for batch in rows.kept:
                    self._found.put(batch)
            account.sha256 = file.sha256()
        malformed = account.dropped[MALFORMED]
        if account.records and malformed == account.records:
            raise WellreadError(
                f"{account.path}: none of its {malformed} lines is a submission (such as "
                f"{account.examples[MALFORMED][0]}); expected one JSON record a line, so take "
                "this file away"
            )

    def _show(self) -> None:
        note = f"{self._records:,} submissions, {self._kept:,} kept"
        self._progress(self._done_bytes, self._total_bytes, note)
