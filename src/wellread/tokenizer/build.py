"""The stage `tokenizer`: learn a vocabulary from a corpus, or take a given one."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats.documents import Document, read_documents
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokenizer.tokenizer import Tokenizer, count_pre_tokens

STAGE = "tokenizer"
NUM_HELD_OUT = 200  # documents that the bytes per token are measured on


def train_tokenizer(
    corpus: Path, out: Path, config: TokenizerConfig, *, progress: Progress = silent
) -> Manifest:
    """Learn byte-level BPE from the training documents of `corpus`; write it to `out`."""
    inputs = {"corpus": [corpus]}
    if config.vocabulary is not None:
        inputs["vocabulary"] = [config.vocabulary]
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        if config.vocabulary is not None:
            tokenizer = Tokenizer.load(config.vocabulary)
        else:
            tokenizer = _learn(corpus, config, draft, progress)
        tokenizer.save(out)
        draft.facts["vocab_size"] = tokenizer.vocab_size
        draft.facts["num_merges"] = len(tokenizer.merges)
        _measure(tokenizer, corpus, draft)
    return read_manifest(out)


def _learn(corpus: Path, config: TokenizerConfig, draft: Draft, progress: Progress) -> Tokenizer:
    def bad(reason: str, where: str) -> None:
        draft.counts["in"] += 1
        draft.drop(reason, where)

    def texts() -> Iterator[str]:
        for document in read_documents(corpus, bad):
            draft.counts["in"] += 1
            if document.split != "train":
                draft.drop("held out", document.url)
                continue
            draft.counts["out"] += 1
            draft.counts["bytes"] += len(document.text.encode("utf-8", "replace"))
            progress(draft.counts["in"], None, "documents")
            yield document.text

    counts = count_pre_tokens(texts())
    if not counts:
        raise WellreadError(f"{corpus}: no training text, so nothing to learn a vocabulary from")
    draft.counts["distinct pre-tokens"] = len(counts)
    progress(draft.counts["in"], None, f"learning merges for {config.vocab_size:,} ids")
    tokenizer = Tokenizer.from_counts(counts, config.vocab_size)
    if tokenizer.vocab_size < config.vocab_size:
        raise InputError(
            f"{corpus}: has pairs for {tokenizer.vocab_size:,} ids only, not for "
            f"{config.vocab_size:,}; lower vocab_size or give more text"
        )
    return tokenizer


def _measure(tokenizer: Tokenizer, corpus: Path, draft: Draft) -> None:
    documents = list(_held_out(corpus))
    num_bytes = sum(len(d.text.encode("utf-8", "replace")) for d in documents)
    num_tokens = sum(len(tokenizer.encode(d.text)) for d in documents)
    draft.facts["measured_on_bytes"] = num_bytes
    draft.facts["bytes_per_token"] = round(num_bytes / num_tokens, 4) if num_tokens else None


def _held_out(corpus: Path) -> Iterator[Document]:
    def ignore(reason: str, where: str) -> None:
        """Counted when the corpus was read to learn from it."""

    held_out = (d for d in read_documents(corpus, ignore) if d.split == "validation")
    return islice(held_out, NUM_HELD_OUT)
