"""Sampling token by token, each sample from its own seed, so that its company does not matter."""

import codecs
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wellread.base.errors import InputError
from wellread.base.seeds import generator, seed_for
from wellread.generation.decode import Decoder
from wellread.generation.stepper import NOT_FINITE, Ahead
from wellread.model.gpt2 import GPT2
from wellread.model.load import refuse_path
from wellread.tokenizer.tokenizer import Tokenizer

MOST_ROWS = 64  # samples that grow side by side


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is chosen. The released code's defaults, but for `top_k`.

    `top_k` 1 is greedy. With both, `top_p` chooses among the `top_k`.
    """

    max_new_tokens: int = 100
    temperature: float = 1.0
    top_k: int | None = None  # k = 40 is generally a good value (openai/gpt-2, src/sample.py)
    top_p: float | None = None  # the likeliest tokens that have this probability together

    def __post_init__(self) -> None:
        if not isinstance(self.max_new_tokens, int) or self.max_new_tokens < 1:
            raise InputError(
                f"max_new_tokens is {self.max_new_tokens}; a whole number of at least 1 is needed"
            )
        if not self.temperature > 0:
            raise InputError(
                f"temperature is {self.temperature}; it must be more than 0 (top_k 1 is greedy)"
            )
        if self.top_k is not None and self.top_k < 1:
            raise InputError(f"top_k is {self.top_k}; at least 1 is needed, or none for all tokens")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InputError(f"top_p is {self.top_p}; it must be more than 0 and at most 1")


class Likely(NamedTuple):
    """A token that could have come."""

    id: int
    log_prob: float


class Token(NamedTuple):
    """One more token of a sample."""

    sample: int
    id: int
    log_prob: float  # natural logarithm, by the model itself: whatever temperature, k and p are
    likeliest: tuple[Likely, ...] = ()  # at its place, if they were asked for


class Generated(NamedTuple):
    """The new ids after a prompt."""

    ids: npt.NDArray[np.int64]  # without `end_of_text`
    log_probs: npt.NDArray[np.float64]  # of each, and of `end_of_text` if that came after them


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wrote after a prompt."""

    text: str  # without the prompt
    ids: list[int]
    log_probs: list[float]  # of each id, natural logarithm
    ended: Literal["length", "end of text", "stop"]
    prompt_cut: int = 0  # ids at the prompt's beginning that had no room in the context


Done = Callable[[int, int], bool]  # (sample, id): whether the sample ends with this id
Complete = Callable[[Sequence[int]], bool]  # a sample's new ids: whether it ends with them


@torch.inference_mode()
def stream_ids(  # noqa: PLR0913 - one loop; what a sample depends on
    model: GPT2,
    prompts: Sequence[Sequence[int] | npt.NDArray[Any]],
    sampling: Sampling,
    *,
    seeds: Sequence[int],
    end_of_text: int | None = None,
    is_done: Done | None = None,
    rows: int = MOST_ROWS,
    num_likeliest: int = 0,
) -> Iterator[Token]:
    """The new ids of each sample as they are chosen; `end_of_text` ends one, and is its last.

    Of a prompt that is too long for the context the beginning is lost. When the context is full,
    a sample goes on from the last half of it.
    """
    known = _known_ids(prompts, model.config.vocab_size)
    most = longest_prompt(sampling, model.config.context)
    begins = [ids[-most:] for ids in known]
    waiting = deque(
        _Growing(*each) for each in zip(range(len(prompts)), begins, seeds, strict=True)
    )
    free = min(rows, len(prompts))
    if not free:
        return
    decoder = Decoder(model, free, max(map(len, begins)) + sampling.max_new_tokens)
    growing: dict[int, _Growing] = {}  # row -> sample
    try:
        while waiting or growing:
            empty = [row for row in range(free) if row not in growing]
            begun = dict(zip(empty, [waiting.popleft() for _ in empty if waiting], strict=False))
            parts = [
                (begun, decoder.begin, {row: one.prompt for row, one in begun.items()}),
                (growing, decoder.step, {row: one.last for row, one in growing.items()}),
            ]
            following: dict[int, _Growing] = {}
            for samples, ahead_of, given in parts:
                if not samples:
                    continue
                sources = [one.source for one in samples.values()]
                ahead = ahead_of(given)  # type: ignore[operator]
                with decoder.choosing():
                    found = choose(ahead, sources, sampling)
                    others = likeliest(ahead, num_likeliest)
                for (row, one), (token, log_prob), those in zip(
                    samples.items(), found, others, strict=True
                ):
                    one.last, one.length = token, one.length + 1
                    is_last = token == end_of_text or one.length == sampling.max_new_tokens
                    if token != end_of_text:
                        is_last |= is_done is not None and is_done(one.number, token)
                    yield Token(one.number, token, log_prob, those)
                    if not is_last:
                        following[row] = one
            growing = dict(sorted(following.items()))
            if not waiting and growing and 2 * len(growing) <= free:
                decoder.keep(list(growing))
                growing = dict(enumerate(growing.values()))
                free = len(growing)
    finally:
        decoder.close()


