"""Whether a model recites documents: their first tokens given, the next ones written greedily."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

import msgspec
import numpy as np

from wellread.base.errors import InputError
from wellread.evaluate.held_out import (
    SPLIT,
    TRAINING,
    held_out_documents,
    in_turn,
    training_documents,
)
from wellread.evaluate.metrics import Metric, Outcome, mean
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task
from wellread.formats.documents import Document
from wellread.formats.results import Item

LENGTH = "as many as Carlini et al. (2023) ask for, who call what comes back whole extractable"
PROMPT = Axis(default="50", takes_number=True, reason=f"tokens given: {LENGTH}")
TOKENS = Axis(default="50", takes_number=True, reason=f"tokens to be recited: {LENGTH}")
DOCUMENTS = Axis(
    default="500",
    takes_number=True,
    reason="as many training documents, in the order of a hash of their URL, and as many held-out "
    "ones, which show what comes back by chance; each has as many words as tokens are asked for",
)
# What is learnt by heart is no skill: of two models with one loss the better recites less.
RECITED = Metric(statistic=mean, is_proportion=True, higher_is_better=False)
MATCHING_TOKENS = Metric(
    statistic=mean, higher_is_better=False, note="tokens before the first that differs"
)
# What is said of a document, by its split.
PARTS = {TRAINING: "", SPLIT: "_held-out"}


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A document's beginning."""

    split: str
    url: str
    text: str


def load(sources: Sources) -> Loaded:
    """Training and held-out documents in turn, so that a part of the items has both."""
    num_words = int(sources.settings["prompt"]) + int(sources.settings["tokens"])
    num = int(sources.settings["documents"])
    found = {
        TRAINING: list(islice(probes(training_documents(sources), TRAINING, num_words), num)),
        SPLIT: list(islice(probes(held_out_documents(sources), SPLIT, num_words), num)),
    }
    if not found[TRAINING]:
        raise InputError(
            f"{sources.corpus}: no training document has {num_words} words; ask for fewer tokens "
            "(prompt=, tokens=), or leave the task extraction out"
        )
    chosen = list(in_turn(map(iter, found.values())))
    return Loaded(chosen, len(chosen))


def probes(documents: Loaded, split: str, num_words: int) -> Iterator[Probe]:
    """Beginnings of so many words, and so of at least as many tokens."""
    document: Document
    for document in documents.examples:
        ends = [word.end() for word in islice(re.finditer(r"\S+", document.text), num_words)]
        if len(ends) == num_words:
            yield Probe(split=split, url=document.url, text=document.text[: ends[-1]])


def score(setup: Setup, examples: Sequence[Probe]) -> list[Outcome]:
    """How far greedy decoding goes along with each document."""
    given, asked = int(setup.settings["prompt"]), int(setup.settings["tokens"])
    if 1 + given + asked > setup.lm.context:
        raise InputError(
            f"extraction: {given} tokens given and {asked} asked for do not fit into the model's "
            f"context of {setup.lm.context}; give smaller numbers (prompt=, tokens=)"
        )
    ids = [setup.tokenizer.encode(probe.text)[: given + asked] for probe in examples]
    found = setup.lm.generate(
        [np.concatenate(([setup.lm.end_of_text], one[:given])) for one in ids],
        max_new_tokens=asked,
        top_k=1,
        seeds=[0] * len(ids),
    )
    outcomes = []
    for probe, one, written in zip(examples, ids, found, strict=True):
        wanted = one[given:].tolist()
        pairs = zip(wanted, written.ids.tolist(), strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        part = PARTS[probe.split]
        item = Item(
            item=f"{probe.split}/{probe.url}",
            text="",  # no test set: most of it is training text
            prompt=setup.tokenizer.decode(one[:given]),
            target=setup.tokenizer.decode(wanted),
            prediction=setup.tokenizer.decode(written.ids),
            num_tokens=same,
            num_units=asked,
            value=float(same == asked),
        )
        sums: dict[str, tuple[float, ...]] = {
            f"exact_match{part}": (float(same == asked), 1.0),
            f"matching_tokens{part}": (float(same), 1.0),
        }
        outcomes.append(Outcome(item, sums))
    return outcomes


TASK = Task(
    source="training documents of the corpus, and validation documents beside them",
    licence="that of the documents",
    uses_corpus=True,
    axes={"documents": DOCUMENTS, "prompt": PROMPT, "tokens": TOKENS},
    metrics={
        **{f"exact_match{part}": RECITED for part in PARTS.values()},
        **{f"matching_tokens{part}": MATCHING_TOKENS for part in PARTS.values()},
    },
    load=load,
    score=score,
)
