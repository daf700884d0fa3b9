"""The kernel that does one position on the CPU, against the network in PyTorch."""

import pytest
import torch

from wellread.generation import stepper
from wellread.generation.stepper import Stepper, can_step
from wellread.model.gpt2 import GPT2, Cache
from wellread.model.sizes import Architecture

SHAPES = [
    Architecture(layers=3, width=128, heads=2, context=40, vocab_size=301),
    Architecture(layers=2, width=96, heads=3, context=40, vocab_size=64),  # heads of 32
    Architecture(layers=2, width=192, heads=1, context=40, vocab_size=5, tied_head=False),
]
LENGTH = 23


def network_of(shape: Architecture, dtype: torch.dtype) -> GPT2:
    network = GPT2(shape).initialise(0)
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=source) * 0.05)
    return network.to(dtype).eval()


def ids_of(shape: Architecture, rows: int) -> torch.Tensor:
    source = torch.Generator().manual_seed(3)
    return torch.randint(0, shape.vocab_size, (rows, LENGTH), generator=source)


def stepped(network: GPT2, ids_BT: torch.Tensor, *, threads: int = 2) -> torch.Tensor:
    """Logits (B, T, V), one position at a time."""
    rows = len(ids_BT)
    cache = Cache(network.config, rows, LENGTH + 3, network.wte.weight)
    step = Stepper(network, cache, threads=threads)
    found = [
        step(dict(enumerate(ids_BT[:, at : at + 1].tolist()))).logits_NV.clone()
        for at in range(ids_BT.shape[1])
    ]
    step.close()
    return torch.stack(found, dim=1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@torch.no_grad()
def test_in_float32_it_gives_the_networks_logits(shape: Architecture) -> None:
    network, ids_BT = network_of(shape, torch.float32), ids_of(shape, rows=2)
    torch.testing.assert_close(stepped(network, ids_BT), network(ids_BT), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@torch.no_grad()
def test_in_bfloat16_it_is_nearer_to_exact_sums_than_pytorch_is(shape: Architecture) -> None:
    network, ids_BT = network_of(shape, torch.bfloat16), ids_of(shape, rows=2)
    pytorchs = network(ids_BT).double()
    found = stepped(network, ids_BT).double()
    exact = network.double()(ids_BT)
    assert (found - exact).abs().max() < (pytorchs - exact).abs().max()
    assert (found - exact).abs().max() < 0.02 * exact.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("rows", [2, 4, 5, 11])
@torch.no_grad()
def test_neither_other_rows_nor_threads_change_a_bit(rows: int, dtype: torch.dtype) -> None:
    network, ids_BT = network_of(SHAPES[0], dtype), ids_of(SHAPES[0], rows=rows)
    alone = stepped(network, ids_BT[1:2], threads=1)
    for threads in (1, 2, 3):
        assert torch.equal(stepped(network, ids_BT, threads=threads)[1:2], alone)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@torch.no_grad()
def test_positions_read_together_give_the_bits_of_one_after_another(dtype: torch.dtype) -> None:
    network, ids_BT = network_of(SHAPES[0], dtype), ids_of(SHAPES[0], rows=6)
    alone = stepped(network, ids_BT)
    cache = Cache(network.config, 6, LENGTH, network.wte.weight)
    step = Stepper(network, cache, threads=2)
    lengths = [LENGTH, 17, 1, 16, LENGTH - 1, 5]  # more than the kernel reads at once
    begun = step({row: ids_BT[row, :length].tolist() for row, length in enumerate(lengths)})
    assert torch.equal(begun.best_N, begun.logits_NV.argmax(dim=1))
    torch.testing.assert_close(begun.log_sum_N, begun.logits_NV.logsumexp(dim=1))
    begun_NV = begun.logits_NV.clone()
    expected = torch.stack([alone[row, length - 1] for row, length in enumerate(lengths)])
    assert torch.equal(begun_NV, expected)
    assert cache.lengths == lengths
    on = step({1: ids_BT[1, 17:].tolist(), 5: ids_BT[5, 5:7].tolist()})
    assert torch.equal(on.logits_NV, torch.stack([alone[1, LENGTH - 1], alone[5, 6]]))
    step.close()


def test_what_it_cannot_do_is_left_to_pytorch() -> None:
    narrow = Architecture(layers=1, width=48, heads=3, context=8, vocab_size=9)
    post = Architecture(layers=1, width=64, heads=1, context=8, vocab_size=9, norm="post")
    plain = Architecture(layers=1, width=64, heads=1, context=8, vocab_size=9)
    assert not can_step(GPT2(narrow))
    assert not can_step(GPT2(post))
    assert not can_step(GPT2(plain).double())
    assert can_step(GPT2(plain))
    mixed = GPT2(plain)
    mixed.h.to(torch.bfloat16)
    assert not can_step(mixed)


@torch.no_grad()
def test_matrices_that_are_transposed_views_are_laid_out_again() -> None:
    network, ids_BT = network_of(SHAPES[0], torch.float32), ids_of(SHAPES[0], rows=1)
    expected = network(ids_BT)
    weight = network.h[0].mlp.c_fc.weight
    weight.data = weight.data.t().contiguous().t()
    torch.testing.assert_close(stepped(network, ids_BT), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_an_interruption_before_its_own_part_leaves_no_thread_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = network_of(SHAPES[0], torch.float32)
    step = Stepper(network, Cache(network.config, 1, LENGTH, network.wte.weight), threads=2)
    kernel = stepper.forward

    def interrupted(state: int, thread: int, arrived: int, epsilon: float) -> None:
        if thread == 0:
            raise KeyboardInterrupt
        kernel(state, thread, arrived, epsilon)

    monkeypatch.setattr(stepper, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        step({0: [1]})
    step.close()  # would wait for ever
