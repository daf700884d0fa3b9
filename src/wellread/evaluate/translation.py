"""Translation after example pairs `english = french` (section 3.7)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import sacrebleu
from sacrebleu.metrics import BLEU

from wellread.base.errors import InputError
from wellread.base.seeds import generator
from wellread.evaluate.language_model import Floats
from wellread.evaluate.metrics import Metric, Outcome
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Setup,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
)
from wellread.evaluate.written import SHOT_SEED, STOP, write_greedily
from wellread.formats.results import Item

NGRAM_ORDERS = 4
AXES = {
    "stop": msgspec.structs.replace(
        STOP,
        default="sentence",
        others=("line", "none"),
        reason="the paper takes the first generated sentence; a reference may be several, of which "
        "`line` keeps all",
    ),
    "tokens": Axis(
        default="256",
        takes_number=True,
        reason="ours: the longest French sentence of newstest2014 has 159 tokens of GPT-2's, and "
        "no text behind the first sentence is written",
    ),
}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence to translate, its reference, and the pairs shown before it."""

    item: str
    metric: str  # of its direction
    source: str
    reference: str
    shots: list[tuple[str, str]]


def bleu(sums: Floats, smoothing: str) -> float:
    """Corpus BLEU from summed counts, as sacrebleu computes it."""
    counts = [round(value) for value in sums]
    found = BLEU.compute_bleu(
        correct=counts[:NGRAM_ORDERS],
        total=counts[NGRAM_ORDERS : 2 * NGRAM_ORDERS],
        sys_len=counts[-2],
        ref_len=counts[-1],
        smooth_method=smoothing,
    )
    return float(found.score)


def bleu_metric(tokens: str, smoothing: str, note: str = "") -> Metric:
    signature = (
        f"sacrebleu nrefs:1|case:mixed|eff:no|tok:{tokens}|smooth:{smoothing}"
        f"|version:{sacrebleu.__version__}"
    )
    return Metric(statistic=partial(bleu, smoothing=smoothing), note=signature + note)


SACREBLEU = bleu_metric("13a", "exp")
METRICS = {
    "bleu": SACREBLEU,
    "bleu_intl": bleu_metric("intl", "none", "; multi-bleu.perl's count on separated words"),
}


def read_parallel(source: Path, target: Path) -> list[tuple[str, str]]:
    """Two plain files with one sentence a line, as newstest2014."""
    texts = [path.read_text(encoding="utf-8") for path in (source, target)]
    sides = [text.removesuffix("\n").split("\n") for text in texts]
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{source} has {len(sides[0])} lines and {target} {len(sides[1])}; expected as many"
        )
    return list(zip(*sides, strict=True))


def as_pairs(
    pairs: Sequence[tuple[str, str]], shots: Sequence[tuple[str, str]], metric: str = "bleu"
) -> list[Pair]:
    """Every pair to be translated from its first side, named by its place."""
    return [
        Pair(item=str(number), metric=metric, source=source, reference=reference, shots=list(shots))
        for number, (source, reference) in enumerate(pairs, start=1)
    ]


def turned(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(target, source) for source, target in pairs]


def prompt_for(pair: Pair) -> str:
    shown = "".join(f"{source} = {target}\n" for source, target in pair.shots)
    return f"{shown}{pair.source} ="


def score_translations(setup: Setup, pairs: Sequence[Pair]) -> list[Outcome]:
    """BLEU of the first sentence that greedy decoding writes."""
    standard, separated = BLEU(effective_order=True), BLEU(effective_order=True, tokenize="intl")
    prompts = [prompt_for(pair) for pair in pairs]
    written = write_greedily(
        setup,
        prompts,
        stop=setup.settings["stop"],
        max_new_tokens=int(setup.settings["tokens"]),
    )
    outcomes = []
    for pair, prompt, one in zip(pairs, prompts, written, strict=True):
        results = [s.sentence_score(one.answer, [pair.reference]) for s in (standard, separated)]
        item = Item(
            item=pair.item,
            text=f"{pair.source}\n{pair.reference}",
            prompt=prompt,
            target=" " + pair.reference,
            prediction=one.answer,
            value=results[0].score / 100,
        )
        sums = {
            name: (*found.counts, *found.totals, found.sys_len, found.ref_len)
            for name, found in zip((pair.metric, f"{pair.metric}_intl"), results, strict=True)
        }
        outcomes.append(Outcome(item, sums, is_truncated=one.is_truncated))
    return outcomes


OBTAIN = (
    "It is WMT-14's test set of English and French, 3,003 lines, in "
    "github.com/Helsinki-NLP/OPUS-MT-testsets; save it under that name"
)
ENGLISH = BenchmarkFile(
    path="wmt14_enfr/newstest2014.en",
    sha256="9a12cb6e8efb3509ebede627e4a9c83ee64935509d561ff70f4b7bd5f93f6096",
    obtain=OBTAIN,
)
FRENCH = BenchmarkFile(
    path="wmt14_enfr/newstest2014.fr",
    sha256="2bd07dc204f965bf88e90adb6223a8cb850f9bf9840df6af1f4945195936656e",
    obtain=OBTAIN,
)
SHOTS = {
    "shots": Axis(
        default="5",
        takes_number=True,
        reason="the paper gives neither the number of the example pairs nor the pairs; five take "
        "about 400 tokens, and leave room for the longest sentences",
    ),
    "shot_seed": SHOT_SEED,
    "shots_from": Axis(
        default="test",
        reason="pairs of the test set itself, which are then not scored: the paper does not say "
        "whence it has its own, and news is best shown by news",
    ),
}


def load_newstest(sources: Sources, *, from_english: bool) -> Loaded:
    """All pairs but those that are shown, under the numbers of their lines."""
    path = benchmark_path(ENGLISH, sources)
    pairs = read_parallel(path, benchmark_path(FRENCH, sources))
    num = int(sources.settings["shots"])
    if num >= len(pairs):
        raise InputError(f"{path}: shots={num} leaves none of {len(pairs):,} pairs to score")
    seed = int(sources.settings["shot_seed"])
    shown = generator(seed, "shots", "translation").permutation(len(pairs))[:num].tolist()
    if not from_english:
        pairs = turned(pairs)
    every = as_pairs(pairs, [pairs[place] for place in shown])
    return as_loaded([pair for place, pair in enumerate(every) if place not in set(shown)])


def newstest2014(direction: str) -> Task:
    """The task of one direction; `en-fr` is from English."""
    return Task(
        source="newstest2014, English and French, 3,003 sentences less the examples",
        licence="WMT, for research",
        files=(ENGLISH, FRENCH),
        axes={**SHOTS, **AXES},
        metrics=METRICS,
        published=f"wmt14-{direction}",
        load=partial(load_newstest, from_english=direction == "en-fr"),
        score=score_translations,
    )
