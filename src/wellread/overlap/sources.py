"""The documents in which passages are looked for: those that an index was made of."""

import os
from collections.abc import Iterator
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.manifest import Input, Manifest, is_artifact, read_manifest
from wellread.formats.documents import Document, read_documents


def corpus_of(index: Path, given: Path | None) -> Path:
    """The corpus that `index` was made of: as given, or else where it was then.

    Another one is an InputError.
    """
    source = read_manifest(index).inputs["corpus"][0]
    if given is not None:
        if not _is_same(source, given):
            raise InputError(f"{given}: is not what {index} was made of; name that, or index this")
        return given
    recorded = Path(source.path)
    if source.digest is not None:
        recorded = Path(os.path.normpath(index.resolve() / source.path))
    if not recorded.exists() or not _is_same(source, recorded):
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


def documents_behind(manifest: Manifest, corpus: Path) -> Iterator[Document]:
    """The documents of `corpus` that are in the index of `manifest`; bad records are left out."""
    split = manifest.config["split"]
    for document in read_documents(corpus, lambda *_: None):
        if document.split == split:
            yield document
