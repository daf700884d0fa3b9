"""All that evaluation asks of a language model, and the answer of GPT-2 in PyTorch.

Shapes: B batch, T positions, S positions in the cache, N scored positions of a batch, C width of
the model, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from wellread.base.errors import InputError, WellreadError
from wellread.generation.sample import MOST_ROWS, Complete, Generated, generate_ids
from wellread.generation.score import scores
from wellread.generation.stepper import NOT_FINITE, can_step
from wellread.model.gpt2 import GPT2, Cache

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]
Answer = TypeVar("Answer")
# From what the model makes of each row, (scored positions, C), and the ids that are scored.
Head = Callable[[Sequence[Tensor], Sequence[Ids]], list[Answer]]
HEAD_ROWS = 256  # positions whose logits exist at one time: 256 x 50,257 float32 are 51 MB


class Request(NamedTuple):
    """Score `continuation` after `context`, of which the beginning is lost if both do not fit."""

    context: npt.NDArray[Any]  # at least one id
    continuation: npt.NDArray[Any]


class Scored(NamedTuple):
    """What a model says of a continuation."""

    log_probs: Floats  # natural logarithm, one for each token
    is_greedy: bool  # greedy decoding would have written exactly this
    best: Ids | None = None  # the likeliest id at each place, after the tokens that stand there


class LanguageModel(Protocol):
    """Implemented by GPT-2 and, in tests, by tables whose scores are computed by hand."""

    context: int  # positions that it sees
    end_of_text: int

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        """One answer for each request, whatever the others are."""

    def next_log_probs(self, requests: Sequence[Request]) -> Float32s:
        """Of every id after context and continuation, which may be empty: (requests, V)."""

    def generate(
        self,
        prompts: Sequence[npt.NDArray[Any]],
        *,
        max_new_tokens: int,
        top_k: int,
        seeds: Sequence[int],
        is_complete: Complete | None = None,
    ) -> list[Generated]:
        """The new ids after each prompt, up to end of text or until they are complete.

        `top_k=1` is greedy. No answer depends on the other prompts.
        """


def fit(request: Request, context: int) -> tuple[Ids, Ids]:
    """Context and continuation as far as they fit into `context` positions.

    The last token is only predicted, so that one more than `context` tokens take part.
    """
    room = context + 1 - len(request.continuation)
    assert len(request.context) > 0, "a token cannot be predicted from nothing"
    if room < 1:
        raise WellreadError(
            f"a continuation of {len(request.continuation)} tokens does not fit into the model's "
            f"{context} positions; leave this task out, or take a model with a longer context"
        )
    kept = np.asarray(request.context[-room:], dtype=np.int64)
    return kept, np.asarray(request.continuation, dtype=np.int64)


def _finite(log_probs: Floats) -> Floats:
    if not np.isfinite(log_probs).all():
        raise InputError(NOT_FINITE)
    return log_probs


class TorchModel:
    """GPT-2 as a LanguageModel. `batch_tokens` bounds the memory, and changes no result."""

    def __init__(self, model: GPT2, end_of_text: int, *, batch_tokens: int = 8192) -> None:
        self.model = model
        self.context = model.config.context
        self.end_of_text = end_of_text
        self.batch_tokens = batch_tokens

    @torch.inference_mode()
    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        """As the protocol says."""
        if not can_step(self.model):
            return self._answers(requests, self._scored)
        fitted = [fit(request, self.context) for request in requests]
        answers: dict[int, Scored] = {}
        for number, (log_probs, best) in scores(
            self.model,
            [np.concatenate(pair) for pair in fitted],
            [len(continuation) for _, continuation in fitted],
            positions=self.batch_tokens,
        ):
            is_greedy = bool((best == fitted[number][1]).all())
            answers[number] = Scored(_finite(log_probs), is_greedy, best)
        return [answers[number] for number in range(len(requests))]

    def next_log_probs(self, requests: Sequence[Request]) -> Float32s:
        """As the protocol says."""
        # What follows is predicted where an id, whichever, would be scored.
        asked = [Request(c, np.append(after, self.end_of_text)) for c, after in requests]
        found: list[Float32s] = self._answers(asked, self._following)
        return np.stack(found)

    @torch.inference_mode()
    def _answers(self, requests: Sequence[Request], head: Head[Answer]) -> list[Answer]:
        """Requests of one context read it once; the others are batched by length."""
        fitted = [fit(request, self.context) for request in requests]
        by_context: dict[bytes, list[int]] = {}
        for number, (context, _) in enumerate(fitted):
            by_context.setdefault(context.tobytes(), []).append(number)
        answers: dict[int, Answer] = {}
        alone = []
        for numbers in by_context.values():
            context = fitted[numbers[0]][0]
            if len(numbers) == 1 or len(context) == 1:
                alone += numbers
                continue
            found = self._after(context, [fitted[number][1] for number in numbers], head)
            answers.update(zip(numbers, found, strict=True))
        # The ids break ties, so that the batches do not depend on the order of the requests.
        alone.sort(
            key=lambda n: (sum(map(len, fitted[n])), *(part.tobytes() for part in fitted[n]))
        )
        for batch in self._batches(alone, [sum(map(len, pair)) for pair in fitted]):
            rows = [np.concatenate(fitted[number])[:-1] for number in batch]
            found = self._row_answers(rows, [fitted[number][1] for number in batch], None, head)
            answers.update(zip(batch, found, strict=True))
        return [answers[number] for number in range(len(requests))]

    def _batches(self, numbers: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
        """`numbers`, sorted by length, in batches of at most `batch_tokens` with the padding."""
        batch: list[int] = []
        for number in numbers:
            if batch and (len(batch) + 1) * lengths[number] > self.batch_tokens:
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch

    def _after(
        self, context: Ids, continuations: Sequence[Ids], head: Head[Answer]
    ) -> list[Answer]:
        """Score several continuations of one context, whose keys and values they share."""
        longest = max(map(len, continuations))
        cache = Cache(self.model.config, 1, len(context) - 1 + longest, self.model.head_VC)
        self.model.hidden(self._tensor(context[None, :-1]), cache)
        size = max(1, self.batch_tokens // (len(context) + longest))
        found: list[Answer] = []
        for start in range(0, len(continuations), size):
            targets = continuations[start : start + size]
            rows = [np.concatenate([context[-1:], target[:-1]]) for target in targets]
            found += self._row_answers(rows, targets, cache.with_rows([0] * len(rows)), head)
        return found

    def _row_answers(
        self,
        rows: Sequence[Ids],
        targets: Sequence[Ids],
        cache: Cache | None,
        head: Head[Answer],
    ) -> list[Answer]:
        """Of each row's last `len(target)` predictions; padding stands after them, unseen."""
        ids_BT = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        for row, ids in enumerate(rows):
            ids_BT[row, : len(ids)] = ids
        hidden_BTC = self.model.hidden(self._tensor(ids_BT), cache)
        scored = [
            hidden_BTC[row, len(ids) - len(target) : len(ids)]
            for row, (ids, target) in enumerate(zip(rows, targets, strict=True))
        ]
        return head(scored, targets)

    def _scored(self, hidden: Sequence[Tensor], targets: Sequence[Ids]) -> list[Scored]:
        log_probs_N, best_N = self._head(
            torch.cat(list(hidden)), self._tensor(np.concatenate(targets))
        )
        ends = np.cumsum([len(target) for target in targets])[:-1]
        return [
            Scored(_finite(log_probs), bool((best == target).all()), best)
            for log_probs, best, target in zip(
                np.split(log_probs_N, ends), np.split(best_N, ends), targets, strict=True
            )
        ]

    def _following(self, hidden: Sequence[Tensor], _: Sequence[Ids]) -> list[Float32s]:
        """The last prediction of each row, over the vocabulary."""
        found: list[Float32s] = []
        for rows_BC in torch.stack([each[-1] for each in hidden]).split(HEAD_ROWS):
            logits_BV = F.linear(rows_BC, self.model.head_VC).float()
            found += list(logits_BV.log_softmax(dim=1).cpu().numpy())
        return found

    def _head(self, hidden_NC: Tensor, targets_N: Tensor) -> tuple[Floats, Ids]:
        """Log probabilities of the targets, and the likeliest tokens."""
        log_probs, best = [], []
        for rows_NC, wanted_N in zip(
            hidden_NC.split(HEAD_ROWS), targets_N.split(HEAD_ROWS), strict=True
        ):
            logits_NV = F.linear(rows_NC, self.model.head_VC).float()
            target_N = logits_NV.gather(1, wanted_N[:, None])[:, 0]
            log_probs.append((target_N - logits_NV.logsumexp(dim=1)).cpu().double().numpy())
            best.append(logits_NV.argmax(dim=1).cpu().numpy())
        return np.concatenate(log_probs), np.concatenate(best)

    def _tensor(self, ids: Ids) -> Tensor:
        return torch.from_numpy(ids).to(self.model.wte.weight.device)

    def generate(
        self,
        prompts: Sequence[npt.NDArray[Any]],
        *,
        max_new_tokens: int,
        top_k: int,
        seeds: Sequence[int],
        is_complete: Complete | None = None,
    ) -> list[Generated]:
        """As the protocol says."""
        longest = min(self.context, max(map(len, prompts), default=0) + max_new_tokens)
        return generate_ids(
            self.model,
            prompts,
            max_new_tokens=max_new_tokens,
            top_k=top_k,
            seeds=seeds,
            end_of_text=self.end_of_text,
            is_complete=is_complete,
            rows=max(1, min(MOST_ROWS, self.batch_tokens // longest)),
        )
