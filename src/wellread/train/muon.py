"""Muon: momentum whose singular values are all made about 1 (Jordan et al. 2024).

As `torch.optim.Muon` with `match_rms_adamw`, but matrices of one shape go through the iteration
side by side, which is three products instead of three for each; queries', keys' and values' are
matrices of their own; and of several processes each has the whole update, for one exchange a
matrix instead of fifteen.
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
        updates = {matrix: self._momentum(matrix) for matrix in group["params"]}
        for matrix, update in _orthogonal(updates).items():
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


def _orthogonal(updates: dict[Tensor, Tensor]) -> dict[Tensor, Tensor]:
    """Each matrix's update, of the size that AdamW's has at rate 1."""
    by_shape: dict[tuple[int, int], list[Tensor]] = {}
    made = {matrix: torch.empty_like(update) for matrix, update in updates.items()}
    places: dict[tuple[int, int], list[Tensor]] = {}
    for matrix, update in updates.items():
        for part, place in zip(_lying(update), _lying(made[matrix]), strict=True):
            shape = (part.shape[0], part.shape[1])
            by_shape.setdefault(shape, []).append(part)
            places.setdefault(shape, []).append(place)
    for shape, parts in by_shape.items():
        scale = SIZE * math.sqrt(max(shape))
        for one, place in zip(_iterated(torch.stack(parts)), places[shape], strict=True):
            torch.mul(one, scale, out=place)
    return made


def _lying(matrix: Tensor) -> list[Tensor]:
    """Views of its parts, none higher than wide."""
    rows, columns = matrix.shape
    if rows == 3 * columns:
        return list(matrix.split(columns))
    return [matrix if rows <= columns else matrix.t()]


def _iterated(x_NRC: Tensor) -> Tensor:
    """N matrices (R, C) with R at most C, with singular values between about 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    x_NRC = x_NRC.bfloat16()
    x_NRC /= x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        square = x_NRC @ x_NRC.mT
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x_NRC = torch.baddbmm(x_NRC, polynomial, x_NRC, beta=a)
    return x_NRC
