"""What the corpus is made of, counted while it is written."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.urls import registered_name
from wellread.corpus.demonstrations import KINDS
from wellread.formats.corpus_report import (
    CorpusReport,
    Demonstrations,
    DomainRow,
    Example,
    Range,
    Step,
)
from wellread.formats.documents import Document
from wellread.formats.links import KARMA_FROM
from wellread.tokenizer.tokenizer import Tokenizer

LENGTHS = (0, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
CONFIDENCES = (0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
GROUP_SIZES = (2, 3, 4, 5, 10, 20, 50, 100, 1000)
EXAMPLES = 3  # of a kind of demonstration
AROUND = 120  # characters of a text that are shown before and after what was found in it
DOMAINS = 1000  # as many as WebText's list has


class Account:
    """Numbers that grow with each document that is kept."""

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        self._tokenizer = tokenizer
        self._tokens = 0
        self.documents = self.num_bytes = 0
        self.splits: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()  # repaired, removed_lines, removed_bytes
        self.languages: Counter[str] = Counter()
        self._lengths, self._confidences, self._karma = (
            np.zeros(len(edges), np.int64) for edges in (LENGTHS, CONFIDENCES, KARMA_FROM)
        )
        self._domains: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self._documents_with: Counter[str] = Counter()
        self._examples: dict[str, list[tuple[str, Example]]] = {}

    def add(self, document: Document, row: Mapping[str, Any]) -> None:
        """`row` has what clean.schema says."""
        self.documents += 1
        self.num_bytes += row["num_bytes"]
        if self._tokenizer:
            self._tokens += len(self._tokenizer.encode(document.text))
        self.splits[document.split] += 1
        self.sums["repaired"] += row["is_repaired"] or 0
        self.sums["removed_lines"] += row["removed_lines"]
        self.sums["removed_bytes"] += row["removed_bytes"]
        for language in row["languages"]:
            self.languages[language["code"]] += round(language["share"] * row["num_bytes"])
        _count(self._lengths, LENGTHS, len(document.text))
        _count(self._confidences, CONFIDENCES, document.language_confidence)
        if document.karma is not None:
            _count(self._karma, KARMA_FROM, document.karma)
        self._domains[registered_name(document.domain)] += 1
        for kind, number in Counter(one["kind"] for one in row["demonstrations"]).items():
            self._found[kind] += number
            self._documents_with[kind] += 1
            first = next(one for one in row["demonstrations"] if one["kind"] == kind)
            self._show(kind, document, first["start"], first["end"])

    def _show(self, kind: str, document: Document, start: int, end: int) -> None:
        """Keep the examples whose URLs have the least hashes: any, and the same each time."""
        order = sha256(document.url.encode()).hexdigest()
        shown = self._examples.setdefault(kind, [])
        if len(shown) == EXAMPLES and order > shown[-1][0]:
            return
        begin, stop = max(start - AROUND, 0), min(end, start + 8 * AROUND) + AROUND
        example = Example(
            url=document.url,
            text=document.text[begin:stop],
            start=start - begin,
            end=min(end, stop) - begin,
        )
        shown.append((order, example))
        shown.sort(key=lambda one: one[0])
        del shown[EXAMPLES:]

    def report(
        self,
        *,
        num_in: int,
        page_bytes: int,
        steps: Sequence[Step],
        group_sizes: npt.NDArray[np.int64],
    ) -> CorpusReport:
        sizes = np.zeros(len(GROUP_SIZES), np.int64)
        values, counts = np.unique(group_sizes[group_sizes > 1], return_counts=True)
        for value, number in zip(values.tolist(), counts.tolist(), strict=True):
            _count(sizes, GROUP_SIZES, value, number)
        domains = sorted(self._domains.items(), key=lambda one: (-one[1], one[0]))
        return CorpusReport(
            num_in=num_in,
            page_bytes=page_bytes,
            steps=list(steps),
            documents=self.documents,
            num_bytes=self.num_bytes,
            splits=dict(sorted(self.splits.items())),
            repaired=self.sums["repaired"],
            removed_lines=self.sums["removed_lines"],
            removed_bytes=self.sums["removed_bytes"],
            languages=dict(sorted(self.languages.items(), key=lambda one: (-one[1], one[0]))),
            lengths=_ranges(self._lengths, LENGTHS),
            confidences=_ranges(self._confidences, CONFIDENCES),
            karma=_ranges(self._karma, KARMA_FROM),
            group_sizes=_ranges(sizes, GROUP_SIZES),
            domains=[DomainRow(name=name, documents=n) for name, n in domains[:DOMAINS] if name],
            demonstrations=[
                Demonstrations(
                    kind=kind,
                    meaning=about.counted,
                    found=self._found[kind],
                    documents=self._documents_with[kind],
                    examples=[example for _, example in self._examples.get(kind, [])],
                )
                for kind, about in KINDS.items()
            ],
            tokens=self._tokens if self._tokenizer else None,
        )


def _count(
    bars: npt.NDArray[np.int64], edges: Sequence[float], value: float, number: int = 1
) -> None:
    bars[max(int(np.searchsorted(edges, value, "right")) - 1, 0)] += number


def _ranges(bars: npt.NDArray[np.int64], edges: Sequence[float]) -> list[Range]:
    """From the first bar that is not empty to the last."""
    filled = np.flatnonzero(bars)
    if not len(filled):
        return []
    ends: Iterable[float | None] = [*edges[1:], None]
    ranges = [
        Range(low=low, high=high, count=int(count))
        for low, high, count in zip(edges, ends, bars, strict=True)
    ]
    return ranges[filled[0] : filled[-1] + 1]
