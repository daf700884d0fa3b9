"""Documents: the corpus as `documents-*`, and every form a CORPUS may be given in.

`document_tables` is imported where Parquet is met: the tokenizer alone has no pyarrow.
"""

import codecs
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import HashingReader, HashingWriter, input_files, name_in
from wellread.base.manifest import Draft, is_artifact, read_artifact, read_manifest
from wellread.formats.compressed import read_lines, zstd

STAGE = "corpus"
PLANTED = "plant"  # the stage that makes a corpus of another
SPLITS = ("train", "validation", "test")
SHARD_BYTES = 1 << 28  # of text, ours: some 100 MB of a file
LARGE = 1 << 26  # bytes of a text file that `read_texts` no longer reads at once
JSONL = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
TEXT = (".txt", ".md", ".rst", ".tokens")  # the last: WikiText's own name
# What formats.archives reads.
PAGES = (".html", ".htm", ".warc", ".warc.gz", ".arc", ".arc.gz", ".wet", ".wet.gz")

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

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


def together(documents: Iterable[Document], most: int, characters: int) -> Iterator[list[Document]]:
    """Lists of `most` documents, or as soon as they have so many characters of text."""
    some: list[Document] = []
    length = 0
    for document in documents:
        some.append(document)
        length += len(document.text)
        if len(some) == most or length >= characters:
            yield some
            some, length = [], 0
    if some:
        yield some


def refuse(reason: str, where: str) -> None:
    """The strict way to treat a bad record: an InputError."""
    raise InputError(f"{where}: {reason}")


def write_documents(
    draft: Draft,
    documents: Iterable[Document],
    *,
    form: Literal["parquet", "jsonl.zst"] = "parquet",
    shard_bytes: int = SHARD_BYTES,
) -> int:
    """Write `documents` in shards of about so many bytes of text; how many documents there were."""
    count, left = 0, iter(documents)
    for number in itertools.count():
        first = next(left, None)
        if first is None:
            break
        with draft.open(f"documents-{number:05}.{form}") as file:
            write = _write_parquet if form == "parquet" else _write_jsonl
            count += write(file, _shard(first, left, shard_bytes))
    return count


def _shard(first: Document, left: Iterator[Document], shard_bytes: int) -> Iterator[Document]:
    """Documents until their texts have enough bytes."""
    num_bytes = 0
    for document in itertools.chain([first], left):
        yield document
        num_bytes += len(document.text.encode())
        if num_bytes >= shard_bytes:
            return


def _write_parquet(file: HashingWriter, shard: Iterator[Document]) -> int:
    from wellread.formats.document_tables import write_table

    return write_table(file, shard)


def _write_jsonl(file: HashingWriter, shard: Iterator[Document]) -> int:
    packer, count = zstd.ZstdCompressor(), 0
    for document in shard:
        file.write(packer.compress(msgspec.json.encode(document) + b"\n"))
        count += 1
    file.write(packer.flush())
    return count


def documents_files(directory: Path) -> list[Path]:
    """The shards of a corpus artifact."""
    return sorted(directory.glob("documents-*"))


def source_files(path: Path) -> list[Path]:
    """The files in which a corpus artifact, a folder or `path` itself has documents, by name."""
    if is_artifact(path):
        read_artifact(path, STAGE, PLANTED)
        return documents_files(path)
    return input_files([path], suffixes=(*JSONL, ".parquet", *TEXT), what="documents")


def read_corpus(directory: Path, split: str | None = None) -> Iterator[Document]:
    """The documents of a finished corpus artifact, in its order; of one split if given."""
    read_artifact(directory, STAGE, PLANTED)
    for file in documents_files(directory):
        for document in read_shard(file):
            if split is None or document.split == split:
                yield document


def read_splits(directory: Path) -> Iterator[str]:
    """The split of each document of a corpus artifact; of Parquet nothing else is read."""
    read_artifact(directory, STAGE, PLANTED)
    for file in documents_files(directory):
        if file.suffix == ".parquet":
            from wellread.formats.document_tables import read_table_splits

            yield from read_table_splits(file)
        else:
            yield from (document.split for document in read_shard(file))


def read_shard(file: Path) -> Iterator[Document]:
    """The documents of one of the `documents_files`."""
    if file.suffix == ".parquet":
        from wellread.formats.document_tables import read_table

        yield from read_table(file)
        return
    decoder = msgspec.json.Decoder(Document)
    with HashingReader(file) as packed:
        yield from map(decoder.decode, read_lines(file, packed))


