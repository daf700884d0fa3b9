"""Muon: momentum whose singular values are all made about 1 (Jordan et al. 2024).

As `torch.optim.Muon` with `match_rms_adamw`, but queries', keys' and values' are matrices of their
own; and of several processes each has the whole update of a matrix for a moment, which is one
exchange instead of fifteen.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from wellread.train.sharing import sharded_like

MOMENTUM = 0.95  # Jordan's
# Of the polynomial a x + b x^3 + c x^5 whose iteration takes singular values near 1; Jordan's.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
SIZE = 0.2  # root mean square of an update at rate 1, as AdamW's is: Liu et al. 2025


class Muon(torch.optim.Optimizer):
    """For matrices (out, in); one with `out` three times `in` is taken for three."""

    def __init__(self, matrices: Sequence[Tensor], weight_decay: float) -> None:
        super().__init__(matrices, {"lr": 0.0, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        assert closure is None
        [group] = self.param_groups
        for matrix in group["params"]:
            update = _orthogonal(self._momentum(matrix))
            matrix.mul_(1 - group["lr"] * group["weight_decay"])
            matrix.add_(sharded_like(update, matrix), alpha=-group["lr"])

    def _momentum(self, matrix: Tensor) -> Tensor:
        """Nesterov's, whole."""
        state, gradient = self.state[matrix], matrix.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        average = state["momentum_buffer"].lerp_(gradient, 1 - MOMENTUM)
        update = gradient.lerp(average, MOMENTUM)
        return update.full_tensor() if isinstance(update, DTensor) else update


def _orthogonal(update: Tensor) -> Tensor:
    """A matrix's update, of the size that AdamW's has at rate 1."""
    rows, columns = update.shape
    if rows == 3 * columns:
        return torch.cat([_orthogonal(part) for part in update.split(columns)])
    if rows > columns:
        return _orthogonal(update.t()).t()
    return _iterated(update).to(update.dtype) * (SIZE * math.sqrt(columns))


def _iterated(x_RC: Tensor) -> Tensor:
    """A matrix with R at most C, with singular values between about 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    x_RC = x_RC.bfloat16()
    x_RC = x_RC / x_RC.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        square = x_RC @ x_RC.t()
        polynomial = torch.addmm(square, square, square, beta=b, alpha=c)
        x_RC = torch.addmm(x_RC, polynomial, x_RC, beta=a)
    return x_RC
