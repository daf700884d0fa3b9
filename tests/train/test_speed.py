"""What a step cost is counted as the sizes say, and what was drawn twice is shown once."""

from pathlib import Path

import msgspec
import pytest
import torch

from wellread.base.errors import InputError, Stopped
from wellread.formats.metrics import Step, read_metrics
from wellread.model.sizes import Architecture, ModelConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.speed import training_flops, with_costs

CONFIG = TrainConfig(
    batch_sequences=4, sequences_per_pass=4, steps=12, warmup_steps=2, log_every_steps=2,
    save_every_steps=4, held_out_every_steps=6, held_out_sequences=2, device="cpu",
)  # fmt: skip
MODEL = ModelConfig(size="1x64", context=32)


def test_a_token_of_the_smallest_model_costs_six_operations_a_weight_and_attention() -> None:
    shape = Architecture(layers=12, width=768, heads=12)
    in_products = 12 * 12 * 768**2 + 50_257 * 768
    assert training_flops(shape) == 6 * in_products + 12 * 12 * 1024 * 768


def test_a_logged_step_has_its_costs_and_the_time_that_is_left() -> None:
    shape = Architecture(layers=1, width=64, heads=1, context=32, vocab_size=300)
    step = Step(step=30, tokens=3000, loss=2.0, tokens_per_second=50.0)
    found = with_costs(
        step, shape, torch.device("cpu"), torch.float32, tokens=10_000, num_devices=1
    )
    assert found.seconds_left == 70 * 100 / 50
    assert found.flops_per_second == 50 * (6 * (12 * 64**2 + 300 * 64) + 12 * 32 * 64)
    assert found.mfu is None
    assert 50e6 < found.memory_bytes < 50e9


def test_a_run_writes_them(tokens: Path, tmp_path: Path) -> None:
    train(tokens, tmp_path, MODEL, CONFIG)
    logged = [step for step in read_metrics(tmp_path) if step.loss is not None]
    assert len(logged) == 6
    assert all(step.flops_per_second > 0 and step.memory_bytes > 0 for step in logged)
    assert logged[-1].seconds_left == 0


def test_event_files_hold_each_step_once_after_a_stop(tokens: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = msgspec.structs.replace(CONFIG, tensorboard=True)
    answers = iter(range(7))
    with pytest.raises(Stopped):
        train(tokens, tmp_path, MODEL, config, should_stop=lambda: next(answers, None) is None)
    for folder in (tmp_path / "checkpoints").glob("step-0000007"):  # so that 5 to 7 come twice
        (folder / "state.json").unlink()
    train(tokens, tmp_path, MODEL, config)
    shown = EventAccumulator(str(tmp_path / "tensorboard"))
    shown.Reload()
    assert [event.step for event in shown.Scalars("loss")] == [2, 4, 6, 8, 10, 12]
    assert [event.step for event in shown.Scalars("held_out_loss")] == [6, 12]
    assert len(shown.Scalars("gradient_norms/0")) == 6


def test_tensorboard_that_is_not_installed_is_said(tokens: Path, tmp_path: Path) -> None:
    try:
        import tensorboard  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(InputError, match=r"pip install 'wellread\[tensorboard\]'"):
            train(tokens, tmp_path, MODEL, msgspec.structs.replace(CONFIG, tensorboard=True))
        assert list(tmp_path.iterdir()) == []
    else:
        pytest.skip("it is installed")
