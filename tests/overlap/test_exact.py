"""The exact index against lists of n-grams."""

from pathlib import Path

import numpy as np
import pytest

from tests.overlap.made import bytes_of, random_text, write_jsonl
from tests.reference.ngrams import slow_ngrams
from wellread.base.errors import InputError
from wellread.ngrams.hashing import ngram_hashes
from wellread.ngrams.occurrences import load_occurrences
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import build_overlap_index, index_corpus, open_overlap_index
from wellread.overlap.measure import measure_overlap

EXACT = OverlapConfig(mode="exact")
SENTENCE = "It was the best of times, it was the worst of times, it was the age of wisdom"


def test_the_places_of_an_ngram_are_all_of_them_in_order(tmp_path: Path) -> None:
    twice = f"{SENTENCE}. Then again, {SENTENCE.lower()}"
    corpus = write_jsonl(tmp_path / "c.jsonl", ["too short", SENTENCE, "one " * 20, twice])
    index = build_overlap_index(corpus, tmp_path / "index", EXACT)
    asked = ["was the worst of times it was the", "none of these words is in there anywhere"]
    asked += ["one " * 8]
    found = index.places_of(np.concatenate([ngram_hashes(ngram) for ngram in asked]))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == [
        (0, 0, 7), (0, 2, 7), (0, 2, 27),
        *((2, 1, word) for word in range(13)),
    ]  # fmt: skip
    assert index.documents is not None
    assert len(index.documents) == 3
    assert index.documents[2] == ("file:c.jsonl#4", twice)
    assert (index.index.mode, index.index.lines) == ("exact", None)
    assert (index.index.num_random_found, index.index.num_documents) == (0, 3)


def test_every_place_is_where_its_ngram_is(tmp_path: Path) -> None:
    texts = [random_text(f"document {number % 70}", 20 + number) for number in range(150)]
    index = build_overlap_index(write_jsonl(tmp_path / "c.jsonl", texts), tmp_path / "index", EXACT)
    every = sorted(
        (ngram, document, word)
        for document, text in enumerate(texts)
        for word, ngram in enumerate(slow_ngrams(text))
    )
    ngrams = sorted({ngram for ngram, *_ in every})
    places = index.places_of(np.concatenate([ngram_hashes(ngram) for ngram in ngrams]))
    rows = zip(*(column.tolist() for column in places), strict=True)
    assert [(ngrams[asked], document, word) for asked, document, word in rows] == every
    assert (index.index.num_ngrams, index.index.num_distinct) == (len(every), len(ngrams))
    assert index.documents is not None
    assert [index.documents[number][1] for number in (0, 63, 64, 149)] == [
        texts[number] for number in (0, 63, 64, 149)
    ]


def test_both_modes_find_the_same(tmp_path: Path) -> None:
    texts = [random_text(f"document {number}", 500) for number in range(20)]
    corpus = write_jsonl(tmp_path / "c.jsonl", texts[:10])
    asked = [f"{texts[0]} {texts[12]}", texts[3][:300], texts[15], "", "word"]
    exact = build_overlap_index(corpus, tmp_path / "exact", EXACT)
    bloom = build_overlap_index(corpus, tmp_path / "bloom")
    assert measure_overlap(exact, asked) == measure_overlap(bloom, asked)
    with pytest.raises(InputError, match="mode 'bloom', which knows no places"):
        bloom.places_of(np.zeros(1, np.uint64))


def test_threads_make_no_difference(tmp_path: Path) -> None:
    texts = [random_text(f"document {number % 900}", 60) for number in range(1000)]
    corpus = write_jsonl(tmp_path / "c.jsonl", texts)
    for threads in (1, 3):
        config = OverlapConfig(mode="exact", threads=threads)
        index_corpus(corpus, tmp_path / str(threads), config)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "3")


def test_a_corpus_too_large_for_memory_is_refused_with_what_was_read_of_it(tmp_path: Path) -> None:
    texts = [random_text(f"document {number}", 200) for number in range(600)]
    corpus = write_jsonl(tmp_path / "c.jsonl", texts)
    message = (
        r"its first 256 documents alone have 49,408 n-grams, which take 1\.2 MB in mode 'exact', "
        r"more than 1\.0 MB; the rest was not read\. Take mode 'bloom'"
    )
    with pytest.raises(InputError, match=message):
        index_corpus(corpus, tmp_path / "index", OverlapConfig(mode="exact", memory=1))
    assert not (tmp_path / "index" / "manifest.json").exists()


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [SENTENCE])
    index_corpus(corpus, tmp_path / "index", EXACT)
    for name in ("ngrams.npy", "places.npy", "documents.parquet"):
        file = tmp_path / "index" / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
        with pytest.raises(InputError, match=f"{name}: not as it was written; build the index"):
            open_overlap_index(tmp_path / "index")
        file.write_bytes(whole)
        assert open_overlap_index(tmp_path / "index").index.num_ngrams == 11


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    ngrams, places = tmp_path / "ngrams.npy", tmp_path / "places.npy"
    np.save(ngrams, np.zeros(11, np.uint64))
    for content, message in (
        (np.zeros(3, np.uint64), r"places\.npy: 3 places of 11 n-grams"),
        (np.zeros(11, np.float32), r"places\.npy: holds float32 of shape \(11,\)"),
    ):
        np.save(places, content)
        with pytest.raises(InputError, match=message):
            load_occurrences(ngrams, places)
    places.write_bytes(ngrams.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"places\.npy: not readable .* build the index again"):
        load_occurrences(ngrams, places)
