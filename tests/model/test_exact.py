"""The network against others: Hugging Face's, a trained one's tensors, NumPy."""

import base64
import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel

from tests.reference.gpt2 import logits as slow_logits
from wellread.model.gpt2 import GPT2, Cache
from wellread.model.sizes import Architecture, ModelConfig

CONTEXT, VOCABULARY = 48, 300
SHAPES = {
    "2x64": Architecture(layers=2, width=64, heads=1, context=CONTEXT, vocab_size=VOCABULARY),
    "3x96, 6 heads": Architecture(
        layers=3, width=96, heads=6, context=CONTEXT, vocab_size=VOCABULARY
    ),
    "5x128": Architecture(layers=5, width=128, heads=2, context=CONTEXT, vocab_size=VOCABULARY),
}
CONV1D = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # stored (in, out) by Hugging Face


def ids(rows: int, length: int) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(5))


def spread(network: GPT2) -> GPT2:
    """Weights and biases far from zero and one, so that each matters."""
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            noise = torch.randn(parameter.shape, generator=source, dtype=torch.float64) * 0.1
            parameter.add_(noise.to(parameter.dtype))
    return network


def hugging_faces(ours: GPT2) -> GPT2LMHeadModel:
    shape = ours.config
    config = GPT2Config(
        n_layer=shape.layers, n_embd=shape.width, n_head=shape.heads, n_positions=shape.context,
        vocab_size=shape.vocab_size, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config).to(ours.wte.weight.dtype)
    with torch.no_grad():
        for name, weight in ours.named_parameters():
            value = weight.t() if name.endswith(CONV1D) else weight
            theirs.get_parameter(f"transformer.{name}").copy_(value)
    return theirs.eval()


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> Architecture:
    return SHAPES[request.param]


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_logits_equal_hugging_faces_at_every_length(
    shape: Architecture, dtype: torch.dtype, limit: float
) -> None:
    ours = spread(GPT2(shape).initialise(0).to(dtype))
    theirs = hugging_faces(ours)
    for length in range(1, CONTEXT + 1):
        expected = theirs(ids(2, length)).logits
        away = (ours(ids(2, length)) - expected).abs().max() / expected.abs().max()
        assert away < limit, length


@torch.no_grad()
def test_padding_behind_and_before_changes_no_logits(shape: Architecture) -> None:
    ours = spread(GPT2(shape).initialise(0).double())
    theirs = hugging_faces(ours)
    alone = ours(ids(1, 20))
    behind = torch.cat([ids(1, 20), torch.full((1, 9), 7)], dim=1)
    torch.testing.assert_close(ours(behind)[:, :20], alone, rtol=0, atol=1e-10)
    # Hugging Face pads before a text; a mask and positions tell it so.
    before = torch.cat([torch.full((1, 9), 7), ids(1, 20)], dim=1)
    mask = torch.tensor([[0] * 9 + [1] * 20])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    expected = theirs(before, attention_mask=mask, position_ids=positions).logits[:, 9:]
    torch.testing.assert_close(alone, expected, rtol=0, atol=1e-10)


def test_gradients_equal_hugging_faces(shape: Architecture) -> None:
    ours = spread(GPT2(shape).initialise(0).double())
    theirs = hugging_faces(ours)
    given = ids(2, CONTEXT)
    for found in (ours(given), theirs(given).logits):
        F.cross_entropy(found[:, :-1].flatten(0, 1), given[:, 1:].flatten()).backward()
    for name, weight in ours.named_parameters():
        expected = theirs.get_parameter(f"transformer.{name}").grad
        assert weight.grad is not None
        assert expected is not None
        expected = expected.t() if name.endswith(CONV1D) else expected
        torch.testing.assert_close(weight.grad, expected, rtol=1e-9, atol=1e-12, msg=name)


SWITCHED = [
    {"norm": norm, "final_norm": final, "tied_head": tied}
    for norm, final, tied in itertools.product(("pre", "post"), (True, False), (True, False))
]


