"""Texts that the model writes: from nothing, and from the beginnings of held-out documents."""

from collections.abc import Sequence

import msgspec
import numpy as np

from wellread.base.seeds import seed_for
from wellread.evaluate.held_out import held_out_documents
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task, as_loaded
from wellread.formats.results import Item

NUM_EACH = 3
TOP_K = 40  # the paper's samples, appendix 8
PROMPT_WORDS = 40
TOKENS = Axis(default="150", takes_number=True, reason="ours: enough to be read in a report")


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample goes on from."""

    item: str
    prompt: str  # empty: the model starts a document
    rest: str  # what the document goes on with


def beginning(url: str, text: str) -> Beginning:
    """Split a document after its first words."""
    words = text.split(" ")
    prompt = " ".join(words[:PROMPT_WORDS])
    return Beginning(item=url, prompt=prompt, rest=text[len(prompt) :])


def load(sources: Sources) -> Loaded:
    documents = held_out_documents(sources).examples
    unconditional = [
        Beginning(item=f"unconditional-{number}", prompt="", rest="")
        for number in range(1, NUM_EACH + 1)
    ]
    return as_loaded([*unconditional, *(beginning(d.url, d.text) for d in documents[:NUM_EACH])])


def score(setup: Setup, beginnings: Sequence[Beginning]) -> list[Outcome]:
    """Nothing is scored: the texts are for people to read."""
    found = setup.lm.generate(
        [
            np.concatenate(([setup.lm.end_of_text], setup.tokenizer.encode(start.prompt)))
            for start in beginnings
        ],
        max_new_tokens=int(setup.settings["tokens"]),
        top_k=TOP_K,
        seeds=[seed_for(setup.seed, "samples", start.item) for start in beginnings],
    )
    outcomes = []
    for start, generated in zip(beginnings, found, strict=True):
        written = setup.tokenizer.decode(generated.ids)
        item = Item(
            item=start.item,
            text=start.prompt,
            prompt=start.prompt,
            target=start.rest,
            prediction=written,
            num_tokens=len(generated.ids),
        )
        outcomes.append(Outcome(item, {}))
    return outcomes


TASK = Task(
    source="the model, and validation documents of the corpus",
    licence="that of the documents",
    uses_corpus=True,
    axes={"tokens": TOKENS},
    metrics={},
    load=load,
    score=score,
)
