"""LAMBADA, OpenAI's file: the last word of passages from novels (section 3.3)."""

from wellread.evaluate.last_word import (
    FILTER,
    METRICS,
    TARGET,
    read_lambada,
    score_last_words,
)
from wellread.evaluate.task import Axis, BenchmarkFile, Task, as_loaded, benchmark_path

FILE = BenchmarkFile(
    path="lambada/lambada_test.jsonl",
    sha256="4aa8d02cd17c719165fc8a7887fddd641f43fcafa4b1c806ca8abc31fabdb226",
    obtain="It is https://openaipublic.blob.core.windows.net/gpt-2/data/lambada_test.jsonl; save "
    "it under that name",
)
TASK = Task(
    source="OpenAI's lambada_test.jsonl, 5,153 passages",
    licence="CC BY 4.0",
    files=(FILE,),
    axes={
        # docs/paper-map.md: an older text gives about ten points less.
        "text": Axis(default="openai", reason="the file that OpenAI published"),
        "target": TARGET,
        "filter": FILTER,
    },
    metrics=METRICS,
    published="lambada",
    load=lambda sources: as_loaded(read_lambada(benchmark_path(FILE, sources))),
    score=score_last_words,
)
