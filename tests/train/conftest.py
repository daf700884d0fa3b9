"""A tiny corpus, encoded, that the tests of training share."""

from pathlib import Path

import pytest

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.formats.documents import Document, write_documents
from wellread.tokenizer.build import train_tokenizer
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig

SENTENCE = "Page {n} says that {n} plus one is {m}, and that the sum is easy to see.\n"


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tokens")
    documents = [
        Document(
            url=f"http://example.com/{n}",
            text="".join(SENTENCE.format(n=k, m=k + 1) for k in range(n, n + 5)),
            split="validation" if n % 10 == 0 else "train",
        )
        for n in range(100)
    ]
    with writing(root / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    train_tokenizer(root / "corpus", root / "tokenizer", TokenizerConfig(vocab_size=300))
    tokenize_corpus(root / "corpus", root / "tokenizer", root / "tokens", TokensConfig())
    return root / "tokens"
