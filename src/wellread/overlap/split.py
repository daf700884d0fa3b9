"""Does a test set stand in its training set? The check that the paper recommends for new splits.

The test's n-grams are held in memory, as 64-bit hashes (some 50 bytes an n-gram in all); the
training documents are read once, one after the other, so there may be any number of them. Of a
single set each document is held against all others.

Shapes: M n-grams of all items, N items, G groups of items that have the same n-grams, W distinct
n-grams, D pairs of a group with one of its distinct n-grams.
"""

import hashlib
from collections import Counter
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
from wellread.ngrams.occurrences import positions
from wellread.overlap.config import SplitConfig
from wellread.overlap.counting import (
    Items,
    Mask,
    count,
    shares,
    side_by_side,
)
from wellread.overlap.reading import has_held_out, held_out, training_texts
from wellread.overlap.wanted import Wanted, has_ngrams, want

NEARLY = 0.8  # of an item's n-grams in one document: the same text with a few words changed (ours)
# Of more groups than this an n-gram is not followed into documents, which would cost the product of
# its items and its documents; what an item has of such is said beside the rest.
MAX_GROUPS = 100

Integers = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """Items that have the same n-grams, each as often: what is said of one holds for all."""

    group_N: Integers  # of each item
    first_G: Integers  # the group's first item
    last_G: Integers


class Ngrams(NamedTuple):
    """The distinct n-grams of the items, each with the groups that have it."""

    wanted: Wanted
    place_M: Integers  # where each n-gram of the items stands among the distinct ones
    start_W: Integers  # (W + 1,): the groups of n-gram w are group_D[start_W[w] : start_W[w + 1]]
    group_D: Integers
    times_D: Integers  # how often each item of the group has it


class Reading(NamedTuple):
    """A training document."""

    url: str
    places: Integers  # of those of its n-grams that are wanted, each once
    group: int | None  # of the item that it is itself, in a set held against itself


class Best(NamedTuple):
    """Of each group, or item, the training document that has most of its n-grams."""

    document: list[str | None]
    num: Integers  # (G,) or (N,): how many, repeats counted


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
    tested, n = train if test is None else test, config.ngram_words
    if not items.names:
        raise InputError(f"{tested}: no document to check")
    if not len(items.hashes_M):
        raise InputError(f"{tested}: no text of {n} words, so there is nothing to check")
    groups = _groups(items)
    ngrams = _ngrams(items, groups)
    if kind == "inside":
        if len(np.unique(items.item_M)) == 1:
            raise InputError(f"{train}: one document of {n} words, and no other to hold it against")
        readings, seen = _itself(items, groups, ngrams), _of_several_items(groups, ngrams)
    else:
        readings = _readings(train, ngrams.wanted, n, names[1])
        seen = np.zeros(len(ngrams.wanted.hashes), np.bool_)
    best, num_documents = _search(len(groups.first_G), ngrams, seen, readings, progress)
    best = _of_items(best, items, groups, has_copies_in_it=kind == "inside")
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


def _groups(items: Items) -> Groups:
    ends = np.searchsorted(items.item_M, np.arange(len(items.names) + 1))
    numbers: dict[bytes, int] = {}
    group_N = np.empty(len(items.names), np.int64)
    for number in range(len(items.names)):
        own = np.sort(items.hashes_M[ends[number] : ends[number + 1]])
        digest = hashlib.blake2b(own.tobytes(), digest_size=16).digest()
        group_N[number] = numbers.setdefault(digest, len(numbers))
    last_G = np.empty(len(numbers), np.int64)
    last_G[group_N] = np.arange(len(group_N))
    return Groups(group_N, np.unique(group_N, return_index=True)[1], last_G)


def _ngrams(items: Items, groups: Groups) -> Ngrams:
    distinct, place_M = np.unique(items.hashes_M, return_inverse=True)
    num_groups = len(groups.first_G)
    is_first_N = groups.first_G[groups.group_N] == np.arange(len(items.names))
    of_first_M = is_first_N[items.item_M]
    # A pair as one number, which sorts by n-gram and then by group.
    pair = place_M[of_first_M] * num_groups + groups.group_N[items.item_M[of_first_M]]
    pair_D, times_D = np.unique(pair, return_counts=True)
    place_D, group_D = np.divmod(pair_D, num_groups)
    start_W = np.searchsorted(place_D, np.arange(len(distinct) + 1))
    return Ngrams(want(distinct), place_M, start_W, group_D, times_D)


def _readings(train: Path, wanted: Wanted, n: int, test: str) -> Iterator[Reading]:
    """Training text without any n-gram is an InputError: whatever is held against it would pass."""
    has_text = False
    for document in training_texts(train, refuse):
        has_text = has_text or has_ngrams(document.text, n)
        yield Reading(document.url, wanted.places_in(document.text, n), None)
    if not has_text:
        raise InputError(f"{train}: no training text of {n} words to hold {test} against")


