"""Texts for benchmarks: the documentation that the installed packages brought, and novels.

    python benchmarks/texts.py documentation --mb 50
    python benchmarks/texts.py mixed --mb 50

`documentation` can be rebuilt by anyone: the docstrings and the .md, .rst and .txt files of the
standard library and the installed packages, by path, each distinct text once. The same versions
(`pip install -c constraints.txt -e ".[test,bench]"`) give the same bytes. `mixed` is half novels of
the folder of real files (docs/test-data.md) and half documentation.
"""

import argparse
import ast
import hashlib
import importlib.metadata
import multiprocessing
import os
import platform
import re
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.files import write_bytes

CACHE = Path(tempfile.gettempdir()) / "wellread-benchmarks"
REAL_DATA = Path(
    os.environ.get("WELLREAD_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
TEXTS = ("documentation", "mixed")
SUFFIXES = (".md", ".rst", ".txt", ".py")
TEST_FOLDERS = {"test", "tests", "testing"}
# What some libraries take for the end of a document wherever it stands: left out, so that all of
# them have the same work.
END_OF_TEXT = "<|endoftext|>"
DOCUMENT_BYTES = 5_000  # about what a page of WebText has


def benchmark_text(name: str, num_bytes: int, cache: Path = CACHE) -> Path:
    """The file with the text `name` of about `num_bytes` bytes of UTF-8, made if it is not there.

    It is shorter where there is not so much text.
    """
    path = cache / _versions_digest() / f"{name}-{num_bytes}.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, {"documentation": documentation, "mixed": mixed}[name](num_bytes))
    return path


def _versions_digest() -> str:
    installed = sorted(f"{d.name}=={d.version}" for d in importlib.metadata.distributions())
    named = "\n".join([platform.python_version(), *installed])
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def documentation(num_bytes: int) -> bytes:
    """The first `num_bytes` bytes of the installed documentation, up to a whole character."""
    return first_bytes("\n\n".join(documentation_texts(num_bytes)).encode(), num_bytes)


def documentation_texts(num_bytes: int) -> list[str]:
    """The first texts of the installed documentation, of at least `num_bytes` bytes together."""
    pieces: dict[str, None] = {}
    size = 0
    # Parsing is nearly all of the work, and the order of the files decides the order of the text.
    with multiprocessing.Pool() as pool:
        for found in pool.imap(_texts_of, _documentation_files(), chunksize=32):
            for text in found:
                if text not in pieces:
                    pieces[text] = None
                    size += len(text.encode()) + 2
            if size >= num_bytes:
                break
    return list(pieces)


def _documentation_files() -> list[Path]:
    """Files by path, those of test folders last: they hold less prose."""
    roots = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    files: list[tuple[bool, int, str, Path]] = []
    for number, root in enumerate(roots):
        for path in root.rglob("*"):
            inside = path.relative_to(root)
            if path.suffix in SUFFIXES and inside.parts[0] != "site-packages":
                is_test = not TEST_FOLDERS.isdisjoint(inside.parts)
                files.append((is_test, number, inside.as_posix(), path))
    return [path for *_, path in sorted(files)]


def _texts_of(path: Path) -> list[str]:
    """The file's text, or its docstrings; nothing of a file that cannot be read as such."""
    raw = path.read_bytes() if path.is_file() else b""
    try:
        found = _docstrings(raw) if path.suffix == ".py" else [raw.decode()]
    except (SyntaxError, ValueError, RecursionError):  # templates, other encodings
        return []
    # Docstrings may hold lone surrogates, which have no UTF-8.
    encodable = (text.encode("utf-8", "replace").decode().strip() for text in found)
    return [text for text in encodable if text and END_OF_TEXT not in text]


def _docstrings(source: bytes) -> list[str]:
    if b'"""' not in source and b"'''" not in source:  # saves a third of the parsing
        return []
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's strings
        nodes = ast.walk(ast.parse(source))
    return [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]


def novels(num_bytes: int) -> bytes:
    """The first `num_bytes` bytes of the novels of the real files, up to a whole character."""
    folder = REAL_DATA / "documents" / "novels"
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise InputError(
            f"{folder}: no novels here; set WELLREAD_TEST_DATA to the folder of real files "
            "(docs/test-data.md), or take --text documentation"
        )
    texts = (path.read_text(encoding="utf-8-sig") for path in files)
    return first_bytes("\n\n".join(texts).encode(), num_bytes)


def mixed(num_bytes: int) -> bytes:
    """Half novels, half documentation."""
    first = novels(num_bytes // 2)
    return first + b"\n\n" + documentation(num_bytes - len(first) - 2)


def first_bytes(text: bytes, num_bytes: int) -> bytes:
    """At most `num_bytes` bytes of UTF-8, up to a whole character.

    >>> first_bytes("aé".encode(), 2)
    b'a'
    """
    return text[:num_bytes].decode("utf-8", "ignore").encode()


def documents(path: Path) -> Iterator[bytes]:
    """The text in pieces of about 5 KB, which put together are the text again.

    A piece ends after a printed ASCII character and before a line end, which no pre-token of
    GPT-2's crosses: the ids of the pieces are the ids of the text. Streamed, so that reading does
    not count in the peak memory of what follows.
    """
    pending = bytearray()
    with path.open("rb") as file:
        for line in file:
            pending += line
            is_long = len(pending) >= DOCUMENT_BYTES
            if is_long and pending[-1:] == b"\n" and 0x21 <= pending[-2] <= 0x7E:
                yield bytes(pending[:-1])
                pending = pending[-1:]
    yield bytes(pending)


def without_spaces(text: bytes, num_bytes: int) -> bytes:
    """Text whose words follow each other without white space."""
    return first_bytes("".join(text.decode().split()).encode(), num_bytes)


def one_word(text: bytes, num_bytes: int) -> bytes:
    """The ASCII letters of the text alone: a single pre-token."""
    return re.sub(rb"[^A-Za-z]+", b"", text)[:num_bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", choices=TEXTS)
    parser.add_argument("--mb", type=float, default=50)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    path = benchmark_text(options.text, int(options.mb * 1e6), options.cache)
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
