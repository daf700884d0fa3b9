"""The passages that texts share with a corpus, and the documents that have them."""

import heapq
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact, read_manifest
from wellread.base.progress import Progress, silent
from wellread.base.suggest import nearest
from wellread.formats.overlap import STAGE
from wellread.formats.tables import batched
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.index import OverlapIndex, open_overlap_index
from wellread.overlap.measure import measure_overlap
from wellread.overlap.passages import SURROGATE, Passage, find_passages
from wellread.overlap.reading import NAMED_TEST, Named, NamedText, distinct, named
from wellread.overlap.sources import corpus_of, documents_behind

TOGETHER = 256  # texts that are measured at one time
COMPARED = 2_000  # names, with one that is unknown: a tenth of a second
NEAREST = 3

log = logging.getLogger(__name__)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what it shares with the corpus."""

    test_set: str
    item: str
    text: str
    num_ngrams: int
    num_found: int  # that the index holds
    num_false: int  # of these, in no document: false positives of the index
    passages: list[Passage]


class Passages(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that share most."""

    corpus: str  # which corpus and split, in words
    ngram_words: int
    num_texts: int  # that were looked at
    num_with_any: int
    num_false: int  # among those shown
    shown: list[Shown]  # the largest share first


class _Ranked(NamedTuple):
    """A text by how much of it the index holds."""

    share: float
    num_found: int
    num_ngrams: int
    name: NamedText


def show_passages(  # noqa: PLR0913 - what is shown, and of what
    index: str | Path,
    tests: str | Path | None = None,
    *,
    text: str | None = None,
    corpus: str | Path | None = None,
    items: Sequence[str] = (),
    number: int = 5,
    progress: Progress = silent,
) -> Passages:
    """Where the overlap of `tests`, a path as `measure` takes it or has written, or of `text` comes
    from.

    Shown are the `items` named, or else the `number` with the largest shares. An exact index has
    its documents; of another the corpus that it was made of is read, which is `corpus` if it is no
    longer in its place.
    """
    if tests is None and text is None:
        raise InputError("show_passages: give `tests` or a `text`")
    index = Path(index)
    opened = open_overlap_index(index)
    place = corpus_of(index, opened, Path(corpus) if corpus else None)
    left_out: dict[str, list[str]] = {}
    if tests is not None:

        def bad(reason: str, where: str) -> None:
            left_out.setdefault(reason, []).append(where)

        texts: Iterable[NamedText] = distinct(_tests(Path(tests)), bad, lambda: None)
    else:
        texts = [NamedText("text", "1", "1", text or "")]
    counted = _Counted()
    chosen = _chosen(counted.each(_measured(opened, texts)), items, number)
    for reason, places in left_out.items():
        log.warning("left out: %s %s (first: %s)", reason, f"{len(places):,}", places[0])
    chosen = [one for one in chosen if items or one.num_found]
    asked = [one.name.text for one in chosen]
    found = find_passages(
        asked,
        documents_behind(index, opened, place, asked),
        n=opened.index.ngram_words,
        progress=progress,
    )
    shown = [
        _shown(opened, ranked, passages) for ranked, passages in zip(chosen, found, strict=True)
    ]
    return Passages(
        corpus=opened.corpus,
        ngram_words=opened.index.ngram_words,
        num_texts=counted.num_texts,
        num_with_any=counted.num_with_any,
        num_false=sum(one.num_false for one in shown),
        shown=shown,
    )


def _tests(path: Path) -> list[Named]:
    """What there is to read: of a table of overlap the tests that it was made of."""
    if not is_artifact(path) or read_manifest(path).stage != STAGE:
        return [named(path)]
    found = []
    for kind, sources in read_manifest(path).inputs.items():
        if kind != "tests" and not kind.startswith(NAMED_TEST):
            continue
        for source in sources:
            place = Path(os.path.normpath(path.resolve() / source.path))  # absolute, if of files
            if not place.exists():
                raise InputError(f"{path}: the texts that it measures are no longer at {place}")
            name = kind.removeprefix(NAMED_TEST)
            found.append(named(place) if kind == "tests" else Named(name, place, is_given=True))
    return found


class _Counted:
    """How many texts went by, and how many with overlap."""

    num_texts = num_with_any = 0

    def each(self, ranked: Iterable[_Ranked]) -> Iterator[_Ranked]:
        for one in ranked:
            self.num_texts += 1
            self.num_with_any += one.num_found > 0
            yield one


def _measured(opened: OverlapIndex, texts: Iterable[NamedText]) -> Iterator[_Ranked]:
    for some in batched(texts, TOGETHER):
        measured = measure_overlap(opened, [text.text for text in some])
        for found, text in zip(measured, some, strict=True):
            yield _Ranked(found.share or 0.0, found.num_found, found.num_ngrams, text)


def _chosen(ranked: Iterable[_Ranked], items: Sequence[str], number: int) -> list[_Ranked]:
    """Those named, `ITEM` or `TEST SET/ITEM`, or else the first by share and number of n-grams."""
    if not items:
        return heapq.nlargest(number, ranked, key=lambda one: one[:2])
    known: dict[str, list[_Ranked]] = {}
    for one in ranked:
        for name in (one.name.item, f"{one.name.test_set}/{one.name.item}"):
            known.setdefault(name, []).append(one)
    for item in items:
        if item not in known:
            near = nearest(item, list(known)[:COMPARED], number=NEAREST, least=0.0)
            raise InputError(
                f"there is no item {item!r}; of {sum(map(len, known.values())) // 2:,} the nearest "
                f"by name: {', '.join(near)}"
            )
    return [one for item in items for one in known[item]]


def _shown(opened: OverlapIndex, ranked: _Ranked, passages: list[Passage]) -> Shown:
    n = opened.index.ngram_words
    claimed = opened.contains(ngram_hashes(ranked.name.text, n))
    return Shown(
        test_set=ranked.name.test_set,
        item=ranked.name.item,
        text=SURROGATE.sub("\ufffd", ranked.name.text),
        num_ngrams=ranked.num_ngrams,
        num_found=ranked.num_found,
        num_false=int(np.sum(claimed & ~covered(passages, len(claimed), n))),
        passages=passages,
    )


def covered(passages: Iterable[Passage], num_ngrams: int, n: int) -> npt.NDArray[np.bool_]:
    """For each n-gram of a text whether it lies within a passage, and so in a document."""
    found = np.zeros(num_ngrams, np.bool_)
    for passage in passages:
        found[passage.first_word : passage.first_word + passage.num_words - n + 1] = True
    return found
