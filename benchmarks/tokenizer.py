"""The tokenizer beside its peers, in one run.

    python benchmarks/tokenizer.py train          # seconds and memory at 8,192 and 50,257 ids
    python benchmarks/tokenizer.py encode         # MB/s on one thread and on two; same ids?
    python benchmarks/tokenizer.py curve          # ours at 1 to 100 MB: is the cost linear?
    python benchmarks/tokenizer.py pathological   # one repeated letter, no white space, one word
    python benchmarks/tokenizer.py tokens         # `wellread tokens` beside the encoder alone

Each prints one Markdown table with the machine and the versions; `--json FILE` keeps every run.
`pip install -e ".[test,bench]"` brings the peers; one that is not installed has a row that says so.

How it is measured. Each run is a fresh process, so no cache has seen the text; the process has as
many cores as threads are allowed. Import, reading the file, loading the vocabulary and a small
warm-up on another text come before the clock starts; the text is then in the form that the
library's call takes. Where a library has several calls (the whole text, documents of about 5 KB, a
file), all are run and the fastest with the right ids counts; one that cannot use threads is run on
one only. Ratios are taken by round; MB are 10^6 bytes of UTF-8. The calls are in
`tokenizer_peers.py`, the texts in `texts.py`, the rounds in `side_by_side.py`.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from functools import cache
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
    ratios,
    run_fresh,
    seconds_of,
    spread,
    table,
    version_of,
)
from texts import (
    CACHE,
    REAL_DATA,
    TEXTS,
    benchmark_text,
    first_bytes,
    one_word,
    without_spaces,
)
from tokenizer_peers import (
    CALLS,
    ENCODING,
    OURS,
    THREADS,
    TRAINING,
    Call,
    Job,
    as_parquet,
    work,
)

from wellread.base.errors import InputError, WellreadError
from wellread.base.files import sha256_of

SIZES = (8_192, 50_257)
PEAK = "peak MB beyond import and loading, text included"
CURVE_MB = (1.0, 5.0, 10.0, 50.0, 100.0)
LIMIT_SECONDS = 600.0
PATHOLOGICAL_LIMIT_SECONDS = 20.0
# Its few distinct words fill no cache that the benchmark text would use.
WARM_UP = b"The warm-up of 2019 isn't measured: it loads what is loaded once.\n" * 15_000


class Options(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    mb: float
    repeat: int
    libraries: list[str]
    vocabulary: Path
    cache: Path
    json: Path | None
    folder: Path  # for this run's own files
    machine: str  # with its load before the run

    def path(self, mb: float | None = None) -> Path:
        """The text, or its first `mb` MB."""
        if self.text in TEXTS:
            num_bytes = round((self.mb if mb is None else mb) * 1e6)
            return benchmark_text(self.text, num_bytes, self.cache)
        whole = Path(self.text)
        if mb is None:
            return whole
        path = self.folder / f"{mb}-{whole.name}"
        path.write_bytes(first_bytes(whole.read_bytes(), round(mb * 1e6)))
        return path

    def job(self, call: Call, work: str, text: Path, **more: Any) -> Job:
        return Job(
            work=work, library=call.library, call=call.name, text=str(text),
            warm_up=str(self.folder / "warm-up.txt"), vocabulary=str(self.folder / "vocabulary"),
            **more,
        )  # fmt: skip

    def calls(self, work: str) -> list[Call]:
        """Those of the chosen libraries that are installed."""
        chosen = [call for call in CALLS[work] if call.library in self.libraries]
        return [call for call in chosen if version_of(call.library)]


def measure(
    job: Job, *, environment: Mapping[str, str] | None = None, limit: float = LIMIT_SECONDS
) -> Outcome:
    threads = {"RAYON_NUM_THREADS": str(job.threads), "TOKENIZERS_PARALLELISM": "true"}
    return run_fresh(
        __file__, msgspec.json.encode(job),
        environment={**threads, **(environment or {})}, limit_seconds=limit,
    )  # fmt: skip


def compile_note(jobs: Sequence[Job]) -> str:
    """How long the compiler takes; afterwards its cache is filled, so that no run includes it."""
    ours = [msgspec.structs.replace(job, text=job.warm_up) for job in jobs if job.library == OURS]
    if not ours:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        cold = measure(ours[0], environment={"NUMBA_CACHE_DIR": folder})
    for job in ours:
        measure(job)
    cached = measure(ours[0])
    if isinstance(cold, Failure) or isinstance(cached, Failure):
        return ""
    return (
        f"{OURS}'s first call ({ours[0].call}): {cold.warm_up_seconds:.1f} s to compile with an "
        f"empty cache, {cached.warm_up_seconds:.2f} s from the cache; neither is in the table."
    )


def fastest(
    jobs: Sequence[Job],
    outcomes: Mapping[Job, Sequence[Outcome]],
    wrong: Collection[Job] = (),
) -> Job:
    """The job with the smallest median; one that failed or is `wrong` only if there is no other."""

    def key(job: Job) -> tuple[bool, float]:
        seconds = seconds_of(outcomes[job])
        return job in wrong, statistics.median(seconds) if seconds else float("inf")

    return min(jobs, key=key)


def by_library(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    return {name: [job for job in jobs if job.library == name] for name in unique_libraries(jobs)}


def unique_libraries(jobs: Sequence[Job]) -> list[str]:
    return list(dict.fromkeys(job.library for job in jobs))


def failure_in(outcomes: Sequence[Outcome]) -> str:
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)]
    return reasons[0].replace("|", "/") if reasons else ""


def against(job: Job, seconds: Sequence[float], ours: Sequence[float]) -> str:
    return "1" if job.library == OURS else ratios(seconds, ours)


def peak_mb(outcomes: Sequence[Outcome]) -> str:
    peaks = [outcome.peak_bytes / 1e6 for outcome in outcomes if isinstance(outcome, Run)]
    return f"{statistics.median(peaks):,.0f}"


# train


def train(options: Options) -> str:
    text, threads = options.path(), len(os.sched_getaffinity(0))
    jobs = [
        options.job(call, "train", text, vocab_size=size, threads=threads)
        for size in SIZES
        for call in options.calls("train")
    ]
    compiled = compile_note(jobs)
    outcomes = in_rounds(jobs, options.repeat, measure)
    rows = []
    for size in SIZES:
        sized = [job for job in jobs if job.vocab_size == size]
        rows += train_rows(options, sized, outcomes)
        rows += missing_rows("train", options, f"{size:,}", 7)
    headings = [
        "ids", "library", "call", "seconds", f"its time / {OURS}'s",
        PEAK, "merges: those of `tokenizers`?",
    ]  # fmt: skip
    return report(options, text, table(headings, rows), [compiled], outcomes)


def train_rows(
    options: Options, jobs: Sequence[Job], outcomes: Mapping[Job, Sequence[Outcome]]
) -> list[list[str]]:
    best = {name: fastest(own, outcomes) for name, own in by_library(jobs).items()}
    merges = {
        name: learnt(options, job) for name, job in best.items() if not failure_in(outcomes[job])
    }
    ours = seconds_of(outcomes[best[OURS]]) if OURS in best else []
    counts = merge_counts(merges[OURS]) if OURS in merges else {}
    rows = []
    for name, job in best.items():
        head = [f"{job.vocab_size:,}", f"{name} {version_of(name)}", job.call]
        if reason := failure_in(outcomes[job]):
            rows.append([*head, reason, "", "", ""])
            continue
        seconds = seconds_of(outcomes[job])
        same = "its own" if name == "tokenizers" else ""
        if name != "tokenizers" and "tokenizers" in merges:
            same = agreement(merges[name][0], merges["tokenizers"][0], counts)
        rows.append(
            [*head, spread(seconds, 2), against(job, seconds, ours), peak_mb(outcomes[job]), same]
        )
    return rows


Merges = list[list[str]]


def learnt(options: Options, job: Job) -> tuple[Merges, list[int] | None]:
    """The merges of one more run, which is not timed, and their counts where they are known."""
    target = options.folder / "merges.json"
    measure(msgspec.structs.replace(job, result=str(target)))
    merges, counts = msgspec.json.decode(target.read_bytes())
    target.unlink()
    return merges, counts


def merge_counts(learnt: tuple[Merges, list[int] | None]) -> dict[str, int]:
    """How often the pair of each token occurred when it was merged."""
    merges, counts = learnt
    return dict(zip(map("".join, merges), counts or [], strict=False))


def agreement(merges: Merges, reference: Merges, counts: Mapping[str, int]) -> str:
    """How long two lists of merges are the same, and whether they part at a tie.

    The largest count never grows from one merge to the next, so two tokens that were merged at the
    same count were equally frequent as long as neither was merged.

    >>> agreement([["61", "62"], ["63"]], [["61", "62"], ["62", "63"]], {"63": 5, "6263": 5})
    'first 1 of 2, then a tie (5 each); 1 in common'
    """

    def differ(pair: tuple[list[str], list[str]]) -> bool:
        one, other = pair
        return one != other if len(one) == len(other) else "".join(one) != "".join(other)

    pairs = list(zip(merges, reference, strict=False))
    at = next((at for at, pair in enumerate(pairs) if differ(pair)), len(pairs))
    if at == len(merges) == len(reference):
        return f"all {at:,}"
    common = len(set(map("".join, merges)) & set(map("".join, reference)))
    why = "one list ends"
    if at < len(pairs):
        one, other = (counts.get("".join(merge)) for merge in pairs[at])
        why = (
            f"a tie ({one:,} each)" if one is not None and one == other else "not known to be a tie"
        )
    return f"first {at:,} of {len(merges):,}, then {why}; {common:,} in common"


# encode


def encode(options: Options) -> str:
    text = options.path()
    jobs = [
        options.job(call, "encode", text, threads=threads)
        for threads in THREADS
        for call in options.calls("encode")
        if threads in call.threads
    ]
    compiled = compile_note(jobs)
    outcomes = in_rounds(jobs, options.repeat, measure)
    same, notes = compare_ids(options, jobs, outcomes)
    wrong = [job for job in jobs if same.get(job) == "no"]
    rows = []
    for threads in THREADS:
        libraries = by_library([job for job in jobs if job.threads == threads])
        best = {name: fastest(own, outcomes, wrong) for name, own in libraries.items()}
        rows += encode_rows(best, outcomes, text.stat().st_size / 1e6, same)
        rows += missing_rows("encode", options, str(threads), 6)
    headings = [
        "threads",
        "library",
        "fastest call",
        "MB/s",
        f"{OURS}'s speed / its",
        "ids of tiktoken",
    ]
    return report(options, text, table(headings, rows), [compiled, *notes], outcomes)


def encode_rows(
    best: Mapping[str, Job],
    outcomes: Mapping[Job, Sequence[Outcome]],
    mb: float,
    same: Mapping[Job, str],
) -> list[list[str]]:
    ours = seconds_of(outcomes[best[OURS]]) if OURS in best else []
    rows = []
    for name, job in best.items():
        head = [str(job.threads), f"{name} {version_of(name)}", job.call]
        if reason := failure_in(outcomes[job]):
            rows.append([*head, reason, "", ""])
            continue
        seconds = seconds_of(outcomes[job])
        speeds = [mb / value for value in seconds]
        rows.append([*head, spread(speeds, 1), against(job, seconds, ours), same.get(job, "")])
    return rows


def compare_ids(
    options: Options, jobs: Sequence[Job], outcomes: Mapping[Job, Sequence[Outcome]]
) -> tuple[dict[Job, str], list[str]]:
    """Whether each call gives tiktoken's ids, in runs that are not timed, and where not.

    The jobs have one text.
    """
    target = options.folder / "ids"

    def ids(job: Job) -> np.ndarray | None:
        outcome = measure(msgspec.structs.replace(job, result=str(target)))
        return None if isinstance(outcome, Failure) else np.fromfile(target, dtype=np.uint32)

    # tiktoken is asked even where it was too slow for the table.
    reference = next((job for job in jobs if job.library == "tiktoken"), None)
    expected = ids(reference) if reference else None
    if expected is None:
        return {}, ["tiktoken did not run, so no ids were compared."]
    same, notes = {}, [f"tiktoken gives {len(expected):,} ids."]
    for job in jobs:
        found = None if failure_in(outcomes[job]) else ids(job)
        if found is None:
            continue
        is_same = np.array_equal(found, expected)
        same[job] = "yes" if is_same else "no"
        if not is_same:
            where = where_they_part(found, expected, options, Path(job.text))
            notes.append(f"{job.library} {job.call}: {where}")
    target.unlink()
    return same, list(dict.fromkeys(notes))


def where_they_part(found: np.ndarray, expected: np.ndarray, options: Options, text: Path) -> str:
    length = min(len(found), len(expected))
    differs = found[:length] != expected[:length]
    at = int(differs.argmax()) if differs.any() else length
    lengths = np.array([len(token) for token in vocabulary_tokens(str(options.vocabulary))])
    byte = int(lengths[expected[:at]].sum())
    with text.open("rb") as file:
        file.seek(max(byte - 10, 0))
        around = file.read(30)
    return f"{len(found):,} ids; other than tiktoken's from byte {byte:,} on, near `{around!r}`."


@cache
def vocabulary_tokens(folder: str) -> list[bytes]:
    from wellread.tokenizer.tokenizer import Tokenizer

    return Tokenizer.load(folder).tokens


# curve


def curve(options: Options) -> str:
    """Ours alone, at growing prefixes of the text."""
    sizes = [mb for mb in CURVE_MB if mb <= options.mb] or [options.mb]
    whole = next(call for call in ENCODING if call.library == OURS)
    cores = len(os.sched_getaffinity(0))
    work: list[tuple[str, Call, str, dict[str, int]]] = [
        *(("train", TRAINING[0], f"train, {size:,} ids", {"vocab_size": size, "threads": cores})
          for size in SIZES),
        *(("encode", whole, f"encode, threads={threads}", {"threads": threads})
          for threads in THREADS),
    ]  # fmt: skip
    jobs, labels = [], {}
    for name, call, label, more in work:
        for mb in sizes:
            job = options.job(call, name, options.path(mb), **more)
            jobs.append(job)
            labels[job] = label
    compile_note(jobs)
    outcomes = in_rounds(jobs, options.repeat, measure)
    rows = []
    for job in jobs:
        found_mb = Path(job.text).stat().st_size / 1e6
        seconds = seconds_of(outcomes[job])
        if not seconds:
            rows.append([labels[job], f"{found_mb:.1f}", failure_in(outcomes[job]), "", "", ""])
            continue
        runs = [outcome for outcome in outcomes[job] if isinstance(outcome, Run)]
        speed = f"{found_mb / statistics.median(seconds):.1f}"
        merges = f"{runs[0].amount:,}" if job.work == "train" else ""
        head = [labels[job], f"{found_mb:.1f}", spread(seconds, 3)]
        rows.append([*head, speed, merges, peak_mb(outcomes[job])])
    headings = ["work", "MB", "seconds", "MB/s", "merges", PEAK]
    return report(options, options.path(), table(headings, rows), [], outcomes)


# pathological


def pathological(options: Options) -> str:
    text = options.path()
    outcomes: dict[Job, list[Outcome]] = {}
    rows, notes = [], []
    # The first call of each library takes the whole text.
    calls = {call.library: call for call in reversed(options.calls("encode"))}
    for label, path in pathological_texts(options, text.read_bytes()).items():
        jobs = [
            options.job(calls[name], "encode", path, threads=1)
            for name in options.libraries
            if name in calls
        ]
        found = in_rounds(
            jobs, options.repeat, lambda job: measure(job, limit=PATHOLOGICAL_LIMIT_SECONDS)
        )
        same, more = compare_ids(options, jobs, found)
        notes += [f"{label}: {note}" for note in more]
        for job in jobs:
            seconds = seconds_of(found[job])
            said = spread(seconds, 3) if seconds else failure_in(found[job])
            library = f"{job.library} {version_of(job.library)}"
            rows.append([label, library, job.call, said, same.get(job, "")])
        outcomes |= found
    rows += missing_rows("encode", options, "all", 5)
    notes = [f"One thread; the whole process has {PATHOLOGICAL_LIMIT_SECONDS:.0f} s.", *notes]
    headings = ["text", "library", "call", "seconds", "ids of tiktoken"]
    return report(options, text, table(headings, rows), notes, outcomes)


def pathological_texts(options: Options, text: bytes) -> dict[str, Path]:
    contents = {
        "of the letter a": b"a" * 1_000_000,
        "without white space": without_spaces(text, 10_000_000),
        "of letters, one pre-token": one_word(text, 10_000_000),
    }
    paths = {}
    for number, (label, content) in enumerate(contents.items()):
        path = options.folder / f"pathological-{number}.txt"
        path.write_bytes(content)
        paths[f"{len(content) / 1e6:.1f} MB {label}"] = path
    return paths


# tokens


def tokens(options: Options) -> str:
    text, cores = options.path(), len(os.sched_getaffinity(0))
    as_parquet(text)  # once, so that no run includes it
    as_parquet(options.folder / "warm-up.txt")
    jobs = [options.job(call, "tokens", text, threads=cores) for call in options.calls("tokens")]
    compile_note(jobs)
    outcomes = in_rounds(jobs, options.repeat, measure)
    alone = seconds_of(outcomes[jobs[0]])
    mb = text.stat().st_size / 1e6
    rows = []
    for job in jobs:
        seconds = seconds_of(outcomes[job])
        if not seconds:
            rows.append([job.call, failure_in(outcomes[job]), "", "", ""])
            continue
        speeds = [mb / value for value in seconds]
        rows.append(
            [job.call, spread(seconds, 3), spread(speeds, 1), ratios(seconds, alone),
             peak_mb(outcomes[job])]
        )  # fmt: skip
    headings = [
        "call", "seconds", "MB/s", "time / the encoder's alone",
        PEAK,
    ]  # fmt: skip
    return report(options, text, table(headings, rows), [f"{cores} cores."], outcomes)


# What is printed and kept


def missing_rows(work: str, options: Options, first: str, columns: int) -> list[list[str]]:
    names = dict.fromkeys(call.library for call in CALLS[work] if call.library in options.libraries)
    absent = [name for name in names if version_of(name) is None]
    return [[first, name, "not installed", *[""] * (columns - 3)] for name in absent]


def report(
    options: Options,
    text: Path,
    body: str,
    notes: Sequence[str],
    outcomes: Mapping[Job, Sequence[Outcome]],
) -> str:
    """The table with what it was measured on; every run as JSON where asked."""
    about = (
        f"Text: {options.text}, {text.stat().st_size:,} bytes, SHA-256 {sha256_of(text)[:16]}; "
        f"{options.repeat} rounds; medians (smallest to largest)."
    )
    if options.json:
        runs = [{"job": job, "rounds": rounds} for job, rounds in outcomes.items()]
        versions = {name: version_of(name) for name in unique_libraries(list(outcomes))}
        kept = {"machine": options.machine, "text": about, "versions": versions, "runs": runs}
        kept |= {"notes": list(notes), "table": body}
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
    return "\n\n".join([f"{options.machine}. {about}", body, *filter(None, notes)])


COMMANDS = {
    "train": train, "encode": encode, "curve": curve, "pathological": pathological,
    "tokens": tokens,
}  # fmt: skip


def parse(arguments: Sequence[str], folder: Path) -> tuple[str, Options]:
    names = list(dict.fromkeys(call.library for call in (*TRAINING, *ENCODING)))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--text", default="documentation", help=f"{', '.join(TEXTS)} or a UTF-8 file"
    )
    parser.add_argument("--mb", type=float, default=50, help="how much of a made text")
    parser.add_argument("--repeat", type=int, default=5, help="rounds")
    parser.add_argument("--libraries", nargs="+", choices=names, default=names)
    parser.add_argument("--vocabulary", type=Path, default=REAL_DATA / "vocab")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for made texts")
    parser.add_argument("--json", type=Path, help="file for the raw numbers")
    given = vars(parser.parse_args(arguments))
    return given.pop("command"), Options(**given, folder=folder, machine=machine())


def prepare(command: str, options: Options) -> None:
    """The vocabulary in every format, and the text of the warm-up, in the run's own folder."""
    from wellread.tokenizer.tokenizer import Tokenizer

    if options.text not in TEXTS and not Path(options.text).is_file():
        raise InputError(f"{options.text}: no such text; give {', '.join(TEXTS)} or a file")
    (options.folder / "warm-up.txt").write_bytes(WARM_UP)
    if command == "train":
        return
    if not options.vocabulary.is_dir():
        raise InputError(
            f"{options.vocabulary}: no such folder; give --vocabulary a folder with GPT-2's "
            "vocabulary (docs/test-data.md)"
        )
    Tokenizer.load(options.vocabulary).save(options.folder / "vocabulary")


def main() -> int:
    if sys.argv[1:2] == ["_worker"]:
        done = work(msgspec.json.decode(sys.argv[2], type=Job))
        sys.stdout.write("\n" + msgspec.json.encode(done).decode() + "\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command, options = parse(sys.argv[1:], Path(folder))
        try:
            prepare(command, options)
            sys.stdout.write(COMMANDS[command](options) + "\n")
        except WellreadError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
