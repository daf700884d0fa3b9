"""Held-out documents: what a longer context is worth, and how the loss falls along a document."""

import itertools
import re
from collections.abc import Sequence

import numpy as np

from wellread.base.errors import InputError
from wellread.evaluate.held_out import held_out_documents
from wellread.evaluate.language_model import Request
from wellread.evaluate.language_modelling import STRIDE, Scoring, Text, outcome, score_texts
from wellread.evaluate.metrics import BITS_PER_BYTE, Metric, Outcome, bits
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task, as_loaded
from wellread.formats.documents import Document

LENGTHS = (64, 128, 256, 512, 1024)  # tokens
FIRST_WORDS = LENGTHS[-1]  # hold at least as many tokens in any vocabulary
SCORED_WORDS = 512
Sums = dict[str, tuple[float, ...]]
DOCUMENTS = Axis(
    default="50",
    takes_number=True,
    reason="as many, in the order of a hash of their URL; of each the 512 words after the first "
    "1,024 are scored with every length of context",
)
GAIN = Metric(
    statistic=lambda sums: -bits(sums), note="bits per byte less than with a context of 64 tokens"
)
POSITIONS = {
    (start, end): f"bits_per_byte_tokens_{start + 1}-{end}"
    for start, end in itertools.pairwise((0, *LENGTHS))
}


def in_two(document: Document) -> Text | None:
    """The words after the first 1,024, and those; None if there are no more."""
    ends = [word.end() for word in re.finditer(r"\S+", document.text)]
    if len(ends) <= FIRST_WORDS:
        return None
    start, end = ends[FIRST_WORDS - 1], ends[: FIRST_WORDS + SCORED_WORDS][-1]
    text = document.text
    return Text(item=document.url, text=text[start:end], before=text[:start])


def load(sources: Sources) -> Loaded:
    found = filter(None, map(in_two, held_out_documents(sources).examples))
    texts = list(itertools.islice(found, int(sources.settings["documents"])))
    if not texts:
        raise InputError(
            f"{sources.corpus}: no held-out document has more than {FIRST_WORDS:,} words; leave "
            "this task out, or hold out more or longer documents"
        )
    return as_loaded(texts)


def along(setup: Setup, texts: Sequence[Text], longest: int) -> list[Sums]:
    """For each range of positions in a document: its tokens' log probability, and their bytes."""
    found = [setup.tokenizer.encode_with_offsets(text.before) for text in texts]
    start_of_text = np.array([setup.lm.end_of_text])
    answers = setup.lm.log_probs([Request(start_of_text, one.ids[:longest]) for one in found])
    return [
        {
            name: (float(answer.log_probs[start:end].sum()), float(places[end] - places[start]))
            for (start, end), name in POSITIONS.items()
            if end <= longest
        }
        for places, answer in zip([one.byte_starts for one in found], answers, strict=True)
    ]


def with_each(scorings: dict[int, Scoring], num_bytes: int) -> Sums:
    """The same tokens after contexts of each length, and what the longer ones gain."""
    shortest = min(scorings)
    gains = {n: one.log_prob - scorings[shortest].log_prob for n, one in scorings.items()}
    return {
        **{f"bits_per_byte_{n}": (one.log_prob, num_bytes) for n, one in scorings.items()},
        **{f"gain_{n}": (gain, num_bytes) for n, gain in gains.items() if n != shortest},
    }


def score(setup: Setup, texts: Sequence[Text]) -> list[Outcome]:
    """The same tokens with each length of context that the model has."""
    lengths = [length for length in LENGTHS if length <= setup.lm.context]
    if not lengths:
        raise InputError(
            f"the model's context of {setup.lm.context} tokens is below {LENGTHS[0]}; leave the "
            "task context-length out"
        )
    found = [score_texts(setup, texts, context=length) for length in lengths]
    outcomes = []
    for text, begun, *scorings in zip(texts, along(setup, texts, lengths[-1]), *found, strict=True):
        num_bytes = len(text.text.encode())
        sums = with_each(dict(zip(lengths, scorings, strict=True)), num_bytes) | begun
        whole = Text(item=text.item, text=text.before + text.text)
        outcomes.append(outcome(whole, scorings[-1], num_bytes, {})._replace(sums=sums))
    return outcomes


TASK = Task(
    source="validation documents of the corpus with more than 1,024 words",
    licence="that of the documents",
    uses_corpus=True,
    axes={"documents": DOCUMENTS, "stride": STRIDE},
    metrics={
        **{f"bits_per_byte_{n}": BITS_PER_BYTE for n in LENGTHS},
        **{f"gain_{n}": GAIN for n in LENGTHS[1:]},
        **dict.fromkeys(POSITIONS.values(), BITS_PER_BYTE),
    },
    load=load,
    score=score,
)
