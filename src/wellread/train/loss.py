"""The loss and its gradients, a part of the positions at a time.

The logits of a batch in float32 would be the largest thing in memory: 8 sequences of 1,024 tokens
over 50,257 ids are 1.6 GB, and their gradients as much again.

Shapes: N positions, C width of the model, V rows of the head (the vocabulary, or a little more).
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from wellread.train import gpu_softmax, softmax

LOGITS = 2**25  # at once at most on a CPU: 67 MB in bfloat16
ON_ACCELERATORS = 8192  # positions at once: fewer read and write the head's gradient too often
SOFTMAX = 2**21  # of them in float32 at once, so that they stay in a processor's cache: 8 MB
LEAST_POSITIONS = 64  # at once, so that the head is not read for a few of them


def positions_at_once(vocab_size: int, device: torch.device) -> int:
    """Of how many positions the logits are in memory, at most."""
    if device.type != "cpu":
        return ON_ACCELERATORS
    return max(LEAST_POSITIONS, LOGITS // vocab_size)


def mean_loss(
    hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, *, vocab_size: int, of: int | None = None
) -> Tensor:
    """Negative log-probability of the targets in nats; their sum over `of`, by default N.

    The head's rows from `vocab_size` on stand for no token. Sums are in float32 whatever the type
    of the weights is.
    """
    apply: Callable[..., Tensor] = _Loss.apply  # which has no types of its own
    return apply(hidden_NC, head_VC, targets_N, vocab_size, of or len(targets_N))


@torch.no_grad()
def position_losses(
    hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, *, vocab_size: int
) -> Tensor:
    """As `mean_loss`, of each position by itself and without gradients, (N,)."""
    losses = [
        _softmax(logits_NV, targets, vocab_size, to_gradients=False)
        for _, logits_NV, targets, _ in _parts(hidden_NC, head_VC, targets_N)
    ]
    return torch.cat(losses)


def _parts(
    hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor
) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    """Some positions at a time: where they start, their logits, targets and hidden numbers.

    All logits are in the same memory.
    """
    rows = min(len(targets_N), positions_at_once(len(head_VC), head_VC.device))
    memory = hidden_NC.new_empty(rows, len(head_VC))
    for start in range(0, len(targets_N), rows):
        x_NC, targets = hidden_NC[start : start + rows], targets_N[start : start + rows]
        yield start, torch.mm(x_NC, head_VC.t(), out=memory[: len(x_NC)]), targets, x_NC


class _Loss(torch.autograd.Function):
    """Gradients are made beside the loss, while the logits are there."""

    @staticmethod
    def forward(
        ctx: Any, hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, vocab_size: int, of: int
    ) -> Tensor:
        wants_hidden, wants_head = ctx.needs_input_grad[:2]
        total = torch.zeros((), dtype=torch.float32, device=hidden_NC.device)
        grad_hidden_NC = torch.empty_like(hidden_NC) if wants_hidden else None
        grad_head_VC = torch.zeros_like(head_VC, dtype=torch.float32) if wants_head else None
        for start, logits_NV, targets, x_NC in _parts(hidden_NC, head_VC, targets_N):
            total += _softmax(
                logits_NV, targets, vocab_size, to_gradients=wants_hidden or wants_head
            ).sum()
            if grad_hidden_NC is not None:
                torch.mm(logits_NV, head_VC, out=grad_hidden_NC[start : start + len(x_NC)])
            if grad_head_VC is not None:
                _add_product(grad_head_VC, logits_NV.t(), x_NC)
        ctx.save_for_backward(grad_hidden_NC, grad_head_VC)
        ctx.of = of
        return total / of

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        scale = gradients[0] / ctx.of
        scaled = (made if made is None else made.mul_(scale) for made in ctx.saved_tensors)
        return (*scaled, None, None, None)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add the product to `total`, which is in float32."""
    if total.is_cuda and left.dtype != torch.float32:
        # Added where it is made, without a product in bfloat16 that goes to memory and back.
        torch.addmm(total, left, right, out_dtype=torch.float32, out=total)
    else:
        total += left @ right


def _softmax(
    logits_NV: Tensor, targets_N: Tensor, vocab_size: int, *, to_gradients: bool
) -> Tensor:
    """The losses, (N,); `to_gradients` puts what they change by in each logit's place."""
    if gpu_softmax.can_take(logits_NV):
        return gpu_softmax.cross_entropy(
            logits_NV, targets_N, vocab_size, to_gradients=to_gradients
        )
    if softmax.can_take(logits_NV):
        return softmax.cross_entropy(logits_NV, targets_N, vocab_size, to_gradients=to_gradients)
    is_cached = logits_NV.device.type == "cpu"
    rows, losses = max(1, SOFTMAX // vocab_size) if is_cached else len(targets_N), []
    for part_NV, target_N in zip(logits_NV.split(rows), targets_N.split(rows), strict=True):
        log_probs_NV = torch.log_softmax(part_NV[:, :vocab_size].float(), 1)
        losses.append(-log_probs_NV.gather(1, target_N[:, None]).squeeze(1))
        if not to_gradients:
            continue
        # A probability, less 1 if it is the target's.
        gradients_NV = log_probs_NV.exp_()
        gradients_NV[torch.arange(len(target_N), device=target_N.device), target_N] -= 1
        part_NV[:, :vocab_size] = gradients_NV
        part_NV[:, vocab_size:] = 0
    return torch.cat(losses)
