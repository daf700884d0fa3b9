"""Documents: the corpus as `documents-*.parquet`, and every form a CORPUS may be given in."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from wellread.base.errors import InputError
from wellread.base.files import HashingReader, input_files
from wellread.base.manifest import Draft, is_artifact, read_artifact, read_manifest
from wellread.formats import tables
from wellread.formats.compressed import read_lines

STAGE = "corpus"
SPLITS = ("train", "validation", "test")
SCHEMA = tables.schema(
    "documents",
    1,
    [
        ("url", pa.string()),
        ("domain", pa.string()),
        ("karma", pa.int64()),
        ("language", pa.string()),
        ("language_confidence", pa.float64()),
        ("split", pa.string()),
        ("text", pa.string()),
    ],
)
DOCUMENTS_PER_SHARD = 50_000
JSONL = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
TEXT = (".txt", ".md", ".rst")
PAGES = (".html", ".htm", ".warc", ".warc.gz", ".arc", ".arc.gz")  # what formats.pages reads

BadRecord = Callable[[str, str], None]  # (reason, where): called for each record left out


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The main text of one page, or a text that came ready."""

    url: str  # canonical URL, or `file:NAME#RECORD` for a text without one
    text: str
    domain: str = ""
    karma: int | None = None  # of its best link; None: it came without links
    language: str = ""  # ISO 639-1
    language_confidence: float = 0.0
    split: str = "train"


def refuse(reason: str, where: str) -> None:
    """The strict way to treat a bad record: an InputError."""
    raise InputError(f"{where}: {reason}")


def write_documents(draft: Draft, documents: Iterable[Document]) -> int:
    """Write `documents` in shards; how many there were."""
    count = 0
    for shard, batch in enumerate(tables.batched(documents, DOCUMENTS_PER_SHARD)):
        with draft.open(f"documents-{shard:05}.parquet") as file:
            count += tables.write_rows(file, SCHEMA, (msgspec.structs.asdict(d) for d in batch))
    return count


def documents_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("documents-*.parquet"))


def read_corpus(directory: Path, split: str | None = None) -> Iterator[Document]:
    """The documents of a finished corpus artifact, in its order; of one split if given."""
    read_artifact(directory, STAGE)
    for row in tables.read_rows(documents_files(directory), SCHEMA):
        if split is None or row["split"] == split:
            yield Document(**row)


def read_documents(path: Path, bad: BadRecord = refuse) -> Iterator[Document]:
    """Documents from whatever a CORPUS may be: an artifact, JSONL, Parquet, a text file, a folder.

    JSONL and Parquet carry `text` and, if they have it, `url`. Records that cannot be used are
    reported to `bad` and left out.
    """
    if is_artifact(path):
        yield from read_corpus(path)
        return
    for file in input_files([path], suffixes=(*JSONL, ".parquet", *TEXT), what="documents"):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        if file.name.endswith(JSONL):
            yield from _read_jsonl(file, name, bad)
        elif file.suffix == ".parquet":
            yield from _read_parquet(file, name, bad)
        elif file.suffix in TEXT:
            yield from _read_text(file, name, bad)
        else:
            raise InputError(f"{file}: not a corpus; expected {', '.join((*JSONL, *TEXT))}")


def is_documents(path: Path) -> bool:
    """Whether `path` is a corpus, a file of documents, or a folder with such files and no pages."""
    if is_artifact(path):
        return read_manifest(path).stage == STAGE
    names = [p.name for p in path.rglob("*")] if path.is_dir() else [path.name]
    found = [name for name in names if name.endswith((*JSONL, ".parquet", *TEXT))]
    return bool(found) and not any(name.endswith(PAGES) for name in names)


class _Record(msgspec.Struct):
    text: str
    url: str | None = None


def _read_jsonl(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    decoder = msgspec.json.Decoder(_Record)
    with HashingReader(path) as file:
        for number, line in enumerate(read_lines(path, file), start=1):
            where = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                record = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                bad("malformed JSON record", f"{where} ({error})")
                continue
            yield Document(url=record.url or f"file:{name}#{number}", text=record.text)


def _read_parquet(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({error})") from None
    names = file.schema_arrow.names
    if "text" not in names:
        raise InputError(f"{path}: no column 'text'; its columns are {', '.join(names)}")
    columns = [name for name in ("text", "url") if name in names]
    number = 0
    for batch in file.iter_batches(columns=columns):
        for row in batch.to_pylist():
            number += 1
            if isinstance(row["text"], str):
                url = row.get("url") or f"file:{name}#{number}"
                yield Document(url=url, text=row["text"])
            else:
                bad("text is not a string", f"{path}, row {number}")


def _read_text(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad("not UTF-8", f"{path} (byte {error.start})")
        return
    yield Document(url=f"file:{name}", text=text)