def longest_prompt(sampling: Sampling, context: int) -> int:
    """Ids of a prompt that are read, the last; the new ones stand behind them in the context.

    If not all have room there, half of the context is the prompt's.
    """
    return context - min(sampling.max_new_tokens, context // 2)


def _known_ids(
    prompts: Sequence[Sequence[int] | npt.NDArray[Any]], vocab_size: int
) -> list[list[int]]:
    """The ids of each prompt, at least one; others than the model's are an InputError."""
    given = [list(map(int, prompt)) for prompt in prompts]
    for number, ids in enumerate(given):
        if not ids:
            raise InputError(f"prompt {number} is empty; begin with <|endoftext|>")
        if not 0 <= min(ids) <= max(ids) < vocab_size:
            raise InputError(
                f"prompt {number} has an id outside 0 to {vocab_size - 1}, which are all that the "
                "model knows"
            )
    return given


class _Growing:
    """A sample at work."""

    def __init__(self, number: int, prompt: list[int], seed: int) -> None:
        self.number, self.prompt, self.length, self.last = number, prompt, 0, -1
        self.source = generator(seed, "sample")


def choose(
    ahead: Ahead, sources: Sequence[np.random.Generator], sampling: Sampling
) -> list[tuple[int, float]]:
    """The next id of each row, and its log-probability."""
    if sampling.top_k == 1:
        chosen_N = ahead.best_N
    else:
        if not ahead.log_sum_N.isfinite().all():
            raise InputError(NOT_FINITE)
        ids = [
            _draw(*candidates, source, sampling)
            for candidates, source in zip(
                _candidates(ahead.logits_NV, sampling), sources, strict=True
            )
        ]
        chosen_N = torch.tensor(ids, device=ahead.logits_NV.device)
    log_probs_N = ahead.logits_NV.gather(1, chosen_N[:, None])[:, 0] - ahead.log_sum_N
    # Together, since each time that numbers come from a device it is waited for.
    tokens, log_probs = torch.stack([chosen_N.double(), log_probs_N.double()]).tolist()
    if not all(map(math.isfinite, log_probs)):
        raise InputError(NOT_FINITE)
    return list(zip(map(int, tokens), log_probs, strict=True))


def likeliest(ahead: Ahead, number: int) -> list[tuple[Likely, ...]]:
    """So many ids of each row by the model itself, the likeliest first."""
    if not number:
        return [()] * len(ahead.logits_NV)
    top = (ahead.logits_NV - ahead.log_sum_N[:, None]).topk(min(number, ahead.logits_NV.shape[1]))
    rows = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return [tuple(map(Likely, *row)) for row in rows]


Candidates = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]  # ids in order, logits


