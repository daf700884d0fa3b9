"""Dumps read by threads, a file each, into a store."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from wellread.base.errors import WellreadError
from wellread.base.files import STDIN, HashingReader
from wellread.base.intrinsics import PADDING
from wellread.base.progress import Progress
from wellread.formats.compressed import read_blocks
from wellread.links.block import MALFORMED, KernelReader, Names, PlainReader
from wellread.links.names import Numbering
from wellread.links.rules import Policy
from wellread.links.stored import Account, Store

log = logging.getLogger(__name__)
BLOCK_BYTES = 1 << 20
PLAIN_BYTES = 4 << 20  # of dumps: below, kernels would take longer to compile than Python to read
READER = "dump reader"  # how names of its threads begin
SHOWN_EVERY = 0.2  # seconds


def read_dumps(
    dumps: Sequence[Path], policy: Policy, store: Store, threads: int, progress: Progress
) -> list[Account]:
    """The account of each dump, whose rows are then in `store`.

    A damaged dump is an error once the others are read, which are kept for a run without it.
    """
    store.hold_only(dumps)
    accounts = {dump: store.account(dump) for dump in dumps}
    todo = [dump for dump, account in accounts.items() if account is None]
    reading = Reading(todo, policy, store, progress)
    reading.run(min(threads, len(todo)))
    if reading.failed:
        kept = len(dumps) - len(reading.failed)
        others = f"; what {kept} others gave is kept for a run without it" if kept else ""
        raise WellreadError(f"{reading.failed[0]}{others}")
    return [account or reading.accounts[dump] for dump, account in accounts.items()]


class Reading:
    def __init__(
        self, dumps: Sequence[Path], policy: Policy, store: Store, progress: Progress
    ) -> None:
        self.accounts: dict[Path, Account] = {}
        self.failed: list[WellreadError] = []
        self._policy, self._store, self._progress = policy, store, progress
        self._names = Names(Numbering(), Numbering())
        self._todo, self._at_work = list(reversed(dumps)), 0
        self._lock, self._stopped = threading.Lock(), threading.Event()
        known = [dump.stat().st_size for dump in dumps if dump != STDIN]
        self._total_bytes = sum(known) if known else None
        self._done_bytes = self._records = self._kept = 0

    def run(self, threads: int) -> None:
        """Read all; the first error of a thread, but for those of dumps, is raised here."""
        if not threads:
            return
        with ThreadPoolExecutor(threads, READER) as pool:
            at_work = {pool.submit(self._work) for _ in range(threads)}
            try:
                while at_work:
                    done, at_work = wait(at_work, SHOWN_EVERY, FIRST_COMPLETED)
                    for work in done:
                        work.result()
                    note = f"{self._records:,} submissions, {self._kept:,} kept"
                    self._progress(self._done_bytes, self._total_bytes, note)
            finally:
                self._stopped.set()

    def _work(self) -> None:
        is_small = self._total_bytes is not None and self._total_bytes < PLAIN_BYTES
        kind = PlainReader if is_small else KernelReader
        reader = kind(self._policy, self._names)
        while (dump := self._next()) is not None:
            try:
                self._read(dump, reader)
            except WellreadError as error:
                self._note_failure(error)
            with self._lock:
                self._at_work -= 1

    def _next(self) -> Path | None:
        with self._lock:
            if not self._todo:
                return None
            self._at_work += 1
            return self._todo.pop()

    def _note_failure(self, error: WellreadError) -> None:
        self.failed.append(error)
        left = len(self._todo) + self._at_work - 1
        if left and not self._stopped.is_set():
            log.warning("%s; %d more dumps are read before this run ends", error, left)

    def _read(self, dump: Path, reader: PlainReader | KernelReader) -> None:
        account = Account(str(dump))
        with HashingReader(dump) as file, self._store.writing(account, self._names) as write:
            before = 0
            for block in read_blocks(dump, file, BLOCK_BYTES, PADDING):
                if self._stopped.is_set():
                    raise WellreadError(f"{dump}: another dump's reader stopped")
                rows = reader.read(block)
                account.add(rows)
                for batch in rows.kept:
                    write(batch)
                with self._lock:
                    self._done_bytes += file.num_bytes - before
                    self._records += rows.num_records
                    self._kept += sum(map(len, rows.kept))
                before = file.num_bytes
            malformed = account.dropped.get(MALFORMED, 0)
            if account.records and malformed == account.records:
                raise WellreadError(
                    f"{dump}: none of its {malformed} lines is a submission (such as "
                    f"{account.examples[MALFORMED][0]}); expected one JSON record a line, so "
                    "take this file away"
                )
            account.sha256 = file.sha256()
        self.accounts[dump] = account
