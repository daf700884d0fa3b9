"""A step of training beside nanoGPT and transformers, and beside its own matrix products.

    python benchmarks/train.py --nanogpt nanoGPT/model.py           # 124M x 1,024 and 10M x 256
    python benchmarks/train.py --device cuda --shapes 124M 355M 774M 1558M --nanogpt ...
    python benchmarks/train.py --shapes 10M --rounds 1 --ours       # whether it works

A step is what trains: a batch of tokens, forward, backward, the gradients' norm and clipping,
AdamW. Tokens are drawn at random. Each contestant is a fresh process, warmed up with two steps;
each library is tried in each of its settings first, and its fastest one goes through the rounds:

- ours: weights in float32 that learn and a copy in bfloat16 that computes, or all in float32;
- theirs: weights in bfloat16, which is not the same training (updates below a 256th of a weight are
  lost), or autocast; compiled or not.

"Products", on a CPU, is the time that the step's matrix products take alone, one shape after the
other, in the same process directly after: forward and both of backward, of the layers, of attention
(the half that a causal mask leaves) and of the head. Operations are counted as in PaLM
(Chowdhery et al. 2022, appendix B), the masked half of attention included: 6 N + 12 L T C a token,
N without the position table. A share of the peak is model FLOPs utilisation: of NVIDIA's
989 x 10^12 dense operations a second in bfloat16, H100 and H200 (SXM).

On a GPU a step is of several passes whose gradients are added up, as many sequences at once as have
room in 141 GB (`--at-once` for less), and each library has one setting: compiled (more than 12
layers block by block, as ours always are); ours with the copy, theirs with autocast.

Ours run as in the command `wellread`, which lets idle threads of PyTorch sleep after some 20
microseconds (GOMP_SPINCOUNT); the others as they are.

Needs PyTorch 2.11 or newer, numpy, msgspec and safetensors; transformers if it is to take part.
`PYTHONPATH=src` makes a checkout enough.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from side_by_side import (
    Failure,
    Outcome,
    Run,
    in_rounds,
    machine,
    nanogpt_model,
    peak_bytes,
    ratios,
    run_fresh,
    seconds_of,
    spread,
    table,
    use_cores,
    version_of,
)

from wellread.model.sizes import Architecture, shape_of
from wellread.train.speed import PEAK, training_flops

OURS, NANOGPT, TRANSFORMERS = "wellread", "nanoGPT", "transformers"
LIMIT_SECONDS = 1800.0
SHAPES = {
    "10M": Architecture(layers=6, width=384, heads=6, context=256, vocab_size=8192),
    **{
        size: Architecture(**shape_of(size)._asdict()) for size in ("124M", "355M", "774M", "1558M")
    },
}
BATCHES = {"10M": 16}  # sequences of a step


class Passes(msgspec.Struct, frozen=True):
    """On a GPU of 141 GB: sequences of a step, and those at once that have room."""

    batch: int
    ours: int
    theirs: int  # whose residual stream and logits are in float32 under autocast


ON_CUDA = {
    "10M": Passes(512, 512, 512),
    "124M": Passes(512, 128, 64),
    "355M": Passes(256, 64, 32),
    "774M": Passes(128, 64, 16),
    "1558M": Passes(128, 32, 8),
}
MOST_WHOLE = 12  # layers that peers have compiled as one; more take minutes, and go block by block


class Job(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # of the shape
    shape: Architecture
    batch: int  # sequences of a step
    at_once: int  # of them, in one forward and backward pass
    library: str
    setting: str  # "float32", "bfloat16" (weights; ours: a copy), "autocast"
    compiled: bool
    device: str
    threads: int
    steps: int
    nanogpt: str

    def __str__(self) -> str:
        return f"{self.name} {self.library}, {self.how}"

    @property
    def how(self) -> str:
        names = {"bfloat16": "bfloat16 copy" if self.library == OURS else "weights in bfloat16"}
        return names.get(self.setting, self.setting) + (", compiled" if self.compiled else "")


def ours(job: Job) -> Callable[[int], None]:
    import torch

    from wellread.model.gpt2 import GPT2
    from wellread.train.config import TrainConfig
    from wellread.train.loop import train_steps
    from wellread.train.optimizers import Optimizers
    from wellread.train.worker import Worker

    with torch.device(job.device):  # where a large model's fresh weights are drawn faster
        network = GPT2(job.shape)
    if job.device == "cpu":
        network.initialise(0)
    precision = torch.float32 if job.setting == "float32" else torch.bfloat16
    worker = Worker(network, precision, compiles=job.compiled)
    config = TrainConfig(
        batch_sequences=job.batch, sequences_per_pass=job.at_once, log_every_steps=10**6
    )
    optimizers, batches = Optimizers(network, config), drawn(job)

    def run(steps: int) -> None:
        counted = msgspec.structs.replace(config, steps=steps, warmup_steps=0)
        for _ in train_steps(worker, optimizers, batches, counted, start=0):
            pass

    return run


def drawn(job: Job) -> Any:
    """Batches of random tokens."""
    from wellread.train.batches import Batches
    from wellread.train.windows import Windows

    length = 8 * job.batch * job.shape.context + 1
    ids = np.random.default_rng(0).integers(job.shape.vocab_size, size=length, dtype=np.uint16)
    return Batches(Windows([ids], job.shape.context), job.batch, seed=0)


def theirs(
    job: Job, model: Any, loss_of: Callable[[Any], Any], optimizer: Any
) -> Callable[[int], None]:
    """Steps as nanoGPT's train.py does them."""
    import torch

    if job.compiled and job.shape.layers > MOST_WHOLE:
        for block in model.transformer.h:
            block.forward = torch.compile(block.forward, dynamic=False)
    elif job.compiled:
        loss_of = torch.compile(loss_of)
    autocast, batches = job.setting == "autocast", drawn(job)

    def run(steps: int) -> None:
        for step in range(steps):
            batch = torch.from_numpy(batches[step]).to(job.device)
            for ids in batch.split(job.at_once):
                with torch.autocast(job.device, torch.bfloat16, enabled=autocast):
                    loss = loss_of(ids) * (len(ids) / len(batch))
                loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        float(loss)  # wait for it

    return run


