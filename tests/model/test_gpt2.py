"""The network against Hugging Face's, bit by bit where that is possible."""

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from wellread.base.errors import InputError
from wellread.model.gpt2 import GPT2, Cache
from wellread.model.load import load_model, save_model
from wellread.model.sizes import SIZES, Architecture, ModelConfig

SMALL = ModelConfig(size="3x128", context=64).architecture(vocab_size=500)
IDS = torch.randint(0, 500, (2, 64), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def small() -> GPT2:
    return GPT2(SMALL).initialise(seed=0)


@torch.no_grad()
def test_logits_equal_hugging_faces(small: GPT2, tmp_path: Path) -> None:
    save_model(small, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).double()
    ours = load_model(tmp_path, device="cpu").double()
    assert (ours(IDS) - theirs(IDS).logits).abs().max() < 1e-10


@torch.no_grad()
def test_the_cache_changes_nothing(small: GPT2) -> None:
    cache = Cache(SMALL, rows=2, room=64, like=small.wte.weight)
    parts = [small(IDS[:, :10], cache), small(IDS[:, 10:11], cache), small(IDS[:, 11:], cache)]
    torch.testing.assert_close(torch.cat(parts, dim=1), small(IDS), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_token_does_not_see_what_follows_it(small: GPT2) -> None:
    changed = IDS.clone()
    changed[:, 40:] = 7
    assert torch.equal(small(changed)[:, :40], small(IDS)[:, :40])


def test_weights_come_back_bitwise(small: GPT2, tmp_path: Path) -> None:
    save_model(small, tmp_path)
    again = load_model(tmp_path, device="cpu")
    for (name, a), (_, b) in zip(small.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_initial_deviations_are_the_papers(small: GPT2) -> None:
    def deviation(name: str) -> float:
        return small.get_parameter(name).std().item()

    assert deviation("wte.weight") == pytest.approx(0.02, rel=0.02)
    assert deviation("wpe.weight") == pytest.approx(0.01, rel=0.02)
    assert deviation("h.0.attn.c_attn.weight") == pytest.approx(0.02, rel=0.02)
    # N = 6 residual projections in three layers.
    assert deviation("h.2.mlp.c_proj.weight") == pytest.approx(0.02 / 6**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("size", "millions"), [("124M", 124.4), ("355M", 354.8), ("774M", 774.0), ("1558M", 1557.6)]
)
def test_the_papers_sizes_have_their_true_number_of_parameters(size: str, millions: float) -> None:
    assert size in SIZES
    architecture = ModelConfig(size=size).architecture(vocab_size=50_257)
    assert round(architecture.num_parameters / 1e6, 1) == millions
    with torch.device("meta"):
        built = GPT2(architecture)
    assert sum(p.numel() for p in built.parameters()) == architecture.num_parameters


def test_printed_and_true_names_mean_the_same() -> None:
    assert ModelConfig(size="1542M").architecture(9) == ModelConfig(size="1558M").architecture(9)


def test_an_unknown_size_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean '124M'"):
        ModelConfig(size="124").architecture(9)


def test_a_tensor_of_the_wrong_shape_is_refused_by_name(small: GPT2, tmp_path: Path) -> None:
    save_model(small, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["transformer.ln_f.weight"] = torch.ones(3)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(
        InputError, match=r"tensor ln_f.weight is of shape \(3,\), expected \(128,\)"
    ):
        load_model(tmp_path)


def test_another_architecture_is_refused(small: GPT2, tmp_path: Path) -> None:
    save_model(small, tmp_path)
    config = msgspec.json.decode((tmp_path / "config.json").read_bytes())
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config | {"model_type": "llama"}))
    with pytest.raises(InputError, match="llama with gelu_new; expected gpt2"):
        load_model(tmp_path)


@pytest.mark.real
def test_a_public_hugging_face_checkpoint_loads(real_data: Path) -> None:
    model = load_model(real_data / "checkpoints" / "tiny_gpt2_hf", device="cpu")
    assert model.config == Architecture(layers=2, width=2, heads=2)
