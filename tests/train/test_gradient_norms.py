"""The gradient of each block is measured as autograd gives it, before it is clipped."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from wellread.formats.metrics import read_metrics
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import ModelConfig
from wellread.train.batches import Batches
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.windows import read_windows

# Without a learning rate the weights stay as they are: each step's gradient is one at the start.
CONFIG = TrainConfig(
    batch_sequences=8, sequences_per_pass=4, steps=4, peak_learning_rate=0, final_learning_rate=0,
    warmup_steps=0, log_every_steps=3, save_every_steps=2, clip_gradient_norm=0.01, device="cpu",
    precision="float32",
)  # fmt: skip
MODEL = ModelConfig(size="2x64", context=32)


def test_logged_steps_have_the_norm_of_each_block_in_order_of_depth(
    tokens: Path, tmp_path: Path
) -> None:
    train(tokens, tmp_path, MODEL, CONFIG)
    measured = {step.step: step.gradient_norms for step in read_metrics(tmp_path)}
    assert measured.keys() == {2, 3, 4}
    assert measured[2] is None  # saved, not logged

    network = GPT2(MODEL.architecture(300)).initialise(CONFIG.seed)
    batches = Batches(read_windows(tokens, 32).train, 8, CONFIG.seed)
    for step in (3, 4):
        windows_BT = torch.from_numpy(batches[step - 1]).long()
        logits_BTV = network(windows_BT[:, :-1])
        loss = F.cross_entropy(logits_BTV.flatten(0, 1), windows_BT[:, 1:].flatten())
        expected = []
        for block in network.h:
            gradients = torch.autograd.grad(loss, list(block.parameters()), retain_graph=True)
            expected.append(sum(float(g.double().square().sum()) for g in gradients) ** 0.5)
        assert measured[step] == pytest.approx(expected, rel=1e-5)
        assert max(expected) > 2 * CONFIG.clip_gradient_norm