def _candidates(logits_NV: Tensor, sampling: Sampling) -> Iterator[Candidates]:
    """For each row the ids among which is drawn, and their logits."""
    if sampling.top_k is None or sampling.top_k >= logits_NV.shape[1]:
        all_V = np.arange(logits_NV.shape[1])
        for logits_V in logits_NV:
            yield all_V, logits_V.double().cpu().numpy()
        return
    # Ties at the edge all stay: the released code compares with the k-th value too.
    edge_N1 = logits_NV.topk(sampling.top_k, dim=1).values[:, -1:]
    rows, ids = (logits_NV >= edge_N1).nonzero(as_tuple=True)
    values = logits_NV[rows, ids].double().cpu().numpy()
    ends = np.cumsum(np.bincount(rows.cpu().numpy(), minlength=len(logits_NV)))[:-1]
    yield from zip(np.split(ids.cpu().numpy(), ends), np.split(values, ends), strict=True)


def _draw(
    ids: npt.NDArray[np.int64],
    logits: npt.NDArray[np.float64],
    source: np.random.Generator,
    sampling: Sampling,
) -> int:
    with np.errstate(over="ignore"):  # at a temperature near 0 the others are infinitely behind
        weights = np.exp((logits - logits.max()) / sampling.temperature)
    if sampling.top_p is not None:
        order = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= sampling.top_p * weights.sum()]] = 0.0
    sums = weights.cumsum()
    return int(ids[np.searchsorted(sums, source.random() * sums[-1], side="right")])


def generate_ids(  # noqa: PLR0913 - the settings of sampling, by their usual names
    model: GPT2,
    prompts: Sequence[Sequence[int] | npt.NDArray[Any]],
    *,
    max_new_tokens: int,
    seeds: Sequence[int],
    temperature: float = 1.0,
    top_k: int | None = None,
    end_of_text: int | None = None,
    is_complete: Complete | None = None,
    rows: int = MOST_ROWS,
) -> list[Generated]:
    """The new ids after each prompt, at most `max_new_tokens`."""
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k)
    found: list[list[int]] = [[] for _ in prompts]
    log_probs: list[list[float]] = [[] for _ in prompts]

    def is_done(sample: int, token: int) -> bool:
        return is_complete is not None and is_complete([*found[sample], token])

    for token in stream_ids(
        model, prompts, sampling, seeds=seeds, end_of_text=end_of_text, is_done=is_done, rows=rows
    ):
        log_probs[token.sample].append(token.log_prob)
        if token.id != end_of_text:
            found[token.sample].append(token.id)
    return [
        Generated(np.array(ids, np.int64), np.array(own))
        for ids, own in zip(found, log_probs, strict=True)
    ]


