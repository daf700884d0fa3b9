"""Does a test set stand in its training set? The check that the paper recommends for new splits.

The test's n-grams are held in memory, as 64-bit hashes (some 50 bytes an n-gram in all); the
training documents are read once, one after the other, so there may be any number of them. Of a
single set each document is held against all others.

Shapes: M n-grams of all items, N items, W distinct n-grams, D pairs of an item with one of its
distinct n-grams.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.formats import tables
from wellread.formats.documents import Document, refuse
from wellread.formats.overlap import BUCKETS, bucket_of
from wellread.formats.split_check import FILE, ITEMS, STAGE, SplitCheck, Suspect
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.config import SplitConfig
from wellread.overlap.counting import Items, count, shares, side_by_side
from wellread.overlap.reading import has_held_out, held_out, training_texts
from wellread.overlap.wanted import Wanted, want

NEARLY = 0.8  # of an item's n-grams in one document: the same text with a few words changed (ours)
# An n-gram of more items says nothing about which document one of them is from, and following it
# would cost the product of its items and its documents.
MAX_ITEMS = 100

Integers = npt.NDArray[np.int64]


class Ngrams(NamedTuple):
    """The distinct n-grams of the items, each with those that have it."""

    wanted: Wanted
    place_M: Integers  # where each n-gram of the items stands among the distinct ones
    start_W: Integers  # (W + 1,): the items of n-gram w are item_D[start_W[w] : start_W[w + 1]]
    item_D: Integers


class Reading(NamedTuple):
    """A training document."""

    url: str
    places: Integers  # of those of its n-grams that are wanted, each once
    number: int | None  # of the item that it is itself, in a set held against itself


class Best(NamedTuple):
    """Of each item the training document that has most of its distinct n-grams."""

    document: list[str | None]
    num_N: Integers


class Checked(NamedTuple):
    found: SplitCheck
    rows: list[dict[str, Any]]  # of ITEMS


def write_split_check(
    train: Path,
    test: Path | None,
    out: Path,
    config: SplitConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """`check_split` as a stage: what it found, and every item, in `out`."""
    inputs = {"train": [train], "test": [] if test is None else [test]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        checked = check_split(train, test, config, progress=progress)
        with draft.open("items.parquet") as file:
            tables.write_rows(file, ITEMS, checked.rows)
        draft.write(FILE, msgspec.json.format(msgspec.json.encode(checked.found), indent=1))
        draft.counts["in"] = checked.found.num_items
        draft.counts["out"] = checked.found.num_items - checked.found.num_short
        if checked.found.num_short:
            short = next(row["item"] for row in checked.rows if not row["num_ngrams"])
            reason = f"fewer than {config.ngram_words} words"
            draft.drop(reason, short, count=checked.found.num_short)
    return read_manifest(out)


def read_split_check(directory: Path) -> SplitCheck:
    return msgspec.json.decode((directory / FILE).read_bytes(), type=SplitCheck)


def check_split(
    train: Path, test: Path | None, config: SplitConfig, *, progress: Progress = silent
) -> Checked:
    """How much of `test` is in `train`; both are documents in any form.

    Of a corpus with splits, `train` is its training split, and its other splits are `test` unless
    that is given. Without either, every document of `train` is held against the others.
    """
    if test is not None and test.resolve() == train.resolve():
        raise InputError(
            f"{train}: given twice; name it once to hold its documents against each other"
        )
    kind: Literal["across", "inside"] = "across"
    names = train.name, train.name if test is None else test.name
    if test is not None:
        items = _items(held_out(test, refuse), config.ngram_words)
    elif has_held_out(train):
        items = _items(held_out(train, refuse), config.ngram_words)
        names = "its training split", f"the held-out splits of {train.name}"
    else:
        items, kind = _items(training_texts(train, refuse), config.ngram_words), "inside"
    if not items.names:
        raise InputError(f"{train if test is None else test}: no document to check")
    ngrams = _ngrams(items)
    if kind == "inside":
        readings, seen = _itself(items, ngrams), np.diff(ngrams.start_W) > 1
    else:
        readings = _readings(train, ngrams.wanted, config.ngram_words)
        seen = np.zeros(len(ngrams.wanted.hashes), np.bool_)
    best, num_documents = _search(items, ngrams, seen, readings, progress)
    if not num_documents:
        raise InputError(f"{train}: no document to hold {names[1]} against")
    return _checked(items, ngrams, seen, best, config, (*names, kind, num_documents))


def _items(documents: Iterable[Document], n: int) -> Items:
    names, parts = [], []
    for document in documents:
        names.append(document.url)
        parts.append(ngram_hashes(document.text, n))
    hashes_M = side_by_side(parts, np.uint64)
    return Items(
        names=names,
        units=[str(number) for number in range(len(names))],
        hashes_M=hashes_M,
        within_M=np.ones(len(hashes_M), np.bool_),
        shuffled_M=np.empty(0, np.uint64),
        item_M=np.repeat(np.arange(len(names)), [len(part) for part in parts]),
    )


def _ngrams(items: Items) -> Ngrams:
    distinct, place_M = np.unique(items.hashes_M, return_inverse=True)
    # A pair as one number, which sorts by n-gram and then by item.
    pair_M = np.sort(place_M * len(items.names) + items.item_M)
    pair_D = pair_M[np.diff(pair_M, prepend=-1) > 0]
    place_D, item_D = np.divmod(pair_D, len(items.names))
    start_W = np.searchsorted(place_D, np.arange(len(distinct) + 1))
    return Ngrams(want(distinct), place_M, start_W, item_D)


def _readings(train: Path, wanted: Wanted, n: int) -> Iterator[Reading]:
    for document in training_texts(train, refuse):
        yield Reading(document.url, wanted.places_in(document.text, n), None)


def _itself(items: Items, ngrams: Ngrams) -> Iterator[Reading]:
    ends = np.searchsorted(items.item_M, np.arange(len(items.names) + 1))
    for number, url in enumerate(items.names):
        yield Reading(url, np.unique(ngrams.place_M[ends[number] : ends[number + 1]]), number)


def _search(
    items: Items, ngrams: Ngrams, seen: npt.NDArray[np.bool_], readings: Iterable[Reading],
    progress: Progress,
) -> tuple[Best, int]:  # fmt: skip
    """Mark in `seen` what other documents have; the best of each item; how many there were."""
    best = Best([None] * len(items.names), np.zeros(len(items.names), np.int64))
    num_documents = 0
    for reading in readings:
        num_documents += 1
        if reading.number is None:
            seen[reading.places] = True
        _improve(best, ngrams, reading)
        progress(num_documents, None, "training documents")
    return best, num_documents


def _improve(best: Best, ngrams: Ngrams, reading: Reading) -> None:
    """Make this document the best of the items of which it has more than any before it."""
    starts, ends = ngrams.start_W[reading.places], ngrams.start_W[reading.places + 1]
    is_rare = ends - starts <= MAX_ITEMS
    starts, lengths = starts[is_rare], (ends - starts)[is_rare]
    if not len(starts):
        return
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    numbers, counts = np.unique(
        ngrams.item_D[np.repeat(starts, lengths) + within], return_counts=True
    )
    is_better = counts > best.num_N[numbers]
    if reading.number is not None:
        is_better &= numbers != reading.number
    best.num_N[numbers[is_better]] = counts[is_better]
    for number in numbers[is_better]:
        best.document[number] = reading.url


def _checked(
    items: Items,
    ngrams: Ngrams,
    seen: npt.NDArray[np.bool_],
    best: Best,
    config: SplitConfig,
    told: tuple[str, str, Literal["across", "inside"], int],
) -> Checked:
    train, test, kind, num_documents = told
    whole = count(items, seen[ngrams.place_M], np.ones(len(items.hashes_M)))
    num_unique = np.bincount(ngrams.item_D, minlength=len(items.names))
    [share] = shares(items.units, [whole], generator(config.seed, "split-check"))
    suspects = [
        Suspect(
            item=items.names[number],
            num_ngrams=int(whole.ngrams_N[number]),
            num_found=int(whole.found_N[number]),
            num_unique=int(num_unique[number]),
            document=best.document[number],
            num_in_document=int(best.num_N[number]),
        )
        for number in range(len(items.names))
    ]
    asked = [one for one in suspects if one.num_ngrams]
    buckets = [bucket_of(one.num_found, one.num_ngrams) for one in asked]
    is_whole = [one.num_in_document == one.num_unique for one in asked]
    is_near = [one.num_in_document >= NEARLY * one.num_unique for one in asked]
    worst = sorted(asked, key=lambda one: (-one.num_found / one.num_ngrams, -one.num_found))
    found = SplitCheck(
        kind=kind,
        train=train,
        test=test,
        ngram_words=config.ngram_words,
        num_train_documents=num_documents,
        num_items=len(suspects),
        num_short=len(suspects) - len(asked),
        share=share,
        items_by_share={bucket: buckets.count(bucket) for bucket in BUCKETS},
        num_whole=sum(is_whole),
        num_nearly=sum(is_near) - sum(is_whole),
        worst=[one for one in worst[: config.worst] if one.num_found],
        limit=config.limit,
    )
    return Checked(found, [msgspec.structs.asdict(one) for one in suspects])
