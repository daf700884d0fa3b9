"""What a logged step cost: memory, operations, and how much of the device's peak they are."""

import resource
import sys

import msgspec
import torch

from wellread.formats.metrics import Step
from wellread.model.sizes import Architecture

# FLOPs per second of dense matrix products in bfloat16, by the name that PyTorch gives the device.
# NVIDIA's data sheets of the H100 (SXM) and the H200 (SXM): 1,979 teraFLOPS "with sparsity", half
# of it without.
PEAK = {"NVIDIA H100 80GB HBM3": 989e12, "NVIDIA H200": 989e12}


def training_flops(shape: Architecture) -> int:
    """Of a token's forward and backward pass, attention's included."""
    return (
        shape.forward_flops
        + shape.forward_attention_flops
        + shape.backward_flops
        + shape.backward_attention_flops
    )


def memory_peak(device: torch.device) -> int:
    """Bytes: of the device's memory that tensors had, or of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2) of each system
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def with_costs(
    step: Step,
    shape: Architecture,
    device: torch.device,
    precision: torch.dtype,
    *,
    tokens: int,
    num_devices: int,
) -> Step:
    """A logged step with what follows from its speed; `tokens` are those of the whole run."""
    if step.tokens_per_second is None:
        return step
    flops = step.tokens_per_second * training_flops(shape)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    peak = PEAK.get(name) if precision == torch.bfloat16 else None
    left = (tokens - step.tokens) / step.tokens_per_second
    return msgspec.structs.replace(
        step,
        memory_bytes=memory_peak(device),
        flops_per_second=round(flops),
        mfu=round(flops / (num_devices * peak), 4) if peak else None,
        seconds_left=round(left, 1),
    )
