"""The tab Write: a prompt continued by one model, or by two on the same seed."""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from wellread.playground.html import Written
from wellread.playground.loading import Loaded
from wellread.tokenizer.explain import visible
from wellread.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from wellread.generation.sample import Piece, Sampling

ALTERNATIVES = 8  # of each token
SECONDS_BETWEEN = 0.08  # two pictures of a growing text
END = "end of text"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How a text is to be continued."""

    prompt: str
    temperature: float = 1.0
    top_k: int = 40  # 0: all tokens
    top_p: float = 1.0
    num_tokens: int = 80
    seed: int = 0

    def sampling(self) -> "Sampling":
        from wellread.generation.sample import Sampling  # with PyTorch

        return Sampling(
            max_new_tokens=self.num_tokens,
            temperature=self.temperature,
            top_k=self.top_k or None,
            top_p=None if self.top_p >= 1 else self.top_p,
        )


class Example(NamedTuple):
    """A prompt, and what a small model makes of it."""

    name: str
    prompt: str
    expect: str


EXAMPLES = (
    Example(
        "Like its training text",
        "The function returns",
        "What its training text is full of, a small model can imitate: words that exist, grammar "
        "that mostly holds for a clause or two. It says nothing true on purpose.",
    ),
    Example(
        "A fact",
        "The capital of Japan is",
        "A model of less than some hundred million parameters does not know facts. It goes on with "
        "something that has the form of an answer. Look at the alternatives of the first token: "
        "the right one is seldom among them.",
    ),
    Example(
        "Copying",
        "alpha beta gamma delta alpha beta gamma delta alpha beta",
        "To go on with a row that stands in the prompt needs no knowledge, only attention to what "
        "came before. Models of a few layers begin to do it; one layer hardly can.",
    ),
    Example(
        "Arithmetic",
        "2 + 2 = 4\n3 + 5 = 8\n4 + 3 =",
        "It sees the form, numbers and signs, and keeps it. The number is a guess.",
    ),
    Example(
        "A long thread",
        "Chapter 1. Mira had three keys: one for the house, one for the shop and one for",
        "Names and things of the beginning get lost after a sentence or two. The smaller the "
        "model, the sooner; and beyond its context, it cannot see them at all.",
    ),
    Example(
        "From nothing",
        "",
        "An empty prompt begins a document, as in training. What comes is what the model takes for "
        "the most usual beginnings.",
    ),
)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What one model has written so far."""

    name: str
    written: list[Written]
    num_tokens: int
    is_done: bool
    seconds: float  # of this model alone
    num_lost: int = 0  # tokens at the prompt's beginning for which the context has no room

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.written)

    def facts(self, wanted: int) -> str:
        """What there is to say below a text."""
        if not self.is_done:
            return f"{_tokens(self.num_tokens)} so far"
        bits = sum(one.bits for one in self.written) / max(self.num_tokens, 1)
        said = [f"{_tokens(self.num_tokens)} in {self.seconds:.2g} s", f"{bits:.1f} bits a token"]
        if self.num_tokens < wanted:
            said.append("the model ended the text there")
        if self.num_lost:
            said.append(
                f"the first {self.num_lost:,} tokens of the prompt have no room in its context "
                "and were not read"
            )
        return " · ".join(said)


def _tokens(number: int) -> str:
    return f"{number:,} token{'s' * (number != 1)}"


def samples(models: Sequence[Loaded], asked: Asked) -> Iterator[list[Sample]]:
    """What all of them have written, now and then, in turns; at last with `is_done`."""
    writers = [_sample(loaded, asked) for loaded in models]
    latest: list[Sample] = []
    shown = 0.0
    for each in itertools.zip_longest(*writers):
        latest = [new or old for new, old in itertools.zip_longest(each, latest)]
        if time.monotonic() - shown >= SECONDS_BETWEEN:
            yield latest
            shown = time.monotonic()
    yield latest


def _sample(loaded: Loaded, asked: Asked) -> Iterator[Sample]:
    from wellread.generation.sample import longest_prompt, starts, stream_text

    model, tokenizer, sampling = loaded.model, loaded.tokenizer, asked.sampling()
    room = longest_prompt(sampling, model.config.context)
    sample = Sample(
        name=loaded.name,
        written=[],
        num_tokens=0,
        is_done=False,
        seconds=0.0,
        num_lost=max(len(starts(tokenizer, [asked.prompt])[0]) - room, 0),
    )
    stream = stream_text(
        model, tokenizer, asked.prompt, sampling, seed=asked.seed, num_likeliest=ALTERNATIVES
    )
    written: list[Written] = []
    started = time.monotonic()
    for piece in stream:
        written.append(as_written(tokenizer, piece))
        sample = msgspec.structs.replace(
            sample,
            written=written,
            num_tokens=sample.num_tokens + len(piece.ids),
            seconds=sample.seconds + time.monotonic() - started,
        )
        yield sample
        started = time.monotonic()
    yield msgspec.structs.replace(sample, is_done=True)


def as_written(tokenizer: Tokenizer, piece: "Piece") -> Written:
    """A piece with its surprise in bits, and its alternatives as a person reads them."""
    likely = tuple(
        (
            END if one.id == tokenizer.end_of_text else shown(tokenizer, one.id),
            math.exp(one.log_prob),
        )
        for one in piece.likeliest
    )
    return Written(piece.text, -piece.log_prob / math.log(2), likely, len(piece.ids))


def shown(tokenizer: Tokenizer, token: int) -> str:
    """A token as it can be seen; an id that a model has and its tokenizer has not, by number."""
    return visible(tokenizer.tokens[token]) if token < tokenizer.vocab_size else f"id {token}"
