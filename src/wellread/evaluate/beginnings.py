"""What a model writes after the beginning of a document, beside what the document goes on with."""

from collections.abc import Sequence

import msgspec
import numpy as np

from wellread.base.seeds import seed_for
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Setup
from wellread.formats.documents import Document
from wellread.formats.results import Item

TOP_K = 40  # the paper's samples, appendix 8
PROMPT_WORDS = 40


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample goes on from."""

    item: str
    prompt: str  # empty: the model starts a document
    rest: str  # what the document goes on with


def beginning(document: Document) -> Beginning:
    """Split a document after its first words."""
    words = document.text.split(" ")
    prompt = " ".join(words[:PROMPT_WORDS])
    return Beginning(item=document.url, prompt=prompt, rest=document.text[len(prompt) :])


def go_on(setup: Setup, beginnings: Sequence[Beginning], purpose: str) -> list[Outcome]:
    """A sample for each, of as many tokens as the axis says; nothing is scored.

    `purpose` is whose samples they are: of one task and seed they are always the same.
    """
    found = setup.lm.generate(
        [
            np.concatenate(([setup.lm.end_of_text], setup.tokenizer.encode(start.prompt)))
            for start in beginnings
        ],
        max_new_tokens=int(setup.settings["tokens"]),
        top_k=TOP_K,
        seeds=[seed_for(setup.seed, purpose, start.item) for start in beginnings],
    )
    outcomes = []
    for start, generated in zip(beginnings, found, strict=True):
        item = Item(
            item=start.item,
            text=start.prompt,
            prompt=start.prompt,
            target=start.rest,
            prediction=setup.tokenizer.decode(generated.ids),
            num_tokens=len(generated.ids),
        )
        outcomes.append(Outcome(item, {}))
    return outcomes
