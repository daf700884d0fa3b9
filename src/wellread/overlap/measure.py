"""The share of a text's n-grams that a corpus contains: of one text, and of whole test sets."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, is_artifact, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.formats import results, tables
from wellread.formats.documents import read_documents
from wellread.formats.overlap import ITEMS, STAGE, Overlap, TestSet
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import OverlapIndex, open_overlap_index

NUM_RESAMPLES = 2_000
PERCENTILES = (2.5, 97.5)

Counts = npt.NDArray[np.int64]


class TextOverlap(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a text's n-grams, repeats counted, the index holds."""

    num_ngrams: int
    num_found: int

    @property
    def share(self) -> float | None:
        """None for a text too short to have an n-gram."""
        return self.num_found / self.num_ngrams if self.num_ngrams else None


class NamedText(NamedTuple):
    """A text of a test set, by name."""

    test_set: str
    item: str
    text: str


def measure_overlap(index: OverlapIndex, texts: Iterable[str]) -> list[TextOverlap]:
    """One record for each text, in order."""
    return [_measure(index, text) for text in texts]


def _measure(index: OverlapIndex, text: str) -> TextOverlap:
    hashes = ngram_hashes(text, index.index.ngram_words)
    return TextOverlap(num_ngrams=len(hashes), num_found=int(index.contains(hashes).sum()))


def measure_test_sets(
    index: Path,
    tests: Sequence[Path],
    out: Path,
    config: OverlapConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """Write the overlap of every test set with the corpus behind `index`.

    `tests` are results directories, whose tasks are the test sets, or documents in any form (a
    test set by the file's name). An item that several results hold is measured once.
    """
    opened = open_overlap_index(index)
    if config.ngram_words != opened.index.ngram_words:
        raise InputError(
            f"{index}: holds {opened.index.ngram_words}-grams, the settings ask for "
            f"{config.ngram_words}-grams; build the index again or change ngram_words"
        )
    inputs = {"index": [index], "tests": list(tests)}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        measured: dict[str, dict[str, TextOverlap]] = {}
        for item in _distinct(tests, draft):
            overlap = _measure(opened, item.text)
            measured.setdefault(item.test_set, {})[item.item] = overlap
            draft.counts["in"] += 1
            if overlap.num_ngrams:
                draft.counts["out"] += 1
            else:
                short = f"fewer than {opened.index.ngram_words} words"
                draft.drop(short, f"{item.test_set}: {item.item}")
            progress(draft.counts["in"], None, item.test_set)
        if not measured:
            raise InputError(f"{tests[0]}: no items to measure; name results or documents")
        _write(opened, measured, draft, config.seed)
    return read_manifest(out)


def _distinct(tests: Sequence[Path], draft: Draft) -> Iterator[NamedText]:
    """Each item once; two texts under one name are an InputError."""
    seen: dict[tuple[str, str], str] = {}
    for path in tests:
        for item in _read_test(path, draft):
            name = (item.test_set, item.item)
            if name not in seen:
                seen[name] = item.text
                yield item
            elif seen[name] == item.text:
                draft.counts["repeated"] += 1
            else:
                raise InputError(
                    f"{path}: item {item.item!r} of {item.test_set!r} differs from the one read "
                    "before it; measure the two apart"
                )


def _read_test(path: Path, draft: Draft) -> Iterator[NamedText]:
    if is_artifact(path) and read_manifest(path).stage == results.STAGE:
        for file in results.result_files(path):
            if not results.read_result(file.with_suffix(".json")).scores:
                continue  # what a model wrote, not a test set
            for row in results.read_items(path, file.stem):
                yield NamedText(file.stem, row["item"], row["text"])
        return

    def bad(reason: str, where: str) -> None:
        draft.counts["in"] += 1
        draft.drop(reason, where)

    for document in read_documents(path, bad):
        yield NamedText(path.name.split(".")[0], document.url, document.text)


def _write(
    opened: OverlapIndex, measured: dict[str, dict[str, TextOverlap]], draft: Draft, seed: int
) -> None:
    rows = (
        {"test_set": name, "item": item, **msgspec.structs.asdict(overlap)}
        for name, items in sorted(measured.items())
        for item, overlap in sorted(items.items())
    )
    with draft.open("items.parquet") as file:
        tables.write_rows(file, ITEMS, rows)
    overlap = Overlap(
        corpus=opened.corpus,
        index=opened.index,
        test_sets=[
            summarise(name, [items[item] for item in sorted(items)], seed)
            for name, items in sorted(measured.items())
        ],
    )
    draft.write("overlap.json", msgspec.json.format(msgspec.json.encode(overlap), indent=1))


def summarise(name: str, overlaps: Sequence[TextOverlap], seed: int) -> TestSet:
    """A test set's share over all its n-grams, with the interval of a bootstrap over its items."""
    ngrams = np.array([overlap.num_ngrams for overlap in overlaps])
    found = np.array([overlap.num_found for overlap in overlaps])
    has_ngrams = ngrams > 0
    total = int(ngrams.sum())
    low, high = _interval(ngrams[has_ngrams], found[has_ngrams], generator(seed, "overlap", name))
    return TestSet(
        name=name,
        num_items=len(overlaps),
        num_ngrams=total,
        num_found=int(found.sum()),
        share=int(found.sum()) / total if total else None,
        low=low,
        high=high,
        items_with_any=int(np.count_nonzero(found)),
    )


def _interval(
    ngrams: Counts, found: Counts, random: np.random.Generator
) -> tuple[float | None, float | None]:
    if len(ngrams) < 2:  # one item says nothing about the spread between items
        return None, None
    shares = np.empty(NUM_RESAMPLES)
    for resample in range(NUM_RESAMPLES):
        chosen = random.integers(len(ngrams), size=len(ngrams))
        shares[resample] = found[chosen].sum() / ngrams[chosen].sum()
    low, high = np.percentile(shares, PERCENTILES)
    return float(low), float(high)
