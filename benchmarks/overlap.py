"""Index and look-ups at a filter of several GB, beside rbloom, datatrove and bff.

    python benchmarks/overlap.py keys --peers FOLDER   # random keys: insert, look up
    python benchmarks/overlap.py text --peers FOLDER   # text: its 8-grams inserted, looked up
    python benchmarks/overlap.py curve                 # ours: `overlap index` by size of text
    python benchmarks/overlap.py all --peers FOLDER --bff target/release/bff

    pip install --target FOLDER rbloom 'datatrove[io,processing]' spacy

Filters are of --gb (4 GB: beyond any cache) for a false-positive rate of 1e-8; rbloom's has the
same number of bits, and so room for a few more keys. All pages of a filter have been written to
before the clock starts: a new page costs a fault, with each library the same.

`keys`: random 64-bit keys, others in each measure. rbloom is a Python loop over a list of ints:
`add`, and `in`. Ours are arrays of 200,000, which is what the index makes of 256 documents. A
filter has the share of its keys in it that was inserted before, a few per cent; what is looked up
is absent, or present. Beside it, what the memory allows: a loop that reads a line of 64 bytes at a
random place of an array as large, in no order that a processor could foresee.

`text`: documents of 5 KB of the installed documentation, each once (texts.py). Inserted are all
8-grams of lower-cased words: rbloom's, of the strings that `re` and `join` give, by a Python loop.
Looked up are the 8-grams of other documents. Ours starts with the column of a Parquet file, as the
index does, and ends in the filter. datatrove's filter NGramsDecontFilter asks, as it is meant to,
for the 8-grams of documents in a dictionary of those of a test set (LAMBADA's size: 2 MB of other
text), with its normalisation and spaCy's words, until it finds one. bff (whole documents, 8-grams)
reads and writes gzip files.

`curve`: the whole command from a Parquet file, of random words so that every 8-gram is another:
seconds, peak memory, and the filter's size.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from overlap_inputs import (
    KEYS_TOGETHER,
    Job,
    columns_of,
    documents_file,
    random_keys,
    random_words,
    timed,
)
from overlap_peers import RATE, big_friendly_filter, decontamination, their_keys, their_text
from side_by_side import (
    Failure,
    Outcome,
    Run,
    in_rounds,
    machine,
    run_fresh,
    spread,
    table,
    use_cores,
    version_of,
)

OURS, LOOP, DECONT, BFF, FLOOR = "wellread", "rbloom", "datatrove", "bff", "memory"
LIMIT_SECONDS = 600
PACKAGES = ("numpy", "numba", "rbloom", "datatrove", "spacy")


# Random keys


def keys(options: argparse.Namespace, _: Path) -> str:
    few, many = (10**6, 10**7) if options.quick else (3 * 10**6, 4 * 10**7)
    jobs = [
        Job(measure=measure, library=library, cores=cores, amount=amount, gb=options.gb,
            peers=tuple(options.peers))
        for measure in ("insert", "look up absent", "look up present")
        for library, cores, amount in (
            (FLOOR, 1, many), (LOOP, 1, few), (OURS, 1, many), (OURS, 2, many))
    ]  # fmt: skip
    jobs = [job for job in jobs if not (job.library == FLOOR and job.measure != "look up absent")]
    outcomes = in_rounds(jobs, options.rounds, measured)
    floor = next(outcomes[job] for job in jobs if job.library == FLOOR)
    rows = []
    for job in jobs:
        is_floor, mine = job.library == FLOOR, outcomes[job]
        loop = next(
            outcomes[other] for other in jobs
            if (other.library, other.measure) == (LOOP, job.measure)
        )  # fmt: skip
        rows.append(
            [
                "read a line" if is_floor else job.measure, job.library, str(job.cores),
                *rates(mine, 1e6, 1), "" if is_floor else over(mine, loop),
                "" if is_floor else over(mine, floor, 2),
            ]
        )  # fmt: skip
    titles = ["", "", "cores", "million/s", "/ rbloom's", "/ lines read at random"]
    return f"random keys, filters of {options.gb:g} GB\n\n{table(titles, rows)}"


def our_filter(gb: float) -> tuple[Any, Any]:
    """Pages of a filter of about so many GB, each written to, and its size."""
    from wellread.ngrams.bloom import best_design, new_pages, size_for

    size = size_for(int(gb * 8e9 / best_design(RATE).bits_per_key), RATE)
    pages = new_pages(size.num_pages)
    pages[:, 0] = 0
    return pages, size


def our_keys(job: Job) -> Run:
    from wellread.base.threads import in_order
    from wellread.ngrams.bloom import Bloom
    from wellread.ngrams.filling import by_section, insert_batches

    pages, size = our_filter(job.gb)
    bloom = Bloom(pages=pages, lines=size.lines)

    def insert(batches: Sequence[np.ndarray]) -> None:
        threads = in_order(by_section, batches, job.cores)
        insert_batches(threads, pages, size, threads=job.cores)

    def look_up(batches: Sequence[np.ndarray]) -> None:
        found = sum(int(some.sum()) for some in in_order(bloom.contains, batches, job.cores))
        expected = len(batches) * KEYS_TOGETHER if job.measure == "look up present" else 0
        if not expected <= found <= expected + 30:
            raise SystemExit(f"{found} keys found, expected {expected}")

    known, others = random_keys(1, job.amount), random_keys(2, job.amount)
    work, given = {
        "insert": (insert, known), "look up absent": (look_up, others),
        "look up present": (look_up, known),
    }[job.measure]  # fmt: skip
    insert(others[:2] if job.measure == "insert" else known)
    if job.measure != "insert":
        work(given[:1])
    return timed(partial(work, given), job.amount)


def memory_floor(job: Job) -> Run:
    from numba import njit

    from wellread.base.intrinsics import high_product

    pages, _ = our_filter(job.gb)
    lines = pages.reshape(-1, 8)

    @njit
    def read(lines: np.ndarray, keys: np.ndarray) -> np.uint64:
        total = np.uint64(0)
        for key in keys:
            total += lines[high_product(key, np.uint64(len(lines))), 0]
        return total

    (given,) = [np.concatenate(random_keys(1, job.amount))]
    read(lines, given[:10])
    return timed(lambda: read(lines, given), job.amount)


# Text


def text(options: argparse.Namespace, folder: Path) -> str:
    mb = 10 if options.quick else 60
    few = 2 if options.quick else 10
    path = documents_file(folder, mb)
    jobs = [
        Job(measure=measure, library=library, cores=cores, amount=int(amount * 1e6),
            gb=options.gb, peers=tuple(options.peers), text=str(path), bff=options.bff or "")
        for measure in ("insert", "look up")
        for library, cores, amount in (
            (LOOP, 1, few), (DECONT, 1, few), (BFF, 2, mb), (OURS, 1, mb), (OURS, 2, mb))
    ]  # fmt: skip
    jobs = [
        job for job in jobs
        if not (job.library == DECONT and job.measure == "insert")
        and not (job.library == BFF and (job.measure == "look up" or not job.bff))
    ]  # fmt: skip
    outcomes = in_rounds(jobs, options.rounds, measured)
    rows = []
    for job in jobs:
        theirs = next(
            outcomes[other] for other in jobs
            if (other.library, other.measure) == (LOOP, job.measure)
        )  # fmt: skip
        rows.append(
            [
                job.measure, job.library, str(job.cores), *rates(outcomes[job], 1e6, 1),
                *rates(outcomes[job], 1e6 * job.cores, 1), over(outcomes[job], theirs),
            ]
        )  # fmt: skip
    titles = ["", "", "cores", "MB/s", "MB/s and core", "/ rbloom's"]
    return f"{mb} MB of documentation, filters of {options.gb:g} GB\n\n{table(titles, rows)}"


def our_text(job: Job) -> Run:
    from wellread.base.threads import in_order
    from wellread.ngrams.bloom import Bloom
    from wellread.ngrams.filling import by_section, insert_batches
    from wellread.ngrams.hashing import column_hashes

    pages, size = our_filter(job.gb)
    bloom = Bloom(pages=pages, lines=size.lines)
    given = list(columns_of(job))
    num_bytes = sum(len(column.buffers()[2]) for column in given)

    def insert(columns: Sequence[pa.Array]) -> None:
        batches = in_order(lambda some: by_section(column_hashes(some).hashes), columns, job.cores)
        insert_batches(batches, pages, size, threads=job.cores)

    def look_up(columns: Sequence[pa.Array]) -> None:
        def found(column: pa.Array) -> int:
            return int(bloom.contains(column_hashes(column).hashes).sum())

        for _ in in_order(found, columns, job.cores):
            pass

    insert(given[:2])
    look_up(given[:2])
    work = insert if job.measure == "insert" else look_up
    return timed(partial(work, given), num_bytes)


# The whole command


def curve(options: argparse.Namespace, folder: Path) -> str:
    sizes = [2, 4, 8] if options.quick else [10, 40, 160]  # million n-grams
    rows = []
    for millions in sizes:
        path = random_words(folder, millions)
        out = folder / "index"
        command = [sys.executable, "-m", "wellread", "overlap", "index", str(path), "-o", str(out)]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = watched(process)
        seconds = time.monotonic() - start
        bits = msgspec.json.decode((out / "manifest.json").read_bytes())["facts"]["index"]
        num_bytes = pq.read_metadata(path).metadata[b"bytes"]
        rows.append(
            [
                f"{int(num_bytes) / 1e6:,.0f}", f"{bits['num_ngrams'] / 1e6:,.0f}",
                f"{seconds:.1f}", f"{int(num_bytes) / 1e6 / seconds:.0f}",
                f"{bits['num_bits'] / 8e6:,.0f}", f"{(peak - bits['num_bits'] / 8) / 1e6:,.0f}",
            ]
        )  # fmt: skip
        path.unlink()
    titles = [
        "MB of text",
        "million 8-grams",
        "seconds",
        "MB/s",
        "filter, MB",
        "peak less filter, MB",
    ]
    return table(titles, rows)


def watched(process: subprocess.Popen[bytes]) -> int:
    """The most anonymous memory that a process had, looked at ten times a second."""
    peak = 0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        held = status.read_text(encoding="ascii").partition("RssAnon:")[2].split()
        peak = max(peak, int(held[0]) * 1024 if held else 0)
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"wellread overlap index failed with {process.returncode}")
    return peak


# Fresh processes and tables


def measured(job: Job) -> Outcome:
    environment = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    encoded = msgspec.json.encode(job)
    return run_fresh(__file__, encoded, environment=environment, limit_seconds=LIMIT_SECONDS)


def rates_of(outcomes: Sequence[Outcome]) -> list[float]:
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    return [run.amount / run.seconds for run in runs] if len(runs) == len(outcomes) else []


def rates(outcomes: Sequence[Outcome], unit: float, digits: int) -> list[str]:
    failed = [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)]
    return failed[:1] or [spread([rate / unit for rate in rates_of(outcomes)], digits)]


def over(ours: Sequence[Outcome], theirs: Sequence[Outcome], digits: int = 1) -> str:
    """Our rate over theirs, by round; empty if either has none."""
    mine, other = rates_of(ours), rates_of(theirs)
    if not mine or not other:
        return ""
    return spread([a / b for a, b in zip(mine, other, strict=True)], digits)


def work_of(job: Job) -> Run:
    use_cores(job.cores)
    sys.path += job.peers
    if job.library == FLOOR:
        return memory_floor(job)
    if job.library == DECONT:
        return decontamination(job)
    if job.library == BFF:
        return big_friendly_filter(job)
    if job.text:
        return (our_text if job.library == OURS else their_text)(job)
    return (our_keys if job.library == OURS else their_keys)(job)


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = work_of(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    works = {"keys": keys, "text": text, "curve": curve}
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=(*works, "all"))
    parser.add_argument("--peers", nargs="*", default=[], help="folders of packages")
    parser.add_argument("--bff", help="bff's program")
    parser.add_argument("--gb", type=float, default=4.0, help="of the filters")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="see that all of it runs")
    options = parser.parse_args()
    if options.quick:
        options.gb, options.rounds = min(options.gb, 0.5), 1
    sys.path += options.peers
    found = {name: version_of(name) for name in PACKAGES}
    versions = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    sys.stdout.write(f"{machine()}; {versions}\n\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in works if options.what == "all" else [options.what]:
            sys.stdout.write(works[name](options, Path(folder)) + "\n\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
