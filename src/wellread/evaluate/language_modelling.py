"""Scoring whole texts: WikiText, Penn Treebank, held-out documents."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from wellread.evaluate.detokenize import Style, detokenize
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import Axis, Setup
from wellread.evaluate.windows import windows
from wellread.formats.results import Item

# See docs/paper-map.md.
STRIDE = Axis(
    default="half",
    others=("context",),
    takes_number=True,
    reason="tokens between windows; the paper does not name one. Half the "
    "context costs twice one pass and leaves every token half a context",
)
PREFIX = Axis(
    default="eot",
    others=("none",),
    reason="with <|endoftext|> before the text its first token is scored too; without, it is not",
)
TEXT = Axis(
    default="tokenised",
    reason="the file as released, with its <unk>",
)
DETOKENIZER = Axis(
    default="off",
    others=("on",),
    reason="on, the text is joined as people write and what it takes to undo that is charged; the "
    "paper did so (section 3.1), by rules that are not public",
)
# See docs/paper-map.md.
UNIT = Axis(
    default="word+eos",
    others=("word",),
    reason="nats are divided by the words of the released file; the cited results count the end of "
    "each line as one",
)
WORD_AXES = {
    "text": TEXT,
    "detokenizer": DETOKENIZER,
    "stride": STRIDE,
    "prefix": PREFIX,
    "unit": UNIT,
}  # of the sets that are scored for each word


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be scored as a whole."""

    item: str
    text: str


class Scoring(NamedTuple):
    """The model's view of a text."""

    log_prob: float  # natural logarithm, summed
    num_tokens: int  # scored


def stride_tokens(stride: str, context: int) -> int:
    """
    >>> stride_tokens("half", 256), stride_tokens("32", 256)
    (128, 32)
    """
    named = {"half": max(1, context // 2), "context": context}
    return named[stride] if stride in named else min(int(stride), context)


def score_texts(setup: Setup, texts: Sequence[Text]) -> list[Scoring]:
    """Each text by itself, with windows as the axes say."""
    lm, settings = setup.lm, setup.settings
    prefix = lm.end_of_text if settings["prefix"] == "eot" else None
    stride = stride_tokens(settings["stride"], lm.context)
    requests, owners = [], []
    for number, example in enumerate(texts):
        ids = setup.tokenizer.encode(example.text)
        found = list(windows(ids, context=lm.context, stride=stride, prefix=prefix))
        requests += found
        owners += [number] * len(found)
    log_probs, num_tokens = [0.0] * len(texts), [0] * len(texts)
    for owner, scored in zip(owners, lm.log_probs(requests), strict=True):
        log_probs[owner] += float(scored.log_probs.sum())
        num_tokens[owner] += len(scored.log_probs)
    return list(map(Scoring, log_probs, num_tokens))


def num_words(text: str, unit: str) -> int:
    """Words of a tokenised text, and its line ends if they count.

    >>> num_words("no it was n't black monday \\n", "word+eos")
    7
    """
    return len(text.split()) + (text.count("\n") if unit == "word+eos" else 0)


def outcome(example: Text, scoring: Scoring, num_units: int, metrics: dict[str, int]) -> Outcome:
    """`metrics`: what each divides the log probability by."""
    item = Item(
        item=example.item,
        text=example.text,
        prompt="",
        target="",
        log_prob=scoring.log_prob,
        num_tokens=scoring.num_tokens,
        num_units=num_units,
        value=-scoring.log_prob / num_units,
    )
    return Outcome(item, {name: (scoring.log_prob, units) for name, units in metrics.items()})


def words_scorer(style: Style) -> Callable[[Setup, Sequence[Text]], list[Outcome]]:
    """Perplexity for each word of the released, tokenised text."""

    def score(setup: Setup, texts: Sequence[Text]) -> list[Outcome]:
        shown, charged = list(texts), [0.0] * len(texts)
        if setup.settings["detokenizer"] == "on":
            found = [detokenize(example.text, style) for example in texts]
            shown = [
                msgspec.structs.replace(example, text=one.text)
                for example, one in zip(texts, found, strict=True)
            ]
            charged = [one.bits * math.log(2) for one in found]
        outcomes = []
        scorings = score_texts(setup, shown)
        for example, read, nats, scoring in zip(texts, shown, charged, scorings, strict=True):
            whole = scoring._replace(log_prob=scoring.log_prob - nats)
            units = num_words(example.text, setup.settings["unit"])
            outcomes.append(outcome(read, whole, units, {"perplexity": units}))
        return outcomes

    return score
