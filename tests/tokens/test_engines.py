"""The shards are the same whatever encodes them."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.formats.document_tables import parquet_files
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig

SHARED = ("train-00000.npy", "documents.parquet", "tokens.json")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    texts = [f"Document {n}: naïve cafés ☕, {'word ' * (n % 70)}" for n in range(3000)]
    given = [None if n == 1_700 else text for n, text in enumerate(texts)]
    table = pa.table({"url": [f"http://a.example/{n}" for n in range(3000)], "text": given})
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=500)
    Tokenizer.train(texts, vocab_size=400).save(tmp_path / "tokenizer")
    return tmp_path / "c.parquet"


def test_threads_write_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    for threads in (1, 3):
        config = TokensConfig(threads=threads)
        tokenize_corpus(corpus, tmp_path / "tokenizer", tmp_path / str(threads), config)
    for name in SHARED:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


@pytest.mark.slow
def test_a_ray_cluster_writes_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    tokenize_corpus(corpus, tmp_path / "tokenizer", tmp_path / "here", TokensConfig())
    command = [sys.executable, "-m", "wellread", "tokens", str(corpus), "--engine", "ray"]
    command += ["--tokenizer", str(tmp_path / "tokenizer"), "-o", str(tmp_path / "there")]
    subprocess.run(command, check=True, timeout=300)
    for name in SHARED:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    for engine in ("here", "there"):
        assert read_manifest(tmp_path / engine).dropped == {"text is not a string": 1}


def test_ray_takes_no_plain_files(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(InputError, match=r"c\.jsonl: engine 'ray' reads a corpus artifact or a"):
        parquet_files(tmp_path / "c.jsonl")