def nanogpt(job: Job) -> Callable[[int], None]:
    import torch

    with torch.device(job.device):
        model = nanogpt_model(Path(job.nanogpt), job.shape, bias=True)
    if job.setting == "bfloat16":
        model = model.to(torch.bfloat16)
    optimizer = model.configure_optimizers(0.1, 6e-4, (0.9, 0.95), job.device)

    def loss_of(ids: Any) -> Any:
        return model(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())[1]

    return theirs(job, model, loss_of, optimizer)


def transformers(job: Job) -> Callable[[int], None]:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = job.shape
    config = GPT2Config(
        vocab_size=shape.vocab_size, n_positions=shape.context, n_embd=shape.width,
        n_layer=shape.layers, n_head=shape.heads, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        use_cache=False,
    )  # fmt: skip
    with torch.device(job.device):
        model = GPT2LMHeadModel(config)
    if job.setting == "bfloat16":
        model = model.to(torch.bfloat16)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=6e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )

    def loss_of(ids: Any) -> Any:
        logits = model(ids[:, :-1]).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    return theirs(job, model, loss_of, optimizer)


LIBRARIES = {OURS: ours, NANOGPT: nanogpt, TRANSFORMERS: transformers}


def products(job: Job) -> float:
    """Seconds of a step's matrix products, each shape alone, the outputs' memory used again."""
    import torch

    from wellread.train.loss import positions_at_once

    shape, dtype = job.shape, torch.float32 if job.setting == "float32" else torch.bfloat16
    N, C, T = job.batch * shape.context, shape.width, shape.context
    depth = C // shape.heads
    heads = job.batch * shape.heads
    part = min(N, positions_at_once(shape.vocab_size, torch.device(job.device)))
    normal = functools.partial(torch.randn, dtype=dtype, device=job.device)

    def best(left: Any, right: Any, repeat: int = 5) -> float:
        out = left @ right
        seconds = []
        for _ in range(repeat):
            start = wait(job.device)
            torch.matmul(left, right, out=out)
            seconds.append(wait(job.device) - start)
        return statistics.median(seconds)

    def three(rows: int, num_in: int, num_out: int) -> float:
        x, w, gradient = normal(rows, num_in), normal(num_out, num_in), normal(rows, num_out)
        return best(x, w.t()) + best(gradient, w) + best(gradient.t(), x)

    linear = [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)]
    layers = shape.layers * sum(three(N, *sizes) for sizes in linear)
    head = N / part * three(part, C, shape.vocab_size)
    q, scores = normal(heads, T, depth), normal(heads, T, T)
    # Forward two, backward four; of each the half that the mask leaves.
    attention = shape.layers / 2 * 3 * (best(q, q.transpose(1, 2)) + best(scores, q))
    return layers + head + attention


