"""A CUDA device does what a CPU does, but for rounding; without one these tests are skipped."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from wellread.base.errors import Stopped
from wellread.formats.metrics import read_metrics
from wellread.generation.sample import generate_ids
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture, ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.loss import mean_loss
from wellread.train.worker import Worker

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("default"),  # compilers warn of what is theirs
]
SHAPE = Architecture(layers=3, width=128, heads=2, context=64, vocab_size=300)
MODEL = ModelConfig(size="2x128", context=32)
CONFIG = TrainConfig(
    batch_sequences=8, sequences_per_pass=4, steps=30, peak_learning_rate=1e-3,
    final_learning_rate=1e-4, warmup_steps=5, held_out_every_steps=10, log_every_steps=5,
    save_every_steps=10, device="cuda", precision="float32",
)  # fmt: skip


def network() -> GPT2:
    """Weights far enough from each other that no two tokens are nearly as likely."""
    model = GPT2(SHAPE).initialise(1)
    source = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=source) * 0.1)
    return model.eval()


@torch.no_grad()
def test_logits_are_those_of_hugging_face() -> None:
    ours = network()
    config = GPT2Config(n_layer=3, n_embd=128, n_head=2, n_positions=64, vocab_size=300)
    theirs = GPT2LMHeadModel(config).eval()
    for name, weight in ours.state_dict().items():
        turned = weight.t() if ".c_" in name and name.endswith("weight") else weight
        theirs.transformer.state_dict()[name].copy_(turned)
    ids = torch.randint(300, (3, 64), generator=torch.Generator().manual_seed(0))
    expected = theirs(ids).logits
    found = ours.cuda()(ids.cuda()).cpu()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.std().item())
    rough = ours.bfloat16()(ids.cuda()).float().cpu()
    assert (rough - expected).norm() / expected.norm() < 0.02


def test_the_loss_and_its_gradients_are_cross_entropys_for_a_large_vocabulary() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(300, 32, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    head = torch.randn(50_304, 32, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    targets = torch.randint(50_257, (300,), device="cuda")
    logits = (hidden @ head[:50_257].t()).float()
    expected = torch.nn.functional.cross_entropy(logits, targets)
    gradients = torch.autograd.grad(expected, (hidden, head))
    found = mean_loss(hidden, head, targets, vocab_size=50_257)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for ours, theirs in zip(torch.autograd.grad(found, (hidden, head)), gradients, strict=True):
        assert (ours - theirs).float().norm() < 0.01 * theirs.float().norm()


def losses(run: Path) -> list[float]:
    steps = list(read_metrics(run))
    return [x for step in steps for x in (step.loss, step.held_out_loss) if x is not None]


@pytest.fixture(scope="module")
def on_cpu(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    out = tmp_path_factory.mktemp("runs") / "cpu"
    train(tokens, out, MODEL, msgspec.structs.replace(CONFIG, device="cpu"))
    return losses(out)


@pytest.mark.parametrize(
    ("precision", "compiles", "tolerance"),
    [("float32", False, 1e-4), ("bfloat16", False, 0.02), ("bfloat16", True, 0.02)],
)
def test_a_run_has_the_losses_of_a_cpu_and_goes_on_when_stopped(
    on_cpu: list[float], tokens: Path, tmp_path: Path, precision: str, compiles: bool,  # noqa: FBT001
    tolerance: float,
) -> None:  # fmt: skip
    config = msgspec.structs.replace(CONFIG, precision=precision, compiles=compiles)
    asked: list[None] = []

    def before_step_13() -> bool:
        asked.append(None)
        return len(asked) == 13

    with pytest.raises(Stopped):
        train(tokens, tmp_path / "run", MODEL, config, should_stop=before_step_13)
    train(tokens, tmp_path / "run", MODEL, config)
    assert losses(tmp_path / "run") == pytest.approx(on_cpu, rel=tolerance)
    assert on_cpu[-1] < on_cpu[1] - 0.5


@pytest.mark.parametrize("recomputes", [False, True])
def test_compiled_gradients_in_bfloat16_are_those_of_float32_roughly(*, recomputes: bool) -> None:
    exact, rough = network().cuda(), network().cuda()
    windows = torch.randint(300, (4, 65), generator=torch.Generator().manual_seed(1)).cuda()
    Worker(exact, torch.float32).loss(windows).backward()
    Worker(rough, torch.bfloat16, compiles=True, recomputes=recomputes).loss(windows).backward()
    for (name, one), other in zip(exact.named_parameters(), rough.parameters(), strict=True):
        similar = torch.nn.functional.cosine_similarity(one.grad.flatten(), other.grad.flatten(), 0)
        assert similar > 0.99, name


def test_greedy_samples_are_those_of_a_cpu_past_the_context_too() -> None:
    source = np.random.default_rng(0)
    prompts = [source.integers(0, 300, size).tolist() for size in source.integers(1, 40, 20)]

    def written(model: GPT2) -> list[list[int]]:
        found = generate_ids(
            model, prompts, max_new_tokens=50, seeds=range(20), top_k=1, end_of_text=7, rows=8
        )
        return [sample.ids.tolist() for sample in found]

    assert written(network().cuda()) == written(network())
