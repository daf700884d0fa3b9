"""The network of GPT-2, top to bottom.

Radford et al. 2019, section 2.3, says what differs from GPT-1: "layer normalization was moved to
the input of each sub-block [...] and an additional layer normalization was added after the final
self-attention block"; the weights of residual layers are scaled by 1/sqrt(N) at initialisation.
What it leaves open is as in the released code (openai/gpt-2, src/model.py). What the paper changed
can be undone by a switch of `Architecture`: `norm`, `final_norm`, `residual_scaling`; and the head
untied from the embedding.

Shapes: B batch, T new positions, S all positions so far, H heads, D width of a head,
C width of the model, L layers, V vocabulary.
"""

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from wellread.base.seeds import seed_for
from wellread.model.large_pages import zeros
from wellread.model.sizes import Architecture

WEIGHT_DEVIATION = 0.02  # openai/gpt-2, src/model.py, conv1d and wte
POSITION_DEVIATION = 0.01  # openai/gpt-2, src/model.py, wpe


class Next(NamedTuple):
    """The next T tokens of each of B rows: where they stand, and what they see."""

    positions_BT: Tensor
    rows_B1: Tensor
    end: int  # S, of all rows
    seen_B1TS: Tensor | None  # 0 or -inf, added to scores; none: each sees those before it

    def kept(self, all_BHSD: Tensor, new_BHTD: Tensor) -> Tensor:
        """Put a layer's new keys, or values, where they belong; those of all positions so far."""
        all_BHSD[self.rows_B1, :, self.positions_BT] = new_BHTD.transpose(1, 2)
        return all_BHSD[:, :, : self.end]


