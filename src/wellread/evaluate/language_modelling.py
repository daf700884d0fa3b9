"""Scoring whole texts: WikiText, Penn Treebank, enwik8, held-out documents."""

import io
import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from wellread.base.errors import InputError
from wellread.evaluate.detokenize import Style, detokenize
from wellread.evaluate.language_model import Request
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
    default="on",
    others=("off",),
    reason="on, the text is joined as people write and what it takes to undo that is charged, as "
    "in the paper (section 3.1), whose rules are not public; off, it is scored as released",
)
# See docs/paper-map.md.
UNIT = Axis(
    default="word+eos",
    others=("word", "harness"),
    reason="nats are divided by the words of the released file; the cited results count the end of "
    "each line as one; lm-evaluation-harness does not, but counts the empty words at both ends of "
    "a text",
)
WORD_AXES = {
    "text": TEXT,
    "detokenizer": DETOKENIZER,
    "stride": STRIDE,
    "prefix": PREFIX,
    "unit": UNIT,
}  # of the sets that are scored for each word


REQUESTS_AT_ONCE = 2048  # bounds the memory: 2,048 x 1,025 ids of 8 bytes are 17 MB


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be scored as a whole."""

    item: str
    text: str
    before: str = ""  # of the same document: read, not scored


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The same, of a file of bytes that need not be UTF-8 from the first to the last."""

    item: str
    text: bytes
    before: bytes = b""


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
    tokens = named[stride] if stride in named else int(stride)
    if tokens > context:
        raise InputError(f"stride={stride}: more than the model's context of {context} tokens")
    return tokens


def requests_of(setup: Setup, example: Text | Block, context: int) -> Iterator[Request]:
    """Windows of at most `context` positions, as the axes say."""
    stride = stride_tokens(setup.settings["stride"], context)
    ids, before = setup.tokenizer.encode(example.text), setup.tokenizer.encode(example.before)
    if len(before):
        both = np.concatenate([before, ids])
        return windows(both, context=context, stride=stride, prefix=None, given=len(before))
    prefix = setup.lm.end_of_text if setup.settings["prefix"] == "eot" else None
    return windows(ids, context=context, stride=stride, prefix=prefix)


def score_texts(
    setup: Setup, texts: Sequence[Text | Block], *, context: int | None = None
) -> list[Scoring]:
    """Each text by itself, in windows of `context` positions (None: the model's)."""
    log_probs, num_tokens = [0.0] * len(texts), [0] * len(texts)
    asked = (
        (number, request)
        for number, example in enumerate(texts)
        for request in requests_of(setup, example, context or setup.lm.context)
    )
    while some := list(itertools.islice(asked, REQUESTS_AT_ONCE)):
        answers = setup.lm.log_probs([request for _, request in some])
        for (owner, _), scored in zip(some, answers, strict=True):
            log_probs[owner] += float(scored.log_probs.sum())
            num_tokens[owner] += len(scored.log_probs)
    return list(map(Scoring, log_probs, num_tokens))


def num_words(text: str, unit: str) -> int:
    """Words of a tokenised text, and its line ends if they count.

    >>> num_words("no it was n't black monday \\n", "word+eos")
    7
    >>> num_words(" = Title = \\n", "harness")
    5
    """
    if unit == "harness":
        return len(re.split(r"\s+", text))
    return len(text.split()) + (text.count("\n") if unit == "word+eos" else 0)


def outcome(
    example: Text | Block, scoring: Scoring, num_units: int, metrics: dict[str, int]
) -> Outcome:
    """`metrics`: what each divides the log probability by."""
    text = example.text
    item = Item(
        item=example.item,
        text=text if isinstance(text, str) else text.decode("utf-8", "replace"),
        prompt="",
        target="",
        log_prob=scoring.log_prob,
        num_tokens=scoring.num_tokens,
        num_units=num_units,
        value=-scoring.log_prob / num_units,
    )
    return Outcome(item, {name: (scoring.log_prob, units) for name, units in metrics.items()})


def line_blocks(content: str, num_lines: int) -> list[Text]:
    """Blocks of lines, the last one shorter."""
    lines = list(io.StringIO(content, newline="\n"))
    return [
        Text(item=f"line {start + 1}", text="".join(lines[start : start + num_lines]))
        for start in range(0, len(lines), num_lines)
    ]


def words_scorer(style: Style) -> Callable[[Setup, Sequence[Text]], list[Outcome]]:
    """Perplexity for each word of the released, tokenised text."""

    def score(setup: Setup, texts: Sequence[Text]) -> list[Outcome]:
        shown, charged = list(texts), [0.0] * len(texts)
        if setup.settings["detokenizer"] == "on":
            found = [detokenize(example.text, style) for example in texts]
            shown = [
                Text(item=text.item, text=one.text, before=detokenize(text.before, style).text)
                for text, one in zip(texts, found, strict=True)
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