class _Text:
    """The text of a sample while it grows, and whether a stop string is in it."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str]) -> None:
        stop = [stop] if isinstance(stop, str) else stop
        if "" in stop:
            raise InputError("an empty stop string would end every text before it begins")
        self._tokenizer, self._stop = tokenizer, [text.encode() for text in stop]
        self.text = b""
        self.cut: int | None = None

    def add(self, token: int) -> bool:
        """Append a token; whether the text now has a stop string, before which it is cut."""
        before = len(self.text)
        self.text += self._tokenizer.decode_bytes([token])
        places = [self.text.find(stop, max(before - len(stop) + 1, 0)) for stop in self._stop]
        found = [place for place in places if place >= 0]
        if found:
            self.cut = min(found)
        return bool(found)

    def may_become_a_stop(self) -> bool:
        """Whether the text ends as a stop string begins."""
        return any(
            self.text.endswith(stop[:length])
            for stop in self._stop
            for length in range(1, len(stop))
        )


class Piece(NamedTuple):
    """A part of a text, one token or the few that make whole characters."""

    text: str
    log_prob: float  # natural logarithm, of its tokens together
    ids: tuple[int, ...]
    likeliest: tuple[Likely, ...] = ()  # where its first token is, if they were asked for


def stream_text(  # noqa: PLR0913 - what a sample depends on
    model: GPT2,
    tokenizer: Tokenizer,
    prompt: str,
    sampling: Sampling,
    *,
    seed: int = 0,
    sample: int = 0,
    stop: Sequence[str] = (),
    num_likeliest: int = 0,
) -> Iterator[Piece]:
    """Number `sample` of what `sample_texts` gives for one prompt, piece by piece as it comes."""
    text = _Text(tokenizer, stop)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    given = 0
    waiting: list[Token] = []  # whose text is not given yet
    for token in stream_ids(
        model, starts(tokenizer, [prompt]), sampling,
        seeds=seeds_for(seed, sample + 1)[sample:], end_of_text=tokenizer.end_of_text,
        is_done=lambda _, chosen: text.add(chosen), num_likeliest=num_likeliest,
    ):  # fmt: skip
        if token.id == tokenizer.end_of_text:
            continue
        waiting.append(token)
        if text.cut is None and not text.may_become_a_stop():
            piece = decoder.decode(text.text[given:])
            given = len(text.text)
            if piece:
                yield _piece(piece, waiting)
                waiting = []
    if rest := decoder.decode(text.text[given : text.cut], final=True):
        yield _piece(rest, waiting)


def _piece(text: str, tokens: Sequence[Token]) -> Piece:
    log_prob = sum(token.log_prob for token in tokens)
    ids = tuple(token.id for token in tokens)
    # Of a rest behind the last token, which only the end of the text shows, nothing is known.
    return Piece(text, log_prob, ids, tokens[0].likeliest if tokens else ())


def sample_texts(
    model: GPT2,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    sampling: Sampling,
    *,
    seed: int = 0,
    stop: Sequence[str] = (),
) -> list[Sample]:
    """A sample for each prompt, with ids and log-probabilities; `stop` is not in the texts."""
    begins = starts(tokenizer, prompts)
    most = longest_prompt(sampling, model.config.context)
    texts = [_Text(tokenizer, stop) for _ in prompts]
    tokens: list[list[Token]] = [[] for _ in prompts]
    for token in stream_ids(
        model, begins, sampling, seeds=seeds_for(seed, len(prompts)),
        end_of_text=tokenizer.end_of_text, is_done=lambda sample, chosen: texts[sample].add(chosen),
    ):  # fmt: skip
        if token.id != tokenizer.end_of_text:
            tokens[token.sample].append(token)
    return [
        Sample(
            text=text.text[: text.cut].decode("utf-8", "replace"),
            ids=[token.id for token in own],
            log_probs=[token.log_prob for token in own],
            ended=(
                "stop" if text.cut is not None
                else "length" if len(own) == sampling.max_new_tokens
                else "end of text"
            ),
            prompt_cut=max(len(prompt) - most, 0),
        )
        for text, own, prompt in zip(texts, tokens, begins, strict=True)
    ]  # fmt: skip


def starts(tokenizer: Tokenizer, prompts: Sequence[str]) -> list[list[int]]:
    """The ids of prompts; a document begins after `<|endoftext|>`, and so does each of them."""
    return [[tokenizer.end_of_text, *tokenizer.encode(prompt).tolist()] for prompt in prompts]


def seeds_for(seed: int, count: int) -> list[int]:
    """A seed for each of `count` samples; the first ones do not depend on how many there are."""
    if seed < 0:
        raise InputError(f"seed is {seed}; at least 0 is needed")
    return [seed_for(seed, "generate", str(number)) for number in range(count)]


def generate(  # noqa: PLR0913 - the settings of sampling, by their usual names
    model: GPT2,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 100,
    temperature: float = 1.0,
    top_k: int | None = 40,
    top_p: float | None = None,
    stop: Sequence[str] = (),
    seed: int = 0,
) -> list[str]:
    """Texts that continue `prompts` (not repeated in them); an empty prompt starts a document.

    k = 40 is what the released code's documentation calls generally a good value. Each text ends
    at `<|endoftext|>`, before the first of `stop`, or after `max_new_tokens`. Text number n depends
    on `seed`, n and its prompt alone. A setting out of its range, or a prompt with ids that
    the model does not have, is an InputError.
    """
    if isinstance(prompts, str):
        raise InputError(f"one prompt, {prompts[:20]!r}, where several are expected: give a list")
    refuse_path(model)
    sampling = Sampling(
        max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p
    )
    found = sample_texts(model, tokenizer, prompts, sampling, seed=seed, stop=stop)
    return [sample.text for sample in found]
