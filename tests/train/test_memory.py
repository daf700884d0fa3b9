"""What a run needs is known before it starts."""

from pathlib import Path

import msgspec
import pytest
import torch

from wellread.base.errors import InputError
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture, ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.memory import Needs, check_room, estimate
from wellread.train.optimizers import Optimizers
from wellread.train.worker import Worker

NEEDS = Needs(weights=10, gradients=10, optimizer=20, copy=0, activations=40, logits=20)
CONFIG = TrainConfig(batch_sequences=4, sequences_per_pass=4, steps=10, warmup_steps=1)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_estimate_is_what_the_network_and_its_optimizer_hold(precision: torch.dtype) -> None:
    shape = Architecture(layers=4, width=256, heads=4, context=128, vocab_size=1000)
    needs = estimate(shape, CONFIG, precision, torch.device("cpu"))
    network = GPT2(shape).initialise(0)
    worker, optimizers = Worker(network, precision), Optimizers(network, CONFIG)
    weights = {p.untyped_storage().data_ptr() for p in worker.network.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(1000, (4, 129), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = worker.network.hidden(ids[:, :-1])
    assert needs.activations == pytest.approx(sum(kept.values()), rel=0.1)
    del hidden
    worker.loss(ids).backward()
    optimizers.step()
    numbers = [p.numel() for p in network.parameters()]
    assert needs.weights == needs.gradients == 4 * sum(numbers)
    held = sum(tensor.nbytes for tensor in optimizers.state().values())
    assert needs.optimizer == pytest.approx(held, rel=0.01)
    copied = [p.nbytes for p in worker.network.parameters() if worker.network is not network]
    assert needs.copy == pytest.approx(sum(copied), rel=0.05)


def test_what_a_device_can_never_hold_is_refused_with_what_to_change() -> None:
    with pytest.raises(InputError) as refusal:
        check_room(NEEDS, free=50, total=80, what="this machine", config=CONFIG)
    assert str(refusal.value) == (
        "training needs about 100 B (weights 10 B, gradients 10 B, optimizer 20 B, activations 40 B"
        ", logits 20 B), and this machine has 80 B; lower sequences_per_pass (now 4)"
    )
    with pytest.raises(InputError, match="has 69 B; turn recomputes on, or choose a smaller size"):
        check_room(NEEDS, free=50, total=69, what="this machine", config=CONFIG)
    config = msgspec.structs.replace(CONFIG, recomputes=True)
    with pytest.raises(InputError, match="has 69 B; choose a smaller size or context"):
        check_room(NEEDS, free=50, total=69, what="this machine", config=config)


def test_what_has_no_room_now_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    check_room(NEEDS, free=100, total=200, what="this machine", config=CONFIG)
    assert caplog.text == ""
    check_room(NEEDS, free=99, total=100, what="this machine", config=CONFIG)
    assert "this machine has 99 B free of 100 B; lower sequences_per_pass (now 4)" in caplog.text


def test_a_run_that_no_machine_holds_is_refused_before_it_starts(
    tokens: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "run", ModelConfig(size="96x128000", context=32)
    with pytest.raises(
        InputError, match=r"needs about 339\.8 TB .*; turn recomputes on, or choose"
    ):
        train(tokens, out, model, CONFIG)
    assert not out.exists()