def wait(device: str) -> float:
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
    return time.perf_counter()


def work(job: Job) -> Run:
    warnings.filterwarnings("ignore")
    if job.device == "cpu":
        use_cores(job.threads)
    import torch

    if job.device == "cpu":
        torch.set_num_threads(job.threads)
    else:
        torch.set_float32_matmul_precision("high")
    run = LIBRARIES[job.library](job)
    start = wait(job.device)
    run(2)
    warm = wait(job.device)
    run(job.steps)
    seconds = (wait(job.device) - warm) / job.steps
    peak = torch.cuda.max_memory_allocated() if job.device == "cuda" else peak_bytes()
    floor = products(job) if job.library == OURS and job.device == "cpu" else 0.0
    return Run(
        seconds=seconds, warm_up_seconds=warm - start, peak_bytes=peak,
        amount=job.batch * job.shape.context, floor_seconds=floor,
    )  # fmt: skip


# The table


class Options(msgspec.Struct, frozen=True, kw_only=True):
    shapes: list[str]
    rounds: int
    steps: int
    threads: int
    device: str
    batch: int | None
    at_once: int | None
    limit: float
    nanogpt: Path | None
    ours: bool
    float32: bool
    compiled: bool
    json: Path | None


def measure(job: Job, limit_seconds: float) -> Outcome:
    environment = {"OMP_NUM_THREADS": str(job.threads)}
    if job.library == OURS:
        environment["GOMP_SPINCOUNT"] = "20000"
    return run_fresh(
        __file__, msgspec.json.encode(job), environment=environment, limit_seconds=limit_seconds
    )


def settings_of(options: Options, name: str) -> list[Job]:
    batch, is_cuda = options.batch or BATCHES.get(name, 4), options.device == "cuda"
    at_once = dict.fromkeys(LIBRARIES, batch)
    if is_cuda:
        passes = ON_CUDA[name]
        batch = options.batch or passes.batch
        at_once = dict.fromkeys(LIBRARIES, passes.theirs) | {OURS: passes.ours}
        most = min(batch, options.at_once or batch)
        at_once = {library: min(size, most) for library, size in at_once.items()}
    libraries = [OURS]
    if not options.ours:
        libraries += [NANOGPT] if options.nanogpt else []
        libraries += [TRANSFORMERS] if version_of("transformers") else []
    return [
        Job(
            name=name, shape=SHAPES[name], batch=batch, at_once=at_once[library], library=library,
            setting=setting, compiled=compiled,
            device=options.device, threads=options.threads, steps=options.steps,
            nanogpt=str(options.nanogpt or ""),
        )
        for library in libraries
        for setting in ("bfloat16", "autocast", "float32")
        for compiled in (False, True)
        if not (library == OURS and setting == "autocast")
        and not (setting == "float32" and not options.float32)
        and compiled in ((True,) if is_cuda else (False, options.compiled))
        and not (compiled and library == OURS and not is_cuda)  # leaves out kernels
        and not (is_cuda and setting == "bfloat16" and library != OURS)  # is another training
    ]  # fmt: skip


def tried_once(jobs: Sequence[Job], measured: Callable[[Job], Outcome]) -> dict[Job, Outcome]:
    """Each setting at one step, of libraries that have several."""
    libraries = [job.library for job in jobs]
    if len(libraries) == len(set(libraries)):
        return {job: Failure(reason="not tried") for job in jobs}
    short = {msgspec.structs.replace(job, steps=1): job for job in jobs}
    return {short[one]: found for one, [found] in in_rounds(list(short), 1, measured).items()}


