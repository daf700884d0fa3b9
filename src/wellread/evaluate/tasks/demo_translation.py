"""Twenty sentence pairs of this project's own in the layout of newstest2014, in both directions."""

import msgspec

from wellread.evaluate.task import Loaded, Sources, Task, as_loaded, own_data
from wellread.evaluate.translation import (
    AXES,
    SACREBLEU,
    Pair,
    as_pairs,
    read_parallel,
    score_translations,
    turned,
)


def load(_: Sources) -> Loaded:
    """From English to French, then back, the examples turned with the pairs."""
    folder = own_data("translation")
    pairs = read_parallel(folder / "newstest.en", folder / "newstest.fr")
    shots = read_parallel(folder / "shots.en", folder / "shots.fr")
    there = named(as_pairs(pairs, shots, "bleu_en-fr"), "en-fr")
    return as_loaded(there + named(as_pairs(turned(pairs), turned(shots), "bleu_fr-en"), "fr-en"))


def named(pairs: list[Pair], direction: str) -> list[Pair]:
    return [msgspec.structs.replace(pair, item=f"{direction}/{pair.item}") for pair in pairs]


TASK = Task(
    version=2,
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={
        **AXES,
        "tokens": msgspec.structs.replace(
            AXES["tokens"], default="32", reason="enough for these short sentences"
        ),
    },
    metrics={"bleu_en-fr": SACREBLEU, "bleu_fr-en": SACREBLEU},
    load=load,
    score=score_translations,
)
