"""Our models in lm-evaluation-harness, under the name `wellread`.

Its own command, which then knows the name too:

    python -m wellread.evaluate.harness run --model wellread --model_args model=RUN --tasks lambada

It needs `pip install "wellread[parity]"`. In Python, `import wellread.evaluate.harness` is enough
before `lm_eval.simple_evaluate(model="wellread", ...)`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from lm_eval.__main__ import cli_evaluate
from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import register_model
from lm_eval.models.utils import normalize_gen_kwargs

from wellread.base.errors import InputError
from wellread.evaluate.language_model import Request, TorchModel
from wellread.evaluate.windows import windows
from wellread.generation.sample import generate_ids
from wellread.model.load import check_vocabulary, load_model, load_tokenizer

SEED = 0  # of sampling, which few of its tasks ask for


@register_model("wellread")
class WellreadModel(TemplateLM):  # type: ignore[misc]  # the library has no types
    """A run, an export, or any MODEL, asked as the harness asks Hugging Face's.

    Contexts that are too long lose their beginning, an empty one is `<|endoftext|>`, and texts
    for rolling likelihoods are cut into windows of a whole context that share one token.
    """

    def __init__(
        self,
        model: str,
        device: str = "auto",
        dtype: str = "float32",
        batch_tokens: int = 8192,
        batch_size: object = None,  # noqa: ARG002 - `batch_tokens` bounds the memory
        max_batch_size: object = None,  # noqa: ARG002
    ) -> None:
        super().__init__()
        if device.startswith("cuda") and not torch.cuda.is_available():
            device = "auto"  # the harness says cuda where nobody named a device
        network = load_model(model, device=device, dtype=dtype)
        self._tokenizer = load_tokenizer(model)
        check_vocabulary(self._tokenizer, network.config, model)
        end_of_text = self._tokenizer.end_of_text
        self._lm = TorchModel(network, end_of_text, batch_tokens=int(batch_tokens))

    @property
    def eot_token_id(self) -> int:
        """Of `<|endoftext|>`, which stands before a text without a context."""
        return self._lm.end_of_text

    def tok_encode(self, string: str, **_: Any) -> list[int]:
        """The ids of a text."""
        return list(self._tokenizer.encode(string).tolist())

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_: Any
    ) -> list[tuple[float, bool]]:
        asked = [Request(np.array(context), np.array(rest)) for _, context, rest in requests]
        scored = self._lm.log_probs(asked)
        return [(float(one.log_probs.sum()), one.is_greedy) for one in scored]

    def loglikelihood_rolling(self, requests: Sequence[Any], **_: Any) -> list[float]:
        """The natural log-probability of each text, every token once."""
        context, prefix = self._lm.context, self.eot_token_id
        asked, owners = [], []
        for number, request in enumerate(requests):
            ids = self._tokenizer.encode(request.args[0])
            for one in windows(ids, context=context, stride=context, prefix=prefix):
                asked.append(one)
                owners.append(number)
        sums = np.zeros(len(requests))
        for number, scored in zip(owners, self._lm.log_probs(asked), strict=True):
            sums[number] += scored.log_probs.sum()
        return [float(one) for one in sums]

    def generate_until(self, requests: Sequence[Any], **_: Any) -> list[str]:
        """What the model writes after each context, before the first of its stop strings."""
        return [self._write(*request.args) for request in requests]

    def _write(self, context: str, settings: dict[str, Any]) -> str:
        wanted = normalize_gen_kwargs(settings)
        stop = [text for text in wanted.pop("until") if text]
        max_new_tokens, top_k = wanted.pop("max_gen_toks"), wanted.pop("top_k", None)
        is_sampled, temperature = wanted.pop("do_sample"), wanted.pop("temperature", 1.0)
        if wanted:
            raise InputError(f"wellread cannot generate with {next(iter(wanted))!r}")

        def is_complete(ids: Sequence[int]) -> bool:
            text = self._tokenizer.decode(ids)
            return any(one in text for one in stop)

        [written] = generate_ids(
            self._lm.model,
            [self.tok_encode(context) or [self.eot_token_id]],
            max_new_tokens=max_new_tokens,
            seeds=[SEED],
            temperature=temperature if is_sampled else 1.0,
            top_k=top_k if is_sampled else 1,
            end_of_text=self.eot_token_id,
            is_complete=is_complete,
        )
        text = self._tokenizer.decode(written.ids)
        return text[: min((text.find(one) for one in stop if one in text), default=len(text))]


if __name__ == "__main__":
    cli_evaluate()
