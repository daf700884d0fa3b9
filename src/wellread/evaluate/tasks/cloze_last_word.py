"""The last word of held-out passages in which it occurs before, in the manner of LAMBADA."""

from wellread.evaluate.held_out import ITEMS, load_last_words
from wellread.evaluate.last_word import METRICS, TARGET, score_last_words
from wellread.evaluate.task import Task

TASK = Task(
    source="validation documents of the corpus",
    licence="that of the documents",
    uses_corpus=True,
    axes={"items": ITEMS, "target": TARGET},
    metrics=METRICS,
    load=load_last_words,
    score=score_last_words,
)
