"""What a crawl has done so far, on disk, so that a killed one goes on where it was.

`fetched.warc.gz` grows by one record a page; `journal.jsonl` then gets a line that says where the
record lies. A record without its line is as good as not there, and its link is fetched again.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from wellread.formats.pages import Outcome, Page, encode_page

RECORDS, JOURNAL = "fetched.warc.gz", "journal.jsonl"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the journal."""

    outcome: Outcome
    offset: int = 0  # of the page's record
    length: int = 0  # 0: no page


class Journal:
    """The journal of the crawl in `directory`, open for more."""

    def __init__(self, directory: Path) -> None:
        self._lines: BinaryIO = (directory / JOURNAL).open("ab")
        # Guards both files against a child whose parent was killed and that is still ending.
        fcntl.flock(self._lines, fcntl.LOCK_EX)
        self._lines.truncate(_whole_lines(directory / JOURNAL))
        self._records: BinaryIO = (directory / RECORDS).open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._records.close()
        self._lines.close()

    def add(self, outcome: Outcome, page: Page | None = None) -> None:
        """Note what became of a link; its page, if any, is on disk before the line is."""
        offset = length = 0
        if page is not None:
            record = encode_page(page)
            offset, length = self._records.seek(0, os.SEEK_END), len(record)
            self._records.write(record)
            self._records.flush()
        entry = Entry(outcome=outcome, offset=offset, length=length)
        self._lines.write(msgspec.json.encode(entry) + b"\n")
        self._lines.flush()


def _whole_lines(path: Path) -> int:
    """The length of `path` up to its last line end: a kill may leave part of a line."""
    with path.open("rb") as file:
        return sum(len(line) for line in file if line.endswith(b"\n"))


def read_journal(directory: Path) -> Iterator[Entry]:
    """The entries in the order in which they came; none if nothing was fetched yet."""
    path = directory / JOURNAL
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def read_records(directory: Path, entries: Iterator[Entry]) -> Iterator[bytes]:
    """The pages' records, as `write_pages` takes them, in the order of `entries`."""
    with (directory / RECORDS).open("rb") as file:
        for entry in entries:
            if entry.length:
                file.seek(entry.offset)
                yield file.read(entry.length)


def delete_journal(directory: Path) -> None:
    for name in (RECORDS, JOURNAL):
        (directory / name).unlink(missing_ok=True)
