"""From a dump to a table of links, beside unpacking it, and beside a loop over its records.

    python benchmarks/links.py            # speed, one core; then two dumps on two cores
    python benchmarks/links.py --memory   # peak memory by number of links

The dump is the real one of 2013 (docs/test-data.md) ten times over, 1.09 GB of JSON: the order of
records differs from copy to copy, and so do ids and URLs. What is compared, in rounds, each in a
process of its own, of which the work alone is timed:

- the floor: `zstd --long=31 -dc DUMP | wc -l`;
- a loop: json.loads for each line, the same rules, no canonical URLs, no table;
- wellread's reading: records that pass the rules, with their canonical URLs;
- wellread's whole stage: the sorted Parquet table, with its manifest.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from side_by_side import machine, spread, table, version_of
from texts import REAL_DATA

from wellread.formats.compressed import WINDOW_LOG, zstd

COPIES = 10
FLOOR, LOOP, READING, STAGE = "zstd | wc -l", "json.loads loop", "reading", "whole stage"
ROWS = (1_000_000, 5_000_000, 20_000_000)
URL_BYTES = 80


def make_dump(target: Path, seed: int = 0) -> int:
    """The real dump COPIES times, with other ids and URLs; how many bytes of JSON."""
    source = REAL_DATA / "reddit" / "RS_2013_top.zst"
    if not source.exists():
        sys.exit(f"{source}: not here (docs/test-data.md)")
    with opened(source) as reader:
        lines = reader.read().splitlines()
    order, count = np.random.default_rng(seed), 0
    # A frame as long dumps have them: a window of 128 MiB, not filled by a search for repeats, of
    # which ten copies have more than any dump.
    program = ["zstd", "-q", "-f", "-3", "--zstd=wlog=27", "-o", str(target)]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as packing:
        assert packing.stdin is not None
        for copy in range(COPIES):
            for number in order.permutation(len(lines)):
                line = lines[number]
                line = re.sub(
                    rb'"id": "(\w+)"', rb'"id": "\g<1>_%d_%d"' % (seed, copy), line, count=1
                )
                line = re.sub(
                    rb'"url": "(https?://[^/"]+)',
                    rb'"url": "\g<1>/%d%d' % (seed, copy),
                    line,
                    count=1,
                )
                packing.stdin.write(line + b"\n")
                count += len(line) + 1
    return count


# What is timed; each runs in a process of its own.


def loop(dump: Path) -> int:
    """The same rules on what json.loads gives, as most would write them."""
    from wellread.links.config import LinksConfig
    from wellread.links.rules import FILE_TYPES, REDDIT, WIKIPEDIA, policy_of

    policy = policy_of(LinksConfig())
    refused, kept = policy.media | REDDIT | WIKIPEDIA, 0
    with opened(dump) as reader:
        for line in iter_lines(reader):
            post = json.loads(line)
            if post["score"] < policy.min_karma or post["is_self"] or post["over_18"]:
                continue
            if (
                post["created_utc"] >= policy.end_utc
                or post["subreddit"].lower() in policy.subreddits
            ):
                continue
            host, _, path = post["url"].partition("://")[2].partition("/")
            domain = ".".join(host.lower().split(".")[-2:])
            suffix = path.partition("?")[0].rpartition(".")[2].lower()
            kept += domain not in refused and suffix not in FILE_TYPES
    return kept


def opened(dump: Path) -> zstd.ZstdFile:
    return zstd.open(dump, options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})


def iter_lines(reader: zstd.ZstdFile) -> Iterator[bytes]:
    rest = b""
    while chunk := reader.read(1 << 20):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines


def reading(dump: Path) -> int:
    from wellread.base.files import HashingReader
    from wellread.base.intrinsics import PADDING
    from wellread.formats.compressed import read_blocks
    from wellread.links.block import KernelReader, Names
    from wellread.links.config import LinksConfig
    from wellread.links.names import Numbering
    from wellread.links.reading import BLOCK_BYTES
    from wellread.links.rules import policy_of

    reader = KernelReader(policy_of(LinksConfig()), Names(Numbering(), Numbering()))
    with HashingReader(dump) as file:
        blocks = read_blocks(dump, file, BLOCK_BYTES, PADDING)
        return sum(len(batch) for block in blocks for batch in reader.read(block).kept)


def stage(*dumps: Path) -> int:
    from wellread.links.config import LinksConfig
    from wellread.links.harvest import harvest_links

    with tempfile.TemporaryDirectory(dir=dumps[0].parent) as folder:
        return harvest_links(dumps, Path(folder) / "links", LinksConfig()).counts["out"]


def warm_up() -> None:
    """Import what the work needs and load its kernels, which takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "small.zst"
        post = b'{"url": "http://a.com/", "score": 3, "created_utc": 1, "subreddit": "a"}\n'
        dump.write_bytes(zstd.compress(post))
        reading(dump)
        stage(dump)


