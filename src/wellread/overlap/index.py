"""The index of a corpus: a Bloom filter of its n-grams, checked with n-grams made at random."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.formats.documents import Document, read_documents
from wellread.formats.overlap import FILTER, Index, read_index
from wellread.formats.overlap import INDEX_STAGE as STAGE
from wellread.ngrams.bloom import Bloom, load_bloom, new_bloom
from wellread.ngrams.distinct import RELATIVE_ERROR, estimate_distinct, new_registers, observe
from wellread.ngrams.hashing import Hashes, ngram_hashes
from wellread.overlap.config import OverlapConfig

NUM_RANDOM_NGRAMS = 1_000_000  # paper, section 4
RANDOM_WORD_LETTERS = 8
# Four standard deviations: an estimate that is short would make the filter too small.
ROOM = 1 + 4 * RELATIVE_ERROR


class OverlapIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index open for look-ups; the filter stays on disk."""

    corpus: str  # which corpus and split, in words
    index: Index
    bloom: Bloom

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash of an n-gram whether the corpus has it."""
        return self.bloom.contains(hashes)


def build_overlap_index(
    corpus: str | Path,
    out: str | Path,
    config: OverlapConfig | None = None,
    *,
    progress: Progress = silent,
) -> OverlapIndex:
    """`index_corpus`, and the index opened."""
    index_corpus(Path(corpus), Path(out), config or OverlapConfig(), progress=progress)
    return open_overlap_index(out)


def index_corpus(
    corpus: Path, out: Path, config: OverlapConfig, *, progress: Progress = silent
) -> Manifest:
    """Write the filter of all n-grams in `corpus`: a corpus artifact, JSONL, Parquet or texts.

    The corpus is read twice: to estimate how many distinct n-grams it has, and to insert them.
    """
    if config.ngram_words < 1:
        raise InputError(f"ngram_words must be at least 1, not {config.ngram_words}")
    inputs = {"corpus": [corpus]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        num_records, num_distinct = _survey(corpus, config, progress)
        bloom = new_bloom(round(num_distinct * ROOM), config.false_positive_rate)
        num_ngrams = 0
        for number, document in enumerate(read_documents(corpus, draft.drop), start=1):
            num_ngrams += _insert(document, bloom, draft, config)
            progress(number, num_records, f"{num_ngrams:,} n-grams")
        if not num_ngrams:
            raise InputError(
                f"{corpus}: no document of split {config.split!r} has {config.ngram_words} words; "
                "name a corpus with text, or another split"
            )
        draft.counts["in"] = draft.counts["out"] + sum(draft.dropped.values())
        index = Index(
            ngram_words=config.ngram_words,
            num_documents=draft.counts["out"],
            num_ngrams=num_ngrams,
            num_distinct=num_distinct,
            num_bits=bloom.num_bits,
            num_probes=bloom.num_probes,
            false_positive_rate=config.false_positive_rate,
            num_random_checked=NUM_RANDOM_NGRAMS,
            num_random_found=_random_found(bloom, config),
        )
        draft.facts["corpus"] = f"{corpus.name}, split {config.split!r}"
        draft.facts["index"] = msgspec.to_builtins(index)
        with draft.open(FILTER) as file:
            np.save(file, bloom.blocks)
    return read_manifest(out)


def _survey(corpus: Path, config: OverlapConfig, progress: Progress) -> tuple[int, int]:
    """How many documents there are, and about how many distinct n-grams in the split's."""
    registers = new_registers()
    num_documents = 0
    for document in read_documents(corpus, lambda *_: None):
        num_documents += 1
        progress(num_documents, None, "counting n-grams")
        if document.split == config.split:
            observe(registers, ngram_hashes(document.text, config.ngram_words))
    return num_documents, estimate_distinct(registers)


def _insert(document: Document, bloom: Bloom, draft: Draft, config: OverlapConfig) -> int:
    if document.split != config.split:
        draft.drop("in another split", document.url)
        return 0
    hashes = ngram_hashes(document.text, config.ngram_words)
    if not len(hashes):
        draft.drop(f"fewer than {config.ngram_words} words", document.url)
        return 0
    bloom.insert(hashes)
    draft.counts["out"] += 1
    return len(hashes)


def _random_found(bloom: Bloom, config: OverlapConfig) -> int:
    """How many n-grams of random words the filter claims to hold; the paper saw none."""
    num_words = NUM_RANDOM_NGRAMS + config.ngram_words - 1
    letters = generator(config.seed, "overlap", "random n-grams").integers(
        ord("a"), ord("z") + 1, size=(num_words, RANDOM_WORD_LETTERS + 1), dtype=np.uint8
    )
    letters[:, -1] = ord(" ")
    hashes = ngram_hashes(letters.tobytes().decode("ascii"), config.ngram_words)
    return int(bloom.contains(hashes).sum())


def open_overlap_index(directory: str | Path) -> OverlapIndex:
    """The index in a finished artifact; a damaged or foreign one is an InputError."""
    directory = Path(directory)
    index, facts = read_index(directory), read_manifest(directory).facts
    bloom = load_bloom(directory / FILTER, index.num_probes)
    if bloom.num_bits != index.num_bits:
        raise InputError(
            f"{directory / FILTER}: {bloom.num_bits} bits, expected {index.num_bits}; "
            "build the index again"
        )
    return OverlapIndex(corpus=str(facts["corpus"]), index=index, bloom=bloom)
