"""What is in the shards is what is in the corpus."""

from pathlib import Path

import numpy as np
import pytest

from wellread.base.errors import WellreadError
from wellread.formats.tables import read_rows
from wellread.formats.tokens import DOCUMENTS, read_header, read_split
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig

LINES = ['{"text": "the cat sat", "url": "http://a.example/"}', '{"text": ""}', '{"text": "é"}']


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    Tokenizer.train(["the cat sat on the mat"], vocab_size=260).save(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def test_each_document_stands_after_an_end_of_text_where_the_table_says(
    tokenizer: Path, tmp_path: Path
) -> None:
    (tmp_path / "docs.jsonl").write_text("\n".join(LINES))
    out = tmp_path / "tokens"
    tokenize_corpus(tmp_path / "docs.jsonl", tokenizer, out, TokensConfig())
    (ids,) = read_split(out, "train")
    loaded, rows = (
        Tokenizer.load(out / "tokenizer"),
        list(read_rows([out / "documents.parquet"], DOCUMENTS)),
    )
    texts = []
    for row in rows:
        assert ids[row["start"]] == loaded.end_of_text
        texts.append(loaded.decode(ids[row["start"] + 1 : row["start"] + row["num_tokens"]]))
    assert texts == ["the cat sat", "", "é"]
    assert [row["num_bytes"] for row in rows] == [11, 0, 2]
    assert read_header(out).splits["train"].num_bytes == 13


def test_small_shards_hold_the_same_ids(tokenizer: Path, tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_text("\n".join(LINES * 5))
    ids = []
    for name, size in (("one", 1000), ("many", 8)):
        config = TokensConfig(tokens_per_shard=size)
        tokenize_corpus(tmp_path / "docs.jsonl", tokenizer, tmp_path / name, config)
        ids.append(np.concatenate(read_split(tmp_path / name, "train")))
    assert len(list((tmp_path / "many").glob("train-*.npy"))) > 3
    assert np.array_equal(*ids)


def test_an_empty_corpus_is_an_error_and_leaves_nothing_finished(
    tokenizer: Path, tmp_path: Path
) -> None:
    (tmp_path / "docs.jsonl").write_text("")
    with pytest.raises(WellreadError, match=r"docs\.jsonl: no text in it"):
        tokenize_corpus(tmp_path / "docs.jsonl", tokenizer, tmp_path / "out", TokensConfig())
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_corpus_of_which_nothing_is_left_says_why(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait")
    Tokenizer.train([], vocab_size=257).save(tmp_path / "vocabulary")
    with pytest.raises(WellreadError, match=r"left out: not UTF-8 1 \(first: .*latin.txt \(byte 3"):
        tokenize_corpus(
            tmp_path / "latin.txt", tmp_path / "vocabulary", tmp_path / "out", TokensConfig()
        )
