"""Many samples that go on from held-out documents, for `overlap copied` to measure (figure 5)."""

from collections.abc import Sequence

import msgspec

from wellread.base.errors import InputError
from wellread.evaluate.beginnings import PROMPT_WORDS, Beginning, beginning, go_on
from wellread.evaluate.held_out import held_out_documents
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task

LEAST_WORDS = PROMPT_WORDS + 60  # of a document: what it goes on with is measured too
DOCUMENTS = Axis(
    default="500",
    takes_number=True,
    reason="as many held-out documents of at least 100 words, in the order of a hash of their URL; "
    "the paper does not say how many it took",
)
TOKENS = Axis(
    default="200",
    takes_number=True,
    reason="of a sample, and of what the document goes on with; the paper says that samples drift "
    "from what they recite after 100 to 200 tokens",
)


def load(sources: Sources) -> Loaded:
    found = [
        beginning(document)
        for document in held_out_documents(sources).examples
        if len(document.text.split()) >= LEAST_WORDS
    ]
    if not found:
        raise InputError(
            f"{sources.corpus}: no held-out document has {LEAST_WORDS} words; leave this task out, "
            "or hold out more or longer documents"
        )
    chosen = found[: int(sources.settings["documents"])]
    return Loaded(chosen, len(chosen))


def score(setup: Setup, beginnings: Sequence[Beginning]) -> list[Outcome]:
    """Nothing is scored here; `target` is as many tokens of the document as were asked for."""
    num = int(setup.settings["tokens"])
    cut = [
        msgspec.structs.replace(
            start, rest=setup.tokenizer.decode(setup.tokenizer.encode(start.rest)[:num])
        )
        for start in beginnings
    ]
    return go_on(setup, cut, "copying-samples")


TASK = Task(
    source="the model, and validation documents of the corpus",
    licence="that of the documents",
    uses_corpus=True,
    axes={"documents": DOCUMENTS, "tokens": TOKENS},
    metrics={},
    load=load,
    score=score,
)
