"""The share of a text's n-grams that a corpus contains: of one text, and of whole test sets."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.base.suggest import suggestion
from wellread.formats import tables
from wellread.formats.overlap import (
    COUNTINGS,
    ITEMS,
    STAGE,
    Counting,
    Overlap,
    OwnTrain,
    Share,
    TestSet,
)
from wellread.ngrams.hashing import Hashes, ngram_hashes
from wellread.overlap.config import OverlapConfig
from wellread.overlap.counting import (
    Count,
    Floats,
    Items,
    Mask,
    count,
    first_of_item,
    ngrams_of,
    shares,
    shuffled_hashes,
    side_by_side,
    weights_of_distinct,
)
from wellread.overlap.index import OverlapIndex, open_overlap_index
from wellread.overlap.reading import (
    NAMED_TEST,
    Named,
    NamedText,
    distinct,
    named,
    refuse_the_corpus_itself,
    training_texts,
)
from wellread.overlap.wanted import has_ngrams, want

TEXTS_AT_ONCE = 10_000  # of `measure_overlap`: bounds the memory, and spares a look-up for each

log = logging.getLogger(__name__)


class TextOverlap(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a text's n-grams, repeats counted, the index holds."""

    num_ngrams: int
    num_found: int

    @property
    def share(self) -> float | None:
        """None for a text too short to have an n-gram."""
        return self.num_found / self.num_ngrams if self.num_ngrams else None


def measure_overlap(index: OverlapIndex | str | Path, texts: Iterable[str]) -> list[TextOverlap]:
    """One record for each text, in order: how many of its n-grams the index holds (section 4).

    `index` is one that is open, or its folder.

    A Bloom filter says so of others too, at the rate that the index was made for; an exact index
    does not. Texts are read as they are asked for, some thousands at a time.
    """
    opened = index if isinstance(index, OverlapIndex) else open_overlap_index(Path(index))
    hashes = (ngram_hashes(text, opened.index.ngram_words) for text in texts)
    batches = tables.batched(hashes, TEXTS_AT_ONCE)
    return [one for some in batches for one in _measured(opened, some)]


def _measured(index: OverlapIndex, texts: Sequence[Hashes]) -> Iterator[TextOverlap]:
    found = index.contains(np.concatenate(texts))
    for start, end in pairwise(accumulate(map(len, texts), initial=0)):
        yield TextOverlap(num_ngrams=end - start, num_found=int(found[start:end].sum()))


class Held(NamedTuple):
    """Which n-grams of a test set something holds, (M,)."""

    corpus: Mask
    shuffled: Mask
    own: Mask | None
    own_train: tuple[str, int] | None  # its name, and how many documents it has


