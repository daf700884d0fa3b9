"""Translation after example pairs `english = french` (section 3.7)."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from sacrebleu.metrics import BLEU

from wellread.base.errors import InputError
from wellread.evaluate.language_model import Floats
from wellread.evaluate.metrics import Metric, Outcome
from wellread.evaluate.summaries import sentences
from wellread.evaluate.task import Setup
from wellread.formats.results import Item

MAX_NEW_TOKENS = 32  # ours, enough for one sentence of the small set
NGRAM_ORDERS = 4
SIGNATURE = "sacrebleu nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence to translate, its reference, and the pairs shown before it."""

    item: str
    direction: str  # "en-fr"
    source: str
    reference: str
    shots: list[tuple[str, str]]


def bleu(sums: Floats) -> float:
    """Corpus BLEU from summed counts, as sacrebleu computes it."""
    counts = [round(value) for value in sums]
    found = BLEU.compute_bleu(
        correct=counts[:NGRAM_ORDERS],
        total=counts[NGRAM_ORDERS : 2 * NGRAM_ORDERS],
        sys_len=counts[-2],
        ref_len=counts[-1],
        smooth_method="exp",
    )
    return float(found.score)


METRICS: dict[str, Metric] = {
    f"bleu_{direction}": Metric(statistic=bleu, note=SIGNATURE) for direction in ("en-fr", "fr-en")
}


def read_parallel(source: Path, target: Path) -> list[tuple[str, str]]:
    """Two plain files with one sentence a line, as newstest2014."""
    sides = [path.read_text(encoding="utf-8").splitlines() for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{source} has {len(sides[0])} lines and {target} {len(sides[1])}; expected as many"
        )
    return list(zip(*sides, strict=True))


def both_directions(
    pairs: Sequence[tuple[str, str]], shots: Sequence[tuple[str, str]]
) -> list[Pair]:
    """Every pair from English to French, then every pair back, the shots turned with them."""
    turned = [(french, english) for english, french in pairs]
    back = [(french, english) for english, french in shots]
    return [
        Pair(
            item=f"{direction}/{number}",
            direction=direction,
            source=source,
            reference=reference,
            shots=list(shown),
        )
        for direction, sides, shown in (("en-fr", pairs, shots), ("fr-en", turned, back))
        for number, (source, reference) in enumerate(sides, start=1)
    ]


def prompt_for(pair: Pair) -> str:
    shown = "".join(f"{source} = {target}\n" for source, target in pair.shots)
    return f"{shown}{pair.source} ="


def score_translations(setup: Setup, pairs: Sequence[Pair]) -> list[Outcome]:
    """BLEU of the first sentence that greedy decoding writes."""
    scorer = BLEU(effective_order=True)
    prompts = [prompt_for(pair) for pair in pairs]
    ids = [setup.encode(prompt) for prompt in prompts]
    new = min(MAX_NEW_TOKENS, setup.lm.context // 2)
    found = setup.lm.generate(ids, max_new_tokens=new, top_k=1, seeds=[0] * len(ids))
    outcomes = []
    for pair, prompt, prompt_ids, generated in zip(pairs, prompts, ids, found, strict=True):
        translation = (sentences(setup.tokenizer.decode(generated)) or [""])[0]
        result = scorer.sentence_score(translation, [pair.reference])
        item = Item(
            item=pair.item,
            text=f"{pair.source}\n{pair.reference}",
            prompt=prompt,
            target=" " + pair.reference,
            prediction=translation,
            value=result.score / 100,
        )
        sums = (*result.counts, *result.totals, result.sys_len, result.ref_len)
        outcomes.append(
            Outcome(
                item,
                {f"bleu_{pair.direction}": sums},
                is_truncated=len(prompt_ids) > setup.lm.context - new,
            )
        )
    return outcomes
