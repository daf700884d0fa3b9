"""What stays of documents that are alike, and which of them are held out."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.made import TOPICS, corpus_of, kept_in, outcomes_in, text_about, write_jsonl
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.corpus.split import bucket_of
from wellread.formats.corpus_report import read_corpus_report
from wellread.formats.documents import read_corpus

LONG = text_about(*TOPICS)


def test_duplicates_say_of_which_document(tmp_path: Path) -> None:
    texts = {
        "http://a.example/": LONG,
        "http://b.example/": LONG.upper(),
        "http://c.example/": f"{LONG} The end.",
        "http://d.example/": text_about("tower", "bridge"),
    }
    corpus_of(texts, tmp_path, filters=())
    found = outcomes_in(tmp_path)
    assert {url: (row["outcome"], row["detail"]) for url, row in found.items()} == {
        "http://a.example/": ("kept", None),
        "http://b.example/": ("duplicate", "http://a.example/"),
        "http://c.example/": ("near-duplicate", "http://a.example/"),
        "http://d.example/": ("kept", None),
    }
    assert found["http://c.example/"]["excerpt"] == LONG[:300]
    (size,) = read_corpus_report(tmp_path / "corpus").group_sizes
    assert (size.low, size.count) == (3, 1)


def test_of_two_texts_at_one_address_one_stays(tmp_path: Path) -> None:
    lines = write_jsonl(tmp_path / "one.jsonl", {"http://a.example/": text_about("river")})
    more = write_jsonl(tmp_path / "two.jsonl", {"http://a.example/": text_about("garden")})
    both = tmp_path / "both.jsonl"
    both.write_text(f"{lines.read_text()}\n{more.read_text()}")
    manifest = build_corpus([both], tmp_path / "corpus", CorpusConfig())
    assert manifest.dropped == {"a shorter text of the same address": 1}


def test_mirrors_of_wikipedia_go_with_it_and_of_texts_that_are_given(tmp_path: Path) -> None:
    texts = {
        "http://en.wikipedia.org/wiki/River": LONG,
        "http://mirror.example/River": f"{LONG} From Wikipedia.",
        "http://other.example/": text_about("tower", "bridge", "castle"),
        "http://good.example/": text_about("meadow", "forest"),
    }
    given = {"http://x.example/": f"{text_about('tower', 'bridge', 'castle')} Yes."}
    unlike = write_jsonl(tmp_path / "unlike.jsonl", given)
    manifest = corpus_of(texts, tmp_path, unlike=(unlike,))
    assert list(kept_in(tmp_path)) == ["http://good.example/"]
    assert manifest.dropped == {
        "from Wikipedia": 1,
        "near-duplicate of a document that is not wanted": 2,
    }
    assert manifest.counts["in"] == 4


def test_near_copies_are_held_out_together_by_the_smallest_address(tmp_path: Path) -> None:
    addresses = [f"http://a{number}.example/" for number in range(999)]
    held_out = next(address for address in addresses if bucket_of(address) < 50)
    assert bucket_of("http://z.example/") >= 60
    corpus_of({held_out: LONG, "http://z.example/": f"{LONG} The end."}, tmp_path)
    (document,) = read_corpus(tmp_path / "corpus")
    assert (document.url, document.split) == (held_out, "validation")


def test_a_text_without_address_is_split_by_its_content(tmp_path: Path) -> None:
    splits = []
    for name in ("one.txt", "two.txt"):
        (tmp_path / name[:3]).mkdir()
        (tmp_path / name[:3] / name).write_text(LONG)
        config = CorpusConfig(validation_per_mille=500)
        build_corpus([tmp_path / name[:3]], tmp_path / f"{name}-corpus", config)
        splits += [document.split for document in read_corpus(tmp_path / f"{name}-corpus")]
    assert splits[0] == splits[1]


@pytest.mark.parametrize("similarity", [0.5, 0.8])
def test_a_near_copy_is_found_at_the_similarity_that_is_asked_for(
    tmp_path: Path, similarity: float
) -> None:
    """Of 1,000 words five are others, so that 975 of 1,017 runs of five are in both."""
    words = np.array([f"word{n}" for n in range(1000)])
    changed = words.copy()
    changed[::200] = "other"
    texts = {"http://a.example/": " ".join(words), "http://b.example/": " ".join(changed)}
    corpus_of(texts, tmp_path, filters=(), languages=(), near_duplicate_similarity=similarity)
    assert len(kept_in(tmp_path)) == 1


def test_texts_of_one_address_do_not_take_others_with_them(tmp_path: Path) -> None:
    """The longest text of an address stays; what the others are like is nobody's business."""
    lines = [
        {"url": "http://a.example/", "text": text_about(*TOPICS[:3])},
        {"url": "http://a.example/", "text": text_about(*TOPICS[3:5])},
        {"url": "http://b.example/", "text": text_about(*TOPICS[3:5])},
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)))
    build_corpus([source], tmp_path / "corpus", CorpusConfig())
    assert kept_in(tmp_path) == {
        "http://a.example/": text_about(*TOPICS[:3]),
        "http://b.example/": text_about(*TOPICS[3:5]),
    }


