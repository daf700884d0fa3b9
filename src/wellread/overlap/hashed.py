"""A corpus as the hashes of its n-grams: read in order, hashed on threads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.manifest import MAX_EXAMPLES, Draft
from wellread.base.threads import in_order
from wellread.formats.document_tables import Columns, read_columns
from wellread.formats.documents import BadRecord
from wellread.ngrams.hashing import ColumnHashes, column_hashes
from wellread.overlap.config import OverlapConfig

T = TypeVar("T")


class Hashed(NamedTuple):
    """Some documents of a corpus in order, and the n-grams of those that an index is of."""

    urls: pa.Array  # of documents of the split that have n-grams
    texts: pa.Array
    found: ColumnHashes
    drops: list[tuple[str, pa.Array]]  # why others are left out, and the URLs of those

    def account(self, draft: Draft) -> None:
        """Count the documents."""
        draft.counts["out"] += len(self.urls)
        for reason, urls in self.drops:
            for url in urls[:MAX_EXAMPLES].to_pylist():
                draft.drop(reason, url)
            if len(urls) > MAX_EXAMPLES:
                draft.drop(reason, "", count=len(urls) - MAX_EXAMPLES)


def hash_columns(columns: Columns, config: OverlapConfig) -> Hashed:
    """The n-grams of `columns`, without documents of another split or with too few words."""
    mine = pc.equal(columns.splits, config.split)
    drops = [("in another split", columns.urls.filter(pc.invert(mine)))]
    urls, texts = columns.urls.filter(mine), columns.texts.filter(mine)
    found = column_hashes(texts, config.ngram_words)
    has_any = pa.array(found.counts > 0)
    drops.append((f"fewer than {config.ngram_words} words", urls.filter(pc.invert(has_any))))
    counts = found.counts[found.counts > 0]
    return Hashed(
        urls.filter(has_any),
        texts.filter(has_any),
        ColumnHashes(found.hashes, counts),
        [(reason, urls) for reason, urls in drops if len(urls)],
    )


def each_hashed(
    corpus: Path, config: OverlapConfig, bad: BadRecord, threads: int, work: Callable[[Hashed], T]
) -> Iterator[T]:
    """`work`, done on threads too, of the documents of `corpus`, piece by piece, in order."""
    columns = read_columns(corpus, bad)
    return in_order(lambda some: work(hash_columns(some, config)), columns, threads)


def as_it_is(hashed: Hashed) -> Hashed:
    return hashed
