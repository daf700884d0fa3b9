"""The network of GPT-2, top to bottom.

Radford et al. 2019, section 2.3, says what differs from GPT-1: "layer normalization was moved to
the input of each sub-block [...] and an additional layer normalization was added after the final
self-attention block"; the weights of residual layers are scaled by 1/sqrt(N) at initialisation.
What it leaves open is as in the released code (openai/gpt-2, src/model.py).

Shapes: B batch, T new positions, S all positions so far, H heads, D width of a head,
C width of the model, V vocabulary.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wellread.base.seeds import seed_for
from wellread.model.sizes import Architecture

LAYER_NORM_EPSILON = 1e-5  # openai/gpt-2, src/model.py, norm
WEIGHT_DEVIATION = 0.02  # openai/gpt-2, src/model.py, conv1d and wte
POSITION_DEVIATION = 0.01  # openai/gpt-2, src/model.py, wpe


class Cache:
    """Keys and values of the positions seen so far, (B, H, S, D) for each layer."""

    def __init__(self) -> None:
        self.length = 0
        self.layers: list[tuple[Tensor, Tensor]] = []

    def extend(self, layer: int, k_BHTD: Tensor, v_BHTD: Tensor) -> tuple[Tensor, Tensor]:
        """Append to a layer's keys and values; all of them."""
        if layer == len(self.layers):
            self.layers.append((k_BHTD, v_BHTD))
        else:
            k_old, v_old = self.layers[layer]
            self.layers[layer] = (
                torch.cat((k_old, k_BHTD), dim=2),
                torch.cat((v_old, v_BHTD), dim=2),
            )
        return self.layers[layer]


class Attention(nn.Module):
    """Each position looks at itself and those before it."""

    def __init__(self, shape: Architecture, layer: int) -> None:
        super().__init__()
        self.layer, self.heads = layer, shape.heads
        self.c_attn = nn.Linear(shape.width, 3 * shape.width)
        self.c_proj = nn.Linear(shape.width, shape.width)

    def forward(self, x_BTC: Tensor, cache: Cache | None) -> Tensor:
        B, T, C = x_BTC.shape
        qkv = self.c_attn(x_BTC).view(B, T, 3, self.heads, C // self.heads)
        q_BHTD, k_BHSD, v_BHSD = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if cache is not None:
            k_BHSD, v_BHSD = cache.extend(self.layer, k_BHSD, v_BHSD)
        S = k_BHSD.shape[2]
        # With a cache the T queries are the last of the S positions, which is_causal cannot say.
        mask_TS = None
        if S > T > 1:
            mask_TS = torch.ones(T, S, dtype=torch.bool, device=x_BTC.device).tril(S - T)
        y_BHTD = F.scaled_dot_product_attention(
            q_BHTD, k_BHSD, v_BHSD, attn_mask=mask_TS, is_causal=S == T
        )
        merged: Tensor = self.c_proj(y_BHTD.transpose(1, 2).reshape(B, T, C))
        return merged


class FeedForward(nn.Module):
    """Each position by itself, through four times the width."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.c_fc = nn.Linear(shape.width, 4 * shape.width)
        self.c_proj = nn.Linear(4 * shape.width, shape.width)

    def forward(self, x_BTC: Tensor) -> Tensor:
        hidden: Tensor = self.c_proj(F.gelu(self.c_fc(x_BTC), approximate="tanh"))
        return hidden


class Block(nn.Module):
    """The normalisation stands at the input of each sub-block (pre-LN)."""

    def __init__(self, shape: Architecture, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(shape.width, eps=LAYER_NORM_EPSILON)
        self.attn = Attention(shape, layer)
        self.ln_2 = nn.LayerNorm(shape.width, eps=LAYER_NORM_EPSILON)
        self.mlp = FeedForward(shape)

    def forward(self, x_BTC: Tensor, cache: Cache | None) -> Tensor:
        x_BTC = x_BTC + self.attn(self.ln_1(x_BTC), cache)
        y_BTC: Tensor = x_BTC + self.mlp(self.ln_2(x_BTC))
        return y_BTC


class GPT2(nn.Module):
    """Token ids to logits. Attribute names are those of the released weights."""

    def __init__(self, config: Architecture) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.width)
        self.wpe = nn.Embedding(config.context, config.width)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.ln_f = nn.LayerNorm(config.width, eps=LAYER_NORM_EPSILON)

    def forward(self, ids_BT: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits, (B, T) -> (B, T, V). With a cache, `ids_BT` are the next T positions of it."""
        logits_BTV: Tensor = F.linear(self.hidden(ids_BT, cache), self.wte.weight)  # tied
        return logits_BTV

    def hidden(self, ids_BT: Tensor, cache: Cache | None = None) -> Tensor:
        """What the head reads: (B, T) -> (B, T, C)."""
        start = cache.length if cache is not None else 0
        end = start + ids_BT.shape[1]
        if end > self.config.context:
            raise ValueError(f"{end} positions, but the context is {self.config.context}")
        positions_T = torch.arange(start, end, device=ids_BT.device)
        x_BTC = self.wte(ids_BT) + self.wpe(positions_T)
        for block in self.h:
            x_BTC = block(x_BTC, cache)
        if cache is not None:
            cache.length = end
        normed: Tensor = self.ln_f(x_BTC)
        return normed

    @torch.no_grad()
    def initialise(self, seed: int) -> "GPT2":
        """Fresh weights, the same for the same seed on any device."""
        # N: two residual projections a layer. "Scale the weights of residual layers at
        # initialization by 1/sqrt(N)" (section 2.3); that these are the two c_proj is the common
        # reading.
        residual = WEIGHT_DEVIATION / math.sqrt(2 * self.config.layers)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif ".ln_" in name or name.startswith("ln_"):
                parameter.fill_(1.0)
            else:
                deviation = WEIGHT_DEVIATION
                if name == "wpe.weight":
                    deviation = POSITION_DEVIATION
                elif name.endswith("c_proj.weight"):
                    deviation = residual
                source = torch.Generator().manual_seed(seed_for(seed, "initialise", name))
                parameter.copy_(torch.randn(parameter.shape, generator=source) * deviation)
        return self
