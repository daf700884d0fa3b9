"""A block of a dump's lines becomes rows of links, and an account of the lines that were refused.

By plain Python, line by line, or by kernels that say the same some twenty times as fast, once they
are compiled.
"""

from collections import Counter
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.manifest import MAX_EXAMPLES
from wellread.base.urls import registrable_domain
from wellread.links.canonical import Canonical
from wellread.links.names import Numbering, SeenNames
from wellread.links.rules import Policy, Site, judge, judge_site, judge_url
from wellread.links.scan import Scratch, find_fields
from wellread.links.select import (
    CANDIDATE,
    CREATED_UTC,
    FILE_TYPE,
    HOST_END,
    HOST_START,
    IS_FILE,
    KARMA,
    LINE,
    NAME_END,
    NAME_START,
    NOTHING,
    REASONS,
    UNDECIDED,
    URL_END,
    URL_START,
    BlockPolicy,
    Candidates,
)
from wellread.links.submissions import decode_submission

MALFORMED = "malformed record"
# Of a submission; domain and subreddit by their numbers in Names.
ROWS = pa.schema(
    [
        ("url", pa.string()),
        ("domain", pa.int32()),
        ("karma", pa.int64()),
        ("created", pa.int64()),
        ("subreddit", pa.int32()),
    ]
)


class Names(NamedTuple):
    domains: Numbering
    subreddits: Numbering


class Refused(NamedTuple):
    line: int  # from 0
    reason: str
    detail: str = ""


class Rows(NamedTuple):
    """What a block gave."""

    kept: list[pa.RecordBatch]
    dropped: Counter[str]
    examples: list[Refused]  # the first few of each reason
    num_lines: int
    num_records: int


class Found:
    """What was decided line by line."""

    def __init__(self) -> None:
        self._urls: list[str] = []
        self._numbers: list[tuple[int, int, int, int]] = []
        self.refused: list[Refused] = []

    def add(self, url: str, domain: int, karma: int, created: int, subreddit: int) -> None:
        self._urls.append(url)
        self._numbers.append((domain, karma, created, subreddit))

    def batches(self) -> list[pa.RecordBatch]:
        """One, or none if there are no rows."""
        if not self._urls:
            return []
        columns = (self._urls, *zip(*self._numbers, strict=True))
        arrays = [pa.array(column, field.type) for column, field in zip(columns, ROWS, strict=True)]
        return [pa.RecordBatch.from_arrays(arrays, schema=ROWS)]


