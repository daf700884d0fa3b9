"""Muon is PyTorch's, but for queries, keys and values, which are matrices of their own."""

import pytest
import torch
from torch import Tensor

from wellread.train.muon import Muon


def drawn(*size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(sum(size)))


def after_steps(optimizer: torch.optim.Optimizer, matrices: list[Tensor]) -> None:
    for step in range(3):
        optimizer.param_groups[0]["lr"] = 0.02 / (1 + step)
        for number, matrix in enumerate(matrices):
            source = torch.Generator().manual_seed(100 * step + number)
            matrix.grad = torch.randn(matrix.shape, generator=source)
        optimizer.step()


def test_matrices_of_several_shapes_are_updated_as_by_pytorch() -> None:
    shapes = [(64, 64), (256, 64), (64, 256), (64, 64), (128, 32)]
    ours, theirs = ([0.02 * drawn(*shape) for shape in shapes] for _ in range(2))
    after_steps(Muon(ours, weight_decay=0.1), ours)
    known = torch.optim.Muon(theirs, lr=1.0, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    after_steps(known, theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).norm() < 0.002 * other.norm()


def test_queries_keys_and_values_are_three_matrices() -> None:
    whole = 0.02 * drawn(192, 64)
    parts = [part.clone() for part in whole.split(64)]
    gradients = drawn(192, 64)
    for matrices, given in (([whole], [gradients]), (parts, list(gradients.split(64)))):
        optimizer = Muon(matrices, weight_decay=0.1)
        optimizer.param_groups[0]["lr"] = 0.01
        for matrix, gradient in zip(matrices, given, strict=True):
            matrix.grad = gradient
        optimizer.step()
    torch.testing.assert_close(whole, torch.cat(parts), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(64, 64), (64, 256)])
def test_no_gradient_changes_nothing_but_by_decay(shape: tuple[int, int]) -> None:
    matrix = drawn(*shape)
    before = matrix.clone()
    optimizer = Muon([matrix], weight_decay=0.5)
    optimizer.param_groups[0]["lr"] = 0.1
    matrix.grad = torch.zeros(shape)
    optimizer.step()
    torch.testing.assert_close(matrix, 0.95 * before)
