"""The input as parts that are read and extracted each on its own, in any order, anywhere."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import name_in
from wellread.formats.archives import WHOLE, Span, page_files, spans_of
from wellread.formats.documents import is_documents, source_files

# Ours: a part of a large input takes a core some 10 s, and small inputs still have a part or more
# for each core. It depends on the input alone, so that what was read is found again anywhere.
LEAST_BYTES, MOST_BYTES = 1 << 17, 1 << 22
PARTS = 64


class Source(msgspec.Struct, frozen=True):
    """A file of the input, and the name by which documents without a URL are called."""

    path: Path
    name: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Several files, or a span of one."""

    sources: list[Source]
    is_pages: bool  # else ready documents
    span: Span = WHOLE
    is_unwanted: bool = False  # documents that the corpus must not be like


def parts_of(paths: Sequence[Path], *, is_unwanted: bool = False) -> list[Part]:
    """What `paths` (crawls, archives, corpora, files, folders) hold, in parts."""
    files = [one for path in paths for one in _files_of(path)]
    total = sum(source.path.stat().st_size for source, _ in files)
    part_bytes = min(max(total // PARTS, LEAST_BYTES), MOST_BYTES)
    return [
        Part(sources=sources, is_pages=is_pages, span=span, is_unwanted=is_unwanted)
        for is_pages in (True, False)
        for sources in _together([one for one, is_page in files if is_page == is_pages], part_bytes)
        for span in (_spans(sources, part_bytes) if is_pages else [WHOLE])
    ]


def _files_of(path: Path) -> list[tuple[Source, bool]]:
    """Files, and whether they hold pages."""
    if path.is_dir() and not any(path.rglob("*")):
        raise InputError(f"{path}: the folder is empty; name pages or documents")
    is_ready = is_documents(path)
    found = source_files(path) if is_ready else page_files(path)
    return [(Source(file, name_in(path, file)), not is_ready) for file in found]


def _spans(sources: Sequence[Source], num_bytes: int) -> list[Span]:
    """Of one archive; several files are read whole."""
    return spans_of(sources[0].path, num_bytes) if len(sources) == 1 else [WHOLE]


def _together(sources: Sequence[Source], num_bytes: int) -> Iterator[list[Source]]:
    """Files in groups of at most so many bytes, larger ones alone."""
    group: list[Source] = []
    room = num_bytes
    for source in sources:
        size = source.path.stat().st_size
        if group and size > room:
            yield group
            group, room = [], num_bytes
        group.append(source)
        room -= size
    if group:
        yield group
