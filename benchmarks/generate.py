"""Generation beside its peers, in one run.

    python benchmarks/generate.py            # one table: batch 1, batch 64, reading a prompt
    python benchmarks/generate.py --llama    # with llama.cpp: pip install llama-cpp-python gguf
    python benchmarks/generate.py --ours --rows 1 --size 124M 355M 774M 1558M
    python benchmarks/generate.py --device cuda --size 124M 1558M

GPT-2, of 124M parameters where nothing else is said, with random weights (the time does not depend
on them), greedy, after a prompt of 32 tokens. Each run is a fresh process with two threads;
loading, compiling and a first short generation come before the clock starts; the time of the
prompt is measured apart and taken off. The floor of batch 1 is the time to read the weights once:
the same process then reads a buffer of their size, as fast as its threads can, and the best of 18
times counts. Ratios are taken by round. `pip install -e ".[test,bench]"` brings the peers;
transformers' compiled row needs a C++ compiler, and so does building llama.cpp; ours does not.
Reading a prompt stands beside a forward pass of training over the same ids, PyTorch's, with logits
of the last position only. On a GPU all is in bfloat16, and the floor is the weights' size over the
memory's speed in NVIDIA's data sheet.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numba import njit
from side_by_side import (
    Outcome,
    Run,
    in_rounds,
    machine,
    peak_bytes,
    ratios,
    run_fresh,
    seconds_of,
    spread,
    table,
    use_cores,
    version_of,
)

OURS = "wellread"
VOCABULARY, PROMPT = 50_257, 32
# Bytes a second, by PyTorch's name of the device: NVIDIA's data sheets of the SXM modules.
BANDWIDTH = {"NVIDIA H100 80GB HBM3": 3.35e12, "NVIDIA H200": 4.8e12}
LIMIT_SECONDS = 900.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    work: str  # step or prompt
    library: str
    dtype: str
    rows: int
    tokens: int  # new ones of each row, or the prompt's
    threads: int
    model: str
    weight_bytes: int
    device: str
    compiled: bool = False

    def __str__(self) -> str:
        how = f"{self.dtype}{', compiled' if self.compiled else ''}"
        return f"{self.work} {self.library} {how}, {self.rows} rows"


# What is timed


def ours(job: Job) -> Callable[[int], Any]:
    from wellread.generation.sample import generate_ids
    from wellread.model.load import load_model

    model = load_model(job.model, device=job.device, dtype=job.dtype)

    def run(tokens: int) -> Any:
        prompts = prompt_ids(job)
        return generate_ids(model, prompts, max_new_tokens=tokens, seeds=range(job.rows), top_k=1)

    return run


def transformers(job: Job) -> Callable[[int], Any]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(job.model, dtype=getattr(torch, job.dtype))
    model = model.to(job.device)
    model.generation_config.eos_token_id = None
    more: dict[str, Any] = {}
    if job.compiled:
        model.generation_config.cache_implementation = "static"
        model.forward = torch.compile(model.forward, mode="default", fullgraph=True)

    def run(tokens: int) -> Any:
        given = torch.tensor(prompt_ids(job), device=job.device)
        return model.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=tokens,
            min_new_tokens=tokens, do_sample=False, pad_token_id=0, **more,
        )  # fmt: skip

    return run


def forward(job: Job) -> Callable[[int], Any]:
    """A forward pass as in training, which keeps what the backward pass needs."""
    import torch
    from torch.nn import functional as F

    from wellread.model.load import load_model

    model = load_model(job.model, device=job.device, dtype=job.dtype).train()
    ids = torch.tensor(prompt_ids(job), device=job.device)
    return lambda _: F.linear(model.hidden(ids)[:, -1], model.head_VC)


def llama(job: Job) -> Callable[[int], Any]:
    """Evaluate, take the likeliest, and again; keys and values in float16, as it does by itself."""
    import llama_cpp

    model = llama_cpp.Llama(
        f"{job.model}/{job.dtype}.gguf", n_ctx=job.tokens + 64, n_batch=1024, n_ubatch=512,
        n_threads=job.threads, n_threads_batch=job.threads, verbose=False,
    )  # fmt: skip

    def run(tokens: int) -> Any:
        model.reset()
        given = prompt_ids(job)[0]
        for _ in range(tokens):
            model.eval(given)
            logits = np.ctypeslib.as_array(model._ctx.get_logits_ith(-1), (VOCABULARY,))
            given = [int(logits.argmax())]

    return run


def write_gguf(network: Any, dtype: str, path: Path) -> None:
    """The network as llama.cpp reads it: matrices in `dtype`, all else in float32."""
    import gguf
    import torch

    shape, kind = network.config, gguf.GGMLQuantizationType
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(4 * shape.width)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.norm_epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{number}" for number in range(shape.vocab_size)])
    writer.add_token_types([gguf.TokenType.NORMAL] * shape.vocab_size)
    writer.add_token_merges(["t 0"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, shape.layers)
    for name, weight in network.state_dict().items():
        to = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if weight.dim() == 2 and dtype == "bfloat16" and name != "wpe.weight":
            bits = weight.to(torch.bfloat16).contiguous().view(torch.int16).numpy()
            writer.add_tensor(to, bits.view(np.uint16), raw_dtype=kind.BF16)
        else:
            writer.add_tensor(to, weight.float().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


LIBRARIES = {OURS: ours, "transformers": transformers, "torch": forward, "llama-cpp-python": llama}


def prompt_ids(job: Job) -> list[list[int]]:
    length = job.tokens if job.work == "prompt" else PROMPT
    numbers = np.random.default_rng(0).integers(0, VOCABULARY, (job.rows, length))
    return [[int(number) for number in row] for row in numbers]


@njit(nogil=True)  # type: ignore[untyped-decorator]
def _sum(words: Any) -> Any:
    total = np.uint64(0)
    for word in words:
        total += word
    return total


def read_once(num_bytes: int, threads: int) -> float:
    """The fewest seconds in which `threads` read a buffer of `num_bytes`."""
    parts = np.array_split(np.ones(num_bytes // 8, np.uint64), threads)
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(20):
            start = time.perf_counter()
            list(pool.map(_sum, parts))
            seconds.append(time.perf_counter() - start)
    return min(seconds[2:])


def is_bound_by_reading(job: Job) -> bool:
    return job.work == "step" and job.rows == 1


def work(job: Job) -> Run:
    if job.device == "cpu":
        use_cores(job.threads)
    import torch

    torch.set_num_threads(job.threads)
    made, is_cuda = LIBRARIES[job.library](job), job.device == "cuda"

    def run(tokens: int) -> None:
        made(tokens)
        if is_cuda:
            torch.cuda.synchronize()

    new = 1 if job.work == "prompt" else job.tokens
    start = time.perf_counter()
    run(1 if job.work == "prompt" else 4)
    if job.compiled:  # for each length of its cache
        run(new)
        run(1)
    warm = time.perf_counter()
    run(new)
    seconds, amount = time.perf_counter() - warm, job.rows * job.tokens
    if job.work == "step":  # without the prompt, and the token that it gives
        again = time.perf_counter()
        run(1)
        seconds, amount = seconds - (time.perf_counter() - again), amount - job.rows
    floor = amount * reading(job) if is_bound_by_reading(job) else 0.0
    peak = torch.cuda.max_memory_allocated() if is_cuda else peak_bytes()
    return Run(
        seconds=seconds, warm_up_seconds=warm - start, peak_bytes=peak, amount=amount,
        floor_seconds=floor,
    )  # fmt: skip


def reading(job: Job) -> float:
    """The fewest seconds in which all weights are read."""
    if job.device == "cpu":
        return read_once(job.weight_bytes, job.threads)
    import torch

    return job.weight_bytes / BANDWIDTH.get(torch.cuda.get_device_name(), float("inf"))


# The table


class Options(msgspec.Struct, frozen=True, kw_only=True):
    repeat: int
    threads: int
    rows: list[int]
    size: list[str]
    device: str
    ours: bool
    llama: bool
    json: Path | None


def measure(job: Job) -> Outcome:
    return run_fresh(
        __file__, msgspec.json.encode(job), environment={"OMP_NUM_THREADS": str(job.threads)},
        limit_seconds=LIMIT_SECONDS,
    )  # fmt: skip


def jobs_of(options: Options, model: str, weight_bytes: int) -> list[Job]:
    bytes_of = {"float32": weight_bytes, "bfloat16": weight_bytes // 2}
    jobs: list[Job] = []
    kinds = [
        (OURS, "float32", False), (OURS, "bfloat16", False), ("transformers", "float32", False),
        ("transformers", "bfloat16", False), ("transformers", "float32", True),
        ("transformers", "bfloat16", True),
    ]  # fmt: skip
    if options.ours:
        kinds = kinds[:2]
    if options.llama:
        kinds += [("llama-cpp-python", dtype, False) for dtype in ("float32", "bfloat16")]
    is_cuda = options.device == "cuda"
    if is_cuda:
        kinds = [kind for kind in kinds if kind[1] == "bfloat16"]
    shapes = [("step", rows, 128 if rows == 1 or is_cuda else 32) for rows in options.rows]
    for what, rows, tokens in (*shapes, ("prompt", 1, 1000)):
        jobs += [
            Job(work=what, library=library, dtype=dtype, rows=rows, tokens=tokens,
                threads=options.threads, model=model, weight_bytes=bytes_of[dtype],
                device=options.device, compiled=compiled)
            for library, dtype, compiled in kinds
            if not (compiled and what == "prompt")
            and not (rows > 1 and (compiled or library == "llama-cpp-python"))
        ]  # fmt: skip
    jobs += [
        Job(work="prompt", library="torch", dtype=dtype, rows=1, tokens=1000,
            threads=options.threads, model=model, weight_bytes=bytes_of[dtype],
            device=options.device)
        for dtype in ("float32", "bfloat16")
        if not (options.ours or (is_cuda and dtype == "float32"))
    ]  # fmt: skip
    return jobs


def rows_of(jobs: list[Job], outcomes: dict[Job, list[Outcome]]) -> list[list[str]]:
    best = {(job.work, job.rows, job.dtype): outcomes[job] for job in jobs if job.library == OURS}
    rows = []
    for job in jobs:
        what = "reading a prompt of 1,000" if job.work == "prompt" else f"{job.rows} at a time"
        library = f"{job.library} {version_of(job.library)}"
        if job.library == "torch":
            library += ", training"
        head = [what, library, job.dtype + (", compiled" if job.compiled else "")]  # fmt: skip
        runs = [outcome for outcome in outcomes[job] if isinstance(outcome, Run)]
        if not runs:
            rows.append([*head, outcomes[job][0].reason, "", "", ""])  # type: ignore[union-attr]
            continue
        speeds = [run.amount / run.seconds for run in runs]
        mine = seconds_of(best[job.work, job.rows, job.dtype])
        share = ""
        if is_bound_by_reading(job):
            shares = [100 * run.floor_seconds / run.seconds for run in runs]
            share = f"{statistics.median(shares):.0f} % ({min(shares):.0f} to {max(shares):.0f})"
        against = "1" if job.library == OURS else ratios(seconds_of(runs), mine)
        peak = f"{max(run.peak_bytes for run in runs) / 1e9:.2f}"
        rows.append([*head, spread(speeds, 1), against, share, peak])
    return rows


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = work(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="rounds")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--size", nargs="+", default=["124M"])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--ours", action="store_true", help="wellread alone")
    parser.add_argument("--llama", action="store_true", help="llama.cpp beside it")
    parser.add_argument("--json", type=Path, help="file for the raw numbers")
    options = msgspec.convert(vars(parser.parse_args()), Options)
    about, raw = machine(), []
    for size in options.size:
        outcomes = measure_size(size, options, about)
        raw += [{"size": size, "job": job, "rounds": rounds} for job, rounds in outcomes.items()]
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(raw)))
    return 0


def measure_size(size: str, options: Options, about: str) -> dict[Job, list[Outcome]]:
    """Write the table of one size."""
    from wellread.model.gpt2 import GPT2
    from wellread.model.load import save_model
    from wellread.model.sizes import ModelConfig

    with tempfile.TemporaryDirectory() as folder:
        network = GPT2(ModelConfig(size=size).architecture(VOCABULARY)).initialise(0)
        save_model(network, Path(folder))
        if options.llama:
            for dtype in ("float32", "bfloat16"):
                write_gguf(network, dtype, Path(folder) / f"{dtype}.gguf")
        jobs = jobs_of(options, folder, network.config.num_bytes())
        del network
        outcomes = in_rounds(jobs, options.repeat, measure)
    headings = ["work", "library", "weights", "tokens/s", "its time / wellread's", "of the floor",
                "peak, GB"]  # fmt: skip
    body = table(headings, rows_of(jobs, outcomes))
    sys.stdout.write(
        f"GPT-2 {size}. {about}. {options.threads} threads, {options.repeat} rounds; medians "
        f"(smallest to largest).\n\n{body}\n"
    )
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
