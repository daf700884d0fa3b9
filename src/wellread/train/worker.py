"""The network that computes: the one that learns, or a copy of it in bfloat16."""

from functools import partial
from typing import Any

import msgspec
import torch
from torch import Tensor

from wellread.model.gpt2 import GPT2
from wellread.train.attention import attend, can_attend
from wellread.train.gelu import gelu
from wellread.train.loss import mean_loss, position_losses

UNIT = 64  # the head's rows are a multiple of it: products are faster so on accelerators


class Worker:
    """Losses and gradients of a network.

    With `document_start`, the id that every document begins with, positions see only their own
    document.

    In bfloat16 a copy computes, with the weights as they are after the last `refresh`. Its
    gradients are added up in float32, at the weights that learn.
    """

    def __init__(
        self,
        learner: GPT2,
        precision: torch.dtype,
        *,
        compiles: bool = False,
        recomputes: bool = False,
        document_start: int | None = None,
    ) -> None:
        self.vocab_size = learner.config.vocab_size
        self._document_start = document_start
        self.network = learner
        self._own: list[Tensor] = []
        self._learned: list[Tensor] = []
        if precision != torch.float32:
            self.network = self._copy(learner, precision)
        self.network.recomputes = recomputes
        if compiles:
            _compile_blocks(self.network)

    def _copy(self, learner: GPT2, precision: torch.dtype) -> GPT2:
        padded = -(-self.vocab_size // UNIT) * UNIT
        shape = msgspec.structs.replace(learner.config, vocab_size=padded)
        with torch.device("meta"):
            network = GPT2(shape)
        network = network.to(precision).to_empty(device=learner.wte.weight.device)
        with torch.no_grad():
            for matrix in {network.wte.weight, network.head_VC}:
                matrix[self.vocab_size :] = 0
        for own, learned in zip(network.parameters(), learner.parameters(), strict=True):
            self._own.append(own.detach()[: len(learned)])
            self._learned.append(learned.detach())
            own.register_post_accumulate_grad_hook(partial(_hand_over, learned))
        if can_attend(learner.wte.weight.device, precision, shape.width // shape.heads):
            blocks: list[Any] = list(network.h)
            for block in blocks:
                block.attn.attend, block.mlp.gelu = attend, gelu
        self.refresh()
        return network

    def refresh(self) -> None:
        """Compute with the weights as they now are."""
        if self._own:
            torch._foreach_copy_(self._own, self._learned)

    def loss(self, windows_BT: Tensor, *, of: int | None = None) -> Tensor:
        """Negative log-probability of each next token, in nats; `windows_BT` is (B, T + 1).

        Its sum over `of` tokens, by default over as many as there are.
        """
        return mean_loss(*self._ends(windows_BT), vocab_size=self.vocab_size, of=of)

    def window_losses(self, windows_BT: Tensor) -> Tensor:
        """The mean of each window by itself, (B,), without gradients."""
        losses_N = position_losses(*self._ends(windows_BT), vocab_size=self.vocab_size)
        return losses_N.view(len(windows_BT), -1).mean(1)

    def _ends(self, windows_BT: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the head reads, the head, and the targets."""
        ids_BT, starts_BT = windows_BT[:, :-1], None
        if self._document_start is not None:
            starts_BT = _starts(ids_BT == self._document_start)
        hidden_BTC = self.network.hidden(ids_BT, None, starts_BT)
        return hidden_BTC.flatten(0, 1), self.network.head_VC, windows_BT[:, 1:].flatten()


def _compile_blocks(network: GPT2) -> None:
    """Each by itself: they are alike, so that one compilation does for all of them."""
    blocks: list[Any] = list(network.h)
    for block in blocks:
        # Not the block: what sharding has hooked onto it stays outside.
        block.forward = torch.compile(block.forward, dynamic=False)


def _starts(is_start_BT: Tensor) -> Tensor:
    """Of each position the last one up to it where something starts; the first, if nothing does."""
    all_T = torch.arange(is_start_BT.shape[1], device=is_start_BT.device)
    return torch.where(is_start_BT, all_T, 0).cummax(1).values


def _hand_over(learned: Tensor, own: Tensor) -> None:
    """Add a copy's gradient to that of the weight that learns."""
    assert own.grad is not None
    gradient = own.grad[: len(learned)]
    if learned.grad is None:
        learned.grad = gradient.float()
    else:
        learned.grad.add_(gradient)
    own.grad = None
