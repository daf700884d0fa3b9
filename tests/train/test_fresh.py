"""What the recipe `modern` changes about a fresh network."""

import pytest
import torch

from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.train.config import TrainConfig
from wellread.train.fresh import POSITION_DEVIATION, fresh_network, sinusoids

SHAPE = Architecture(layers=2, width=64, heads=1, context=200, vocab_size=100)


def test_by_default_it_is_the_papers() -> None:
    ours, papers = fresh_network(SHAPE, TrainConfig(seed=3)), GPT2(SHAPE).initialise(3)
    for one, other in zip(ours.parameters(), papers.parameters(), strict=True):
        assert torch.equal(one, other)


def test_with_projections_of_zero_blocks_add_nothing() -> None:
    network = fresh_network(SHAPE, TrainConfig(zero_projections=True))
    x = torch.randn(2, 10, 64)
    with torch.no_grad():
        assert torch.equal(network.h[0](x), x)


def test_sinusoids_turn_by_the_same_angle_from_one_position_to_the_next() -> None:
    weight = sinusoids(200, 64)
    assert float(weight.std()) == pytest.approx(POSITION_DEVIATION, rel=0.2)
    products = weight @ weight.T
    for distance in (1, 7, 50):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=1e-4, atol=1e-5)
    assert torch.equal(fresh_network(SHAPE, TrainConfig(positions="sinusoids")).wpe.weight, weight)
    assert sinusoids(5, 63).shape == (5, 63)
