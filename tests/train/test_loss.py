"""The loss in parts is the loss, and so are its gradients."""

import pytest
import torch
from torch.nn import functional as F

from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.train import loss as module
from wellread.train.loss import mean_loss
from wellread.train.worker import Worker


@pytest.mark.parametrize("logits", [1, 100 * 64, 2**25])  # in one part and in several
@pytest.mark.parametrize("rows", [100, 128])  # of the head, of which 100 are tokens
def test_loss_and_gradients_are_cross_entropys(
    rows: int, logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOGITS", logits)
    monkeypatch.setattr(module, "SOFTMAX", 7 * 100)
    torch.manual_seed(0)
    hidden = torch.randn(150, 32, requires_grad=True)
    head = torch.randn(rows, 32, requires_grad=True)
    targets = torch.randint(100, (150,))
    expected = F.cross_entropy(F.linear(hidden, head[:100]), targets, reduction="sum") / 300
    gradients = torch.autograd.grad(3 * expected, (hidden, head))
    found = mean_loss(hidden, head, targets, vocab_size=100, of=300)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    for ours, theirs in zip(torch.autograd.grad(3 * found, (hidden, head)), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    with torch.inference_mode():
        assert mean_loss(hidden, head, targets, vocab_size=100, of=300).item() == found.item()


@pytest.mark.parametrize("tied_head", [True, False])
def test_a_copy_in_bfloat16_gives_the_gradients_of_float32_roughly(*, tied_head: bool) -> None:
    shape = Architecture(
        layers=2, width=64, heads=1, context=32, vocab_size=100, tied_head=tied_head
    )
    windows = torch.randint(100, (6, 33), generator=torch.Generator().manual_seed(1))
    exact, rough = (GPT2(shape).initialise(3) for _ in range(2))
    workers = Worker(exact, torch.float32), Worker(rough, torch.bfloat16)
    for worker in workers:  # in two passes, which are added up
        for part in windows.split(3):
            worker.loss(part, of=6 * 32).backward()
    assert workers[1].network.head_VC.shape[0] == 128
    for (name, one), other in zip(exact.named_parameters(), rough.parameters(), strict=True):
        assert other.grad.dtype == torch.float32, name
        assert F.cosine_similarity(one.grad.flatten(), other.grad.flatten(), dim=0) > 0.999, name
        assert 0.98 < other.grad.norm() / one.grad.norm() < 1.02, name
