"""The stage `corpus`: pages and ready documents in, documents out, an account of every drop."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import daft
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from wellread.base.errors import WellreadError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.urls import registrable_domain
from wellread.corpus.config import CorpusConfig
from wellread.corpus.duplicates import near_duplicate_groups
from wellread.corpus.extract import PAGES_PER_BATCH, extract
from wellread.corpus.filter import load_filters, rejected_by
from wellread.corpus.minhash import signatures
from wellread.corpus.split import split_of
from wellread.formats.archives import read_pages
from wellread.formats.documents import (
    STAGE,
    Document,
    is_documents,
    read_documents,
    write_documents,
)
from wellread.formats.links import read_links
from wellread.formats.pages import refusal
from wellread.formats.tables import batched

STAGED = pa.schema(
    [
        ("url", pa.string()),
        ("content_type", pa.string()),
        ("body", pa.binary()),  # a page, or
        ("text", pa.string()),  # a ready document
    ]
)
KEPT = pa.schema(
    [
        ("url", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("confidence", pa.float64()),
    ]
)


def build_corpus(
    sources: Sequence[Path],
    out: Path,
    config: CorpusConfig,
    *,
    links: Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Extract, clean and deduplicate `sources` (pages or ready documents, in any form).

    `links` gives each document its karma, by which the best of near-duplicates is kept.
    """
    inputs = {"sources": list(sources), "links": [links] if links else []}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        work = out / "work"
        work.mkdir()
        staged, kept = work / "staged.parquet", work / "kept.parquet"
        total = _stage(sources, staged, draft, progress)
        _keep_good(staged, kept, config, draft, progress, total=total)
        staged.unlink()
        write_documents(draft, _distinct(kept, config, draft, _karma(links)))
        kept.unlink()
        work.rmdir()
        draft.counts["in"] = total + draft.counts["unreadable"]
        if draft.counts["out"] == 0:
            reasons = ", ".join(f"{reason}: {n}" for reason, n in draft.dropped.most_common(3))
            raise WellreadError(
                f"{sources[0]}: no document is left of {draft.counts['in']} ({reasons or 'empty'})"
            )
    return read_manifest(out)


def _stage(sources: Sequence[Path], staged: Path, draft: Draft, progress: Progress) -> int:
    """Every readable page and document as one Parquet file, so that one data frame holds all."""

    def unreadable(reason: str, where: str) -> None:
        draft.counts["unreadable"] += 1
        draft.drop(reason, where)

    def rows() -> Iterator[dict[str, Any]]:
        for source in sources:
            if is_documents(source):
                for document in read_documents(source, unreadable):
                    yield {"url": document.url, "text": document.text}
            else:
                for page in read_pages(source, unreadable):
                    if reason := refusal(page.status, page.content_type):
                        unreadable(reason, page.url)
                        continue
                    yield {
                        "url": page.url, "content_type": page.content_type, "body": page.body
                    }  # fmt: skip

    total = 0
    with pq.ParquetWriter(staged, STAGED, compression="zstd") as writer:
        for batch in batched(rows(), 4 * PAGES_PER_BATCH):
            writer.write_table(pa.Table.from_pylist(batch, schema=STAGED))
            total += len(batch)
            progress(0, None, f"reading pages: {total:,}")
    return total


def _keep_good(
    staged: Path,
    kept: Path,
    config: CorpusConfig,
    draft: Draft,
    progress: Progress,
    *,
    total: int,
) -> None:
    """Extract all, and write those that every rule keeps."""
    filters = load_filters(config.filters)
    pages = daft.read_parquet(str(staged))
    done = 0
    with pq.ParquetWriter(kept, KEPT, compression="zstd") as writer:
        for batch in extract(pages, config.extractor).to_arrow_iter():
            good = []
            for row in batch.to_pylist():
                document = Document(
                    url=row["url"], text=row["text"], domain=registrable_domain(row["url"])
                )
                rejection = rejected_by(document, filters)
                reason = rejection.reason if rejection else None
                if not row["text"]:
                    reason = "no main text"
                if reason is None and row["language"] not in config.languages:
                    reason = f"language is not {' or '.join(config.languages)}"
                if reason is None:
                    good.append(row)
                else:
                    draft.drop(reason, row["url"])
            writer.write_table(pa.Table.from_pylist(good, schema=KEPT))
            done += len(batch)
            progress(done, total, f"documents, {sum(draft.dropped.values()):,} dropped")
    if done != total:  # Daft ends its stream without an error when it sees Ctrl-C itself
        raise WellreadError(f"{kept}: stopped after {done:,} of {total:,} pages; run it again")


def _karma(links: Path | None) -> dict[str, int]:
    return {link.url: link.karma for link in read_links(links)} if links else {}


def _distinct(
    kept: Path, config: CorpusConfig, draft: Draft, karma: dict[str, int]
) -> Iterator[Document]:
    """One document of each group of near-duplicates, in order of URL."""
    frame = daft.read_parquet(str(kept)).sort(["url", "text"])
    table = frame.to_arrow()
    urls: list[str] = table["url"].to_pylist()
    if not urls:
        return
    texts = (row["text"] for row in _rows(table))
    found = signatures(texts, config.near_duplicate_permutations)
    groups = near_duplicate_groups(found, threshold=config.near_duplicate_similarity)
    best = _best_of_groups(groups, [karma.get(url, 0) for url in urls])
    first = dict(zip(groups[::-1].tolist(), urls[::-1], strict=True))
    for at, row in enumerate(_rows(table)):
        group = int(groups[at])
        if at != best[group]:
            draft.drop("near-duplicate of a document that is kept", row["url"])
            continue
        draft.counts["out"] += 1
        draft.counts["bytes"] += len(row["text"].encode())
        draft.counts[f"language {row['language']}"] += 1
        yield Document(
            url=row["url"],
            text=row["text"],
            domain=registrable_domain(row["url"]),
            karma=karma.get(row["url"]),
            language=row["language"],
            language_confidence=row["confidence"],
            split=split_of(
                first[group],
                validation_per_mille=config.validation_per_mille,
                test_per_mille=config.test_per_mille,
            ),
        )


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _best_of_groups(groups: npt.NDArray[np.int64], karma: list[int]) -> dict[int, int]:
    """For each group its member of most karma; the first of equals."""
    best: dict[int, int] = {}
    for at, group in enumerate(groups.tolist()):
        if group not in best or karma[at] > karma[best[group]]:
            best[group] = at
    return best