def fastest(tried: dict[Job, Outcome]) -> list[Job]:
    """Of each library the setting that took the least time."""
    best: dict[str, tuple[float, Job]] = {}
    for job, outcome in tried.items():
        if isinstance(outcome, Run):
            entry = (outcome.seconds, job)
            best[job.library] = min(best.get(job.library, entry), entry, key=lambda e: e[0])
    return [job for _, job in best.values()]


def row_of(
    job: Job, outcomes: Sequence[Outcome], mine: Sequence[float], peak: float | None
) -> list[str]:
    """`mine` are our seconds by round; none if these outcomes are of no round."""
    row = [job.name, f"{job.library} {version_of(job.library) or ''}".strip(), job.how]
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    if len(runs) < len(outcomes):
        return [*row, *(o.reason for o in outcomes if isinstance(o, Failure)), "", "", "", ""]
    speeds = [run.amount / run.seconds for run in runs]
    rate = statistics.median(speeds) * training_flops(job.shape)
    share = f"{rate / 1e12:.2f}" + (f" ({100 * rate / peak:.0f} %)" if peak else "")
    against = ratios([run.seconds for run in runs], mine)
    alone = ""
    if job.library == OURS:
        against = "1" if mine else ""
        if job.device == "cpu":
            alone = spread([100 * run.floor_seconds / run.seconds for run in runs], 0) + " %"
    memory = f"{max(run.peak_bytes for run in runs) / 1e9:.2f}"
    return [*row, spread(speeds, 0), against, share, alone, memory]


def peak_of(device: str) -> tuple[str, float | None]:
    """The GPU and its driver in words, and what it is meant to do in a second."""
    if device != "cuda":
        return device, None
    import torch

    name, asked = (
        torch.cuda.get_device_name(),
        ["--query-gpu=driver_version", "--format=csv,noheader"],
    )
    driver = subprocess.run(["nvidia-smi", *asked], capture_output=True, text=True, check=False)
    return f"{name}, driver {driver.stdout.strip()}", PEAK.get(name)


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = work(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=["124M", "10M"], choices=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="timed in each run")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--batch", type=int, help="sequences of a step, instead of the shape's")
    parser.add_argument("--at-once", type=int, help="of them on a GPU, at most")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="of a process, seconds")
    parser.add_argument("--nanogpt", type=Path, help="nanoGPT's model.py")
    parser.add_argument("--ours", action="store_true", help="wellread alone")
    parser.add_argument("--float32", action="store_true", help="all in float32 too")
    parser.add_argument("--compiled", action="store_true", help="torch.compile too")
    parser.add_argument("--json", type=Path, help="file for the raw numbers")
    options = msgspec.convert(vars(parser.parse_args()), Options)
    about, (device, peak) = machine(), peak_of(options.device)
    measured = functools.partial(measure, limit_seconds=options.limit)
    rows: list[list[str]] = []
    raw: list[dict[str, Any]] = []
    for name in options.shapes:
        tried = tried_once(settings_of(options, name), measured)
        chosen = fastest(tried) or list(tried)
        outcomes = in_rounds(chosen, options.rounds, measured)
        mine = next((seconds_of(o) for job, o in outcomes.items() if job.library == OURS), [])
        for job, once in tried.items():
            is_in_rounds = job in outcomes
            rounds = outcomes[job] if is_in_rounds else [once]
            rows.append(row_of(job, rounds, mine if is_in_rounds else [], peak))
            raw.append({"job": job, "tried": once, "rounds": outcomes.get(job, [])})
    headings = [
        "shape", "library", "setting", "tokens/s", "its time / wellread's (goal 1.3)",
        "10^12 operations/s", "products alone, of the step (goal 70)", "peak, GB",
    ]  # fmt: skip
    sys.stdout.write(
        f"{about}; torch {version_of('torch')}, {device}, {options.threads} threads, "
        f"{options.rounds} rounds of {options.steps} steps; medians (smallest to largest). "
        "Settings that were not the fastest of their library: one step.\n\n"
        f"{table(headings, rows)}\n"
    )
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(raw)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
