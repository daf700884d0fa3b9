"""Training documents that share 8-grams with texts of tests."""

from pathlib import Path

import pytest

from tests.corpus.made import TOPICS, corpus_of, kept_in, outcomes_in, text_about
from wellread.base.errors import InputError
from wellread.formats.documents import read_corpus
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import index_corpus

SECRET = "whoever reads this sentence has seen the answer to question nine"
TEXTS = {
    "http://clean.example/": text_about(*TOPICS[:3]),
    "http://leak.example/": f"{text_about(*TOPICS[3:6])}\nWhoever reads this -- sentence has SEEN "
    "the answer, to question nine!",
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    return tmp_path / "secret.txt"


def test_a_document_with_a_protected_8_gram_is_dropped_or_marked(
    secret: Path, tmp_path: Path
) -> None:
    manifest = corpus_of(TEXTS, tmp_path, protect=(secret,))
    assert list(kept_in(tmp_path)) == ["http://clean.example/"]
    assert manifest.dropped == {"shares 8-grams with protected texts": 1}
    assert outcomes_in(tmp_path)["http://leak.example/"]["detail"] == "4 8-grams"
    corpus_of(TEXTS, tmp_path, protect=(secret,), protection="mark")
    assert len(kept_in(tmp_path)) == 2
    found = outcomes_in(tmp_path)["http://leak.example/"]
    assert (found["outcome"], found["detail"]) == ("kept", "4 8-grams")
    corpus_of(TEXTS, tmp_path, protect=(secret,), protected_ngrams=5)
    assert len(kept_in(tmp_path)) == 2


def test_an_overlap_index_protects_what_is_in_it(secret: Path, tmp_path: Path) -> None:
    index_corpus(secret, tmp_path / "index", OverlapConfig())
    corpus_of(TEXTS, tmp_path, protect=(tmp_path / "index",))
    assert list(kept_in(tmp_path)) == ["http://clean.example/"]


def test_held_out_documents_are_not_looked_at(secret: Path, tmp_path: Path) -> None:
    corpus_of(TEXTS, tmp_path, protect=(secret,), validation_per_mille=989)
    assert {document.split for document in read_corpus(tmp_path / "corpus")} == {"validation"}
    assert len(kept_in(tmp_path)) == 2


def test_nothing_to_protect_is_said(tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("Only seven words are in this text.")
    with pytest.raises(InputError, match=r"few\.txt: no text of 8 words to protect"):
        corpus_of(TEXTS, tmp_path, protect=(tmp_path / "few.txt",))
