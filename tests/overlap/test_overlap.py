"""Overlap against sets of strings, planted and real."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.overlap.made import random_text, write_jsonl
from tests.reference.ngrams import slow_ngrams
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact, writing
from wellread.formats.documents import Document, write_documents
from wellread.formats.overlap import read_overlap, read_overlap_items
from wellread.formats.results import STAGE as EVALUATE
from wellread.formats.results import Item, Result, Score, write_result
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import build_overlap_index, index_corpus, open_overlap_index
from wellread.overlap.measure import measure_overlap, measure_test_sets

SENTENCE = "It was the best of times, it was the worst of times, it was the age of wisdom"
COUNTING = "one two three four five six seven eight nine ten eleven twelve"


def write_results(directory: Path, texts: dict[str, str]) -> Path:
    with writing(directory, stage=EVALUATE, config=Config(), inputs={}) as draft:
        score = Score(
            metric="accuracy", value=0.0, low=0.0, high=0.1, num_items=1, higher_is_better=True
        )
        result = Result(
            task="cloze",
            protocol="cloze:1",
            comparable_to=None,
            num_items=len(texts),
            num_available=len(texts),
            scores=[score],
            seconds=0.0,
        )
        items = [Item(item=name, text=text, prompt="", target="") for name, text in texts.items()]
        write_result(draft, result, items)
    return directory


def test_a_text_overlaps_as_far_as_its_ngrams_are_in_the_corpus(tmp_path: Path) -> None:
    index = build_overlap_index(write_jsonl(tmp_path / "c.jsonl", [SENTENCE]), tmp_path / "index")
    texts = [
        SENTENCE.upper(),
        "the age of wisdom",
        f"Nobody said: {SENTENCE}",
        COUNTING,
        "",
        "word",
        "🎉",
    ]
    overlaps = measure_overlap(index, texts)
    assert [(o.num_found, o.num_ngrams) for o in overlaps] == [
        *((11, 11), (0, 0), (11, 13), (0, 5), (0, 0), (0, 0), (0, 0))
    ]
    assert [o.share for o in overlaps[:4]] == [1.0, None, 11 / 13, 0.0]


def test_the_index_says_what_it_holds_and_knows_no_random_ngram(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [SENTENCE, "too short", SENTENCE])
    manifest = index_corpus(corpus, tmp_path / "index", OverlapConfig())
    index = open_overlap_index(tmp_path / "index")
    assert index.corpus == "c.jsonl, split 'train'"
    assert (index.index.num_ngrams, index.index.num_distinct) == (22, 11)
    assert (index.index.num_random_checked, index.index.num_random_found) == (1_000_000, 0)
    assert manifest.counts == {"in": 3, "out": 2}
    assert manifest.dropped == {"fewer than 8 words": 1}


def test_only_the_split_asked_for_is_indexed(tmp_path: Path) -> None:
    documents = [
        Document(url="a", text=SENTENCE, split="train"),
        Document(url="b", text=COUNTING, split="test"),
    ]
    with writing(tmp_path / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    manifest = index_corpus(tmp_path / "corpus", tmp_path / "index", OverlapConfig())
    found = measure_overlap(open_overlap_index(tmp_path / "index"), [SENTENCE, COUNTING])
    assert [overlap.share for overlap in found] == [1.0, 0.0]
    assert manifest.dropped == {"in another split": 1}


def test_planted_overlap_is_found_at_its_rate(tmp_path: Path) -> None:
    corpus = random_text("corpus", 50_000)
    words = corpus.split()
    index = build_overlap_index(write_jsonl(tmp_path / "c.jsonl", [corpus]), tmp_path / "index")
    # 107 words of the corpus have 100 8-grams; with 900 new words, 1,000 in all.
    texts = [
        " ".join(words[start : start + 107]) + " " + random_text(f"test {start}", 900)
        for start in range(0, 40_000, 1000)
    ]
    overlaps = measure_overlap(index, texts)
    assert {overlap.num_ngrams for overlap in overlaps} == {1000}
    assert {overlap.num_found for overlap in overlaps} == {100}


def test_the_order_of_documents_does_not_matter(tmp_path: Path) -> None:
    texts = [random_text(f"document {number}", 300) for number in range(20)]
    one = build_overlap_index(write_jsonl(tmp_path / "a.jsonl", texts), tmp_path / "one")
    two = build_overlap_index(write_jsonl(tmp_path / "b.jsonl", texts[::-1]), tmp_path / "two")
    assert one.index == two.index
    assert (tmp_path / "one" / "filter.npy").read_bytes() == (
        tmp_path / "two" / "filter.npy"
    ).read_bytes()


def test_tasks_of_several_results_are_measured_once(tmp_path: Path) -> None:
    index_corpus(write_jsonl(tmp_path / "c.jsonl", [SENTENCE]), tmp_path / "index", OverlapConfig())
    items = {"1": SENTENCE, "2": COUNTING, "3": "short"}
    results = [write_results(tmp_path / f"model-{n}", items) for n in (1, 2)]
    manifest = measure_test_sets(tmp_path / "index", results, tmp_path / "out", OverlapConfig())
    assert manifest.counts == {"in": 3, "out": 2, "repeated": 3}
    assert manifest.dropped == {"fewer than 8 words": 1}
    (cloze,) = read_overlap(tmp_path / "out").test_sets
    assert (cloze.name, cloze.num_items, cloze.items_with_any) == ("cloze", 3, 1)
    whole = cloze.whole
    assert (whole.num_found, whole.num_ngrams, whole.share) == (11, 16, 11 / 16)
    assert (whole.low, whole.high) == (0.0, 1.0)
    assert [row["num_found"] for row in read_overlap_items(tmp_path / "out")] == [11, 0, 0]


def test_a_test_set_without_ngrams_has_no_share(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index_corpus(write_jsonl(tmp_path / "c.jsonl", [SENTENCE]), tmp_path / "index", OverlapConfig())
    test = write_jsonl(tmp_path / "tiny.jsonl", ["word", "🎉 🎉"])
    measure_test_sets(tmp_path / "index", [test], tmp_path / "out", OverlapConfig())
    (tiny,) = read_overlap(tmp_path / "out").test_sets
    whole = tiny.whole
    assert (tiny.name, whole.share, whole.low, whole.high) == ("tiny", None, None, None)
    assert "tiny: no item has 8 words, so there is nothing to ask for" in caplog.text


def test_two_texts_under_one_name_are_refused(tmp_path: Path) -> None:
    index_corpus(write_jsonl(tmp_path / "c.jsonl", [SENTENCE]), tmp_path / "index", OverlapConfig())
    results = [write_results(tmp_path / "a", {"1": "x"}), write_results(tmp_path / "b", {"1": "y"})]
    with pytest.raises(InputError, match="item '1' of 'cloze' differs"):
        measure_test_sets(tmp_path / "index", results, tmp_path / "out", OverlapConfig())
    assert not is_artifact(tmp_path / "out")


def test_what_cannot_be_indexed_or_used_is_refused(tmp_path: Path) -> None:
    short = write_jsonl(tmp_path / "short.jsonl", ["too short"])
    with pytest.raises(InputError, match=r"short\.jsonl: no document of split 'train' has 8 words"):
        index_corpus(short, tmp_path / "index", OverlapConfig())
    corpus = write_jsonl(tmp_path / "c.jsonl", [SENTENCE])
    index_corpus(corpus, tmp_path / "index", OverlapConfig())
    filter_file = tmp_path / "index" / "filter.npy"
    np.save(filter_file, np.zeros((3, 512), np.uint64))
    with pytest.raises(InputError, match=r"filter\.npy: not as it was written"):
        open_overlap_index(tmp_path / "index")


@pytest.mark.real
def test_lambada_overlaps_with_real_novels_as_sets_of_strings_say(
    real_data: Path, tmp_path: Path
) -> None:
    novels = sorted((real_data / "documents" / "novels").glob("*.txt"))[:8]
    texts = [novel.read_text(encoding="utf-8") for novel in novels]
    index = build_overlap_index(write_jsonl(tmp_path / "c.jsonl", texts), tmp_path / "index")
    known = {ngram for text in texts for ngram in slow_ngrams(text)}
    lines = (real_data / "benchmarks" / "lambada" / "lambada_test.jsonl").read_bytes().splitlines()
    items = [msgspec.json.decode(line)["text"] for line in lines]
    expected = [sum(ngram in known for ngram in slow_ngrams(item)) for item in items]
    assert [overlap.num_found for overlap in measure_overlap(index, items)] == expected
