"""The texts of each part of the input, on disk: the step that costs, and that is not done twice.

A part's file is there when all of the part has been read, under a name made of the part and of
what the texts depend on. So a run that is killed has lost the parts that were at work, and other
filters read no page again.
"""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import explaining_full_disks, replacing
from wellread.base.manifest import identity
from wellread.base.text import without_surrogates
from wellread.base.urls import canonical_url, host_of
from wellread.corpus.extract import main_text
from wellread.corpus.parts import Part, Source
from wellread.corpus.workers import of_item
from wellread.formats.archives import read_page_file
from wellread.formats.documents import BadRecord, Document, read_document_file
from wellread.formats.pages import refusal
from wellread.formats.tables import Groups, write_rows

STORED = pa.schema(
    [
        ("url", pa.string()),
        ("host", pa.string()),
        ("text", pa.string()),  # null: there is none
        ("outcome", pa.string()),  # why there is none
        ("detail", pa.string()),
        ("num_bytes", pa.int64()),  # of the page, or of the text that came ready
        ("lines", pa.list_(pa.uint64())),  # a hash of each line, 0 for a short one
    ]
)
GROUPS = Groups(rows=500, text_bytes=1 << 23, compression="lz4")  # what a cleaner takes at a time
LEAST_CHARACTERS = 25  # of a line that a site may repeat: shorter ones are headings and cries
NO_TEXT = "no-main-text"
UNREADABLE = "a file cannot be read to its end"
Extractor = Literal["best", "fast"]


class Stored(msgspec.Struct, frozen=True):
    """A part, and the file with its texts."""

    part: Part
    path: Path


class Extract:
    """Work of a worker: the texts of a `Stored` into its file; how many records there were."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def __call__(self, item: str) -> int:
        stored = of_item(item, Stored)
        with replacing(stored.path) as partial:
            return write_texts(partial, STORED, _records(stored.part, self._extractor))


def stored_parts(folder: Path, parts: Sequence[Part], extractor: Extractor) -> list[Stored]:
    versions = [importlib.metadata.version(name) for name in ("wellread", "trafilatura")]
    found = []
    for part in parts:
        files = identity([source.path for source in part.sources])
        names = [source.name for source in part.sources]
        what = [files, names, part.span, part.is_pages and [extractor, *versions], versions[0]]
        name = hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:32]
        found.append(Stored(part, folder.resolve() / f"{name}.parquet"))
    return found


def hold_only(folder: Path, wanted: Sequence[Stored]) -> None:
    """Delete what other inputs or settings left, or processes that were killed."""
    folder.mkdir(exist_ok=True)
    names = {stored.path.name for stored in wanted}
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def _records(part: Part, extractor: Extractor) -> Iterator[dict[str, Any]]:
    refused: list[dict[str, Any]] = []
    for source in part.sources:
        bad = _noting(refused, source)
        if part.is_pages:
            for page in read_page_file(source.path, source.name, part.span, bad):
                row = {"url": page.url, "num_bytes": len(page.body)}
                if reason := refusal(page.status, page.content_type):
                    yield row | {"outcome": reason}
                else:
                    yield row | _extracted(page.content_type, page.body, page.url, extractor)
        else:
            for document in _documents(source, bad):
                text = without_surrogates(document.text)
                given = without_surrogates(document.url)
                url = canonical_url(given) or given
                yield {"url": url, "num_bytes": len(text.encode())} | _text(text, url)
    yield from refused


def _noting(refused: list[dict[str, Any]], source: Source) -> BadRecord:
    """Files are called by their names: where they lie changes no byte of the account."""

    def bad(reason: str, where: str) -> None:
        name = without_surrogates(where.replace(str(source.path), source.name))
        refused.append({"url": name, "outcome": reason, "num_bytes": 0})

    return bad


def _documents(source: Source, bad: BadRecord) -> Iterator[Document]:
    """What can be read of a file: damage in one ends no others. One of another kind is refused."""
    try:
        yield from read_document_file(source.path, source.name, bad)
    except InputError:
        raise
    except WellreadError as error:
        bad(UNREADABLE, str(error))


def _extracted(content_type: str, body: bytes, url: str, extractor: Extractor) -> dict[str, Any]:
    try:
        text = main_text(content_type, body, extractor)
    except Exception as error:  # noqa: BLE001  parsers of others, on whatever the web sends
        return {"outcome": "extractor-failed", "detail": f"{type(error).__name__}: {error}"[:200]}
    return _text(without_surrogates(text), url)


def _text(text: str, url: str) -> dict[str, Any]:
    if not text.strip():
        return {"outcome": NO_TEXT}
    return {"text": text, "host": host_of(url), "lines": line_hashes(text)}


def line_hashes(text: str) -> npt.NDArray[np.uint64]:
    """A hash for each line that is long enough, else 0, in order."""
    digests = b"".join(
        hashlib.blake2b(line.strip().encode(), digest_size=8).digest()
        if len(line) >= LEAST_CHARACTERS
        else bytes(8)
        for line in text.split("\n")
    )
    return np.frombuffer(digests, "<u8")


def write_texts(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Rows with a `text` that another worker will take group by group; how many there were."""
    with explaining_full_disks(path.parent):
        return write_rows(path, schema, rows, GROUPS)
