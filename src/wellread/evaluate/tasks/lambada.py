"""LAMBADA: the last word of passages from novels (section 3.3)."""

from wellread.evaluate.last_word import (
    FILTER,
    METRICS,
    TARGET,
    read_lambada,
    read_plain,
    score_last_words,
    straight,
)
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
)

NUM_PASSAGES = 5153
FILE = BenchmarkFile(
    path="lambada/lambada_test.jsonl",
    sha256="4aa8d02cd17c719165fc8a7887fddd641f43fcafa4b1c806ca8abc31fabdb226",
    obtain="It is https://openaipublic.blob.core.windows.net/gpt-2/data/lambada_test.jsonl; save "
    "it under that name",
    url="https://openaipublic.blob.core.windows.net/gpt-2/data/lambada_test.jsonl",
    when={"text": ("openai", "quotes")},
)
ORIGINAL = BenchmarkFile(
    path="lambada/lambada_test_plain_text.txt",
    sha256=None,
    obtain="It is in lambada-dataset.tar.gz, zenodo.org/records/2630551; save it under that name",
    when={"text": ("original",)},
)
TEXT = Axis(
    default="openai",
    others=("quotes", "original"),
    reason="openai is the file that OpenAI published, quotes the same with straight quotes and a "
    "line end before it (openai/gpt-2#131), original the authors' tokenised lower-case text, which "
    "gives about ten points less and was tested here on its layout alone",
)


def load(sources: Sources) -> Loaded:
    text = sources.settings["text"]
    if text == "original":
        path = benchmark_path(ORIGINAL, sources)
        return as_loaded(counted(read_plain(path), NUM_PASSAGES, path))
    path = benchmark_path(FILE, sources)
    return as_loaded(read_lambada(path, straight if text == "quotes" else str))


TASK = Task(
    source="OpenAI's lambada_test.jsonl, 5,153 passages",
    licence="CC BY 4.0",
    files=(FILE, ORIGINAL),
    axes={"text": TEXT, "target": TARGET, "filter": FILTER},
    metrics=METRICS,
    published="lambada",
    load=load,
    score=score_last_words,
)
