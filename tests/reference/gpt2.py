"""GPT-2's network in NumPy, position by position: slow, and meant to be obviously right."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.model.sizes import Architecture

Array = npt.NDArray[np.float64]


def logits(weights: Mapping[str, Array], shape: Architecture, ids: list[int]) -> Array:
    """(T, V) for the T `ids`; `weights` by their names in `GPT2`."""

    def linear(name: str, x: Array) -> Array:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def norm(name: str, x: Array) -> Array:
        centred = x - x.mean()
        normed = centred / math.sqrt((centred**2).mean() + 1e-5)
        return normed * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(name: str, inputs: list[Array]) -> list[Array]:
        depth = shape.width // shape.heads
        q, k, v = zip(*[np.split(linear(f"{name}.c_attn", x), 3) for x in inputs], strict=True)
        outputs = []
        for t in range(len(inputs)):
            merged: list[Any] = []
            for head in range(shape.heads):
                part = slice(head * depth, (head + 1) * depth)
                scores = [q[t][part] @ k[s][part] / math.sqrt(depth) for s in range(t + 1)]
                shares = np.exp(scores) / np.exp(scores).sum()
                merged.append(sum(shares[s] * v[s][part] for s in range(t + 1)))
            outputs.append(linear(f"{name}.c_proj", np.concatenate(merged)))
        return outputs

    def feed_forward(name: str, x: Array) -> Array:
        u = linear(f"{name}.c_fc", x)
        gelu = 0.5 * u * (1 + np.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
        return linear(f"{name}.c_proj", gelu)

    stream = [weights["wte.weight"][i] + weights["wpe.weight"][t] for t, i in enumerate(ids)]
    for layer in range(shape.layers):
        h = f"h.{layer}"
        if shape.norm == "pre":
            added = attention(f"{h}.attn", [norm(f"{h}.ln_1", x) for x in stream])
            stream = [x + a for x, a in zip(stream, added, strict=True)]
            stream = [x + feed_forward(f"{h}.mlp", norm(f"{h}.ln_2", x)) for x in stream]
        else:
            added = attention(f"{h}.attn", stream)
            stream = [norm(f"{h}.ln_1", x + a) for x, a in zip(stream, added, strict=True)]
            stream = [norm(f"{h}.ln_2", x + feed_forward(f"{h}.mlp", x)) for x in stream]
    if shape.final_norm:
        stream = [norm("ln_f", x) for x in stream]
    head = weights["wte.weight"] if shape.tied_head else weights["lm_head.weight"]
    return np.array([head @ x for x in stream])
