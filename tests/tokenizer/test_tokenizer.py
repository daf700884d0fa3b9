"""Byte-level BPE against libraries that people trust."""

import json
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import models, pre_tokenizers, trainers

from wellread.formats.documents import read_documents
from wellread.tokenizer.alphabet import to_printable
from wellread.tokenizer.tokenizer import Tokenizer

TEXTS = [
    "The bell had not rung, and the bells' ringers weren't there.",
    "In 2019, naïve cafés sold 1,000 cups; DON'T ask how.  Two  spaces,\n\n\ttabs.",
    "日本語のテキスト and 🙂 emoji, repeated: 🙂🙂🙂.",
] * 3
TOKENIZER = Tokenizer.train(TEXTS, vocab_size=320)


def test_the_vocabulary_is_bytes_then_merges_then_end_of_text() -> None:
    assert TOKENIZER.vocab_size == 320
    assert TOKENIZER.tokens[0] == b"!"
    assert TOKENIZER.tokens[220] == b" "
    assert TOKENIZER.end_of_text == 319
    assert len(TOKENIZER.merges) == 320 - 256 - 1


@settings(deadline=None)  # the first call compiles
@given(st.text(max_size=60))
def test_any_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_the_text_of_end_of_text_in_a_document_is_plain_text() -> None:
    assert TOKENIZER.end_of_text not in TOKENIZER.encode("a <|endoftext|> b")


def test_merges_are_those_of_hugging_face() -> None:
    theirs = HuggingFaceTokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=319, initial_alphabet=alphabet, special_tokens=[], show_progress=False
    )
    theirs.train_from_iterator(TEXTS, trainer)
    expected = json.loads(theirs.to_str())["model"]["merges"]
    tokens = TOKENIZER.tokens
    ours = [[to_printable(tokens[a]), to_printable(tokens[b])] for a, b in TOKENIZER.merges]
    assert ours == expected


def test_a_saved_tokenizer_reads_the_same_everywhere(tmp_path: Path) -> None:
    TOKENIZER.save(tmp_path)
    again = Tokenizer.load(tmp_path)
    theirs = HuggingFaceTokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in TEXTS:
        ids = TOKENIZER.encode(text).tolist()
        assert again.encode(text).tolist() == ids
        assert theirs.encode(text).ids == ids


@pytest.mark.real
def test_gpt2_ids_equal_tiktokens_on_500_real_documents(real_data: Path) -> None:
    ours = Tokenizer.load(real_data / "vocab")
    theirs = tiktoken.Encoding(
        "gpt2",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        mergeable_ranks={token: number for number, token in enumerate(ours.tokens[:-1])},
        special_tokens={"<|endoftext|>": ours.end_of_text},
    )
    documents = list(read_documents(real_data / "documents" / "openwebtext_500.jsonl.gz"))
    assert len(documents) == 500
    for document in documents:
        assert ours.encode(document.text).tolist() == theirs.encode_ordinary(document.text)
