"""Encoding on a Ray cluster through Daft: the workers encode, the caller writes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import daft
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from daft import DataType, col
from daft.functions import monotonically_increasing_id

from wellread.base.cluster import use_ray
from wellread.formats.document_tables import parquet_files
from wellread.formats.documents import BadRecord
from wellread.formats.ids import dtype_for
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.encode import Encoded

ROWS = 1_000  # documents that a worker encodes at a time
ENCODED = DataType.struct({"ids": DataType.binary(), "num_bytes": DataType.int64()})


@daft.cls(use_process=False)
class _Encoder:
    """The vocabulary, read once by each worker from a folder that all of them see."""

    def __init__(self, vocabulary: str) -> None:
        self._tokenizer = Tokenizer.load(vocabulary)

    @daft.method.batch(return_dtype=ENCODED, batch_size=ROWS)  # type: ignore[untyped-decorator]
    def __call__(self, texts: daft.Series) -> pa.Array:
        """The ids of each text as bytes, `<|endoftext|>` first, and its length in UTF-8."""
        column = texts.to_arrow().cast(pa.large_string())
        ids, counts = self._tokenizer.encode_column(column)
        offsets = np.concatenate([[0], np.cumsum(counts)]) * ids.itemsize
        buffers = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(ids)]
        encoded = pa.Array.from_buffers(pa.large_binary(), len(counts), buffers)
        num_bytes = pc.binary_length(column).cast(pa.int64())
        return pa.StructArray.from_arrays([encoded, num_bytes], ["ids", "num_bytes"])


def encode_on_ray(
    corpus: Path, vocabulary: Path, vocab_size: int, folder: Path, bad: BadRecord
) -> Iterator[Encoded]:
    """Encode a corpus artifact or Parquet files, in order, on the cluster that Ray knows.

    Starts Ray on this machine where no cluster's address is set. Workers finish in any order, so
    that ids wait in a temporary file in `folder` until all are there.
    """
    files = list(map(str, parquet_files(corpus)))
    use_ray()
    frame = daft.read_parquet(files).with_column("row", monotonically_increasing_id())
    if "split" not in frame.column_names:
        frame = frame.with_column("split", daft.lit("train"))
    encoder = _Encoder(str(vocabulary.resolve()))
    dtype = np.dtype(dtype_for(vocab_size))
    encoded = encoder(col("text").fill_null("")).alias("encoded")
    frame = frame.select("row", "url", "split", col("text").is_null().alias("missing"), encoded)
    with tempfile.TemporaryFile(dir=folder) as spool:
        parts = []
        for batch in frame.to_arrow_iter():
            whole = batch.filter(pc.invert(batch["missing"]))
            for _ in range(len(batch) - len(whole)):
                bad("text is not a string", str(corpus))
            if len(whole):
                parts.append(_spooled(whole, spool, dtype))
        if parts:
            yield from _in_order(pa.Table.from_batches(parts), np.memmap(spool, dtype, "r"))


def _spooled(batch: pa.RecordBatch, spool: Any, dtype: Any) -> pa.RecordBatch:
    """Append the ids of `batch` to `spool`; everything else, and where each document's ids are."""
    encoded = batch["encoded"]
    ids = encoded.field("ids").cast(pa.large_binary())
    _, offsets_buffer, data = ids.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[ids.offset :][: len(ids) + 1]
    first = spool.tell() - int(offsets[0])
    spool.write(memoryview(data)[offsets[0] : offsets[-1]])
    return pa.record_batch(
        {
            "row": batch["row"].cast(pa.uint64()),
            "url": batch["url"].cast(pa.string()),
            "split": batch["split"].cast(pa.string()),
            "num_bytes": encoded.field("num_bytes"),
            "num_tokens": pa.array(np.diff(offsets) // dtype.itemsize),
            "first": pa.array((offsets[:-1] + first) // dtype.itemsize),
        }
    )


def _in_order(documents: pa.Table, ids: Any) -> Iterator[Encoded]:
    """The documents in the corpus's order, whatever order the workers finished in."""
    documents = documents.sort_by("row")
    for start in range(0, len(documents), ROWS):
        some = documents.slice(start, ROWS).combine_chunks()
        first, count = some["first"].to_numpy(), some["num_tokens"].to_numpy()
        spans = zip(first.tolist(), count.tolist(), strict=True)
        yield Encoded(
            urls=some["url"].combine_chunks(),
            splits=some["split"].combine_chunks(),
            num_bytes=some["num_bytes"].to_numpy(),
            num_tokens=count,
            ids=np.concatenate([ids[at : at + length] for at, length in spans]),
        )
