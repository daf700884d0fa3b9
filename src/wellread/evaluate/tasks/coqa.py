"""CoQA's development set: F1 of answers in 500 conversations (section 3.5)."""

from wellread.evaluate.coqa import AXES, METRICS, read_coqa, score_turns
from wellread.evaluate.task import (
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
)

FILE = BenchmarkFile(
    path="coqa/coqa-dev-v1.0.json",
    sha256=None,
    obtain="It is https://downloads.cs.stanford.edu/nlp/data/coqa/coqa-dev-v1.0.json; save it "
    "under that name",
)
NUM_TURNS = 7_983  # of the development set (Reddy et al. 2019)


def load(sources: Sources) -> Loaded:
    path = benchmark_path(FILE, sources)
    return as_loaded(counted(read_coqa(path), NUM_TURNS, path))


TASK = Task(
    source="CoQA 1.0, development set, 7,983 questions on 500 documents",
    licence="each domain its own: CC BY-SA, Apache, MSR-LA, RACE's, DeepMind's CNN",
    files=(FILE,),
    axes=AXES,
    metrics=METRICS,
    published="coqa",
    is_layout_tested=True,
    load=load,
    score=score_turns,
)