def _itself(items: Items, groups: Groups, ngrams: Ngrams) -> Iterator[Reading]:
    ends = np.searchsorted(items.item_M, np.arange(len(items.names) + 1))
    for number, url in enumerate(items.names):
        places = np.unique(ngrams.place_M[ends[number] : ends[number + 1]])
        yield Reading(url, places, int(groups.group_N[number]))


def _of_several_items(groups: Groups, ngrams: Ngrams) -> Mask:
    """Which of the distinct n-grams more than one item has, (W,)."""
    has_copies_G = groups.first_G != groups.last_G
    found: Mask = has_copies_G[ngrams.group_D[ngrams.start_W[:-1]]]
    return found | (np.diff(ngrams.start_W) > 1)


def _search(
    num_groups: int, ngrams: Ngrams, seen: Mask, readings: Iterable[Reading], progress: Progress
) -> tuple[Best, int]:
    """Mark in `seen` what other documents have; the best of each group; how many there were."""
    best = Best([None] * num_groups, np.zeros(num_groups, np.int64))
    num_documents = 0
    for reading in readings:
        num_documents += 1
        if reading.group is None:
            seen[reading.places] = True
        _improve(best, ngrams, reading)
        progress(num_documents, None, "training documents")
    return best, num_documents


def _improve(best: Best, ngrams: Ngrams, reading: Reading) -> None:
    """Make this document the best of the groups of which it has more than any before it."""
    starts = ngrams.start_W[reading.places]
    lengths = ngrams.start_W[reading.places + 1] - starts
    is_followed = lengths <= MAX_GROUPS
    starts, lengths = starts[is_followed], lengths[is_followed]
    if not len(starts):
        return
    pairs = np.repeat(starts, lengths) + positions(lengths)
    groups, counts = np.unique(
        np.repeat(ngrams.group_D[pairs], ngrams.times_D[pairs]), return_counts=True
    )
    is_better = counts > best.num[groups]
    if reading.group is not None:
        is_better &= groups != reading.group
    best.num[groups[is_better]] = counts[is_better]
    for group in groups[is_better]:
        best.document[group] = reading.url


def _of_items(best: Best, items: Items, groups: Groups, *, has_copies_in_it: bool) -> Best:
    """Of each item; in a set held against itself, those of one group are whole in each other."""
    found = Best([best.document[group] for group in groups.group_N], best.num[groups.group_N])
    if has_copies_in_it:
        num_ngrams_N = np.bincount(items.item_M, minlength=len(items.names))
        has_copies_N = (groups.first_G != groups.last_G)[groups.group_N]
        for number in np.flatnonzero(has_copies_N & (num_ngrams_N > 0)):
            group = groups.group_N[number]
            first, last = groups.first_G[group], groups.last_G[group]
            found.document[number] = items.names[last if number == first else first]
            found.num[number] = num_ngrams_N[number]
    return found


def _checked(
    items: Items,
    ngrams: Ngrams,
    seen: Mask,
    best: Best,
    config: SplitConfig,
    told: tuple[str, str, Literal["across", "inside"], int],
) -> Checked:
    train, test, kind, num_documents = told
    once = np.ones(len(items.hashes_M))
    whole = count(items, seen[ngrams.place_M], once)
    unfollowed_W = seen & (np.diff(ngrams.start_W) > MAX_GROUPS)
    unfollowed = count(items, unfollowed_W[ngrams.place_M], once)
    [share] = shares(items.units, [whole], generator(config.seed, "split-check"))
    suspects = [
        Suspect(
            item=items.names[number],
            num_ngrams=int(whole.ngrams_N[number]),
            num_found=int(whole.found_N[number]),
            document=best.document[number],
            num_in_document=int(best.num[number]),
            num_unfollowed=int(unfollowed.found_N[number]),
        )
        for number in range(len(items.names))
    ]
    asked = [one for one in suspects if one.num_ngrams]
    buckets = [bucket_of(one.num_found, one.num_ngrams) for one in asked]
    least = Counter(_how_whole(one.num_in_document, one.num_ngrams) for one in asked)
    num_undecided = sum(
        _how_whole(one.num_in_document, one.num_ngrams)
        != _how_whole(one.most_in_document, one.num_ngrams)
        for one in asked
    )
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
        num_whole=least["whole"],
        num_nearly=least["nearly"],
        num_undecided=num_undecided,
        worst=[one for one in worst[: config.worst] if one.num_found],
        limit=config.limit,
    )
    return Checked(found, [msgspec.structs.asdict(one) for one in suspects])


def _how_whole(num_in_document: int, num_ngrams: int) -> Literal["whole", "nearly", "no"]:
    if num_in_document == num_ngrams:
        return "whole"
    return "nearly" if num_in_document >= NEARLY * num_ngrams else "no"