class PlainReader:
    """Decides line by line, in Python."""

    def __init__(self, policy: Policy, names: Names) -> None:
        self._policy, self._names = policy, names

    def read(self, block: memoryview) -> Rows:
        """The rows of whole lines."""
        lines = bytes(block).split(b"\n")
        if not lines[-1]:
            lines.pop()
        found = Found()
        num_records = 0
        for number, line in enumerate(lines):
            if line and not line.isspace():
                num_records += 1
                self.decide(line, number, found)
        dropped = Counter(refused.reason for refused in found.refused)
        return Rows(found.batches(), dropped, found.refused, len(lines), num_records)

    def decide(self, record: bytes, line: int, found: "Found") -> None:
        try:
            submission = decode_submission(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            found.refused.append(Refused(line, MALFORMED, str(error)))
            return
        verdict = judge(submission, self._policy)
        if isinstance(verdict, str):
            found.refused.append(Refused(line, verdict))
            return
        found.add(
            verdict.url,
            self._names.domains[verdict.domain],
            submission.score or 0,
            submission.created_utc,
            self._names.subreddits[submission.subreddit or ""],
        )


class KernelReader:
    """Reads blocks one after another; one for each thread."""

    def __init__(self, policy: Policy, names: Names) -> None:
        self._policy, self._names = policy, names
        self._plain = PlainReader(policy, names)
        self._block_policy = BlockPolicy(policy)
        self._scratch, self._candidates, self._canonical = Scratch(), Candidates(), Canonical()
        self._hosts, self._subreddits = SeenNames(), SeenNames()
        # By number of the host or the subreddit here:
        self._site_verdicts = np.empty(0, np.uint8)
        self._domains = np.empty(0, np.int32)
        self._subreddit_numbers = np.empty(0, np.int32)

    def read(self, block: memoryview) -> Rows:
        """The rows of whole lines, after which PADDING bytes more must be readable."""
        text = np.frombuffer(block, np.uint8)
        num_lines = find_fields(text, self._scratch)
        links = self._candidates
        links.find(text, self._scratch, num_lines, self._block_policy)
        verdicts = links.verdicts[:num_lines]
        kept, domains = self._keep_sites(verdicts)
        found = Found()
        batches = [self._batch(text, kept, domains, found)]
        for line in np.flatnonzero(verdicts == UNDECIDED).tolist():
            start = int(self._scratch.ends[line - 1]) + 1 if line else 0
            record = bytes(block[start : int(self._scratch.ends[line])])
            self._plain.decide(record, line, found)
        return _account(verdicts, [*batches, *found.batches()], found.refused)

    def _keep_sites(
        self, verdicts: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Judge the candidates' sites and file types; the numbers of those that stay, domains."""
        links = self._candidates
        hosts, new = self._hosts.numbers(
            links.plain, links.rows[:, HOST_START], links.rows[:, HOST_END]
        )
        if new:
            judged = [self._judge_host(host) for host in new]
            found = np.array([verdict for verdict, _ in judged], np.uint8)
            domains = np.array([domain for _, domain in judged], np.int32)
            self._site_verdicts = np.concatenate([self._site_verdicts, found])
            self._domains = np.concatenate([self._domains, domains])
        by_site = self._site_verdicts[hosts]
        is_file = (links.rows[:, IS_FILE] == 1) & (by_site == CANDIDATE)
        found = np.where(is_file, np.uint8(FILE_TYPE), by_site)
        verdicts[links.rows[:, LINE]] = found
        kept = np.flatnonzero(found == CANDIDATE)
        return kept, self._domains[hosts[kept]]

    def _judge_host(self, host: str) -> tuple[int, int]:
        domain = registrable_domain(f"http://{host}/")
        reason = judge_site(Site(host, domain), self._policy)
        return REASONS.index(reason) if reason else CANDIDATE, self._names.domains[domain]

    def _batch(
        self,
        block: npt.NDArray[np.uint8],
        kept: npt.NDArray[np.int64],
        domains: npt.NDArray[np.int32],
        found: Found,
    ) -> pa.RecordBatch:
        """The rows of the candidates `kept`; what the kernel could not write goes to `found`."""
        links = self._candidates
        rows = links.rows[kept]
        text, ends = self._canonical.of(links.plain, links.rows, kept)
        numbers, new = self._subreddits.numbers(block, rows[:, NAME_START], rows[:, NAME_END])
        if new:
            named = np.array([self._names.subreddits[name] for name in new], np.int32)
            self._subreddit_numbers = np.concatenate([self._subreddit_numbers, named])
        offsets = np.concatenate([np.zeros(1, np.int32), ends])
        columns = [
            pa.StringArray.from_buffers(len(kept), pa.py_buffer(offsets), pa.py_buffer(text)),
            pa.array(domains),
            pa.array(rows[:, KARMA]),
            pa.array(rows[:, CREATED_UTC]),
            pa.array(self._subreddit_numbers[numbers]),
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=ROWS)
        odd = ends == offsets[:-1]
        if not odd.any():
            return batch
        for number in np.flatnonzero(odd).tolist():
            start, end = int(rows[number, URL_START]), int(rows[number, URL_END])
            verdict = judge_url(links.plain[start:end].tobytes().decode("ascii"), self._policy)
            if isinstance(verdict, str):
                found.refused.append(Refused(int(rows[number, LINE]), verdict))
            else:
                found.add(verdict.url, *(column[number].as_py() for column in columns[1:]))
        return batch.filter(pa.array(~odd))


def _account(
    verdicts: npt.NDArray[np.uint8], batches: list[pa.RecordBatch], decided: list[Refused]
) -> Rows:
    counts = np.bincount(verdicts, minlength=NOTHING + 1).tolist()
    dropped = Counter({reason: counts[n] for n, reason in enumerate(REASONS) if counts[n]})
    dropped.update(refused.reason for refused in decided)
    examples = [
        Refused(line, reason)
        for number, reason in enumerate(REASONS)
        if counts[number]
        for line in np.flatnonzero(verdicts == number)[:MAX_EXAMPLES].tolist()
    ]
    num_records = len(verdicts) - counts[NOTHING]
    return Rows(batches, dropped, sorted([*examples, *decided]), len(verdicts), num_records)
