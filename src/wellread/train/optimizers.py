"""What turns gradients into updates: AdamW, or Muon for the matrices of the blocks beside it."""

from typing import Any

import torch
from torch import Tensor

from wellread.model.gpt2 import GPT2
from wellread.train.config import TrainConfig
from wellread.train.muon import Muon
from wellread.train.sharing import sharded_like


class Optimizers:
    """AdamW for what Muon does not take; Muon only if `config` names it.

    Weight decay is on matrices only, as is usual (assumed, see TrainConfig). Muon's updates are
    scaled to the size of AdamW's (Liu et al. 2025, "Muon is Scalable for LLM Training"), so that
    one learning rate serves both; that of embeddings is `embedding_rate` times it.
    """

    def __init__(self, network: GPT2, config: TrainConfig) -> None:
        self.network = network
        vectors: list[Tensor] = []
        embeddings: list[Tensor] = []
        matrices: list[Tensor] = []  # of the blocks
        for name, parameter in network.named_parameters():
            kind = matrices if name.startswith("h.") else embeddings
            (vectors if parameter.dim() == 1 else kind).append(parameter)
        decay = config.weight_decay
        groups: list[dict[str, Any]] = [
            {"params": embeddings, "weight_decay": decay, "times": config.embedding_rate},
            {"params": vectors, "weight_decay": 0.0},
        ]
        muon: list[torch.optim.Optimizer] = []
        if config.optimizer == "muon":
            muon.append(Muon(matrices, decay))
        else:
            groups.append({"params": matrices, "weight_decay": decay})
        betas = (config.beta_1, config.beta_2)
        self._all = [torch.optim.AdamW(groups, betas=betas, fused=True), *muon]

    def set_learning_rate(self, rate: float) -> None:
        for optimizer in self._all:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("times", 1.0)

    def step(self) -> None:
        """Update the weights; the gradients are zero afterwards, in the same memory."""
        for optimizer in self._all:
            optimizer.step()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        for optimizer in self._all:
            optimizer.zero_grad(set_to_none=False)

    def state(self) -> dict[str, Tensor]:
        """All that is remembered, by the parameter's name and what it is."""
        names: dict[Tensor, str] = {p: name for name, p in self.network.named_parameters()}
        return {
            f"{names[parameter]}.{key}": value
            for optimizer in self._all
            for parameter, own in optimizer.state.items()
            for key, value in own.items()
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        parameters = dict(self.network.named_parameters())
        owners = {
            parameter: optimizer
            for optimizer in self._all
            for group in optimizer.param_groups
            for parameter in group["params"]
        }
        for key, value in state.items():
            name, _, what = key.rpartition(".")
            parameter = parameters[name]
            own = sharded_like(value.to(parameter.device), parameter)
            owners[parameter].state[parameter][what] = own
