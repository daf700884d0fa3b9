"""The loss and its gradients, a part of the positions at a time.

The logits of a batch in float32 would be the largest thing in memory: 8 sequences of 1,024 tokens
over 50,257 ids are 1.6 GB, and their gradients as much again.

Shapes: N positions, C width of the model, V rows of the head (the vocabulary, or a little more).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

LOGITS = 2**25  # of them at once at most, 134 MB in float32
LEAST_POSITIONS = 64  # at once, so that the head is not read for a few of them


def mean_loss(
    hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, *, vocab_size: int, of: int | None = None
) -> Tensor:
    """Negative log-probability of the targets in nats; their sum over `of`, by default N.

    The head's rows from `vocab_size` on stand for no token. Sums are in float32 whatever the type
    of the weights is.
    """
    apply: Callable[..., Tensor] = _Loss.apply  # which has no types of its own
    return apply(hidden_NC, head_VC, targets_N, vocab_size, of or len(targets_N))


class _Loss(torch.autograd.Function):
    """Gradients are made beside the loss, while the logits are there."""

    @staticmethod
    def forward(
        ctx: Any, hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, vocab_size: int, of: int
    ) -> Tensor:
        rows = max(LEAST_POSITIONS, LOGITS // len(head_VC))
        wants = ctx.needs_input_grad
        total = torch.zeros((), dtype=torch.float32, device=hidden_NC.device)
        grad_hidden_NC = torch.empty_like(hidden_NC) if wants[0] else None
        grad_head_VC = torch.zeros_like(head_VC, dtype=torch.float32) if wants[1] else None
        for start in range(0, len(targets_N), rows):
            part = slice(start, start + rows)
            x_NC, target_N1 = hidden_NC[part], targets_N[part, None]
            logits_NV = F.linear(x_NC, head_VC)
            known_NV = logits_NV[:, :vocab_size].float()
            log_sum_N1 = known_NV.logsumexp(1, keepdim=True)
            total += (log_sum_N1 - known_NV.gather(1, target_N1)).sum()
            if grad_head_VC is None and grad_hidden_NC is None:
                continue
            # From here on `known_NV` and `logits_NV` hold gradients: a probability, less 1 if it is
            # the target's.
            known_NV.sub_(log_sum_N1).exp_()
            known_NV.scatter_add_(1, target_N1, known_NV.new_full(target_N1.shape, -1.0))
            known_NV.div_(of)
            if known_NV.dtype != logits_NV.dtype:
                logits_NV[:, :vocab_size] = known_NV
            logits_NV[:, vocab_size:] = 0
            if grad_hidden_NC is not None:
                torch.mm(logits_NV, head_VC, out=grad_hidden_NC[part])
            if grad_head_VC is not None:
                grad_head_VC += logits_NV.t() @ x_NC
        ctx.save_for_backward(grad_hidden_NC, grad_head_VC)
        return total / of

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        grad_hidden_NC, grad_head_VC = ctx.saved_tensors
        scale = gradients[0]
        return (
            None if grad_hidden_NC is None else grad_hidden_NC * scale.to(grad_hidden_NC.dtype),
            None if grad_head_VC is None else grad_head_VC * scale,
            None,
            None,
            None,
        )
