"""Windows that begin at documents, and attention within documents: what each gives.

    python benchmarks/documents.py docstrings -o study
    python benchmarks/documents.py openwebtext --context 256 -o study
    python benchmarks/documents.py lengths

The network of benchmarks/modern.py (3 blocks, 128 wide) learns by the section [train] of
recipes/modern.toml from texts much shorter than novels: the installed documentation, most of it
docstrings, or the 500 documents of OpenWebText in the folder of real files (docs/test-data.md).
Every eighth text is held out. Four cells, three seeds: windows one after another or at documents
(`document_starts`), attention over a whole window or within documents (`document_masks`).

Held-out loss is of two kinds: `anywhere`, in the fixed windows that `train` measures, and `alone`,
of each held-out text by itself up to the context, its end included. Windows that `document_starts`
cuts would not do: most end with a document, so that their last token is known by its place alone.
Texts come in a random order: documentation has what belongs together side by side, the web has
not. Every finished run is a line of results.jsonl; the same command goes on after the last.

`lengths` trains nothing: how windows lie in OpenWebText's documents and in novels, in GPT-2's ids,
and in as many documents as WebText has, whose lengths are drawn.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from side_by_side import machine, table
from texts import REAL_DATA, documentation_texts

from wellread.base.config import read_toml
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.formats.documents import Document, write_documents
from wellread.formats.tokens import read_documents, read_header, read_split
from wellread.model.sizes import ModelConfig
from wellread.tokenizer.build import train_tokenizer
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig

SIZE = "3x128"
VOCAB_SIZE = 4096
BATCH = 2048  # tokens
RATE = 0.006
WARMUP = 50  # steps
HELD_OUT_EVERY = 8
DOCUMENTATION_BYTES = 900_000
AT_ONCE = 32  # texts
MISSING = -1
SEEDS = 3
WEBTEXT = 8_000_000  # documents, section 2.1
DRAWN = (6.4, 1.1)  # mean and deviation of the logarithm of their lengths: about OpenWebText's
RECIPE = Path(__file__).resolve().parent.parent / "recipes" / "modern.toml"
SETTINGS = ("document_starts", "document_masks")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    texts: str
    context: int
    epochs: float
    document_starts: bool
    document_masks: bool
    seed: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    job: Job
    anywhere: float
    alone: float
    shares: dict[str, float] | None  # of windows at documents, of tokens seen twice and left out
    seconds: float


def prepare(texts: str, out: Path) -> Path:
    """Tokens with a validation split of every eighth text."""
    corpus, tokenizer, tokens = (out / name for name in ("corpus", "tokenizer", "tokens"))
    if not (corpus / "manifest.json").exists():
        found = documentation_texts(DOCUMENTATION_BYTES) if texts == "docstrings" else openwebtext()
        with writing(corpus, stage="corpus", config=TokensConfig(), inputs={}) as draft:
            write_documents(draft, documents(found))
    train_tokenizer(corpus, tokenizer, TokenizerConfig(vocab_size=VOCAB_SIZE))
    tokenize_corpus(corpus, tokenizer, tokens, TokensConfig())
    return tokens


def openwebtext() -> list[str]:
    path = REAL_DATA / "documents" / "openwebtext_500.jsonl.gz"
    if not path.exists():
        sys.exit(f"{path}: not here (docs/test-data.md)")
    with gzip.open(path) as file:
        return [json.loads(line)["text"] for line in file]


def documents(texts: list[str]) -> Iterator[Document]:
    order = generator(0, "texts").permutation(len(texts))
    for number, text in enumerate(texts[at] for at in order):
        split = "validation" if number % HELD_OUT_EVERY == HELD_OUT_EVERY // 2 else "train"
        yield Document(url=f"http://texts/{number}", text=text, split=split)


def measure(job: Job, tokens: Path) -> Result:
    from wellread.train.build import train
    from wellread.train.config import TrainConfig

    model = ModelConfig(size=SIZE, context=job.context)
    num_tokens = read_header(tokens).splits["train"].num_tokens
    steps = round(job.epochs * num_tokens / BATCH)
    sequences = BATCH // job.context
    settings = read_toml(RECIPE)["train"] | {
        "batch_sequences": sequences, "sequences_per_pass": sequences, "steps": steps,
        "peak_learning_rate": RATE, "final_learning_rate": 0.0, "warmup_steps": WARMUP,
        "seed": job.seed, "held_out_every_steps": steps, "held_out_sequences": 10**6,
        "save_every_steps": steps, "device": "cpu",
    } | {name: getattr(job, name) for name in SETTINGS}  # fmt: skip
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        facts = train(tokens, run, model, TrainConfig(**settings)).facts
        seconds = time.monotonic() - start
        alone = loss_alone(run, tokens, job.context)
    return Result(
        job=job, anywhere=facts["held_out_loss"], alone=alone,
        shares=facts["document_starts"], seconds=seconds,
    )  # fmt: skip


def loss_alone(run: Path, tokens: Path, context: int) -> float:
    """Of the tokens of each held-out text, and of its end, with nothing before it."""
    import torch

    from wellread.model.load import load_model

    end = read_header(tokens).end_of_text
    ids = np.append(np.concatenate(read_split(tokens, "validation")), end).astype(np.int64)
    documents = read_documents(tokens, "validation", ["start", "num_tokens"]).to_pylist()
    texts = [
        torch.from_numpy(ids[start : start + min(length, context) + 1])
        for start, length in sorted((row["start"], row["num_tokens"]) for row in documents)
    ]
    texts.sort(key=len)
    model, total = load_model(run, device="cpu"), 0.0
    for at in range(0, len(texts), AT_ONCE):
        some = torch.nn.utils.rnn.pad_sequence(
            texts[at : at + AT_ONCE], batch_first=True, padding_value=MISSING
        )
        with torch.inference_mode():
            logits = model(some[:, :-1].clamp(min=0)).flatten(0, 1)
            total += float(
                torch.nn.functional.cross_entropy(
                    logits, some[:, 1:].flatten(), ignore_index=MISSING, reduction="sum"
                )
            )
    return total / sum(len(text) - 1 for text in texts)


def jobs(options: argparse.Namespace) -> Iterator[Job]:
    for seed in range(SEEDS):
        for cell in range(4):
            yield Job(
                texts=options.texts, context=options.context, epochs=options.epochs,
                document_starts=bool(cell % 2), document_masks=bool(cell // 2), seed=seed,
            )  # fmt: skip


def cells_table(results: list[Result]) -> str:
    """Each cell, and by how much more its loss is than the first's, seed by seed."""
    cells: dict[tuple[bool, ...], list[Result]] = {}
    for result in sorted(results, key=lambda result: result.job.seed):
        cell = tuple(getattr(result.job, name) for name in SETTINGS)
        cells.setdefault(cell, []).append(result)
    first, rows = cells[False, False], []
    for (starts, masks), some in sorted(cells.items(), key=lambda item: item[0][::-1]):
        row = ["at documents" if starts else "anywhere", "on" if masks else "off"]
        for kind in ("anywhere", "alone"):
            losses, plain = ([getattr(r, kind) for r in each] for each in (some, first))
            row += [
                f"{statistics.mean(losses):.4f}",
                " ".join(f"{a - b:+.4f}" for a, b in zip(losses, plain, strict=True)),
            ]
        rows.append(row)
    headings = ["windows", "masks", "loss, anywhere", "more by, seed by seed"]
    return table([*headings, "loss, alone", "more by, seed by seed"], rows)


