"""Where the words of a text come from: the passages that it shares with documents.

A passage is a run of words of the text, n or more, that stands in some document and in none as a
part of a longer one. Every document is read once and none is kept.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.progress import Progress, silent
from wellread.base.threads import in_order, num_threads
from wellread.formats.documents import Document, together
from wellread.ngrams import NGRAM_WORDS
from wellread.ngrams.hashing import ngram_hashes, word_spans
from wellread.overlap.runs import Tracks, row_of
from wellread.overlap.wanted import Numbers, Wanted

AROUND = 200  # characters of the document that are kept before and after
TOGETHER = 64  # documents for a thread at one time, or as many as have
CHARACTERS = 1 << 20  # so much text
SURROGATE = re.compile("[\ud800-\udfff]")  # what is shown goes into UTF-8
Span = tuple[int, int]


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a text, and a document that has them; of several, the first by URL."""

    first_word: int  # of the text
    num_words: int
    start: int  # characters of the text
    end: int
    url: str
    document_start: int  # characters of the document
    document_end: int
    num_documents: int  # that have all of the words
    before: str  # what the document has before them
    words: str  # as the document has them
    after: str


class Words(NamedTuple):
    """The words of a text: where each stands, and how it is compared."""

    spans: npt.NDArray[np.int64]  # (words, 2), characters of the text
    lowered: str
    places: npt.NDArray[np.int64]  # (words, 2), characters of `lowered`

    def some(self, first: int, number: int) -> list[str]:
        return [
            self.lowered[start:end] for start, end in self.places[first : first + number].tolist()
        ]

    def span(self, first: int, end: int) -> Span:
        """The characters from word `first` to the last before word `end`."""
        return int(self.spans[first, 0]), int(self.spans[end - 1, 1])


class _Matched(NamedTuple):
    """A document with n-grams of the texts."""

    document: Document
    positions: Numbers
    keys: Numbers


def find_passages(
    texts: Sequence[str],
    documents: Iterable[Document],
    *,
    n: int = NGRAM_WORDS,
    threads: int | None = None,
    progress: Progress = silent,
) -> list[list[Passage]]:
    """For each text its passages in order; whatever order the documents come in.

    Only documents that have an n-gram of a text cost more than their hashes.
    """
    row = row_of([ngram_hashes(text, n) for text in texts])
    tracks = Tracks(row)
    sought = [_Sought(text) for text in texts]
    count = 0
    look = partial(_matched, wanted=row.wanted, n=n)
    parts = together(documents, TOGETHER, CHARACTERS)
    for read, found in in_order(look, parts, num_threads(threads)):
        count += read
        progress(count, None, "looking for passages")
        for matched in found:
            _add(matched, tracks, sought, n)
    return [list(one.passages()) for one in sought]


def _matched(documents: list[Document], *, wanted: Wanted, n: int) -> tuple[int, list[_Matched]]:
    found = []
    for document in documents:
        positions, keys = wanted.matches(ngram_hashes(document.text, n))
        if len(positions):
            found.append(_Matched(document, positions, keys))
    return len(documents), found


def _add(matched: _Matched, tracks: Tracks, sought: "list[_Sought]", n: int) -> None:
    """Look at the runs of one document that are not within passages that are known already."""
    runs = tracks.follow(matched.positions, matched.keys)
    firsts = tracks.row.firsts
    theirs: Words | None = None
    for end, size, position in zip(*(row.tolist() for row in runs), strict=True):
        number = bisect_right(firsts, end) - 1
        word = end - size + 1 - int(firsts[number])
        num_words = size + n - 1
        if sought[number].has_more_than((word, word + num_words)):
            continue
        theirs = theirs or words_of(matched.document.text)
        first = position - size + 1
        ours = sought[number].own.some(word, num_words)
        for start, stop in _equal(ours, theirs.some(first, num_words)):
            if stop - start >= n:
                span = theirs.span(first + start, first + stop)
                sought[number].add((word + start, word + stop), matched.document, span)


def _equal(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Span]:
    """Where two rows of words are the same: everywhere, but for two n-grams of one hash.

    >>> list(_equal(["a", "b", "c"], ["a", "x", "c"]))
    [(0, 1), (2, 3)]
    """
    if ours == theirs:
        yield 0, len(ours)
        return
    start = 0
    for at, (own, other) in enumerate(zip([*ours, ""], [*theirs, "."], strict=True)):
        if own != other:
            if at > start:
                yield start, at
            start = at + 1


class _Source(NamedTuple):
    """Where a passage stands; of several the least is shown."""

    url: str
    start: int
    end: int
    before: str
    words: str
    after: str


class _Sought:
    """A text and its passages so far: none lies within another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._own: Words | None = None
        self.spans: list[Span] = []  # words; starts and ends both ascend
        self.counts: list[int] = []
        self.sources: list[_Source] = []

    @property
    def own(self) -> Words:
        """Split when first wanted: of many texts most have no passage."""
        self._own = self._own or words_of(self.text)
        return self._own

    def has_more_than(self, span: Span) -> bool:
        """Whether `span` lies within a longer passage."""
        at = bisect_right(self.spans, (span[0], span[1] - 1))
        around = self.spans[max(at - 1, 0) : at + 1]
        return any(one != span and one[0] <= span[0] and span[1] <= one[1] for one in around)

    def add(self, span: Span, document: Document, theirs: Span) -> None:
        """A passage in a document; once for each document."""
        if self.has_more_than(span):
            return
        start, end = theirs
        text = document.text
        shown = (text[max(start - AROUND, 0) : start], text[start:end], text[end : end + AROUND])
        source = _Source(document.url, start, end, *(SURROGATE.sub("\ufffd", one) for one in shown))
        at = bisect_left(self.spans, span)
        if at < len(self.spans) and self.spans[at] == span:
            self.counts[at] += 1
            self.sources[at] = min(self.sources[at], source)
            return
        first = bisect_left(self.spans, (span[0], 0))
        last = first
        while last < len(self.spans) and self.spans[last][1] <= span[1]:
            last += 1
        self.spans[first:last], self.counts[first:last] = [span], [1]
        self.sources[first:last] = [source]

    def passages(self) -> Iterator[Passage]:
        for (first, last), count, source in zip(self.spans, self.counts, self.sources, strict=True):
            yield Passage(
                first_word=first,
                num_words=last - first,
                start=self.own.span(first, last)[0],
                end=self.own.span(first, last)[1],
                url=source.url,
                document_start=source.start,
                document_end=source.end,
                num_documents=count,
                before=source.before,
                words=source.words,
                after=source.after,
            )


def words_of(text: str) -> Words:
    """
    >>> words = words_of("İs 2!")  # of one character lower-casing makes two, and so two words
    >>> words.some(0, 3), words.spans.tolist()
    (['i', 's', '2'], [[0, 1], [1, 2], [3, 4]])
    """
    spans, lowered = word_spans(text), text.lower()
    return Words(spans, lowered, spans if len(lowered) == len(text) else word_spans(lowered))


def without_end(text: str) -> str:
    """`text` without letters and digits at its end, which may be a part of a word.

    >>> without_end("the end of the bo")
    'the end of the '
    """
    return re.sub(r"[^\W_]+$", "", text)
