"""Sampling token by token, each sample from its own seed, so that its company does not matter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wellread.base.seeds import generator, seed_for
from wellread.model.gpt2 import GPT2, Cache
from wellread.tokenizer.tokenizer import Tokenizer


@torch.inference_mode()
def generate_ids(  # noqa: PLR0913 - the settings of sampling, by their usual names
    model: GPT2,
    prompts: Sequence[Sequence[int] | npt.NDArray[Any]],
    *,
    max_new_tokens: int,
    seeds: Sequence[int],
    temperature: float = 1.0,
    top_k: int | None = None,
    end_of_text: int | None = None,
) -> list[npt.NDArray[np.int64]]:
    """The new ids after each prompt, at most `max_new_tokens`, without `end_of_text`.

    `top_k=1` is greedy. A prompt too long for the context loses its beginning; past the context
    the model goes on from the last half of it.
    """
    return [
        _continue(
            model, list(map(int, prompt)), max_new_tokens, Chooser(temperature, top_k, seed),
            end_of_text,
        )
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]  # fmt: skip


class Chooser:
    """Picks the next id from its logits."""

    def __init__(self, temperature: float, top_k: int | None, seed: int) -> None:
        self.temperature, self.top_k = temperature, top_k
        self.source = generator(seed, "sample")

    def __call__(self, logits_V: Tensor) -> int:
        if self.top_k == 1:
            return int(logits_V.argmax())
        scaled = (logits_V.double() / self.temperature).cpu().numpy()
        if self.top_k is not None and self.top_k < len(scaled):
            # Ties at the edge all stay: the released code compares with the k-th value too.
            scaled = np.where(
                scaled < np.partition(scaled, -self.top_k)[-self.top_k], -np.inf, scaled
            )
        weights = np.exp(scaled - scaled.max()).cumsum()
        return int(np.searchsorted(weights, self.source.random() * weights[-1], side="right"))


def _continue(
    model: GPT2, prompt: list[int], max_new: int, choose: Chooser, end_of_text: int | None
) -> npt.NDArray[np.int64]:
    context = model.config.context
    room = min(max_new, context // 2)
    seen = prompt[-(context - room) :]
    new: list[int] = []
    cache, pending = Cache(), seen
    while len(new) < max_new:
        if cache.length + len(pending) > context:
            cache, pending = Cache(), (seen + new)[-(context // 2) :]
        ids_BT = torch.tensor([pending], device=model.wte.weight.device)
        chosen = choose(model(ids_BT, cache)[0, -1])
        if chosen == end_of_text:
            break
        new.append(chosen)
        pending = [chosen]
    return np.array(new, dtype=np.int64)


def generate(  # noqa: PLR0913 - the settings of sampling, by their usual names
    model: GPT2,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 100,
    temperature: float = 1.0,
    top_k: int | None = 40,
    seed: int = 0,
) -> list[str]:
    """Texts that continue `prompts` (not repeated in them); an empty prompt starts a document.

    k = 40 is what the released code's documentation calls generally a good value.
    """
    start = [tokenizer.end_of_text]
    ids = [start + tokenizer.encode(prompt).tolist() for prompt in prompts]
    seeds = [seed_for(seed, "generate", str(number)) for number in range(len(prompts))]
    found = generate_ids(
        model, ids, max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k,
        seeds=seeds, end_of_text=tokenizer.end_of_text,
    )  # fmt: skip
    return [tokenizer.decode(new) for new in found]
