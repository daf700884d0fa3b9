"""What `benchmarks/overlap.py` compares: a loop over rbloom, datatrove's filter, and bff."""

import gzip
import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from overlap_inputs import Job, columns_of, random_keys, some_texts, timed
from side_by_side import Run

RATE = 1e-8
BITS_PER_KEY = 38.34  # of a classic filter at that rate
WORD = re.compile(r"[^\W_]+")


def their_keys(job: Job) -> Run:
    from rbloom import Bloom

    bloom = Bloom(int(job.gb * 8e9 / BITS_PER_KEY), RATE)
    known = np.concatenate(random_keys(1, job.amount)).tolist()
    others = np.concatenate(random_keys(2, job.amount)).tolist()

    def insert(given: Sequence[int]) -> None:
        for key in given:
            bloom.add(key)

    def look_up(given: Sequence[int]) -> None:
        found = 0
        for key in given:
            if key in bloom:
                found += 1

    # Each key touches 27 pages: these all of them.
    insert(others if job.measure == "insert" else known)
    work, given = {
        "insert": (insert, known), "look up absent": (look_up, others),
        "look up present": (look_up, known),
    }[job.measure]  # fmt: skip
    return timed(partial(work, given), job.amount)


def strings(text: str) -> list[str]:
    words = WORD.findall(text.lower())
    return [" ".join(words[start : start + 8]) for start in range(len(words) - 7)]


def their_text(job: Job) -> Run:
    from rbloom import Bloom

    bloom = Bloom(int(job.gb * 8e9 / BITS_PER_KEY), RATE)
    texts, others = some_texts(job)

    def insert(given: Sequence[str]) -> None:
        for one in given:
            for ngram in strings(one):
                bloom.add(ngram)

    def look_up(given: Sequence[str]) -> None:
        found = 0
        for one in given:
            for ngram in strings(one):
                if ngram in bloom:
                    found += 1

    insert(others)
    work = insert if job.measure == "insert" else look_up
    return timed(partial(work, texts), sum(len(one.encode()) for one in texts))


def decontamination(job: Job) -> Run:
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
    from datatrove.utils.text import simplify_text

    config = NGramsDecontConfig(n_grams=8)
    step = NGramsDecontFilter("unused", config=config)
    texts, others = some_texts(job)
    step._index_hashes = {}
    for one in others[: len(others) // 6]:
        words = step.tokenizer.word_tokenize(simplify_text(one, config.norm_config))
        for start in range(len(words) - 7):
            step._index_hashes[step.hash_func(" ".join(words[start : start + 8]))] = "test"

    def ask() -> None:
        for number, one in enumerate(texts):
            step.filter(Document(text=one, id=str(number)))

    return timed(ask, sum(len(one.encode()) for one in texts))


def big_friendly_filter(job: Job) -> Run:
    """bff's whole process, with as many threads as there are files: two."""
    with tempfile.TemporaryDirectory() as name:
        folder, num_bytes = Path(name), 0
        with (
            gzip.open(folder / "a.json.gz", "wb", compresslevel=1) as even,
            gzip.open(folder / "b.json.gz", "wb", compresslevel=1) as odd,
        ):
            for number, column in enumerate(columns_of(job)):
                for one in column.to_pylist():
                    num_bytes += len(one.encode())
                    line = msgspec.json.encode({"text": one, "id": "a"}) + b"\n"
                    (odd if number % 2 else even).write(line)
        size = int(job.gb * 1e9)
        command = [
            job.bff, "--bloom-filter-file", str(folder / "filter"), "--bloom-filter-size",
            str(size), "--expected-ngram-count", str(int(size * 8 / BITS_PER_KEY)),
            "--min-ngram-size", "8", "--max-ngram-size", "8", "--whole-document", "--threads", "2",
            "--output-directory", str(folder / "out"), *map(str, sorted(folder.glob("*.gz"))),
        ]  # fmt: skip
        (folder / "out").mkdir()
        run = partial(subprocess.run, command, check=True, capture_output=True)
        return timed(run, num_bytes)
