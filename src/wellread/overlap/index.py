"""The index of a corpus: its n-grams in a Bloom filter, or exactly; checked with random n-grams."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.formats.document_tables import parquet_files, read_columns
from wellread.formats.overlap import DOCUMENTS, FILTER, NGRAMS, PLACES, Index, read_index
from wellread.formats.overlap import INDEX_STAGE as STAGE
from wellread.ngrams.bloom import Bloom, load_bloom, size_for
from wellread.ngrams.hashing import Hashes, ngram_hashes
from wellread.ngrams.occurrences import Occurrences, Places, load_occurrences
from wellread.overlap.config import OverlapConfig
from wellread.overlap.exact import Counts, IndexedDocuments, place_corpus
from wellread.overlap.filter import Contents, filter_corpus, parts_for
from wellread.overlap.hashed import hash_columns

NUM_RANDOM_NGRAMS = 1_000_000  # paper, section 4
RANDOM_WORD_LETTERS = 8


class OverlapIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index open for look-ups; what is large stays on disk."""

    corpus: str  # which corpus and split, in words
    index: Index
    ngrams: Bloom | Occurrences
    documents: IndexedDocuments | None  # of an exact index

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash of an n-gram whether the corpus has it."""
        return self.ngrams.contains(hashes)

    def places_of(self, hashes: Hashes) -> Places:
        """Where in the documents n-grams are; an index that does not know is an InputError."""
        if isinstance(self.ngrams, Bloom):
            raise InputError(
                f"the index of {self.corpus} is of mode 'bloom', which knows no places; build one "
                "with mode = 'exact', or name the corpus"
            )
        return self.ngrams.places_of(hashes)


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
    """Write the index of all n-grams in `corpus`: a corpus artifact, JSONL, Parquet or texts."""
    inputs = {"corpus": [corpus]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    if config.engine == "ray":
        parquet_files(corpus)
    if config.mode == "bloom" and config.num_ngrams is not None:
        parts_for(size_for(config.num_ngrams, config.false_positive_rate), config.memory)
    _refuse_without_ngrams(corpus, config, Draft(out))
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        contents: Contents | Counts
        if config.mode == "exact":
            contents = place_corpus(corpus, config, draft, progress)
        elif config.engine == "ray":
            from wellread.overlap.cluster import filter_on_ray  # Ray loads only where it is used

            contents = filter_on_ray(corpus, config, draft, progress)
        else:
            contents = filter_corpus(corpus, config, draft, progress)
        draft.counts["in"] = draft.counts["out"] + sum(draft.dropped.values())
        describe(draft, contents, config, f"{corpus.name}, split {config.split!r}")
    return read_manifest(out)


def _refuse_without_ngrams(corpus: Path, config: OverlapConfig, account: Draft) -> None:
    """Read up to the first document that an index of `config` is of; without one, an InputError."""
    splits: set[str] = set()
    for columns in read_columns(corpus, account.drop):
        hashed = hash_columns(columns, config)
        if len(hashed.found.hashes):
            return
        hashed.account(account)
        splits.update(columns.splits.unique().to_pylist())
    if splits and config.split not in splits:
        raise InputError(
            f"{corpus}: no document is of split {config.split!r}; its splits: "
            f"{', '.join(sorted(splits))}"
        )
    raise InputError(
        f"{corpus}: no document of split {config.split!r} has {config.ngram_words} words; "
        f"name a corpus with text{account.drops_named()}"
    )


def describe(draft: Draft, contents: Contents | Counts, config: OverlapConfig, corpus: str) -> None:
    """Check what was written with random n-grams, and say in the manifest what it is."""
    if isinstance(contents, Contents):
        ngrams: Bloom | Occurrences = load_bloom(draft.out / FILTER, contents.size.lines)
        capacity, lines = contents.capacity, contents.size.lines
        rate = config.false_positive_rate
    else:
        ngrams = load_occurrences(draft.out / NGRAMS, draft.out / PLACES)
        capacity, lines, rate = contents.num_distinct, None, contents.num_distinct / 2**64
    index = Index(
        mode=config.mode,
        ngram_words=config.ngram_words,
        num_documents=draft.counts["out"],
        num_ngrams=contents.num_ngrams,
        num_distinct=contents.num_distinct,
        capacity=capacity,
        num_bits=ngrams.num_bits,
        lines=lines,
        false_positive_rate=rate,
        num_random_checked=NUM_RANDOM_NGRAMS,
        num_random_found=_random_found(ngrams, config),
    )
    draft.facts["corpus"] = corpus
    draft.facts["index"] = msgspec.to_builtins(index)


def _random_found(ngrams: Bloom | Occurrences, config: OverlapConfig) -> int:
    """How many n-grams of random words the index claims to hold; the paper saw none."""
    num_words = NUM_RANDOM_NGRAMS + config.ngram_words - 1
    letters = generator(config.seed, "overlap", "random n-grams").integers(
        ord("a"), ord("z") + 1, size=(num_words, RANDOM_WORD_LETTERS + 1), dtype=np.uint8
    )
    letters[:, -1] = ord(" ")
    hashes = ngram_hashes(letters.tobytes().decode("ascii"), config.ngram_words)
    return int(ngrams.contains(hashes).sum())


def open_overlap_index(directory: str | Path) -> OverlapIndex:
    """The index in a finished artifact; a damaged or foreign one is an InputError."""
    directory = Path(directory)
    index, facts = read_index(directory), read_manifest(directory).facts
    ngrams: Bloom | Occurrences
    documents = None
    if index.lines is None:
        ngrams = load_occurrences(directory / NGRAMS, directory / PLACES)
        documents = IndexedDocuments(directory / DOCUMENTS)
    else:
        ngrams = load_bloom(directory / FILTER, index.lines)
    _refuse_edited(directory, index, ngrams)
    return OverlapIndex(
        corpus=str(facts["corpus"]), index=index, ngrams=ngrams, documents=documents
    )


def _refuse_edited(directory: Path, index: Index, ngrams: Bloom | Occurrences) -> None:
    """A manifest that does not describe the file beside it is an InputError."""
    is_other = index.num_bits != ngrams.num_bits
    if isinstance(ngrams, Bloom):
        size = size_for(index.capacity, index.false_positive_rate)
        # Built elsewhere, it may have another last digit in a root, and so a page or section more.
        too_far = 1 + len(ngrams.pages) // 100
        is_other |= size.lines != ngrams.lines
        is_other |= abs(size.num_pages - len(ngrams.pages)) > too_far
    if is_other:
        raise InputError(
            f"{directory}: its manifest is of another index (num_bits {index.num_bits:,}, capacity "
            f"{index.capacity:,}), and the file has {ngrams.num_bits:,} bits; build the index again"
        )