def told(tokens: Path, context: int) -> str:
    found = read_documents(tokens, "train", ["num_tokens"])["num_tokens"].to_numpy()
    return (
        f"{len(found):,} texts of {found.mean():,.0f} tokens ({np.median(found):,.0f} in the "
        f"middle), {(found <= context).mean():.0%} of them within {context}"
    )


def lengths_table() -> str:
    """What windows do to documents when they are cut one after another, and at documents."""
    from wellread.tokenizer.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(REAL_DATA / "vocab")
    novels = [path.read_text("utf-8") for path in sorted(REAL_DATA.glob("documents/novels/*.txt"))]
    drawn = np.random.default_rng(0).lognormal(*DRAWN, WEBTEXT).astype(np.int64) + 1
    of_text = {"OpenWebText, 500": openwebtext(), "novels, 65": novels}
    found = {
        name: np.array([len(tokenizer.encode(text)) + 1 for text in texts])
        for name, texts in of_text.items()
    } | {"drawn, 8 million": drawn}
    rows = [
        [f"{name}, {lengths.mean():,.0f}", str(context), *lying(lengths, context)]
        for name, lengths in found.items()
        for context in ((128, 256, 1024) if name in of_text else (1024,))
    ]
    headings = ["documents, tokens of one", "context", "windows that begin within one"]
    headings += ["at documents", "fewest", "documents within a context that are cut"]
    return table([*headings, "at documents", "seen twice", "left out", "seconds"], rows)


def lying(lengths: Any, context: int) -> list[str]:
    from wellread.train.packing import Packed, pack

    def within(packed: Packed) -> Any:
        """The document of each window that begins within one."""
        windows = np.arange((packed.end - 1) // context) * context
        at = np.searchsorted(packed.starts, windows, side="right") - 1
        return packed.order[at[packed.starts[at] < windows]]

    start = time.monotonic()
    packed = pack(lengths, context)
    seconds = time.monotonic() - start
    ends = np.cumsum(lengths)
    plain = Packed(np.arange(len(lengths)), ends - lengths, int(ends[-1]), 0)
    cut, plainly_cut = within(packed), within(plain)
    short = np.count_nonzero(lengths <= context)
    left_out = (packed.end - 1) % context
    return [
        f"{len(plainly_cut):,}", f"{len(cut):,}", f"{((lengths - 1) // context).sum():,}",
        f"{np.count_nonzero(lengths[plainly_cut] <= context):,} of {short:,}",
        f"{np.count_nonzero(lengths[cut] <= context):,}",
        f"{packed.twice / ends[-1]:.4%}", f"{left_out / ends[-1]:.4%}", f"{seconds:.1f}",
    ]  # fmt: skip


def main() -> int:
    if sys.argv[1:] == ["lengths"]:
        sys.stdout.write(f"{machine()}\n\n{lengths_table()}\n")
        return 0
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("texts", choices=("docstrings", "openwebtext"))
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--epochs", type=float, default=2.0)
    options = parser.parse_args()
    about = machine()
    out = options.out / options.texts
    out.mkdir(parents=True, exist_ok=True)
    tokens, file = prepare(options.texts, out), options.out / "results.jsonl"
    lines = file.read_bytes().splitlines() if file.exists() else []
    done: dict[Any, Result] = {
        result.job: result for result in (msgspec.json.decode(line, type=Result) for line in lines)
    }
    wanted = list(jobs(options))
    for job in wanted:
        if job not in done:
            done[job] = measure(job, tokens)
            with file.open("ab") as opened:
                opened.write(msgspec.json.encode(done[job]) + b"\n")
            sys.stderr.write(f"{done[job]}\n")
    shares = done[wanted[1]].shares
    sys.stdout.write(f"{about}\n{told(tokens, options.context)}\nat documents: {shares}\n\n")
    sys.stdout.write(cells_table([done[job] for job in wanted]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
