"""The input as parts that are read and extracted each on its own, in any order, anywhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import name_in
from wellread.base.manifest import is_artifact
from wellread.formats.archives import WHOLE, Span, page_files, spans_of
from wellread.formats.documents import JSONL, PAGES, is_documents, source_files

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
    files = _named([one for path in paths for one in _files_of(path)])
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
    if path.is_dir() and not is_artifact(path):
        inside = [one for one in path.rglob("*") if one.is_file()]
        pages = [one for one in inside if one.name.endswith(PAGES)]
        ready = [one for one in inside if one.name.endswith((*JSONL, ".parquet"))]
        if pages and ready:
            raise InputError(
                f"{path}: has files of pages ({pages[0].name}) and of documents ({ready[0].name}); "
                "name those that you want"
            )
        if not inside:
            raise InputError(f"{path}: the folder is empty; name pages or documents")
    is_ready = is_documents(path)
    found = source_files(path) if is_ready else page_files(path)
    return [(Source(file, name_in(path, file)), not is_ready) for file in found]


def _named(files: list[tuple[Source, bool]]) -> list[tuple[Source, bool]]:
    """Names that several files would have are longer by as many folders as tell them apart."""
    longest = max((len(source.path.resolve().parts) for source, _ in files), default=0)
    for _ in range(longest):
        counts = Counter(source.name for source, _ in files)
        if len(counts) == len(files):
            break
        files = [
            (_longer(source) if counts[source.name] > 1 else source, is_page)
            for source, is_page in files
        ]
    return files


def _longer(source: Source) -> Source:
    parts = source.path.resolve().parts
    have = len(Path(source.name).parts)
    return Source(source.path, "/".join(parts[-have - 1 :]).lstrip("/"))


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
