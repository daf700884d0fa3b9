"""The stage `tokenizer`: learn a vocabulary from a corpus, or take a given one."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.threads import num_threads
from wellread.formats.documents import BadRecord, read_texts
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokenizer.count import count_pre_tokens, num_records, to_utf8
from wellread.tokenizer.tokenizer import Tokenizer, learn_vocabulary

STAGE = "tokenizer"
MEASURED = ("validation", "train")  # where bytes per token are measured: the first that is there
NUM_MEASURED, MEASURED_BYTES = 200, 1 << 26  # documents and bytes of each, held in memory

Sample = dict[str, list[bytes]]  # the first texts of each split in MEASURED


def train_tokenizer(
    corpus: str | Path | Sequence[str | Path],
    out: str | Path,
    config: TokenizerConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """Learn byte-level BPE from the training documents of `corpus`; write it to `out`."""
    several = [corpus] if isinstance(corpus, str | Path) else corpus
    sources, out = [Path(one) for one in several], Path(out)
    inputs = {"corpus": sources}
    if config.vocabulary is not None:
        inputs["vocabulary"] = [config.vocabulary]
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        sample: Sample = {split: [] for split in MEASURED}
        if config.vocabulary is not None:
            tokenizer = Tokenizer.load(config.vocabulary)
            for _ in _sampled(sources, sample, _ignore):
                if _is_full(sample[MEASURED[0]]):
                    break
        else:
            tokenizer = _learn(sources, config, draft, sample, progress)
        tokenizer.save(out)
        draft.facts["vocab_size"] = tokenizer.vocab_size
        draft.facts["num_merges"] = len(tokenizer.merges)
        _measure(tokenizer, sample, draft)
    return read_manifest(out)


def _learn(
    sources: list[Path],
    config: TokenizerConfig,
    draft: Draft,
    sample: Sample,
    progress: Progress,
) -> Tokenizer:
    def texts() -> Iterator[bytes]:
        for source, split, text in _sampled(sources, sample, bad):
            draft.counts["in"] += 1
            if split != "train":
                draft.drop("held out", str(source))
                continue
            draft.counts["out"] += 1
            draft.counts["bytes"] += len(text)
            progress(draft.counts["in"], None, f"{draft.counts['bytes'] / 1e6:,.0f} MB read")
            yield text

    def bad(reason: str, where: str) -> None:
        draft.counts["in"] += 1
        draft.drop(reason, where)

    def report(merges: int) -> None:
        progress(merges, num_merges, "merges")

    names = ", ".join(map(str, sources))
    num_merges = config.vocab_size - 257
    memory = config.memory << 20
    with tempfile.TemporaryDirectory(prefix=".counts-", dir=draft.out) as name:
        folder = Path(name)
        threads = num_threads(config.threads)
        counts = count_pre_tokens(texts(), folder, threads=threads, memory=memory)
        draft.counts["distinct pre-tokens"] = sum(num_records(part) for part in counts)
        if not draft.counts["distinct pre-tokens"]:
            raise WellreadError(
                f"{names}: no training text, so nothing to learn a vocabulary from"
                f"{draft.drops_named()}"
            )
        started = time.monotonic()
        vocabulary = learn_vocabulary(
            counts, config.vocab_size, folder, memory=memory, report=report
        )
        seconds = time.monotonic() - started
    if len(vocabulary.tokens) < config.vocab_size:
        raise InputError(
            f"{names}: has pairs for {len(vocabulary.tokens):,} ids only, not for "
            f"{config.vocab_size:,}; lower vocab_size or give more text{draft.drops_named()}"
        )
    draft.facts["merges_per_second"] = round(len(vocabulary.merges) / seconds) if seconds else None
    return Tokenizer(vocabulary)


def _sampled(
    sources: list[Path], sample: Sample, bad: BadRecord
) -> Iterator[tuple[Path, str, bytes]]:
    """Source, split and text of each document; the first of the measured splits join `sample`."""
    for source in sources:
        for split, given in read_texts(source, bad):
            text = to_utf8(given)
            if split in sample and not _is_full(sample[split]):
                sample[split].append(text)
            yield source, split, text


def _is_full(texts: list[bytes]) -> bool:
    return len(texts) == NUM_MEASURED or sum(map(len, texts)) >= MEASURED_BYTES


def _ignore(reason: str, where: str) -> None:
    """Nothing is learnt, so nothing is counted."""


def _measure(tokenizer: Tokenizer, sample: Sample, draft: Draft) -> None:
    """Bytes per token on held-out documents; where a corpus has none, on training ones."""
    for split in MEASURED:
        if texts := sample[split]:
            num_tokens = sum(len(ids) for ids in tokenizer.encode_batch(texts))
            num_bytes = sum(map(len, texts))
            draft.facts["measured_on"] = f"{len(texts)} {split} documents"
            draft.facts["measured_on_bytes"] = num_bytes
            draft.facts["bytes_per_token"] = round(num_bytes / max(num_tokens, 1), 4)
            return
