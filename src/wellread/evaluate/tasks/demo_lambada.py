"""Twenty passages of this project's own in the layout of LAMBADA."""

from wellread.evaluate.last_word import FILTER, METRICS, TARGET, read_lambada, score_last_words
from wellread.evaluate.task import Task, as_loaded, own_data

TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={"target": TARGET, "filter": FILTER},
    metrics=METRICS,
    load=lambda _: as_loaded(read_lambada(own_data("lambada/lambada_test.jsonl"))),
    score=score_last_words,
)
