"""One word of ten for a blank after a held-out passage, by the construction of CBT."""

from wellread.evaluate.cbt import SCOPE, score_clozes
from wellread.evaluate.choices import METRICS
from wellread.evaluate.held_out import CHARACTERS, ITEMS, KIND, load_ten_words
from wellread.evaluate.task import Task

TASK = Task(
    source="validation documents of the corpus",
    licence="that of the documents",
    uses_corpus=True,
    axes={"items": ITEMS, "scope": SCOPE, "kind": KIND, "characters": CHARACTERS},
    metrics=METRICS,
    load=load_ten_words,
    score=score_clozes,
)
