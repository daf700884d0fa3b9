"""What turns gradients into updates: AdamW, or Muon for the matrices of the blocks beside it."""

import torch
from torch import Tensor

from wellread.model.gpt2 import GPT2
from wellread.train.config import TrainConfig
from wellread.train.sharing import sharded_like


class Optimizers:
    """AdamW for what Muon does not take; Muon only if `config` names it.

    Weight decay is on matrices only, as is usual (assumed, see TrainConfig). Muon's updates are
    scaled to the size of AdamW's (Liu et al. 2025, "Muon is Scalable for LLM Training"), so that
    one learning rate serves both.
    """

    def __init__(self, network: GPT2, config: TrainConfig) -> None:
        self.network = network
        by_muon: list[Tensor] = []
        matrices: list[Tensor] = []
        vectors: list[Tensor] = []
        for name, parameter in network.named_parameters():
            if parameter.dim() == 1:
                vectors.append(parameter)
            elif config.optimizer == "muon" and name.startswith("h."):
                by_muon.append(parameter)
            else:
                matrices.append(parameter)
        decay = config.weight_decay
        groups = [
            {"params": matrices, "weight_decay": decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        betas = (config.beta_1, config.beta_2)
        self._all: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, betas=betas, fused=True)
        ]
        if by_muon:
            muon = torch.optim.Muon(by_muon, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            self._all.append(muon)

    def set_learning_rate(self, rate: float) -> None:
        for optimizer in self._all:
            for group in optimizer.param_groups:
                group["lr"] = rate

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