@torch.no_grad()
@pytest.mark.parametrize("switches", SWITCHED, ids=str)
def test_every_switch_gives_what_the_slow_version_gives(switches: dict[str, Any]) -> None:
    shape = Architecture(layers=2, width=64, heads=4, context=9, vocab_size=30, **switches)
    network = spread(GPT2(shape).initialise(0).double())
    weights = {name: weight.numpy() for name, weight in network.named_parameters()}
    given = [3, 29, 0, 7, 7, 1, 12, 5, 28]
    expected = slow_logits(weights, shape, given)
    found = network(torch.tensor([given]))[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_without_residual_scaling_all_matrices_begin_alike() -> None:
    config = ModelConfig(size="4x128", residual_scaling=False)
    network = GPT2(config.architecture(300)).initialise(0)
    assert network.h[3].mlp.c_proj.weight.std().item() == pytest.approx(0.02, rel=0.02)


@torch.no_grad()
def test_rows_of_a_cache_grow_apart(shape: Architecture) -> None:
    network = spread(GPT2(shape).initialise(0).double())
    texts = ids(2, 20)
    cache = Cache(shape, rows=2, room=CONTEXT, like=network.wte.weight)
    network(texts[:, :10], cache)
    cache.lengths = [10, 4]  # the second row forgets six
    found = network(torch.stack([texts[0, 10:12], texts[1, 4:6]]), cache)
    torch.testing.assert_close(found[0], network(texts[:1, :12])[0, 10:], rtol=0, atol=1e-10)
    torch.testing.assert_close(found[1], network(texts[1:, :6])[0, 4:], rtol=0, atol=1e-10)


def test_operations_are_those_that_pytorch_counts(shape: Architecture) -> None:
    network = GPT2(shape)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as forward:
        logits = network(ids(1, CONTEXT))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    of_a_token = shape.forward_flops + shape.forward_attention_flops
    assert forward.get_total_flops() == CONTEXT * of_a_token
    of_a_token = shape.backward_flops + shape.backward_attention_flops
    assert backward.get_total_flops() == CONTEXT * of_a_token


@pytest.mark.parametrize("switches", SWITCHED, ids=str)
def test_parameters_and_bytes_are_those_of_the_built_network(switches: dict[str, Any]) -> None:
    shape = Architecture(layers=3, width=64, heads=1, context=20, vocab_size=50, **switches)
    parameters = list(GPT2(shape).parameters())
    assert shape.num_parameters == sum(p.numel() for p in parameters)
    assert shape.num_bytes() == sum(p.nbytes for p in parameters)


def test_the_largest_models_operations_are_a_known_number() -> None:
    shape = ModelConfig(size="1558M").architecture(50_257)
    # 2 x (48 x 12 x 1600^2 + 50,257 x 1600), and 4 x 48 x 1024 x 1600 for attention.
    assert shape.forward_flops == 2 * (1_474_560_000 + 80_411_200)
    assert shape.forward_attention_flops == 314_572_800


# A trained network with its intermediate tensors (llm-viz): sorts three letters.


def tensor_of(stored: dict[str, Any]) -> torch.Tensor:
    kind = {"torch.float32": np.float32, "torch.int64": np.int64}[stored["dtype"]]
    array = np.frombuffer(base64.b64decode(stored["data"]), kind).copy()
    return torch.from_numpy(array).reshape(stored["shape"])


@pytest.mark.real
@torch.no_grad()
def test_a_trained_network_gives_its_recorded_tensors(real_data: Path) -> None:
    folder = real_data / "checkpoints" / "nano_sort"
    model = msgspec.json.decode((folder / "gpt-nano-sort-model.json").read_bytes())
    recorded = {
        name: tensor_of(stored)
        for name, stored in msgspec.json.decode(
            (folder / "gpt-nano-sort-t0-partials.json").read_bytes()
        ).items()
        if name != "config"
    }
    network = GPT2(
        Architecture(layers=3, width=48, heads=3, context=11, vocab_size=3, tied_head=False)
    )
    network.load_state_dict(
        {
            name.removeprefix("transformer."): tensor_of(stored)
            for name, stored in model.items()
            if name != "config" and not name.endswith(".attn.bias")
        }
    )
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda _, given, made: seen.update({name: made}))

    block = network.h[0]
    for name, module in {
        "tok_emb": network.wte, "ln1": block.ln_1, "qkv": block.attn.c_attn,
        "yProj": block.attn, "ln2": block.ln_2, "fc": block.mlp.c_fc, "mlp": block.mlp,
        "block0": block, "block1": network.h[1], "block2": network.h[2], "ln_f": network.ln_f,
    }.items():  # fmt: skip
        keep(name, module)
    block.attn.c_proj.register_forward_pre_hook(lambda _, given: seen.update(y=given[0]))
    block.ln_2.register_forward_pre_hook(lambda _, given: seen.update(attnResid=given[0]))
    block.mlp.c_proj.register_forward_pre_hook(lambda _, given: seen.update(gelu=given[0]))
    seen["lm_head"] = network(recorded["idx"].long())
    seen["probs"] = seen["lm_head"].softmax(-1)
    q, k, v = seen["qkv"].view(3, 11, 3, 3, 16).permute(2, 0, 3, 1, 4)
    seen |= {"q": q, "k": k, "v": v}
    assert sorted(seen) == sorted(
        set(recorded) - {"idx", "pos_emb", "x", "att", "attSm", "mlpResid"}
    )
    for name, tensor in seen.items():
        torch.testing.assert_close(tensor, recorded[name], rtol=1e-4, atol=1e-5, msg=name)
