"""The calls that `benchmarks/tokenizer.py` compares, and the process that makes one of them."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from side_by_side import Run, peak_bytes, use_cores
from texts import END_OF_TEXT, documents

OURS = "wellread"
THREADS = (1, 2)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a fresh process is to do."""

    work: str  # train, encode, tokens: the table of calls
    library: str
    call: str
    text: str  # path
    warm_up: str  # path
    vocabulary: str = ""  # path of a folder
    vocab_size: int = 0
    threads: int = 0
    result: str | None = None  # file for the merges or the ids

    def __str__(self) -> str:
        size = f" at {self.vocab_size:,} ids" if self.vocab_size else ""
        threads = f" with threads={self.threads}"
        return f"{self.library} {self.call}{size}{threads}, {Path(self.text).name}"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One way to ask a library for the work."""

    library: str
    name: str  # as its user writes it
    form: Callable[[Path], Any]  # the text as the call takes it
    ready: Callable[[Job], Callable[[Any], Any]]  # what is timed, given the text in that form
    threads: tuple[int, ...] = THREADS  # numbers of threads it can be told to use


# The forms of a text


def as_bytes(path: Path) -> bytes:
    return path.read_bytes()


def as_str(path: Path) -> str:
    return path.read_bytes().decode()


def as_list(path: Path) -> list[str]:
    return [as_str(path)]


def as_documents(path: Path) -> list[bytes]:
    return list(documents(path))


def as_strings(path: Path) -> list[str]:
    return [document.decode() for document in documents(path)]


def as_parquet(path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = path.with_suffix(".parquet")
    if not target.exists():
        texts = as_strings(path)
        urls = [f"https://example.org/{number}" for number in range(len(texts))]
        pq.write_table(pa.table({"url": urls, "text": texts}), target)
    return target


# Training: what is timed returns what `merges_of` understands.


def train_wellread(job: Job) -> Callable[[Any], Any]:
    from wellread.tokenizer.tokenizer import Tokenizer

    return lambda texts: Tokenizer.train(texts, vocab_size=job.vocab_size)


def train_tokenizers(job: Job) -> Callable[[Any], Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    def train(texts: list[str]) -> Any:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=job.vocab_size,
            special_tokens=[END_OF_TEXT],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return tokenizer

    return train


def train_gigatoken(job: Job) -> Callable[[Any], Any]:
    import gigatoken

    return lambda text: gigatoken.train_bpe(text, job.vocab_size, [END_OF_TEXT])


def train_rustbpe(job: Job) -> Callable[[Any], Any]:
    import rustbpe

    from wellread.tokenizer.alphabet import PATTERN

    def train(texts: list[str]) -> Any:
        tokenizer = rustbpe.Tokenizer()
        tokenizer.train_from_iterator(iter(texts), job.vocab_size - 1, pattern=PATTERN)
        return tokenizer

    return train


def train_bpeasy(job: Job) -> Callable[[Any], Any]:
    import bpeasy

    from wellread.tokenizer.alphabet import PATTERN

    longest = 1 << 20  # no limit: the others have none
    return lambda texts: bpeasy.train_bpe(iter(texts), PATTERN, longest, job.vocab_size - 1)


def plain(
    library: str, name: str, form: Callable[[Path], Any], ready: Callable[[Job], Any]
) -> Call:
    return Call(library=library, name=name, form=form, ready=ready)


TRAINING = (
    plain(OURS, "Tokenizer.train(documents)", as_strings, train_wellread),
    plain(OURS, "Tokenizer.train(documents in bytes)", as_documents, train_wellread),
    plain(OURS, "Tokenizer.train([bytes])", lambda path: [as_bytes(path)], train_wellread),
    plain("gigatoken", "train_bpe(bytes)", as_bytes, train_gigatoken),
    plain("gigatoken", "train_bpe(file)", Path, train_gigatoken),
    plain("rustbpe", "train_from_iterator(documents)", as_strings, train_rustbpe),
    plain("bpeasy", "train_bpe(documents)", as_strings, train_bpeasy),
    plain("tokenizers", "train_from_iterator(documents)", as_strings, train_tokenizers),
)


def merges_of(library: str, trained: Any) -> list[list[str]]:
    """Each merge in order as two parts in hexadecimal, or as the one token that it makes."""
    from wellread.tokenizer.alphabet import from_printable

    if library == OURS:
        tokens = trained.tokens
        return [[tokens[left].hex(), tokens[right].hex()] for left, right in trained.merges]
    if library == "tokenizers":
        pairs = msgspec.json.decode(trained.to_str())["model"]["merges"]
        return [[from_printable(part).hex() for part in pair] for pair in pairs]
    if library == "gigatoken":
        return [[left.hex(), right.hex()] for left, right in trained[1]]
    if library == "rustbpe":
        ranks = {bytes(token): rank for token, rank in trained.get_mergeable_ranks()}
    else:
        ranks = trained
    return [[token.hex()] for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1]


# Encoding: what is timed returns what `ids_of` understands.


def load_wellread(job: Job) -> Any:
    from wellread.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(job.vocabulary)


def load_gigatoken(job: Job) -> Any:
    import gigatoken

    return gigatoken.Tokenizer(f"{job.vocabulary}/tokenizer.json")


def load_fastokens(job: Job) -> Any:
    from fastokens import _native

    return _native.Tokenizer.from_file(f"{job.vocabulary}/tokenizer.json")


def load_tokie(job: Job) -> Any:
    import tokie

    return tokie.Tokenizer.from_json(f"{job.vocabulary}/tokenizer.json")


def load_kitoken(job: Job) -> Any:
    import kitoken

    return kitoken.Kitoken.from_tokenizers_file(f"{job.vocabulary}/tokenizer.json")


def load_tokenizers(job: Job) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(f"{job.vocabulary}/tokenizer.json")


def load_tiktoken(job: Job) -> Any:
    import tiktoken

    from wellread.tokenizer.alphabet import PATTERN
    from wellread.tokenizer.tokenizer import Tokenizer

    tokens = Tokenizer.load(job.vocabulary).tokens
    ranks = {token: rank for rank, token in enumerate(tokens[:-1])}
    return tiktoken.Encoding(
        "benchmark",
        pat_str=PATTERN,
        mergeable_ranks=ranks,
        special_tokens={END_OF_TEXT: len(ranks)},
    )


def gigatoken_source(text: bytes) -> Any:
    from gigatoken import BytesSource

    return BytesSource(text)


LOADERS = {
    OURS: load_wellread, "gigatoken": load_gigatoken, "fastokens": load_fastokens,
    "tokie": load_tokie, "kitoken": load_kitoken, "tiktoken": load_tiktoken,
    "tokenizers": load_tokenizers,
}  # fmt: skip


def encoding(
    library: str,
    name: str,
    form: Callable[[Path], Any],
    encode: Callable[[Any, Any, int], Any],
    threads: tuple[int, ...] = THREADS,
) -> Call:
    def ready(job: Job) -> Callable[[Any], Any]:
        tokenizer = LOADERS[library](job)
        return lambda text: encode(tokenizer, text, job.threads)

    return Call(library=library, name=name, form=form, ready=ready, threads=threads)


# t: tokenizer, x: the text in its form, n: threads. The first of a library takes the whole text.
ENCODING = (
    encoding(OURS, "encode(bytes)", as_bytes, lambda t, x, n: t.encode(x, threads=n)),
    encoding(
        OURS, "encode_batch(documents)", as_documents,
        lambda t, x, n: t.encode_batch(x, threads=n),
    ),
    encoding("gigatoken", "encode(bytes)", as_bytes, lambda t, x, _: t.encode(x)),
    encoding(
        "gigatoken", "encode_batch(documents)", as_documents,
        lambda t, x, n: t.encode_batch(x, parallel=n > 1),
    ),
    encoding(
        "gigatoken", "encode_batch(BytesSource)", as_bytes,
        lambda t, x, n: t.encode_batch(gigatoken_source(x), parallel=n > 1),
    ),
    encoding(
        "gigatoken", "encode_files(file)", str, lambda t, x, n: t.encode_files(x, parallel=n > 1)
    ),
    encoding(
        "fastokens", "encode_batch_flat([text])", as_list,
        lambda t, x, _: t.encode_batch_flat(x),
    ),
    encoding(
        "fastokens", "encode_batch_flat(documents)", as_strings,
        lambda t, x, _: t.encode_batch_flat(x),
    ),
    # Not its encode_bytes: that leaves out the split, so that its ids are others.
    encoding(
        "tokie", "encode_batch_flat([text])", as_list,
        lambda t, x, _: t.encode_batch_flat(x, add_special_tokens=False),
    ),
    encoding(
        "tokie", "encode_batch_flat(documents)", as_strings,
        lambda t, x, _: t.encode_batch_flat(x, add_special_tokens=False),
    ),
    encoding(
        "tokie", "encode_files([file])", str,
        lambda t, x, _: t.encode_files([x], separator=b""),
    ),
    encoding("kitoken", "encode(text)", as_str, lambda t, x, _: t.encode(x), (1,)),
    encoding("kitoken", "encode_all(documents)", as_strings, lambda t, x, _: t.encode_all(x), (1,)),
    encoding(
        "tiktoken", "encode_ordinary(text)", as_str,
        lambda t, x, _: t.encode_ordinary(x), (1,),
    ),
    encoding(
        "tiktoken", "encode_to_numpy(text)", as_str,
        lambda t, x, _: t.encode_to_numpy(x), (1,),
    ),
    encoding(
        "tiktoken", "encode_ordinary_batch(documents)", as_strings,
        lambda t, x, n: t.encode_ordinary_batch(x, num_threads=n),
    ),
    encoding(
        "tokenizers", "encode_batch_fast([text])", as_list,
        lambda t, x, _: t.encode_batch_fast(x), (1,),
    ),
    encoding(
        "tokenizers", "encode_batch_fast(documents)", as_strings,
        lambda t, x, _: t.encode_batch_fast(x),
    ),
)  # fmt: skip


def ids_of(encoded: Any) -> np.ndarray:
    """One uint32 array from whatever a library returns."""
    if type(encoded).__module__.startswith("awkward"):
        import awkward

        return np.asarray(awkward.flatten(encoded, axis=None), dtype=np.uint32)
    if isinstance(encoded, tuple):  # with lengths or offsets after the ids
        return ids_of(encoded[0])
    if isinstance(encoded, bytes):
        return np.frombuffer(encoded, dtype=np.uint32)
    if hasattr(encoded, "ids"):
        return np.array(encoded.ids, dtype=np.uint32)
    if isinstance(encoded, list) and encoded and not isinstance(encoded[0], int):
        return np.concatenate([ids_of(document) for document in encoded])
    return np.asarray(encoded, dtype=np.uint32)


# The stage `tokens`


def encode_documents(job: Job) -> Callable[[Any], Any]:
    tokenizer = load_wellread(job)
    return lambda texts: tokenizer.encode_batch(texts, threads=job.threads)


def load_and_encode(job: Job) -> Callable[[Any], Any]:
    def run(texts: list[bytes]) -> Any:
        return encode_documents(job)(texts)

    return run


def tokenize(job: Job) -> Callable[[Any], Any]:
    from wellread.tokens.build import tokenize_corpus
    from wellread.tokens.config import TokensConfig

    folder = tempfile.TemporaryDirectory()

    def run(parquet: Path) -> Any:
        out = Path(folder.name) / parquet.stem
        return tokenize_corpus(parquet, Path(job.vocabulary), out, TokensConfig())

    return run


STAGE = (
    plain(OURS, "encode_batch(documents)", as_documents, encode_documents),
    plain(OURS, "load(vocabulary), encode_batch(documents)", as_documents, load_and_encode),
    plain(OURS, "tokenize_corpus(Parquet)", as_parquet, tokenize),
)

CALLS = {"train": TRAINING, "encode": ENCODING, "tokens": STAGE}


# In the fresh process


def work(job: Job) -> Run:
    use_cores(job.threads)
    call = next(
        call for call in CALLS[job.work] if (call.library, call.name) == (job.library, job.call)
    )
    ready = call.ready(job)
    loaded = peak_bytes()
    small, text = call.form(Path(job.warm_up)), call.form(Path(job.text))
    start = time.perf_counter()
    ready(small)
    warm = time.perf_counter()
    made = ready(text)
    end = time.perf_counter()
    peak = peak_bytes() - loaded
    return Run(
        seconds=end - warm, warm_up_seconds=warm - start, peak_bytes=peak, amount=keep(job, made)
    )


def keep(job: Job, made: Any) -> int:
    """Write what was made if the job asks for it; how much it is."""
    if job.work == "tokens":
        return 0
    if job.work == "train":
        merges = merges_of(job.library, made)
        if job.result:
            counts = made.vocabulary.merge_counts if job.library == OURS else None
            Path(job.result).write_bytes(msgspec.json.encode([merges, counts]))
        return len(merges)
    if job.result:
        ids = ids_of(made)
        ids.tofile(job.result)
        return len(ids)
    return 0
