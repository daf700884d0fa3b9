"""Test sets as they are given: tasks of results, documents in any form, a corpus's other splits."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from wellread.base.errors import InputError
from wellread.base.manifest import Input, is_artifact, read_manifest
from wellread.formats import documents, results
from wellread.formats.documents import (
    BadRecord,
    Document,
    read_corpus,
    read_documents,
    read_splits,
)
from wellread.overlap.sources import parts_of

log = logging.getLogger(__name__)

NAMED_TEST = "test set "  # how inputs are called that were given as NAME=PATH, before NAME


class NamedText(NamedTuple):
    """A text of a test set, by name."""

    test_set: str
    item: str
    unit: str  # the document that it is of, or the item itself
    text: str


class Named(NamedTuple):
    """What a call gives as PATH or as NAME=PATH."""

    name: str
    path: Path
    is_given: bool  # the name was


def named(given: str | Path) -> Named:
    """
    >>> named("ptb=data/ptb.test.txt").name, named("data/ptb.test.txt").name
    ('ptb', 'ptb')
    """
    before, equals, after = str(given).partition("=")
    if equals and before and "/" not in before and not Path(given).exists():
        return Named(before, Path(after), is_given=True)
    path = Path(given)
    return Named(path.resolve().name.split(".")[0], path, is_given=False)


def by_name(given: Sequence[str] | None) -> dict[str, Path]:
    """The paths of NAME=PATH; one without a name is an InputError."""
    found = {}
    for one in given or ():
        test = named(one)
        if not test.is_given or test.name in found:
            raise InputError(f"own train {one}: expected NAME=PATH, once for each test set NAME")
        found[test.name] = test.path
    return found


def read_test(test: Named, bad: BadRecord) -> Iterator[NamedText]:
    """Its texts: of results each task that has scores is a test set, documents are one together.

    Of a corpus with splits the training texts are none of a test.
    """
    path = test.path
    if not _is_results(path):
        for document in held_out(path, bad):
            yield NamedText(test.name, document.url, document.url, document.text)
        return
    if test.is_given:
        raise InputError(f"{test.name}={path}: results name their test sets themselves")
    for file in results.result_files(path):
        if not results.read_result(file.with_suffix(".json")).scores:
            continue  # what a model wrote, not a test set
        for row in results.read_items(path, file.stem):
            if not row["text"]:
                continue  # probes of what a model has learnt by heart are no test set
            yield NamedText(file.stem, row["item"], row["unit"] or row["item"], row["text"])


def _is_results(path: Path) -> bool:
    return is_artifact(path) and read_manifest(path).stage == results.STAGE


def held_out(path: Path, bad: BadRecord) -> Iterable[Document]:
    """The documents that are not for training; all of what has no splits."""
    if not has_held_out(path):
        return read_documents(path, bad)
    return (one for one in read_corpus(path) if one.split != documents.SPLITS[0])


def has_held_out(path: Path) -> bool:
    """Whether it is a corpus with documents in other splits than that for training."""
    return is_artifact(path) and any(split != documents.SPLITS[0] for split in read_splits(path))


def training_texts(path: Path, bad: BadRecord) -> Iterator[Document]:
    """Those of the training split, of a corpus that has splits."""
    return (one for one in read_documents(path, bad) if one.split == documents.SPLITS[0])


def distinct(
    tests: Sequence[Named], bad: BadRecord, repeated: Callable[[], None]
) -> Iterator[NamedText]:
    """Each item once, however many results hold it.

    Two texts under one name are an InputError, and so is a test set of documents from two places.
    """
    seen: dict[tuple[str, str], bytes] = {}
    places: dict[str, Path | None] = {}  # None: results, of which several may have a test set
    for test in tests:
        place = None if _is_results(test.path) else test.path.resolve()
        for item in read_test(test, bad):
            if places.setdefault(item.test_set, place) != place:
                raise InputError(
                    f"{test.path}: would be one test set, {item.test_set!r}, with what was read "
                    "before it; name documents apart, as NAME=PATH"
                )
            name = (item.test_set, item.item)
            digest = hashlib.blake2b(
                item.text.encode("utf-8", "surrogatepass"), digest_size=16
            ).digest()
            if name not in seen:
                seen[name] = digest
                yield item
            elif seen[name] == digest:
                repeated()
            else:
                raise InputError(
                    f"{test.path}: item {item.item!r} of {item.test_set!r} differs from the one "
                    "read before it; measure the two apart"
                )


def refuse_the_corpus_itself(index: Path, tests: Sequence[Named]) -> None:
    """A test with any of the files of the index is an InputError: all of it would be found.

    Of a merged index those of all its parts count; a part that is gone cannot be asked.
    """
    for part in parts_of(index):
        if part.manifest is None:
            log.warning(
                "%s: an index that %s was merged of is no longer there, so whether a test is of "
                "its corpus is not known", part.path, index,
            )  # fmt: skip
            continue
        for test, source in product(tests, part.manifest.inputs.get("corpus", [])):
            if _has_of(source, test.path):
                raise InputError(
                    f"{test.path}: is, or has a file of, what {index} was made of, so that all of "
                    "it would be found; name texts that were held out"
                )


def _has_of(source: Input, path: Path) -> bool:
    """Whether `path` has a file of `source`, or is it; held-out splits of a corpus are none of it.

    A file inside a corpus artifact is read without its splits, and so is of it whatever they are.
    """
    if source.digest is None:
        return any(str(file) in source.files for file in _files(path))
    if is_artifact(path):
        return read_manifest(path).digest == source.digest and not has_held_out(path)
    folder = path.resolve().parent
    return is_artifact(folder) and read_manifest(folder).digest == source.digest


def _files(path: Path) -> Iterator[Path]:
    resolved = path.resolve()
    return (p for p in resolved.rglob("*") if p.is_file()) if path.is_dir() else iter([resolved])
