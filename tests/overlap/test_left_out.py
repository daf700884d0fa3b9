"""Of texts that cannot be read, or have no n-gram, it is said so; nothing passes on them."""

from pathlib import Path

import pytest

from tests.overlap.made import random_text, write_jsonl
from wellread.base.errors import InputError
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import index_corpus
from wellread.overlap.measure import measure_test_sets
from wellread.overlap.show import show_passages

BAD = r"left out: not UTF-8 1 \(first: .*latin\.txt \(byte 3\)\)"


@pytest.fixture
def latin(tmp_path: Path) -> Path:
    path = tmp_path / "latin.txt"
    path.write_bytes("café one two three four five six seven eight".encode("latin-1"))
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", [random_text("corpus", 50)])
    index_corpus(corpus, tmp_path / "index", OverlapConfig())
    return tmp_path / "index"


@pytest.mark.parametrize("mode", ["bloom", "exact"])
def test_an_index_of_nothing_readable_names_why(latin: Path, tmp_path: Path, mode: str) -> None:
    config = OverlapConfig(mode=mode)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"no document of split 'train' has 8 words; .*{BAD}"):
        index_corpus(latin, tmp_path / "bad", config)


def test_a_test_of_nothing_readable_names_why(latin: Path, index: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"no items to measure; .*{BAD}"):
        measure_test_sets(index, [latin], tmp_path / "out", OverlapConfig())


def test_an_own_training_text_of_nothing_is_refused(
    latin: Path, index: Path, tmp_path: Path
) -> None:
    test = write_jsonl(tmp_path / "test.jsonl", [random_text("test", 50)])
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "word.txt").write_text("word")
    for own, said in (
        (latin, f"latin.txt: no document of 8 words to hold the test set against; {BAD}"),
        (tmp_path / "empty.txt", "empty.txt: no document of 8 words to hold the test set against"),
        (tmp_path / "word.txt", "word.txt: no document of 8 words to hold the test set against"),
    ):
        with pytest.raises(InputError, match=said):
            measure_test_sets(
                index, [test], tmp_path / "out", OverlapConfig(), own_train={"test": own}
            )


def test_what_cannot_be_shown_is_named(
    latin: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert show_passages(index, latin).shown == []
    assert "left out: not UTF-8 1 (first: " in caplog.text
