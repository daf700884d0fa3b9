"""One training by several processes: gradients added up, weights and optimiser state sharded."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    FSDPModule,
    MixedPrecisionPolicy,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, distribute_tensor

from wellread.model.gpt2 import GPT2
from wellread.model.ranks import Ranks


def shard(network: GPT2, device: torch.device, precision: torch.dtype, ranks: Ranks) -> None:
    """Leave each process a part of every tensor of `network`, on `device`.

    A block is whole, in `precision`, while it computes; embeddings, the last norm and the head
    from a pass's start to its end, since the loss reads the head. Gradients are added up in float32
    at the end of each pass.
    """
    mesh = init_device_mesh(device.type, (ranks.size,))
    policy = MixedPrecisionPolicy(param_dtype=precision, reduce_dtype=torch.float32)
    for module in (*network.h, network):
        part = fully_shard(
            module, mesh=mesh, mp_policy=policy, reshard_after_forward=module is not network
        )
        # A sum, as the loss is already over all tokens; gloo has no other that fits.
        part.set_gradient_divide_factor(1.0)
        part.set_force_sum_reduction_for_comms(True)
    register_fsdp_forward_method(network, "hidden")


def is_sharded(network: GPT2) -> bool:
    return isinstance(network, FSDPModule)


def put_away(network: GPT2) -> None:
    """Give back what a forward pass without a backward one has left whole."""
    if isinstance(network, FSDPModule):
        network.reshard()


def whole(tensors: Mapping[str, Tensor], ranks: Ranks) -> dict[str, Tensor]:
    """The tensors, of which each process may have a part; all of it is in the first process only.

    What was sharded comes into the CPU's memory, one tensor after the other.
    """
    found = {}
    for name, tensor in tensors.items():
        full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        if ranks.rank == 0:
            found[name] = full.cpu() if isinstance(tensor, DTensor) else full
    return found


def whole_network(network: GPT2, ranks: Ranks) -> GPT2:
    """As `whole`: a network that the first process may write."""
    if not is_sharded(network):
        return network
    tensors = whole(dict(network.named_parameters()), ranks)
    with torch.device("meta"):
        complete = GPT2(network.config)
    complete.load_state_dict(tensors, assign=True, strict=ranks.rank == 0)
    return complete


def sharded_like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """`tensor`, or of one in the shape of a sharded `parameter` this process's part."""
    if isinstance(parameter, DTensor) and tensor.shape == parameter.shape:
        mesh, placements = parameter.device_mesh, parameter.placements
        return distribute_tensor(tensor, mesh, placements, src_data_rank=None)
    return tensor


def summing(network: GPT2, ranks: Ranks) -> Callable[[Tensor], Tensor]:
    """What adds up the processes' gradients at the end of a step; of their losses it gives the sum.

    All gradients lie in one piece of memory from here on, so that it is one exchange.
    """
    if ranks.size == 1:
        return lambda loss: loss
    if is_sharded(network):  # the gradients are added up already

        def add_up_loss(loss: Tensor) -> Tensor:
            distributed.all_reduce(loss)
            return loss

        return add_up_loss
    parameters = list(network.parameters())
    sizes = [parameter.numel() for parameter in parameters]
    flat = torch.zeros(sum(sizes) + 1, device=parameters[0].device)  # the last is the loss's
    for parameter, part in zip(parameters, flat[:-1].split(sizes), strict=True):
        parameter.grad = part.view_as(parameter)

    def add_up(loss: Tensor) -> Tensor:
        flat[-1] = loss
        distributed.all_reduce(flat)
        return flat[-1].clone()

    return add_up
