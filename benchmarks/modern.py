"""The recipe `modern` beside nanoGPT's: tokens and time to the same held-out loss.

    python benchmarks/modern.py --nanogpt nanoGPT/model.py -o study           # sweeps, seeds, speed
    python benchmarks/modern.py --nanogpt nanoGPT/model.py -o study --ablate  # other ingredients

Both train the same network (3 blocks, 128 wide, context 128: 1.1 million parameters) from the same
tokens (novels of the folder of real files, docs/test-data.md; 4,096 ids learnt from them) and are
measured on the same windows, of authors who are in nobody's training text. nanoGPT's side is its
model.py, AdamW and schedule (train.py; what train.py leaves to small models as in
config/train_shakespeare_char.py) for 10 million tokens, in batches of 2,048, which serve it better
here than larger ones (docs/decisions/0010); ours the section [train] of recipes/modern.toml
for a share of the tokens. Each side has five learning rates, each with a schedule that ends at its
own budget, then a second weight decay at the best rate and its better neighbour; then three seeds
at the best. These runs go two at a time, each on one core. Speed is measured apart, alone on all
cores, in rounds of short runs.

Every finished run is a line of results.jsonl; the same command goes on after the last.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import io
import math
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from side_by_side import machine, nanogpt_model, ratios, spread, table, version_of
from texts import REAL_DATA

from wellread.base.config import read_toml
from wellread.base.manifest import writing
from wellread.formats.documents import Document, write_documents
from wellread.formats.metrics import Step, read_metrics
from wellread.formats.tokens import read_split
from wellread.model.sizes import ModelConfig
from wellread.tokenizer.build import train_tokenizer
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig

OURS, NANOGPT = "wellread", "nanoGPT"
MODEL = ModelConfig(size="3x128", context=128)
VOCAB_SIZE = 4096
TOKENS = 10_000_000  # nanoGPT's
BATCH = 16  # sequences, unless a job says otherwise
HELD_OUT_BYTES = 100_000  # of each novel of an author who is held out
HELD_OUT_EVERY = 8  # authors, by name
WARMUP = 100  # steps, of nanoGPT's config/train_shakespeare_char.py; ours as well
DECAYS = (0.1, 0.02)
SEEDS = 3
RECIPE = Path(__file__).resolve().parent.parent / "recipes" / "modern.toml"
# What is changed in the recipe, one at a time; EARLY is of all tokens. (Windows and attention by
# documents have documents.py: a novel is too long for them to matter.)
CHANGES: dict[str, dict[str, Any]] = {
    "AdamW for all": {"optimizer": "adamw"},
    "AdamW for all, at half the rate": {"optimizer": "adamw", "rate": 0.5},
    "cosine": {"schedule": "cosine"},
    "projections begin scaled": {"zero_projections": False},
    "embeddings begin at random": {"embeddings": "random"},
    "positions begin at random": {"positions": "random"},
    "embeddings at twice the rate": {"embedding_rate": 2.0},
    "first sequences of 32": {"early_context": 32},
    "first batches of half the size": {"early_batch_sequences": 16},
}
EARLY = 0.3
CURVE = 10  # points


class Contestant(NamedTuple):
    side: str
    batch: int  # sequences
    rate: float  # in the middle of its five

    def __str__(self) -> str:
        return f"{self.side}, batches of {self.batch * MODEL.context:,}"


CONTESTANTS = (Contestant(NANOGPT, 16, 2e-3), Contestant(OURS, 32, 6e-3))

OWN = CONTESTANTS[-1]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    side: str
    tokens: int
    rate: float
    decay: float
    seed: int = 0
    batch: int = BATCH
    change: str = ""  # of CHANGES
    steps: int | None = None  # for speed: so many only

    def __str__(self) -> str:
        change = f", {self.change}" if self.change else ""
        return (
            f"{self.side}{change}, batches of {self.batch}, {self.tokens / 1e6:.1f} M tokens, "
            f"rate {self.rate:g}, decay {self.decay:g}, seed {self.seed}"
        )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    job: Job
    held_out_loss: float
    tokens_per_second: float
    setup_seconds: float = 0.0  # of embeddings from counts, where speed is measured
    curve: list[tuple[int, float]] = []  # tokens, held-out loss


# Data


def prepare(out: Path) -> Path:
    """Tokens with a validation split of held-out authors."""
    files = sorted((REAL_DATA / "documents" / "novels").glob("*.txt"))
    if not files:
        sys.exit(f"{REAL_DATA}: no novels here (docs/test-data.md)")
    authors = sorted({path.name.partition("_")[0] for path in files})
    held_out = set(authors[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY])

    def documents() -> Iterator[Document]:
        for path in files:
            text = path.read_text(encoding="utf-8")
            if path.name.partition("_")[0] in held_out:
                yield Document(url=path.name, text=text[:HELD_OUT_BYTES], split="validation")
            else:
                yield Document(url=path.name, text=text)

    corpus, tokenizer, tokens = (out / name for name in ("corpus", "tokenizer", "tokens"))
    if not (corpus / "manifest.json").exists():
        with writing(corpus, stage="corpus", config=TokensConfig(), inputs={}) as draft:
            write_documents(draft, documents())
    train_tokenizer(corpus, tokenizer, TokenizerConfig(vocab_size=VOCAB_SIZE))
    tokenize_corpus(corpus, tokenizer, tokens, TokensConfig())
    return tokens


# The two sides


def ours(job: Job, tokens: Path) -> Result:
    from wellread.train.build import train
    from wellread.train.config import TrainConfig

    change = dict(CHANGES.get(job.change, {}))
    windows = job.tokens // MODEL.context
    early_batch = change.get("early_batch_sequences", job.batch)
    early = int(EARLY * windows / early_batch) if any(x.startswith("early") for x in change) else 0
    steps = early + (windows - early * early_batch) // job.batch
    settings = read_toml(RECIPE)["train"] | {
        "batch_sequences": job.batch, "sequences_per_pass": job.batch, "steps": job.steps or steps,
        "peak_learning_rate": job.rate * change.pop("rate", 1.0), "final_learning_rate": 0.0,
        "warmup_steps": WARMUP, "weight_decay": job.decay, "seed": job.seed, "early_steps": early,
        "held_out_every_steps": max(1, steps // CURVE), "held_out_sequences": 10**6,
        "save_every_steps": steps, "device": "cpu",
    } | change  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        facts = train(tokens, run, MODEL, TrainConfig(**settings)).facts
        curve = [(s.tokens, s.held_out_loss) for s in read_metrics(run) if s.held_out_loss]
    setup = (
        counting_seconds(tokens, steps, job.batch)
        if job.steps and settings["embeddings"] == "counts"
        else 0.0
    )
    return Result(
        job=job, held_out_loss=facts["held_out_loss"],
        tokens_per_second=facts["tokens_per_second"], setup_seconds=setup, curve=curve,
    )  # fmt: skip


def counting_seconds(tokens: Path, steps: int, batch: int) -> float:
    """Of counting all that a run of `steps` sees, and of the factorisation."""
    from wellread.train.batches import Batches
    from wellread.train.counts import embeddings_from_counts
    from wellread.train.windows import read_windows

    batches = Batches(read_windows(tokens, MODEL.context).train, batch, seed=0)
    start = time.monotonic()
    width = MODEL.architecture(VOCAB_SIZE).width
    embeddings_from_counts((batches[step] for step in range(steps)), VOCAB_SIZE, width, seed=0)
    return time.monotonic() - start


def nanogpt(job: Job, tokens: Path, model_py: Path) -> Result:
    """As its train.py: windows drawn at random, cosine to a tenth, gradients clipped at 1."""
    import torch

    torch.manual_seed(job.seed)
    shape, T = MODEL.architecture(VOCAB_SIZE), MODEL.context
    with contextlib.redirect_stdout(io.StringIO()):
        model = nanogpt_model(model_py, shape, bias=False)
        optimizer = model.configure_optimizers(job.decay, job.rate, (0.9, 0.99), "cpu")
    forward = torch.compile(lambda ids: model(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())[1])
    [text] = read_split(tokens, "train")
    source, whole = np.random.default_rng(job.seed), job.tokens // (job.batch * T)
    last = job.steps or whole
    speeds, clock, curve = [], time.monotonic(), []
    for step in range(last):
        share = (1 + math.cos(math.pi * (step - WARMUP) / (whole - WARMUP))) / 2
        falling, rising = 0.1 + 0.9 * share, (step + 1) / (WARMUP + 1)
        for group in optimizer.param_groups:
            group["lr"] = job.rate * (rising if step < WARMUP else falling)
        starts = source.integers(len(text) - T, size=job.batch)
        ids = np.stack([text[start : start + T + 1] for start in starts]).astype(np.int64)
        with torch.autocast("cpu", torch.bfloat16):
            loss = forward(torch.from_numpy(ids))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % 10 == 0:
            float(loss)
            speeds.append(10 * job.batch * T / (time.monotonic() - clock))
        if (step + 1) % (whole // CURVE) == 0 or step + 1 == last:
            curve.append(((step + 1) * job.batch * T, nanogpt_held_out_loss(model, tokens)))
        if (step + 1) % 10 == 0:
            clock = time.monotonic()
    return Result(
        job=job, held_out_loss=curve[-1][1], tokens_per_second=statistics.median(speeds),
        curve=curve,
    )  # fmt: skip


def nanogpt_held_out_loss(model: Any, tokens: Path) -> float:
    import torch

    windows = torch.from_numpy(held_out_windows(tokens))
    with torch.no_grad():
        losses = [
            float(model(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())[1]) * len(ids)
            for ids in windows.split(16)
        ]
    return sum(losses) / len(windows)


@functools.cache
def held_out_windows(tokens: Path) -> Any:
    """Those that `train` measures, (num_windows, context + 1)."""
    from wellread.train.windows import read_windows

    windows = read_windows(tokens, MODEL.context).held_out
    return np.stack([windows[number] for number in range(windows.num_windows)])


# The study


class Study:
    """Runs that are done, and those to do."""

    def __init__(self, out: Path, model_py: Path) -> None:
        self.out, self._model_py = out, model_py
        self._file = out / "results.jsonl"
        lines = self._file.read_bytes().splitlines() if self._file.exists() else []
        self.done = {
            result.job: result for result in (msgspec.json.decode(x, type=Result) for x in lines)
        }

    def loss(self, job: Job) -> float:
        return self.done[job].held_out_loss

    def run(self, jobs: Sequence[Job]) -> None:
        """All of them, a core each."""
        cores = queue.SimpleQueue[int]()
        for core in sorted(os.sched_getaffinity(0)):
            cores.put(core)

        def one(job: Job) -> None:
            core = cores.get()
            try:
                self.keep(self.measure(job, [core]))
            finally:
                cores.put(core)

        with concurrent.futures.ThreadPoolExecutor(cores.qsize()) as pool:
            list(pool.map(one, [job for job in jobs if job not in self.done]))

    def measure(self, job: Job, cores: Sequence[int]) -> Result:
        environment = {"OMP_NUM_THREADS": str(len(cores))}
        if job.side == OURS:
            environment["GOMP_SPINCOUNT"] = "20000"
        command = [
            "taskset", "-c", ",".join(map(str, cores)), sys.executable, __file__, "_worker",
            str(self.out), str(self._model_py), msgspec.json.encode(job).decode(),
        ]  # fmt: skip
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, check=False
        )
        if done.returncode:
            sys.exit(f"{job}: {done.stderr.decode(errors='replace')[-2000:]}")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Result)

    def keep(self, result: Result) -> None:
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")
        self.done[result.job] = result
        sys.stderr.write(f"{result.job}: {result.held_out_loss:.4f}\n")


def sweep(study: Study, budgets: dict[Contestant, int]) -> dict[Contestant, Job]:
    """The best of five rates, and of a second weight decay at the two best of neighbours."""
    first = {
        who: [
            Job(side=who.side, batch=who.batch, tokens=tokens, rate=rate, decay=DECAYS[0])
            for rate in (who.rate * 2.0**power for power in range(-2, 3))
        ]
        for who, tokens in budgets.items()
    }
    study.run([job for jobs in first.values() for job in jobs])
    jobs = {who: jobs + second_decay(study, jobs) for who, jobs in first.items()}
    study.run([job for some in jobs.values() for job in some])
    return {who: min(some, key=study.loss) for who, some in jobs.items()}


def second_decay(study: Study, jobs: Sequence[Job]) -> list[Job]:
    """By rate; at the best one and its better neighbour."""
    best = min(range(len(jobs)), key=lambda at: study.loss(jobs[at]))
    beside = [at for at in (best - 1, best + 1) if 0 <= at < len(jobs)]
    second = min(beside, key=lambda at: study.loss(jobs[at]))
    return [msgspec.structs.replace(jobs[at], decay=DECAYS[1]) for at in (best, second)]


def seeds(study: Study, best: dict[Contestant, Job]) -> dict[Contestant, list[float]]:
    jobs = {
        who: [msgspec.structs.replace(job, seed=seed) for seed in range(SEEDS)]
        for who, job in best.items()
    }
    study.run([job for some in jobs.values() for job in some])
    return {who: [study.loss(job) for job in some] for who, some in jobs.items()}


def speeds(
    study: Study, best: dict[Contestant, Job], rounds: int
) -> dict[Contestant, list[Result]]:
    """Short runs of each by round, alone on all cores."""
    found: dict[Contestant, list[Result]] = {who: [] for who in best}
    for _ in range(rounds):
        for who, job in best.items():
            short = msgspec.structs.replace(job, steps=6400 // job.batch)
            found[who].append(study.measure(short, sorted(os.sched_getaffinity(0))))
    return found


def sweep_table(study: Study, who: Contestant, tokens: int) -> str:
    found = {
        (job.decay, job.rate): result.held_out_loss
        for job, result in study.done.items()
        if (job.side, job.batch, job.tokens) == (who.side, who.batch, tokens)
        and (job.seed, job.change) == (0, "")
    }
    rates = sorted({rate for _, rate in found})
    rows = [
        [f"{decay:g}", *(f"{found[decay, r]:.4f}" if (decay, r) in found else "" for r in rates)]
        for decay in DECAYS
    ]
    return table([f"{who}: weight decay", *(f"rate {rate:g}" for rate in rates)], rows)


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        warnings.filterwarnings("ignore")
        tokens, model_py = Path(sys.argv[2]) / "tokens", Path(sys.argv[3])
        job = msgspec.json.decode(sys.argv[4], type=Job)
        result = ours(job, tokens) if job.side == OURS else nanogpt(job, tokens, model_py)
        sys.stdout.write("\n" + msgspec.json.encode(result).decode() + "\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--nanogpt", type=Path, required=True, help="nanoGPT's model.py")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.4, help="of nanoGPT's tokens")
    parser.add_argument("--rounds", type=int, default=3, help="for speed")
    parser.add_argument("--ablate", action="store_true", help="the recipe with one change, each")
    parser.add_argument("--figure", type=Path, help="an SVG of the held-out loss of one seed")
    options = parser.parse_args()
    about = machine()
    options.out.mkdir(parents=True, exist_ok=True)
    prepare(options.out)
    study = Study(options.out, options.nanogpt.resolve())
    budgets = {
        who: TOKENS if who.side == NANOGPT else round(TOKENS * options.share) for who in CONTESTANTS
    }
    best = sweep(study, budgets)
    losses = seeds(study, best)
    sys.stdout.write(f"{about}; torch {version_of('torch')}\n\n")
    for who, tokens in budgets.items():
        sys.stdout.write(sweep_table(study, who, tokens) + "\n\n")
    if options.ablate:
        sys.stdout.write(changes_table(study, best[OWN], losses[OWN]) + "\n")
    elif options.figure:
        options.figure.write_bytes(figure(study, best))
    else:
        short = speeds(study, best, options.rounds)
        sys.stdout.write(result_table(best, losses, short) + "\n")
    return 0


def result_table(
    best: dict[Contestant, Job],
    losses: dict[Contestant, list[float]],
    short: dict[Contestant, list[Result]],
) -> str:
    seconds = {
        who: [run.setup_seconds + best[who].tokens / run.tokens_per_second for run in runs]
        for who, runs in short.items()
    }
    rows = [
        [
            str(who), f"{job.tokens / 1e6:.1f}", f"{job.rate:g}, {job.decay:g}",
            spread(losses[who], 4), f"{statistics.mean(losses[who]):.4f}",
            spread([run.tokens_per_second for run in short[who]], 0), spread(seconds[who], 0),
            ratios(seconds[OWN], seconds[who]),
        ]
        for who, job in best.items()
    ]  # fmt: skip
    return table(
        [
            "", "tokens, M", "rate, weight decay", "held-out loss, three seeds", "mean",
            "tokens/s", "seconds", "wellread's, of its",
        ],
        rows,
    )  # fmt: skip


def figure(study: Study, best: dict[Contestant, Job]) -> bytes:
    """Held-out loss by tokens of the last seed of each."""
    from wellread.report.figures import curves

    runs = []
    for who, job in best.items():
        points = study.done[msgspec.structs.replace(job, seed=SEEDS - 1)].curve
        steps = [Step(step=at, tokens=n, held_out_loss=x) for at, (n, x) in enumerate(points)]
        runs.append((who.side, steps))
    return curves(runs, "", "").file


def changes_table(study: Study, best: Job, whole: Sequence[float]) -> str:
    """What the loss is with each change, at the rate that is best for the recipe."""
    jobs = {
        name: [msgspec.structs.replace(best, change=name, seed=seed) for seed in range(SEEDS)]
        for name in CHANGES
    }
    study.run([some[seed] for seed in range(SEEDS) for some in jobs.values()])
    rows = [["the recipe", spread(whole, 4), ""]]
    for name, some in jobs.items():
        losses = [study.loss(job) for job in some]
        worse = [one - other for one, other in zip(losses, whole, strict=True)]
        rows.append([name, spread(losses, 4), spread(worse, 4)])
    return table(["change", "held-out loss", "more by, seed by seed"], rows)


if __name__ == "__main__":
    sys.exit(main())
