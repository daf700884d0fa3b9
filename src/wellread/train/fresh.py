"""How a fresh network begins: as the paper's, or with what the recipe `modern` changes about it."""

import math

import torch
from torch import Tensor

from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.train.config import TrainConfig

POSITION_DEVIATION = 0.15  # ours: of sinusoids; a third of it is too little, twice too much
LONGEST = 10_000  # of the wavelengths, over 2 pi positions: Vaswani et al. 2017, section 3.5


@torch.no_grad()
def fresh_network(shape: Architecture, config: TrainConfig) -> GPT2:
    """All but token embeddings from counts, which need the tokens."""
    network = GPT2(shape).initialise(config.seed)
    if config.zero_projections:
        for name, parameter in network.named_parameters():
            if name.endswith("c_proj.weight"):
                parameter.zero_()
    if config.positions == "sinusoids":
        network.wpe.weight.copy_(sinusoids(shape.context, shape.width))
    return network


def sinusoids(positions: int, width: int) -> Tensor:
    """Sines and cosines of each position at wavelengths in geometric progression, (T, C).

    Near positions are alike, and those at a given distance differ by the same rotation everywhere,
    so that attention by distance is a linear map away.
    """
    frequencies = LONGEST ** -(torch.arange(0, width, 2) / width)
    angles = torch.arange(positions)[:, None] * frequencies
    # Half of the sum of both squares is 1/2, the square of their deviation.
    both = torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
    return both * (POSITION_DEVIATION * math.sqrt(2))
