"""The stage `tokens`: encode a corpus, split by split, into `.npy` shards."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from wellread.base.errors import WellreadError
from wellread.base.files import sha256_of
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats import tables
from wellread.formats.documents import read_documents
from wellread.formats.tokens import (
    DOCUMENTS,
    STAGE,
    Ids,
    SplitSize,
    TokensHeader,
    dtype_for,
    shard_name,
)
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.config import TokensConfig


class _Shards:
    """The shards of every split while they fill; holds one unfinished shard a split."""

    def __init__(self, draft: Draft, config: TokensConfig, dtype: Any) -> None:
        self._draft, self._limit, self._dtype = draft, config.tokens_per_shard, dtype
        self._waiting: defaultdict[str, list[Ids]] = defaultdict(list)
        self._num_waiting: defaultdict[str, int] = defaultdict(int)
        self._num_shards: defaultdict[str, int] = defaultdict(int)

    def add(self, split: str, ids: Ids) -> None:
        self._waiting[split].append(ids)
        self._num_waiting[split] += len(ids)
        if self._num_waiting[split] >= self._limit:
            self._flush(split)

    def close(self) -> None:
        for split in sorted(self._waiting):
            if self._num_waiting[split]:
                self._flush(split)

    def _flush(self, split: str) -> None:
        with self._draft.open(shard_name(split, self._num_shards[split])) as file:
            np.save(file, np.concatenate(self._waiting[split]).astype(self._dtype))
        self._num_shards[split] += 1
        self._waiting[split].clear()
        self._num_waiting[split] = 0


def tokenize_corpus(
    corpus: Path, tokenizer: Path, out: Path, config: TokensConfig, *, progress: Progress = silent
) -> Manifest:
    """Encode `corpus` with the vocabulary in `tokenizer`, which is copied beside the shards."""
    inputs = {"corpus": [corpus], "tokenizer": [tokenizer]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        encoder = Tokenizer.load(tokenizer)
        encoder.save(out / "tokenizer")
        shards = _Shards(draft, config, dtype_for(encoder.vocab_size))
        sizes: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

        def encoded() -> Iterator[dict[str, Any]]:
            for document in read_documents(corpus, draft.drop):
                ids = np.concatenate(([encoder.end_of_text], encoder.encode(document.text)))
                shards.add(document.split, ids.astype(dtype_for(encoder.vocab_size)))
                size = sizes[document.split]
                num_bytes = len(document.text.encode("utf-8", "replace"))
                start = size[0]
                for at, more in enumerate((len(ids), num_bytes, 1)):
                    size[at] += more
                draft.counts["out"] += 1
                draft.counts["tokens"] += len(ids)
                progress(draft.counts["out"], None, f"{draft.counts['tokens']:,} tokens")
                yield {
                    "url": document.url, "split": document.split, "start": start,
                    "num_tokens": len(ids), "num_bytes": num_bytes,
                }  # fmt: skip

        with draft.open("documents.parquet") as file:
            tables.write_rows(file, DOCUMENTS, encoded())
        shards.close()
        draft.counts["in"] = draft.counts["out"] + sum(draft.dropped.values())
        if not draft.counts["out"]:
            raise WellreadError(f"{corpus}: no document in it, so there is nothing to encode")
        header = TokensHeader(
            dtype=np.dtype(dtype_for(encoder.vocab_size)).name,
            vocab_size=encoder.vocab_size,
            end_of_text=encoder.end_of_text,
            merges_digest=sha256_of(out / "tokenizer" / "merges.txt"),
            splits={
                split: SplitSize(num_tokens=size[0], num_bytes=size[1], num_documents=size[2])
                for split, size in sorted(sizes.items())
            },
        )
        draft.write("tokens.json", msgspec.json.format(msgspec.json.encode(header), indent=1))
    return read_manifest(out)
