"""What a dump gave, on disk: the rows of its links, and the account of its lines, written last.

So a run that ends before all dumps are merged, for whatever reason, has not lost those it read.
"""

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.config import deciding, to_plain
from wellread.base.files import STDIN, replacing, write_bytes
from wellread.base.manifest import MAX_EXAMPLES, identity
from wellread.links.block import ROWS, Names, Rows
from wellread.links.config import LinksConfig
from wellread.links.names import Numbering

ROWS_SUFFIX, ACCOUNT_SUFFIX = ".arrows", ".json"
IN_NO_ROW = -1


class Account(msgspec.Struct):
    """What became of one dump's lines."""

    path: str
    sha256: str = ""
    records: int = 0
    lines: int = 0
    dropped: dict[str, int] = {}
    examples: dict[str, list[str]] = {}

    @property
    def kept(self) -> int:
        return self.records - sum(self.dropped.values())

    def add(self, rows: Rows) -> None:
        name = Path(self.path).name
        for line, reason, detail in rows.examples:
            named = self.examples.setdefault(reason, [])
            if len(named) < MAX_EXAMPLES:
                why = f" ({detail})" if detail else ""
                named.append(f"{name}:{self.lines + line + 1}{why}")
        for reason, count in rows.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        self.records += rows.num_records
        self.lines += rows.num_lines


class Stored(msgspec.Struct):
    """An account, and the names that the dump's rows have numbers for."""

    account: Account
    domains: dict[int, str]
    subreddits: dict[int, str]


class Store:
    """A folder for what dumps gave under some settings."""

    def __init__(self, folder: Path, config: LinksConfig) -> None:
        self._folder = folder
        lists = [path for path in (config.subreddits_file, config.domains_file) if path]
        settings = deciding(to_plain(config), LinksConfig)
        self._settings = [settings, identity(lists), importlib.metadata.version("wellread")]

    def hold_only(self, dumps: Sequence[Path]) -> None:
        """Delete what other dumps or settings left, or processes that were killed."""
        self._folder.mkdir(exist_ok=True)
        wanted = {self._path(dump, ACCOUNT_SUFFIX) for dump in dumps if dump != STDIN}
        wanted = {path for path in wanted if path.exists()}
        wanted |= {path.with_suffix(ROWS_SUFFIX) for path in wanted}
        for path in self._folder.iterdir():
            if path not in wanted:
                path.unlink()

    def account(self, dump: Path) -> Account | None:
        """Of a dump that was read to its end and is what it was then."""
        return self._stored(dump).account if self._path(dump, ACCOUNT_SUFFIX).exists() else None

    @contextlib.contextmanager
    def writing(
        self, account: Account, names: Names
    ) -> Iterator[Callable[[pa.RecordBatch], object]]:
        """A function that takes the dump's rows; `account` is kept if the block succeeds."""
        rows_path = self._path(Path(account.path), ROWS_SUFFIX)
        used = Used(), Used()
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            replacing(rows_path) as partial,
            partial.open("wb") as file,
            pa.ipc.new_stream(file, ROWS, options=options) as stream,
        ):

            def write(batch: pa.RecordBatch) -> None:
                used[0].add(batch["domain"].to_numpy())
                used[1].add(batch["subreddit"].to_numpy())
                stream.write_batch(batch)

            yield write
        stored = Stored(
            account, used[0].named(names.domains.names), used[1].named(names.subreddits.names)
        )
        write_bytes(rows_path.with_suffix(ACCOUNT_SUFFIX), msgspec.json.encode(stored))

    def rows(self, dumps: Sequence[Path], names: Names) -> Iterator[pa.RecordBatch]:
        """Of all dumps (block.ROWS); domains and subreddits get their numbers in `names`."""
        for dump in dumps:
            stored = self._stored(dump)
            domains = _renumbering(stored.domains, names.domains)
            subreddits = _renumbering(stored.subreddits, names.subreddits)
            del stored
            with pa.OSFile(str(self._path(dump, ROWS_SUFFIX))) as file:
                for batch in pa.ipc.open_stream(file):
                    columns = dict(zip(ROWS.names, batch.columns, strict=True))
                    columns["domain"] = pa.array(domains[batch["domain"].to_numpy()])
                    columns["subreddit"] = pa.array(subreddits[batch["subreddit"].to_numpy()])
                    yield pa.RecordBatch.from_pydict(columns, schema=ROWS)

    def _stored(self, dump: Path) -> Stored:
        content = self._path(dump, ACCOUNT_SUFFIX).read_bytes()
        return msgspec.json.decode(content, type=Stored)

    def _path(self, dump: Path, suffix: str) -> Path:
        what = [*self._settings, [] if dump == STDIN else identity([dump])]
        name = hashlib.sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()
        return self._folder / (name[:32] + suffix)


class Used:
    """Which numbers there were."""

    def __init__(self) -> None:
        self._is_used = np.zeros(1 << 12, bool)

    def add(self, numbers: npt.NDArray[np.int32]) -> None:
        most = int(numbers.max(initial=0))
        if most >= len(self._is_used):
            self._is_used = np.concatenate([self._is_used, np.zeros(most + 1, bool)])
        self._is_used[numbers] = True

    def named(self, names: Sequence[str]) -> dict[int, str]:
        return {number: names[number] for number in np.flatnonzero(self._is_used).tolist()}


def _renumbering(names: dict[int, str], numbering: Numbering) -> npt.NDArray[np.int32]:
    """An array that has at the number of each name the one that `numbering` gives it."""
    found = np.full(max(names, default=0) + 1, IN_NO_ROW, np.int32)
    found[list(names)] = [numbering[name] for name in names.values()]
    return found
