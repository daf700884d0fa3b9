"""What kernels compute in training is what PyTorch does: attention at any length, GELU."""

import threading

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.train.attention import attend, can_attend
from wellread.train.gelu import gelu
from wellread.train.softmax import cross_entropy
from wellread.train.worker import Worker

if not can_attend(torch.device("cpu"), torch.bfloat16, 64):
    pytest.skip("this processor has no products of bfloat16", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("two_threads")


def slowly(qkv_BTC: Tensor, heads: int, starts_BT: Tensor | None = None) -> Tensor:
    B, T, width = qkv_BTC.shape
    q, k, v = qkv_BTC.view(B, T, 3, heads, 64).permute(2, 0, 3, 1, 4).unbind(0)
    seen_BTS = torch.ones(B, T, T).tril().bool()
    if starts_BT is not None:
        seen_BTS &= torch.arange(T) >= starts_BT[:, :, None]
    y_BHTD = F.scaled_dot_product_attention(q, k, v, attn_mask=seen_BTS[:, None])
    return y_BHTD.transpose(1, 2).reshape(B, T, width // 3)


def drawn(*size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(sum(size))).bfloat16()


def gradient(y: Tensor, given: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(y, x, given)[0].float()


@pytest.mark.parametrize(
    ("B", "T", "heads"),
    [(1, 1, 1), (2, 5, 2), (1, 63, 1), (2, 64, 1), (1, 65, 3), (1, 257, 2), (1, 1000, 1)],
)
def test_it_is_as_exact_as_pytorchs(B: int, T: int, heads: int) -> None:
    x, given = drawn(B, T, 3 * 64 * heads).requires_grad_(), drawn(B, T, 64 * heads)
    exact = x.detach().float().requires_grad_()
    y, best = attend(x, heads), slowly(exact, heads)
    theirs = slowly(x, heads)
    best_gradient = gradient(best, given.float(), exact)
    for ours, other, expected in (
        (y.float(), theirs.float(), best),
        (gradient(y, given, x), gradient(theirs, given, x), best_gradient),
    ):
        error, allowed = (ours - expected).norm(), (other - expected).norm()
        assert error <= 1.05 * allowed + 1e-6 * expected.norm()
        assert error <= 0.005 * expected.norm()


@pytest.mark.parametrize("T", [1, 63, 64, 65, 130, 700])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.5, 1.0])
def test_a_position_sees_nothing_before_its_start(T: int, share: float) -> None:
    source = torch.Generator().manual_seed(T)
    begins_BT = torch.rand(2, T, generator=source) < share
    starts_BT = torch.where(begins_BT, torch.arange(T), 0).cummax(1).values
    x, given = drawn(2, T, 3 * 64 * 2).requires_grad_(), drawn(2, T, 64 * 2)
    exact = x.detach().float().requires_grad_()
    y, best = attend(x, 2, starts_BT), slowly(exact, 2, starts_BT)
    torch.testing.assert_close(y.float(), best, rtol=2**-6, atol=2**-7)
    ours, best_gradient = gradient(y, given, x), gradient(best, given.float(), exact)
    assert (ours - best_gradient).norm() <= 0.006 * best_gradient.norm()


def test_large_scores_and_lengths_in_turn_give_no_infinities() -> None:
    for length in (70, 3, 300, 2):
        x = (200 * drawn(1, length, 192)).requires_grad_()
        y = attend(x, 1)
        assert y.isfinite().all()
        assert gradient(y, torch.ones_like(y), x).isfinite().all()


def test_a_head_does_not_depend_on_the_others_nor_on_threads() -> None:
    x = drawn(3, 130, 3 * 64 * 2)
    together = attend(x, 2)
    assert torch.equal(attend(x[1:2], 2), together[1:2])
    found: list[Tensor] = []
    threads = [threading.Thread(target=lambda: found.append(attend(x, 2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(one, together) for one in found)


def test_gelu_and_its_gradient_are_as_exact_as_pytorchs() -> None:
    x = torch.linspace(-12, 12, 64 * 100).bfloat16().requires_grad_()
    given = drawn(64 * 100)
    exact = x.detach().float().requires_grad_()
    best = F.gelu(exact, approximate="tanh")
    y, best_gradient = gelu(x), gradient(best, given.float(), exact)
    torch.testing.assert_close(y.float(), best, rtol=2**-8, atol=1e-6)
    torch.testing.assert_close(gradient(y, given, x), best_gradient, rtol=2**-8, atol=1e-5)
    far = torch.tensor([-1e30, 1e30, -50.0, 50.0] * 16).bfloat16().requires_grad_()
    assert (
        gradient(gelu(far), torch.ones(64).bfloat16(), far).round(decimals=3).tolist()
        == [0, 1, 0, 1] * 16
    )


@pytest.mark.parametrize("vocab_size", [1, 100, 128, 50_257])
def test_cross_entropy_and_its_gradients_are_those_of_float32(vocab_size: int) -> None:
    columns = -(-vocab_size // 64) * 64
    logits = 4 * drawn(70, columns)
    targets = torch.randint(vocab_size, (70,), generator=torch.Generator().manual_seed(0))
    exact = logits[:, :vocab_size].float().requires_grad_()
    expected = F.cross_entropy(exact, targets, reduction="none")
    losses = cross_entropy(logits, targets, vocab_size, to_gradients=False)
    torch.testing.assert_close(losses, expected.detach(), rtol=1e-5, atol=1e-5)
    cross_entropy(logits, targets, vocab_size, to_gradients=True)
    (best,) = torch.autograd.grad(expected.sum(), exact)
    torch.testing.assert_close(logits[:, :vocab_size].float(), best, rtol=2**-8, atol=1e-6)
    assert not logits[:, vocab_size:].any()


@pytest.mark.parametrize("fault", [float("nan"), float("inf"), -float("inf")])
def test_a_logit_that_is_no_number_makes_the_loss_none(fault: float) -> None:
    logits = drawn(2, 128)
    logits[0, 3] = fault
    losses = cross_entropy(logits, torch.tensor([5, 5]), 100, to_gradients=True)
    assert losses.isfinite().tolist() == [False, True]


def test_the_copy_that_computes_uses_it_and_others_do_not() -> None:
    shape = Architecture(layers=1, width=64, heads=1, context=32, vocab_size=100)
    network = GPT2(shape).initialise(0)
    assert Worker(network, torch.bfloat16).network.h[0].attn.attend is attend
    assert Worker(network, torch.bfloat16).network.h[0].mlp.gelu is gelu
    assert Worker(network, torch.float32).network.h[0].attn.attend is None
    narrow = GPT2(Architecture(layers=1, width=64, heads=2, context=32, vocab_size=100))
    assert Worker(narrow, torch.bfloat16).network.h[0].attn.attend is None
