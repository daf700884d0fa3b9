"""Texts that the model writes: from nothing, and from the beginnings of held-out documents."""

from collections.abc import Sequence

from wellread.evaluate.beginnings import Beginning, beginning, go_on
from wellread.evaluate.held_out import held_out_documents
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task, as_loaded

NUM_EACH = 3
TOKENS = Axis(default="150", takes_number=True, reason="ours: enough to be read in a report")


def load(sources: Sources) -> Loaded:
    documents = held_out_documents(sources).examples
    unconditional = [
        Beginning(item=f"unconditional-{number}", prompt="", rest="")
        for number in range(1, NUM_EACH + 1)
    ]
    return as_loaded([*unconditional, *map(beginning, documents[:NUM_EACH])])


def score(setup: Setup, beginnings: Sequence[Beginning]) -> list[Outcome]:
    """Nothing is scored: the texts are for people to read."""
    return go_on(setup, beginnings, "samples")


TASK = Task(
    source="the model, and validation documents of the corpus",
    licence="that of the documents",
    uses_corpus=True,
    axes={"tokens": TOKENS},
    metrics={},
    load=load,
    score=score,
)