def merging(num_rows: int) -> int:
    """Rows of random URLs, merged."""
    from wellread.formats.sorting import Room
    from wellread.links import block
    from wellread.links.merge import merge_rows
    from wellread.links.names import Numbering

    names = block.Names(Numbering(), Numbering())
    zero, size, source = (
        names.domains["a.com"] + names.subreddits["s"],
        20_000,
        np.random.default_rng(0),
    )

    def rows() -> Iterator[pa.RecordBatch]:
        ends = np.arange(size + 1, dtype=np.int32) * URL_BYTES
        for _ in range(num_rows // size):
            text = source.integers(97, 123, size=size * URL_BYTES, dtype=np.uint8)
            numbers = [pa.array(np.full(size, zero, np.int32)), pa.array(np.full(size, 3))]
            urls = pa.StringArray.from_buffers(size, pa.py_buffer(ends), pa.py_buffer(text))
            columns = [urls, numbers[0], numbers[1], numbers[1], numbers[0]]
            yield pa.RecordBatch.from_arrays(columns, schema=block.ROWS)

    with tempfile.TemporaryDirectory() as folder:
        groups = merge_rows(rows(), names, Room(Path(folder), threads=2), sums_karma=False)
        return sum(len(group.links) for group in groups)


def measured(name: str, dumps: list[Path], cores: list[int]) -> tuple[float, int, float]:
    """Seconds of the work alone (of the floor: all), what it counted, and peak memory (MB)."""
    on_cores = ["taskset", "-c", ",".join(map(str, cores))]
    command = [*on_cores, sys.executable, __file__, "_worker", name, *map(str, dumps)]
    if name == FLOOR:
        command = [*on_cores, "sh", "-c", f"zstd --long=31 -dc '{dumps[0]}' | wc -l"]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=True)
    if name == FLOOR:
        return time.monotonic() - start, int(done.stdout), 0.0
    count, seconds, peak = done.stdout.split()
    return float(seconds), int(count), float(peak)


def speed(rounds: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        dumps = [Path(folder) / f"{number}.zst" for number in range(2)]
        num_bytes = make_dump(dumps[0], 0)
        make_dump(dumps[1], 1)
        for name in (READING, STAGE):
            measured(name, dumps[:1], cores)  # compiles
        runs: dict[str, list[tuple[float, int, float]]] = {}
        for _ in range(rounds):
            for name in (FLOOR, LOOP, READING, STAGE):
                runs.setdefault(name, []).append(measured(name, dumps[:1], cores[:1]))
            runs.setdefault("both", []).append(measured(STAGE, dumps, cores))
    seconds = {name: [run[0] for run in found] for name, found in runs.items()}
    records, kept = runs[FLOOR][0][1], runs[READING][0][1]
    sys.stdout.write(
        f"{num_bytes / 1e9:.2f} GB of JSON, {records:,} records, "
        f"{100 * kept / records:.0f} % kept, {runs[STAGE][0][1]:,} links\n\n"
    )
    rows = [
        [
            label, str(len(cores[:used])), spread(seconds[name], 1),
            spread([times * num_bytes / 1e6 / x for x in seconds[name]], 0),
            ""
            if name == "both"
            else spread([f / x for f, x in zip(seconds[FLOOR], seconds[name], strict=True)], 2),
            f"{max(run[2] for run in runs[name]):,.0f}" if name != FLOOR else "",
        ]
        for name, label, used, times in (
            (FLOOR, FLOOR, 1, 1), (LOOP, LOOP, 1, 1), (READING, "wellread, reading", 1, 1),
            (STAGE, "wellread, whole stage", 1, 1),
            ("both", "wellread, whole stage, two dumps", len(cores), 2),
        )
    ]  # fmt: skip
    titles = ["", "cores", "seconds", "MB/s of JSON", "of the floor's speed", "peak, MB"]
    sys.stdout.write(table(titles, rows) + "\n")


def memory() -> None:
    rows = []
    for count in ROWS:
        seconds, links, peak = measured(
            "merging", [Path(str(count))], sorted(os.sched_getaffinity(0))
        )
        rows.append([f"{links:,}", f"{seconds:.0f}", f"{peak:,.0f}"])
    sys.stdout.write(table([f"links of {URL_BYTES} bytes", "seconds", "peak, MB"], rows) + "\n")


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        name, *given = sys.argv[2:]
        paths = [Path(path) for path in given]
        work = {LOOP: loop, READING: reading, STAGE: stage}.get(name)
        if name in (READING, STAGE):
            warm_up()
        start = time.monotonic()
        count = work(*paths) if work else merging(int(given[0]))
        seconds = time.monotonic() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        sys.stdout.write(f"{count} {seconds} {peak}\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="peak memory instead of speed")
    options = parser.parse_args()
    names = ("duckdb", "backports.zstd", "numba")
    versions = ", ".join(f"{name} {version_of(name)}" for name in names)
    sys.stdout.write(f"{machine()}; {versions}\n\n")
    if options.memory:
        memory()
    else:
        speed(options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
