"""With document masks, a window of several documents is as if each had one of its own."""

import pytest
import torch
from torch import Tensor

from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.train.worker import Worker

SHAPE = Architecture(layers=2, width=128, heads=2, context=40, vocab_size=100)
START = 99


@pytest.fixture
def network() -> GPT2:
    """One to which it matters what it sees."""
    network = GPT2(SHAPE).initialise(0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith("h."):
                parameter.mul_(5)
        network.wpe.weight.zero_()  # a document's place in the window is nothing to it
    return network


def documents(*lengths: int) -> list[Tensor]:
    source = torch.Generator().manual_seed(0)
    found = [torch.randint(START, (length,), generator=source) for length in lengths]
    for one in found[1:]:  # the first began before the window
        one[0] = START
    return found


@torch.no_grad()
def total(worker: Worker, ids: Tensor) -> float:
    return float(worker.loss(ids[None], of=1))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_document_sees_nothing_of_those_before(network: GPT2, precision: torch.dtype) -> None:
    rel = 1e-5 if precision == torch.float32 else 1e-3
    worker = Worker(network, precision, document_start=START)
    *others, last = documents(13, 1, 20, 7)
    # The last target of a document is the start of the next.
    alone = [total(worker, torch.cat([one, last[:1]])) for one in others] + [total(worker, last)]
    assert total(worker, torch.cat([*others, last])) == pytest.approx(sum(alone), rel=rel)
    blind = Worker(network, precision)
    assert total(blind, torch.cat([*others, last])) != pytest.approx(sum(alone), rel=5e-3)


def test_a_window_without_a_start_is_seen_whole(network: GPT2) -> None:
    plain, masked = (Worker(network, torch.float32, document_start=s) for s in (None, START))
    (ids,) = documents(41)
    assert total(masked, ids) == pytest.approx(total(plain, ids), rel=1e-6)