def measure_test_sets(
    index: Path,
    tests: Sequence[Path],
    out: Path,
    config: OverlapConfig,
    *,
    own_train: Mapping[str, Path] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write the overlap of every test set with the corpus behind `index`.

    `tests` are results directories, whose tasks are the test sets, or documents in any form (a
    test set by the file's name, or that of NAME=PATH). An item that several results hold is
    measured once. `own_train`: of a test set by name the documents of its own training text, which
    are read one after the other and counted exactly. The n-grams of the tests are held in memory;
    they have as many words as those of the index, whatever `config` says.
    """
    opened = open_overlap_index(index)
    config = msgspec.structs.replace(config, ngram_words=opened.index.ngram_words)
    own_train = own_train or {}
    given = [named(test) for test in tests]
    inputs = {"index": [index], "tests": [test.path for test in given if not test.is_given]}
    inputs |= {f"{NAMED_TEST}{test.name}": [test.path] for test in given if test.is_given}
    inputs |= {f"own train of {name}": [path] for name, path in sorted(own_train.items())}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    refuse_the_corpus_itself(index, given)
    account = Draft(out)
    texts = _texts(given, account, progress)
    if unknown := sorted(own_train.keys() - texts.keys()):
        raise InputError(
            f"own train of {unknown[0]!r}: there is no such test set"
            + suggestion(unknown[0], sorted(texts))
        )
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        draft.add(account)
        rows: list[dict[str, Any]] = []
        test_sets = []
        for name in sorted(texts):
            items = _items(texts.pop(name), config)
            held = _held(opened, items, own_train.get(name), draft, progress)
            test_sets.append(_test_set(name, items, held, opened, config.seed))
            rows += _rows(name, items, held)
            _account(name, items, opened.index.ngram_words, draft)
        with draft.open("items.parquet") as file:
            tables.write_rows(file, ITEMS, rows)
        overlap = Overlap(corpus=opened.corpus, index=opened.index, test_sets=test_sets)
        draft.write("overlap.json", msgspec.json.format(msgspec.json.encode(overlap), indent=1))
    return read_manifest(out)


def _texts(
    tests: Sequence[Named], account: Draft, progress: Progress
) -> dict[str, list[NamedText]]:
    """The texts of each test set; that there are none at all is an InputError."""

    def bad(reason: str, where: str) -> None:
        account.counts["in"] += 1
        account.drop(reason, where)

    def repeated() -> None:
        account.counts["repeated"] += 1

    texts: dict[str, list[NamedText]] = {}
    for text in distinct(tests, bad, repeated):
        texts.setdefault(text.test_set, []).append(text)
        account.counts["in"] += 1
        progress(account.counts["in"], None, text.test_set)
    if not texts:
        raise InputError(
            f"{tests[0].path}: no items to measure; name results or documents"
            f"{account.drops_named()}"
        )
    return texts


def _items(texts: list[NamedText], config: OverlapConfig) -> Items:
    texts.sort(key=lambda text: text.item)
    found = [ngrams_of(text.text, config.ngram_words) for text in texts]
    random = generator(config.seed, "overlap", "shuffled", texts[0].test_set)
    shuffled = [shuffled_hashes(text.text, config.ngram_words, random) for text in texts]
    lengths = [len(one.hashes) for one in found]
    return Items(
        names=[text.item for text in texts],
        units=[text.unit for text in texts],
        hashes_M=side_by_side([one.hashes for one in found], np.uint64),
        within_M=side_by_side([one.is_within for one in found], np.bool_),
        shuffled_M=side_by_side(shuffled, np.uint64),
        item_M=np.repeat(np.arange(len(texts)), lengths),
    )


def _held(
    index: OverlapIndex, items: Items, own_train: Path | None, draft: Draft, progress: Progress
) -> Held:
    corpus, shuffled = index.contains(items.hashes_M), index.contains(items.shuffled_M)
    if own_train is None:
        return Held(corpus, shuffled, None, None)
    distinct, place_M = np.unique(items.hashes_M, return_inverse=True)
    wanted = want(distinct)
    seen = np.zeros(len(wanted.hashes), np.bool_)
    num_documents, has_text = 0, False
    for document in training_texts(own_train, draft.drop):
        num_documents += 1
        has_text = has_text or has_ngrams(document.text, index.index.ngram_words)
        seen[wanted.places_in(document.text, index.index.ngram_words)] = True
        progress(num_documents, None, f"documents of {own_train.name}")
    if not has_text:
        raise InputError(
            f"{own_train}: no document of {index.index.ngram_words} words to hold the test set "
            f"against{draft.drops_named()}"
        )
    return Held(corpus, shuffled, seen[place_M], (own_train.name, num_documents))


def _test_set(name: str, items: Items, held: Held, index: OverlapIndex, seed: int) -> TestSet:
    once = np.ones(len(items.hashes_M))
    weights = {
        "all": once,
        "unique": weights_of_distinct(items.hashes_M),
        "within": items.within_M,
    }
    counts = [count(items, held.corpus, weights[one]) for one in COUNTINGS]
    counts.append(count(items, held.shuffled, once))
    if held.own is not None:
        counts += [count(items, held.own, weights[one]) for one in COUNTINGS]
    found = shares(items.units, counts, generator(seed, "overlap", name))
    ngrams_N, found_N = counts[0]
    return TestSet(
        name=name,
        num_items=len(items.names),
        num_units=len(set(items.units)),
        num_short=int(np.count_nonzero(ngrams_N == 0)),
        items_with_any=int(np.count_nonzero(found_N)),
        shares=_by_counting(found),
        num_by_chance=index.index.false_positive_rate * len(items.hashes_M),
        shuffled=found[len(COUNTINGS)],
        own_train=None
        if held.own_train is None
        else OwnTrain(
            name=held.own_train[0],
            num_documents=held.own_train[1],
            shares=_by_counting(found[len(COUNTINGS) + 1 :]),
        ),
    )


def _by_counting(found: Sequence[Share]) -> dict[Counting, Share]:
    return dict(zip(COUNTINGS, found, strict=False))


def _rows(name: str, items: Items, held: Held) -> list[dict[str, Any]]:
    once = np.ones(len(items.hashes_M))
    counts = {
        "ngrams": count(items, held.corpus, once),
        "unique": count(items, held.corpus, first_of_item(items)),
        "within": count(items, held.corpus, items.within_M),
    }
    own = None if held.own is None else count(items, held.own, once).found_N
    columns: dict[str, Floats] = {
        "num_ngrams": counts["ngrams"].ngrams_N,
        "num_found": counts["ngrams"].found_N,
        **_columns("unique", counts["unique"]),
        **_columns("within", counts["within"]),
    }
    return [
        {
            "test_set": name,
            "item": item,
            "unit": None if unit == item else unit,
            **{key: int(column[number]) for key, column in columns.items()},
            "num_own_found": None if own is None else int(own[number]),
        }
        for number, (item, unit) in enumerate(zip(items.names, items.units, strict=True))
    ]


def _columns(name: str, found: Count) -> dict[str, Floats]:
    return {f"num_{name}": found.ngrams_N, f"num_{name}_found": found.found_N}


def _account(name: str, items: Items, num_words: int, draft: Draft) -> None:
    num_ngrams = np.bincount(items.item_M, minlength=len(items.names))
    draft.counts["out"] += int(np.count_nonzero(num_ngrams))
    for place in np.flatnonzero(num_ngrams == 0):
        draft.drop(f"fewer than {num_words} words", f"{name}: {items.names[place]}")
    if not num_ngrams.any():
        log.warning("%s: no item has %d words, so there is nothing to ask for", name, num_words)
