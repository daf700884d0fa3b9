"""Indexes of parts, merged, are the index of the whole."""

import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.overlap.made import bytes_of, random_text, write_jsonl
from wellread.base.config import Config
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import read_manifest, writing
from wellread.evaluate.clean import clean_scores
from wellread.formats.clean_scores import read_clean_scores
from wellread.formats.overlap import read_overlap
from wellread.formats.results import STAGE as EVALUATE
from wellread.formats.results import Item, Result, Score, write_result
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import index_corpus
from wellread.overlap.measure import measure_test_sets
from wellread.overlap.merge import merge_indexes

SENTENCE = "It was the best of times, it was the worst of times, it was the age of wisdom"
COUNTING = "one two three four five six seven eight nine ten eleven twelve"
TEXTS = [random_text(f"document {number % 120}", 200) for number in range(300)]


def write_parts(folder: Path, config: OverlapConfig, parts: int = 3) -> tuple[list[Path], Path]:
    """The index of each part of the texts, and that of all."""
    each = len(TEXTS) // parts
    indexes = []
    for part in range(parts):
        texts = TEXTS[part * each : (part + 1) * each]
        # Documents without a URL go by the name of their file, and their line in it.
        lines = ["too short"] * (part * each) + texts
        (folder / f"of-{part}").mkdir()
        corpus = write_jsonl(folder / f"of-{part}" / "c.jsonl", lines)
        index_corpus(corpus, folder / f"index-{part}", config)
        indexes.append(folder / f"index-{part}")
    index_corpus(write_jsonl(folder / "c.jsonl", TEXTS), folder / "whole", config)
    return indexes, folder / "whole"


@pytest.mark.parametrize(
    "config",
    [OverlapConfig(num_ngrams=50_000), OverlapConfig(mode="exact")],
    ids=["bloom", "exact"],
)
def test_parts_merged_are_the_whole_byte_for_byte(config: OverlapConfig, tmp_path: Path) -> None:
    indexes, whole = write_parts(tmp_path, config)
    manifest = merge_indexes(indexes, tmp_path / "merged")
    assert bytes_of(tmp_path / "merged") == bytes_of(whole)
    assert manifest.facts["index"] == read_manifest(whole).facts["index"]
    assert manifest.facts["corpus"] == "; ".join(["c.jsonl, split 'train'"] * 3)
    assert manifest.counts == {"in": 300, "out": 300}
    assert merge_indexes(indexes, tmp_path / "merged") == manifest
    two = merge_indexes(indexes[:2], tmp_path / "two")
    merge_indexes([tmp_path / "two", indexes[2]], tmp_path / "again")
    assert two.stage == manifest.stage
    assert bytes_of(tmp_path / "again") == bytes_of(whole)


