"""Counting pre-tokens and learning from them, whatever the memory, the threads and the pieces."""

from collections import Counter as Reference
from pathlib import Path

import numpy as np
import pytest

from tests.reference.bpe import slow_split
from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.formats import documents
from wellread.tokenizer.build import train_tokenizer
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokenizer.count import NUM_PARTITIONS, Counter, count_pre_tokens, num_records
from wellread.tokenizer.learn import learn_merges
from wellread.tokenizer.tokenizer import Tokenizer


def made_texts(count: int) -> list[str]:
    """Texts of made words, short, long, repeated and not, in several scripts."""
    random = generator(0, "tests", "counting")
    letters = np.array(list("abcdefgh é日🙂'19.\n"))
    texts = ["".join(random.choice(letters, size=int(n))) for n in random.integers(0, 400, count)]
    return [*texts, "=" * 5_000, "it's it's", "x" * 15, "x" * 16, "x" * 17]


def counted(texts: list[str], folder: Path, **how: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for part in count_pre_tokens(texts, folder, **how):
        counter = Counter()
        counter.add(np.array(part))
        assert num_records(part) == counter.num_distinct
        found.update(counter.counted())
    return found


def test_counts_are_those_of_the_slow_split(tmp_path: Path) -> None:
    texts = made_texts(300)
    expected = Reference(piece for text in texts for piece in slow_split(text))
    assert counted(texts, tmp_path) == dict(expected)


@pytest.mark.parametrize(("threads", "memory"), [(2, 1 << 30), (1, 1), (2, 1), (2, 400_000)])
def test_counts_depend_neither_on_threads_nor_on_memory(
    tmp_path: Path, threads: int, memory: int
) -> None:
    texts = made_texts(300) * 12  # more than one batch
    once = counted(texts, tmp_path, threads=1)
    assert counted(texts, tmp_path, threads=threads, memory=memory) == once
    assert once[b"x" * 16] == 12


def test_what_exceeds_the_memory_lies_in_files(tmp_path: Path) -> None:
    parts = count_pre_tokens(made_texts(300) * 12, tmp_path, memory=1)
    assert len(parts) == NUM_PARTITIONS
    assert all(isinstance(part, np.memmap) for part in parts if len(part))
    assert len(list(tmp_path.glob("counted-*"))) == NUM_PARTITIONS


def test_merges_learnt_in_files_are_those_learnt_in_memory(tmp_path: Path) -> None:
    texts = made_texts(300)
    here = list(learn_merges(count_pre_tokens(texts, tmp_path), 500, tmp_path))
    there = list(learn_merges(count_pre_tokens(texts, tmp_path), 500, tmp_path, memory=1))
    assert here == there
    assert len(here) == 500
    assert list(tmp_path.glob("array-*"))


def test_counts_of_64_bits_do_not_overflow(tmp_path: Path) -> None:
    counter = Counter()
    counter.count([b"hello hello"])
    [record] = counter.pack()
    record[0] = 2**40
    counter.add(record)
    assert 2**40 + 1 in dict(counter.counted()).values()


def test_a_text_file_read_in_pieces_gives_the_merges_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\ufeff" + "".join(made_texts(300)) * 3
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    config = TokenizerConfig(vocab_size=400)
    train_tokenizer(tmp_path / "text.txt", tmp_path / "whole", config)
    monkeypatch.setattr(documents, "LARGE", 4_000)
    train_tokenizer([tmp_path / "text.txt"], tmp_path / "pieces", config)
    whole, pieces = (Tokenizer.load(tmp_path / name) for name in ("whole", "pieces"))
    assert whole.merges == pieces.merges
    assert whole.vocabulary.merge_counts == pieces.vocabulary.merge_counts


def test_a_large_text_file_that_is_not_utf_8_is_refused_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.txt").write_bytes(b"good text " * 1_000 + b"\xff bad")
    monkeypatch.setattr(documents, "LARGE", 4_000)
    with pytest.raises(InputError, match=r"text\.txt: not UTF-8 \(near byte 10000\)"):
        train_tokenizer(tmp_path / "text.txt", tmp_path / "out", TokenizerConfig(vocab_size=260))
    assert not (tmp_path / "out" / "manifest.json").exists()
