"""What stays of documents that are alike, and which of them are held out."""

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
    assert manifest.dropped == {"another text of an address that is kept": 1}


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