class Cache:
    """Keys and values of the positions seen so far; each row is as long as it is.

    Rows may grow apart: what stands in a row behind its length is not seen, and written over.
    """

    def __init__(self, shape: Architecture, rows: int, room: int, like: Tensor) -> None:
        size = (shape.layers, rows, shape.heads, room, shape.width // shape.heads)
        self.k_LBHSD, self.v_LBHSD = (zeros(size, like.dtype, like.device) for _ in range(2))
        self.lengths = [0] * rows

    def next(self, num_new: int) -> Next:
        """Where the next `num_new` tokens of each row stand, and what they see."""
        device = self.k_LBHSD.device
        starts_B = torch.tensor(self.lengths, device=device)
        end = max(self.lengths) + num_new
        return self.following(starts_B, num_new, end, is_first=not any(self.lengths))

    def following(
        self, starts_B: Tensor, num_new: int, end: int, *, is_first: bool = False
    ) -> Next:
        """As `next`, of rows that are `starts_B` long; none grows beyond `end`."""
        device = starts_B.device
        positions_BT = starts_B[:, None] + torch.arange(num_new, device=device)
        rows_B1 = torch.arange(len(starts_B), device=device)[:, None]
        if is_first:  # what is_causal says
            return Next(positions_BT, rows_B1, end, None)
        is_seen_B1TS = torch.arange(end, device=device) <= positions_BT[:, None, :, None]
        # To be added to scores: made once, where each layer would make it of truth values.
        seen_B1TS = torch.zeros(is_seen_B1TS.shape, dtype=self.k_LBHSD.dtype, device=device)
        return Next(positions_BT, rows_B1, end, seen_B1TS.masked_fill_(~is_seen_B1TS, -math.inf))

    def of_layer(self, layer: int) -> tuple[Tensor, Tensor]:
        """Keys and values, (B, H, S, D) each."""
        return self.k_LBHSD[layer], self.v_LBHSD[layer]

    def copy_row(self, source: int, row: int, length: int) -> None:
        """Let `row` hold the first `length` positions of another."""
        self.lengths[row] = length
        for kept in (self.k_LBHSD, self.v_LBHSD):
            kept[:, row, :, :length] = kept[:, source, :, :length]

    def with_rows(self, rows: Sequence[int]) -> "Cache":
        """A copy that has these rows of this one, in this order; one may be there several times."""
        other = copy.copy(self)
        size = (self.k_LBHSD.shape[0], len(rows), *self.k_LBHSD.shape[2:])
        chosen = torch.tensor(rows, device=self.k_LBHSD.device)
        other.k_LBHSD, other.v_LBHSD = (
            torch.index_select(kept, 1, chosen, out=zeros(size, kept.dtype, kept.device))
            for kept in (self.k_LBHSD, self.v_LBHSD)
        )
        other.lengths = [self.lengths[row] for row in rows]
        return other


class Attention(nn.Module):
    """Each position looks at itself and those before it."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.heads = shape.heads
        self.c_attn = nn.Linear(shape.width, 3 * shape.width)
        self.c_proj = nn.Linear(shape.width, shape.width)
        # Does what follows for whole sequences, (B, T, 3 C) to (B, T, C), if there is a faster way.
        self.attend: Callable[[Tensor, int, Tensor | None], Tensor] | None = None

    def forward(
        self,
        x_BTC: Tensor,
        new: Next | None = None,
        cached: tuple[Tensor, Tensor] | None = None,
        starts_BT: Tensor | None = None,
    ) -> Tensor:
        B, T, C = x_BTC.shape
        qkv_BTC: Tensor = self.c_attn(x_BTC)
        merged: Tensor
        if cached is None and self.attend is not None:
            merged = self.c_proj(self.attend(qkv_BTC, self.heads, starts_BT))
            return merged
        qkv = qkv_BTC.view(B, T, 3, self.heads, C // self.heads)
        q_BHTD, k_BHTD, v_BHTD = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        k_BHSD, v_BHSD, seen_B1TS = k_BHTD, v_BHTD, None
        if cached is not None and new is not None:
            k_BHSD, v_BHSD = new.kept(cached[0], k_BHTD), new.kept(cached[1], v_BHTD)
            seen_B1TS = new.seen_B1TS
        if starts_BT is not None:
            all_T = torch.arange(T, device=x_BTC.device)
            is_since_start_BTS = all_T >= starts_BT[:, :, None]
            seen_B1TS = (is_since_start_BTS & (all_T <= all_T[:, None])).unsqueeze(1)
        y_BHTD = F.scaled_dot_product_attention(
            q_BHTD, k_BHSD, v_BHSD, attn_mask=seen_B1TS, is_causal=seen_B1TS is None
        )
        merged = self.c_proj(y_BHTD.transpose(1, 2).reshape(B, T, C))
        return merged


class FeedForward(nn.Module):
    """Each position by itself, through four times the width."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.c_fc = nn.Linear(shape.width, 4 * shape.width)
        self.c_proj = nn.Linear(4 * shape.width, shape.width)
        self.gelu: Callable[[Tensor], Tensor] = partial(F.gelu, approximate="tanh")

    def forward(self, x_BTC: Tensor) -> Tensor:
        hidden: Tensor = self.c_proj(self.gelu(self.c_fc(x_BTC)))
        return hidden


class Block(nn.Module):
    """Attention, then the feed-forward layer, each added to what it was given.

    The normalisation stands at the input of each (pre-LN); `norm = "post"` puts it behind the
    addition, as in GPT-1.
    """

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.is_pre_norm = shape.norm == "pre"
        self.ln_1 = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.attn = Attention(shape)
        self.ln_2 = nn.LayerNorm(shape.width, eps=shape.norm_epsilon)
        self.mlp = FeedForward(shape)

    def forward(
        self,
        x_BTC: Tensor,
        new: Next | None = None,
        cached: tuple[Tensor, Tensor] | None = None,
        starts_BT: Tensor | None = None,
    ) -> Tensor:
        y_BTC: Tensor
        if self.is_pre_norm:
            x_BTC = x_BTC + self.attn(self.ln_1(x_BTC), new, cached, starts_BT)
            y_BTC = x_BTC + self.mlp(self.ln_2(x_BTC))
        else:
            x_BTC = self.ln_1(x_BTC + self.attn(x_BTC, new, cached, starts_BT))
            y_BTC = self.ln_2(x_BTC + self.mlp(x_BTC))
        return y_BTC


class GPT2(nn.Module):
    """Token ids to logits. Attribute names are those of the released weights."""

    def __init__(self, config: Architecture) -> None:
        super().__init__()
        self.config = config
        self.recomputes = False  # what blocks keep for their backward pass, rather than keep it
        self.wte = nn.Embedding(config.vocab_size, config.width)
        self.wpe = nn.Embedding(config.context, config.width)
        self.h = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.ln_f = (
            nn.LayerNorm(config.width, eps=config.norm_epsilon)
            if config.final_norm
            else nn.Identity()
        )
        if not config.tied_head:
            self.lm_head = nn.Linear(config.width, config.vocab_size, bias=False)

    @property
    def head_VC(self) -> Tensor:
        """The matrix that turns what the blocks give into logits."""
        return self.wte.weight if self.config.tied_head else self.lm_head.weight

    def forward(self, ids_BT: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits, (B, T) -> (B, T, V). With a cache, `ids_BT` are the next T tokens of each row."""
        return F.linear(self.hidden(ids_BT, cache), self.head_VC)

    def hidden(
        self,
        ids_BT: Tensor,
        cache: Cache | None = None,
        starts_BT: Tensor | None = None,
        new: Next | None = None,
    ) -> Tensor:
        """What the head reads: (B, T) -> (B, T, C).

        A position looks back to that of `starts_BT`, by default the first; not with a cache. Who
        gives `new` says where the cache's next tokens stand, and its lengths stay as they are.
        """
        T, is_counted = ids_BT.shape[1], cache is not None and new is None
        if cache is not None and new is None:
            new = cache.next(T)
        end = T if new is None else new.end
        if end > self.config.context:
            raise ValueError(f"{end} positions, but the context is {self.config.context}")
        places = torch.arange(T, device=ids_BT.device) if new is None else new.positions_BT
        x_BTC = self.wte(ids_BT) + self.wpe(places)
        for layer, block in enumerate(self.h):
            if self.recomputes and torch.is_grad_enabled():
                x_BTC = checkpoint(
                    block, x_BTC, None, None, starts_BT,
                    use_reentrant=False, preserve_rng_state=False,
                )  # fmt: skip
            else:
                cached = None if cache is None else cache.of_layer(layer)
                x_BTC = block(x_BTC, new, cached, starts_BT)
        if cache is not None and is_counted:
            cache.lengths = [length + T for length in cache.lengths]
        normed: Tensor = self.ln_f(x_BTC)
        return normed

    @torch.no_grad()
    def initialise(self, seed: int) -> "GPT2":
        """Fresh weights, the same for the same seed on any device."""
        # N: two residual projections a layer. "Scale the weights of residual layers at
        # initialization by 1/sqrt(N)" (section 2.3); that these are the two c_proj is the common
        # reading.
        num_residual = 2 * self.config.layers if self.config.residual_scaling else 1
        residual = WEIGHT_DEVIATION / math.sqrt(num_residual)
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
