"""The documents in which passages are looked for: those that an index was made of."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wellread.base.errors import InputError
from wellread.base.manifest import Input, Manifest, is_artifact, read_manifest
from wellread.formats.documents import Document, read_documents
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.exact import IndexedDocuments
from wellread.overlap.index import OverlapIndex


class Part(NamedTuple):
    """An index, or one of those that it was merged of."""

    path: Path
    digest: str
    manifest: Manifest | None  # None: it is no longer in its place


def parts_of(index: Path) -> Iterator[Part]:
    """`index`, then the indexes that it was merged of, and those that these were merged of."""
    manifest = read_manifest(index)
    yield Part(index, manifest.digest, manifest)
    for source in manifest.inputs.get("indexes", []):
        place = Path(os.path.normpath(index.resolve() / source.path))
        if is_artifact(place) and read_manifest(place).digest == source.digest:
            yield from parts_of(place)
        else:
            yield Part(place, source.digest or "", None)


def corpus_of(index: Path, opened: OverlapIndex, given: Path | None) -> Path | None:
    """The corpus that `index` was made of: as given, or else where it was then.

    Another one is an InputError. None: the index has the documents itself.
    """
    sources = read_manifest(index).inputs.get("corpus", [])  # none of a merged index
    if given is not None and sources and not _is_same(sources[0], given):
        raise InputError(f"{given}: is not what {index} was made of; name that, or index this")
    if opened.documents is not None:
        return None
    if given is not None:
        return given
    if not sources:
        raise InputError(f"{index}: was made of several indexes; name all their text with --corpus")
    recorded = Path(sources[0].path)
    if sources[0].digest is not None:
        recorded = Path(os.path.normpath(index.resolve() / sources[0].path))
    if not recorded.exists() or not _is_same(sources[0], recorded):
        raise InputError(
            f"{index}: the corpus that it was made of is no longer at {recorded}; name it with "
            "--corpus"
        )
    return recorded


def _is_same(source: Input, path: Path) -> bool:
    """Whether `path` has what an index was made of: an artifact's digest, or files of one size."""
    if source.digest is not None or is_artifact(path):
        return is_artifact(path) and read_manifest(path).digest == source.digest
    if not path.exists():
        return False
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    sizes = [file.num_bytes for file in source.files.values()]
    return sorted(p.stat().st_size for p in files) == sorted(sizes)


def documents_behind(
    index: Path, opened: OverlapIndex, corpus: Path | None, texts: Sequence[str]
) -> Iterator[Document]:
    """The documents of `corpus` that are in the index, bad records left out.

    Without a corpus those of an exact index that have an n-gram of `texts`.
    """
    if corpus is None:
        assert opened.documents is not None
        yield from _with_any(opened, opened.documents, texts)
        return
    split = read_manifest(index).config["split"]
    for document in read_documents(corpus, lambda *_: None):
        if document.split == split:
            yield document


def _with_any(
    opened: OverlapIndex, documents: IndexedDocuments, texts: Sequence[str]
) -> Iterator[Document]:
    numbers: set[int] = set()
    for text in texts:
        places = opened.places_of(ngram_hashes(text, opened.index.ngram_words))
        numbers.update(places.documents.tolist())
    for number in sorted(numbers):
        url, text = documents[number]
        yield Document(url=url, text=text)