def read_documents(path: Path, bad: BadRecord = refuse) -> Iterator[Document]:
    """Documents from whatever a CORPUS may be: an artifact, JSONL, Parquet, a text file, a folder.

    JSONL and Parquet carry `text` and, if they have it, `url`. Records that cannot be used are
    reported to `bad` and left out.
    """
    if is_artifact(path):
        yield from read_corpus(path)
        return
    for file in source_files(path):
        yield from read_document_file(file, name_in(path, file), bad)


def read_document_file(file: Path, name: str, bad: BadRecord = refuse) -> Iterator[Document]:
    """Documents of one file, which goes by `name` where a document has no URL."""
    if file.name.endswith(JSONL):
        yield from _read_jsonl(file, name, bad)
    elif file.suffix == ".parquet":
        from wellread.formats.document_tables import read_foreign_table

        yield from read_foreign_table(file, name, bad)
    elif file.suffix in TEXT:
        yield from _read_text(file, name, bad)
    else:
        raise InputError(f"{file}: not a corpus; expected {', '.join((*JSONL, *TEXT))}")


def is_documents(path: Path) -> bool:
    """Whether `path` is a corpus, a file of documents, or a folder with such files and no pages."""
    if is_artifact(path):
        return read_manifest(path).stage in (STAGE, PLANTED)
    names = [p.name for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path.name]
    found = [name for name in names if name.endswith((*JSONL, ".parquet", *TEXT))]
    return bool(found) and not any(name.endswith(PAGES) for name in names)


def read_texts(path: Path, bad: BadRecord = refuse) -> Iterator[tuple[str, str | bytes]]:
    """The split and text of each document, for counting what is inside pre-tokens.

    As `read_documents`, but a text file of more than LARGE bytes comes in pieces, cut before white
    space where a pre-token ends, so that a file of any size can be read.
    """
    if is_artifact(path):
        files = [path]
    else:
        files = input_files([path], suffixes=(*JSONL, ".parquet", *TEXT), what="documents")
    for file in files:
        if file.suffix in TEXT and file.stat().st_size > LARGE:
            for piece in _pieces(file):
                yield "train", piece
        else:
            for document in read_documents(file, bad):
                yield document.split, document.text


def _pieces(path: Path) -> Iterator[bytes]:
    checker = codecs.getincrementaldecoder("utf-8")()
    rest, num_read = b"", 0
    with path.open("rb") as file:
        while block := file.read(LARGE // 8):
            try:
                checker.decode(block)
            except UnicodeDecodeError as error:
                where = max(num_read + error.start, 0)
                raise InputError(f"{path}: not UTF-8 (near byte {where})") from None
            if not num_read:
                block = block.removeprefix(codecs.BOM_UTF8)
            num_read += len(block)
            rest += block
            if cut := _last_cut(rest):
                yield rest[:cut]
                rest = rest[cut:]
    try:
        checker.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 (ends inside a character)") from None
    if rest:
        yield rest


def _last_cut(text: bytes) -> int:
    """The last place where white space follows an ASCII character that is none; 0: nowhere."""
    at = len(text)
    while (at := max(text.rfind(b" ", 0, at), text.rfind(b"\n", 0, at))) > 0:
        if 0x20 < text[at - 1] < 0x80:
            return at
    return 0


class _Record(msgspec.Struct):
    text: str
    url: str | None = None


def _read_jsonl(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    decoder = msgspec.json.Decoder(_Record)
    with HashingReader(path) as file:
        for number, line in enumerate(read_lines(path, file), start=1):
            content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not content.strip():
                continue
            record: _Record | None
            try:
                record = decoder.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                record = _with_surrogates(content)
                if record is None:
                    bad("malformed JSON record", f"{path}:{number} ({error})")
                    continue
            yield Document(url=record.url or f"file:{name}#{number}", text=record.text)


def _with_surrogates(line: bytes) -> _Record | None:
    """The record in a line with halves of characters, which Python's json writes; else None."""
    if SURROGATE.search(line) is None:
        return None
    try:
        return msgspec.convert(json.loads(line), _Record)
    except (msgspec.ValidationError, RecursionError, ValueError):
        return None


def _read_text(path: Path, name: str, bad: BadRecord) -> Iterator[Document]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad("not UTF-8", f"{path} (byte {error.start})")
        return
    yield Document(url=f"file:{name}", text=text)