def test_files_of_one_name_are_not_taken_for_each_other(tmp_path: Path) -> None:
    for name, topic in (("one", "river"), ("two", "garden"), ("unlike", "museum")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.txt").write_text(text_about(topic))
    config = CorpusConfig(unlike=(tmp_path / "unlike" / "part.txt",))
    build_corpus([tmp_path / "one", tmp_path / "two"], tmp_path / "corpus", config)
    assert kept_in(tmp_path) == {
        "file:one/part.txt": text_about("river"),
        "file:two/part.txt": text_about("garden"),
    }


def test_names_of_files_do_not_decide_a_split(tmp_path: Path) -> None:
    splits = []
    for first, second in (("a", "b"), ("b", "a")):
        folder = tmp_path / first
        folder.mkdir()
        (folder / f"{first}.txt").write_text(LONG)
        (folder / f"{second}.txt").write_text(f"{LONG} The end.")
        config = CorpusConfig(validation_per_mille=500)
        build_corpus([folder], tmp_path / f"corpus-{first}", config)
        splits += [document.split for document in read_corpus(tmp_path / f"corpus-{first}")]
    assert len(splits) == 2
    assert splits[0] == splits[1]


def test_a_duplicate_of_what_is_not_wanted_says_of_what(tmp_path: Path) -> None:
    texts = {
        "http://en.wikipedia.org/wiki/River": LONG,
        "http://mirror.example/River": f"{LONG} From Wikipedia.",
        "http://good.example/": text_about("meadow", "forest"),
    }
    corpus_of(texts, tmp_path)
    found = outcomes_in(tmp_path)["http://mirror.example/River"]
    assert found["detail"] == "http://en.wikipedia.org/wiki/River"


def test_records_of_texts_that_are_not_wanted_are_none_of_the_corpus(tmp_path: Path) -> None:
    unlike = tmp_path / "unlike.jsonl"
    unlike.write_text('{"text": 5}\n{"text": ""}\n' + json.dumps({"text": text_about("tower")}))
    manifest = corpus_of({"http://a.example/": LONG}, tmp_path, unlike=(unlike,))
    assert (manifest.counts["in"], manifest.dropped) == (1, {})
    assert list(outcomes_in(tmp_path)) == ["http://a.example/"]


def test_a_text_that_is_not_wanted_at_an_address_does_not_part_those_of_the_input(
    tmp_path: Path,
) -> None:
    address = "http://a.example/"
    lengths = [TOPICS[:3], TOPICS[3:4], TOPICS[5:7]]
    lines = [json.dumps({"url": address, "text": text_about(*topics)}) for topics in lengths]
    (tmp_path / "in.jsonl").write_text("\n".join(lines[:2]))
    (tmp_path / "unlike.jsonl").write_text(lines[2])
    config = CorpusConfig(unlike=(tmp_path / "unlike.jsonl",))
    manifest = build_corpus([tmp_path / "in.jsonl"], tmp_path / "corpus", config)
    assert manifest.dropped == {"a shorter text of the same address": 1}
