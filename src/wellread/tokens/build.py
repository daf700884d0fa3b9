"""The stage `tokens`: encode a corpus, split by split, into `.npy` shards."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wellread.base.errors import WellreadError
from wellread.base.files import sha256_of
from wellread.base.manifest import (
    Draft,
    Manifest,
    finished,
    read_manifest,
    writing,
)
from wellread.base.progress import Progress, silent
from wellread.base.threads import num_threads
from wellread.formats import tables
from wellread.formats.ids import Ids, dtype_for
from wellread.formats.tokens import (
    DOCUMENTS,
    STAGE,
    SplitSize,
    TokensHeader,
    shard_name,
)
from wellread.tokenizer.files import write_vocabulary
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.config import TokensConfig
from wellread.tokens.encode import Encoded, encode_here

MOST_WAITING = 8  # pieces of ids that the writing thread is behind


class _Shard:
    """An `.npy` file that grows; how long it is, its header knows last."""

    def __init__(self, draft: Draft, name: str, dtype: Any, expected: int) -> None:
        self._draft, self._name, self._dtype = draft, name, dtype
        self.file = (draft.out / name).open("wb")
        self.length = 0  # of what has been handed over, whether written yet or not
        self.write_header(expected)

    def write_header(self, length: int) -> None:
        # numpy leaves room for any length, so that a header never changes its size.
        header = {"descr": self._dtype, "fortran_order": False, "shape": (length,)}
        self.file.seek(0)
        np.lib.format.write_array_header_1_0(self.file, header)

    def write(self, ids: Ids) -> None:
        self.file.write(ids.view(np.uint8).data)

    def close(self) -> None:
        self.write_header(self.length)
        self.file.close()
        self._draft.did_write(self._name, sha256_of(self._draft.out / self._name))


class _Shards:
    """The shards of every split while they grow, written by a thread of their own."""

    def __init__(self, draft: Draft, config: TokensConfig) -> None:
        self._draft, self._limit = draft, config.tokens_per_shard
        self._open: dict[str, _Shard] = {}
        self._num_shards: defaultdict[str, int] = defaultdict(int)
        self._thread = ThreadPoolExecutor(1)
        self._writing: deque[Future[None]] = deque()

    def add(self, split: str, ids: Ids) -> None:
        while len(ids):
            if split not in self._open:
                name = shard_name(split, self._num_shards[split])
                dtype = np.lib.format.dtype_to_descr(ids.dtype)
                self._open[split] = _Shard(self._draft, name, dtype, self._limit)
                self._num_shards[split] += 1
            shard = self._open[split]
            taken = ids[: self._limit - shard.length]
            ids = ids[len(taken) :]
            shard.length += len(taken)
            self._do(shard.write, taken)
            if shard.length == self._limit:
                self._do(self._open.pop(split).close)

    def _do(self, work: Callable[..., None], *given: Ids) -> None:
        self._writing.append(self._thread.submit(work, *given))
        while len(self._writing) > MOST_WAITING:
            self._writing.popleft().result()

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            with self._thread:
                if kind is None:
                    for split in sorted(self._open):
                        self._do(self._open[split].close)
                    while self._writing:
                        self._writing.popleft().result()
        finally:
            for shard in self._open.values():
                shard.file.close()


def tokenize_corpus(
    corpus: str | Path,
    tokenizer: str | Path,
    out: str | Path,
    config: TokensConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """Encode `corpus` with the vocabulary in `tokenizer`, which is written beside the shards.

    Holds two pieces of 256 documents for each thread, and the ids of a few more.
    """
    corpus, tokenizer, out = Path(corpus), Path(tokenizer), Path(out)
    inputs = {"corpus": [corpus], "tokenizer": [tokenizer]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        encoder = Tokenizer.load(tokenizer)
        (out / "tokenizer").mkdir()
        write_vocabulary(out / "tokenizer", encoder.vocabulary, with_ranks=False)
        shards = _Shards(draft, config)
        sizes: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

        def tables_of_documents() -> Iterator[pa.Table]:
            for encoded in _encoded(corpus, tokenizer, encoder, draft, config):
                starts = _place(encoded, shards, sizes)
                draft.counts["out"] += len(starts)
                draft.counts["tokens"] += len(encoded.ids)
                progress(draft.counts["out"], None, f"{draft.counts['tokens']:,} tokens")
                columns = [encoded.urls, encoded.splits, starts]
                columns += [encoded.num_tokens, encoded.num_bytes]
                yield pa.table(
                    [pa.array(c).cast(f.type) for c, f in zip(columns, DOCUMENTS, strict=True)],
                    schema=DOCUMENTS,
                )

        with shards, draft.open("documents.parquet") as file:
            tables.write_tables(file, DOCUMENTS, tables_of_documents())
        draft.counts["in"] = draft.counts["out"] + sum(draft.dropped.values())
        if not any(num_bytes for _, num_bytes, _ in sizes.values()):
            raise WellreadError(
                f"{corpus}: no text in it, so there is nothing to encode{draft.drops_named()}"
            )
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


def _encoded(
    corpus: Path, vocabulary: Path, tokenizer: Tokenizer, draft: Draft, config: TokensConfig
) -> Iterator[Encoded]:
    if config.engine == "ray":
        from wellread.tokens.cluster import encode_on_ray  # Daft loads only where it is used

        return encode_on_ray(corpus, vocabulary, tokenizer.vocab_size, draft.out, draft.drop)
    return encode_here(corpus, tokenizer, draft.drop, threads=num_threads(config.threads))


def _place(
    encoded: Encoded, shards: _Shards, sizes: defaultdict[str, list[int]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Hand the ids of each split to its shards; where each document starts in its split."""
    starts = np.zeros(len(encoded.num_tokens), np.int64)
    names = pc.unique(encoded.splits).to_pylist()
    begins = np.cumsum(encoded.num_tokens) - encoded.num_tokens
    for split in sorted(names):
        mine = np.asarray(pc.equal(encoded.splits, split))
        lengths, size = encoded.num_tokens[mine], sizes[split]
        starts[mine] = size[0] + np.cumsum(lengths) - lengths
        size[0] += int(lengths.sum())
        size[1] += int(encoded.num_bytes[mine].sum())
        size[2] += len(lengths)
        if len(names) == 1:
            shards.add(split, encoded.ids)
        else:
            spans = zip(begins[mine].tolist(), lengths.tolist(), strict=True)
            shards.add(split, np.concatenate([encoded.ids[at : at + n] for at, n in spans]))
    return starts