def test_filters_of_unequal_design_are_not_merged(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", TEXTS[:50])
    index_corpus(corpus, tmp_path / "a", OverlapConfig(num_ngrams=50_000))
    for name, config, message in (
        ("b", OverlapConfig(), "build all with the same --num-ngrams"),
        ("c", OverlapConfig(num_ngrams=50_000, false_positive_rate=1e-4), "at 0.0001"),
        ("d", OverlapConfig(num_ngrams=50_000, ngram_words=5), "ngram_words is 5, and 8 in"),
        ("e", OverlapConfig(mode="exact"), "mode is exact, and bloom in"),
    ):
        index_corpus(corpus, tmp_path / name, config)
        with pytest.raises(InputError, match=message):
            merge_indexes([tmp_path / "a", tmp_path / name], tmp_path / "merged")
    with pytest.raises(InputError, match="name two indexes or more"):
        merge_indexes([tmp_path / "a"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("mode", ["bloom", "exact"])
def test_an_index_is_merged_once_and_never_into_itself(
    mode: Literal["bloom", "exact"], tmp_path: Path
) -> None:
    for name, text in (("a", SENTENCE), ("b", COUNTING)):
        corpus = write_jsonl(tmp_path / f"{name}.jsonl", [text])
        index_corpus(corpus, tmp_path / name, OverlapConfig(num_ngrams=500, mode=mode))
    a, b, both = tmp_path / "a", tmp_path / "b", tmp_path / "both"
    before = bytes_of(a)
    with pytest.raises(InputError, match=r"a: is one of the indexes to merge; give another --out"):
        merge_indexes([a, b], a)
    assert (bytes_of(a), read_manifest(a).counts["out"]) == (before, 1)
    shutil.copytree(a, tmp_path / "copy")
    merge_indexes([a, b], both)
    for one, other in ((a, a), (tmp_path / "copy", a), (both, a), (a, both)):
        with pytest.raises(InputError, match=r"holds what .* holds, whose documents would count"):
            merge_indexes([one, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_ngrams_together_than_the_filters_are_for_are_a_failure(tmp_path: Path) -> None:
    for part in range(2):
        texts = TEXTS[part * 40 : (part + 1) * 40]
        corpus = write_jsonl(tmp_path / f"{part}.jsonl", texts)
        index_corpus(corpus, tmp_path / str(part), OverlapConfig(num_ngrams=8_000))
    with pytest.raises(WellreadError, match=r"about 15,\d{3} different n-grams, .* with 8,000"):
        merge_indexes([tmp_path / "0", tmp_path / "1"], tmp_path / "merged")


def test_a_damaged_index_is_not_merged(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", TEXTS[:40])
    for name in ("a", "b"):
        index_corpus(corpus, tmp_path / name, OverlapConfig(num_ngrams=50_000))
    np.save(tmp_path / "b" / "distinct.npy", np.zeros(5, np.uint8))
    with pytest.raises(InputError, match=r"distinct\.npy: not as it was written"):
        merge_indexes([tmp_path / "a", tmp_path / "b"], tmp_path / "merged")


@pytest.mark.parametrize("mode", ["bloom", "exact"])
def test_a_merged_index_measures_and_cleans_as_any_other(
    mode: Literal["bloom", "exact"], tmp_path: Path
) -> None:
    for name, text in (("a", SENTENCE), ("b", COUNTING), ("c", TEXTS[0])):
        corpus = write_jsonl(tmp_path / f"{name}.jsonl", [text])
        index_corpus(corpus, tmp_path / name, OverlapConfig(num_ngrams=500, mode=mode))
    merge_indexes([tmp_path / "a", tmp_path / "b"], tmp_path / "two")
    merge_indexes([tmp_path / "two", tmp_path / "c"], tmp_path / "all")
    results, out = tmp_path / "results", tmp_path / "overlap"
    items = [
        Item(item=text, text=text, prompt="", target="", value=right, sums={"accuracy": (right, 1)})
        for text, right in ((SENTENCE, 1.0), (COUNTING, 0.0), (TEXTS[1], 0.0))
    ]
    score = Score(
        metric="accuracy", value=1 / 3, low=None, high=None, num_items=3, higher_is_better=True
    )
    result = Result(
        task="lambada", protocol="lambada:1", comparable_to=None, num_items=3, num_available=3,
        scores=[score], seconds=0.0,
    )  # fmt: skip
    with writing(results, stage=EVALUATE, config=Config(), inputs={}) as draft:
        write_result(draft, result, items)
    measure_test_sets(tmp_path / "all", [results], out, OverlapConfig())
    (found,) = read_overlap(out).test_sets
    assert (found.num_items, found.items_with_any) == (3, 2)
    clean_scores(out, [results], tmp_path / "clean", OverlapConfig())
    (accuracy,) = read_clean_scores(tmp_path / "clean").scores
    assert (accuracy.clean.num_items, accuracy.overlapping.value) == (1, 0.5)
    for name in ("a", "b", "c"):
        with pytest.raises(
            InputError, match=rf"{name}\.jsonl: is, or has a file of, what .*all was made of"
        ):
            measure_test_sets(
                tmp_path / "all", [tmp_path / f"{name}.jsonl"], tmp_path / "no", OverlapConfig()
            )


def test_of_a_part_that_is_gone_it_is_said_that_its_corpus_is_not_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, text in (("a", SENTENCE), ("b", COUNTING)):
        corpus = write_jsonl(tmp_path / f"{name}.jsonl", [text])
        index_corpus(corpus, tmp_path / name, OverlapConfig(mode="exact"))
    merge_indexes([tmp_path / "a", tmp_path / "b"], tmp_path / "both")
    shutil.rmtree(tmp_path / "b")
    test = write_jsonl(tmp_path / "test.jsonl", [COUNTING])
    measure_test_sets(tmp_path / "both", [test], tmp_path / "out", OverlapConfig())
    assert "b: an index that" in caplog.text
    assert "is no longer there" in caplog.text
