"""Documents of a corpus, held out or not: perplexity per token, and bits per byte (figure 4)."""

from collections.abc import Sequence

from wellread.evaluate.held_out import (
    KILOBYTES,
    OF_EACH,
    SPLIT,
    TRAINING,
    first_bytes,
    held_out_documents,
    training_documents,
)
from wellread.evaluate.language_modelling import PREFIX, STRIDE, Text, outcome, score_texts
from wellread.evaluate.metrics import BITS_PER_BYTE, PERPLEXITY, Outcome
from wellread.evaluate.task import Axis, Loaded, Setup, Sources, Task

OF_SPLIT = Axis(
    default=SPLIT,
    others=(TRAINING,),
    reason="figure 4 has both: a model that is much better on what it was trained on has learnt it "
    "by heart",
)


def load(sources: Sources) -> Loaded:
    """Documents in the order of a hash, up to the limit in kilobytes."""
    is_training = sources.settings["split"] == TRAINING
    read = training_documents if is_training else held_out_documents
    documents, num_available = read(sources)
    each = sources.settings["each"]
    of_each = None if each == OF_EACH.default else 1000 * int(each)
    taken = first_bytes(documents, 1000 * int(sources.settings["kilobytes"]), of_each)
    return Loaded([Text(item=d.url, text=d.text) for d in taken], num_available)


def score(setup: Setup, texts: Sequence[Text]) -> list[Outcome]:
    """Perplexities of models with different vocabularies are not comparable; bits per byte are."""
    outcomes = []
    for example, scoring in zip(texts, score_texts(setup, texts), strict=True):
        num_bytes = len(example.text.encode())
        metrics = {"perplexity": scoring.num_tokens, "bits_per_byte": num_bytes}
        outcomes.append(outcome(example, scoring, num_bytes, metrics))
    return outcomes


TASK = Task(
    source="validation documents of the corpus, or training documents",
    licence="that of the documents",
    uses_corpus=True,
    axes={
        "kilobytes": KILOBYTES,
        "each": OF_EACH,
        "stride": STRIDE,
        "prefix": PREFIX,
        "split": OF_SPLIT,
    },
    metrics={"perplexity": PERPLEXITY, "bits_per_byte": BITS_PER_BYTE},
    load=load,
    score=score,
)
