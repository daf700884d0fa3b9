"""Files that are whole or absent, and digests computed as bytes go by."""

import contextlib
import errno
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from wellread.base.errors import InputError, WellreadError
from wellread.base.suggest import no_such

STDIN = Path("-")
PARTIAL = ".partial"  # how names of files end that are not whole yet
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes `target`'s place if the block succeeds."""
    partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Write all of `content` or leave what was there."""
    with replacing(target) as partial:
        partial.write_bytes(content)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class HashingReader(io.RawIOBase):
    """A binary file, or standard input (`-`), whose SHA-256 is known once it is read to its end."""

    def __init__(self, path: Path) -> None:
        # Not closed with this object: a second reader of standard input finds its end.
        opened = io.FileIO(0, closefd=False) if path == STDIN else path.open("rb")
        self._file = cast(BinaryIO, opened)
        self._hash = hashlib.sha256()
        self.num_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._hash.update(buffer[:count])
        self.num_bytes += count
        return int(count)

    def sha256(self) -> str:
        """The digest of the whole file; reads what is left of it first."""
        while self.read(1 << 20):
            pass
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()


class HashingWriter(io.RawIOBase):
    """A file written beside `target`, hashed as it grows, renamed on a clean exit."""

    def __init__(self, target: Path) -> None:
        self._open = contextlib.ExitStack()
        partial = self._open.enter_context(replacing(target))
        # Closed before the file takes its place: that writes what is left, and may find no room.
        self._file: BinaryIO = self._open.enter_context(partial.open("wb"))
        self._hash = hashlib.sha256()
        self.num_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, content: bytes | memoryview) -> int:  # type: ignore[override]
        self._file.write(content)
        self._hash.update(content)
        self.num_bytes += len(content)
        return len(content)

    def tell(self) -> int:
        return self.num_bytes

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._open.__exit__(kind, error, trace)
        finally:
            super().close()


def input_files(
    paths: Sequence[Path], *, suffixes: Sequence[str], what: str, only_files: bool = True
) -> list[Path]:
    """The files meant by `paths` (files, or folders searched for `suffixes`), sorted by name.

    With `only_files`, folders and broken links of such a name are passed over. A path that does
    not exist, or a folder without such files, is an InputError naming it.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            named = (p for p in path.rglob("*") if p.name.endswith(tuple(suffixes)))
            inside = sorted(p for p in named if p.is_file() or not only_files)
            if not inside:
                raise InputError(f"{path}: no {what} here; expected files {', '.join(suffixes)}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise no_such(path, what)
    return found


def name_in(root: Path, file: Path) -> str:
    """How `file` is called: its path below the folder `root`, or its name if it is `root`."""
    return file.name if file == root else file.relative_to(root).as_posix()


def list_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a list with something before a `#`, which is kept, and their numbers."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                text = line.partition("#")[0] if "#" in line else line
                if text := text.strip():
                    yield number, text
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None


def make_directory(out: Path) -> None:
    """Make `out`, where work is to be written, with its parents; if that cannot be, refuse."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{out}: a file is in the way; give another --out") from None
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror}); give another --out") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise InputError(f"{out}: you may not write there; give another --out")


@contextlib.contextmanager
def explaining_full_disks(directory: Path) -> Iterator[None]:
    """Turn "no space left" and a file-size limit into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        place = error.filename or directory
        reason = os.strerror(error.errno)  # error.strerror may be a library's own sentence
        raise WellreadError(
            f"{place}: no room to write ({reason}); free some space on that disk, or give "
            "another --out, and run the same command again"
        ) from None
