"""A batch that gives no number is named, and skipped if asked; a spike is told from a rise."""

import math
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from wellread.base.errors import Stopped, WellreadError
from wellread.base.files import sha256_of
from wellread.base.manifest import read_manifest
from wellread.formats.checkpoints import read_state
from wellread.formats.documents import read_corpus
from wellread.formats.metrics import Step, read_metrics
from wellread.formats.tokens import read_header, read_split
from wellread.model.load import load_tokenizer
from wellread.model.sizes import ModelConfig
from wellread.train.bad_batches import Spikes, marking_spikes, texts_of
from wellread.train.batches import Batches
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.windows import Windows, read_windows

MODEL = ModelConfig(size="1x64", context=32, tied_head=False)
CONFIG = TrainConfig(
    batch_sequences=4, sequences_per_pass=4, steps=30, peak_learning_rate=1e-3, warmup_steps=5,
    held_out_every_steps=10, held_out_sequences=2, log_every_steps=3, save_every_steps=5,
    device="cpu", on_bad_batch="skip",
)  # fmt: skip


def stop_before(step: int) -> Callable[[], bool]:
    """Of a run's questions, which start at its first step."""
    answers = iter(range(step))
    return lambda: next(answers, None) is None


def rare_id(tokens: Path) -> int:
    """A token of few batches from step 10 on, and of no held-out window."""
    batches = Batches(Windows(read_split(tokens, "train"), 32), 4, CONFIG.seed)
    held_out = set(read_split(tokens, "validation")[0][: 2 * 32 + 1].tolist())
    later = [set(batches[step][:, :-1].flatten().tolist()) for step in range(10, 30)]
    times = {token: sum(token in batch for batch in later) for token in range(300)}
    found = [t for t, n in times.items() if 2 <= n <= 6 and t not in held_out]
    return found[0]


@pytest.fixture
def planted(tokens: Path, tmp_path: Path) -> Path:
    """A run of 10 steps, in which a rare token's embedding has since become no number."""
    out = tmp_path / "run"
    with pytest.raises(Stopped):
        train(tokens, out, MODEL, CONFIG, should_stop=stop_before(10))
    folder = out / "checkpoints" / "step-0000010"
    weights = load_file(folder / "model.safetensors")
    weights["transformer.wte.weight"][rare_id(tokens)] = math.nan
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    digests = {path.name: sha256_of(path) for path in folder.iterdir() if path.name != "state.json"}
    state = msgspec.structs.replace(read_state(folder), digests=digests)
    (folder / "state.json").write_bytes(msgspec.json.encode(state))
    return out


def curve(run: Path) -> list[tuple[object, ...]]:
    return [(s.step, s.loss, s.skipped, s.held_out_loss) for s in read_metrics(run)]


def test_bad_batches_are_skipped_the_same_way_after_a_stop(
    planted: Path, tokens: Path, tmp_path: Path
) -> None:
    stopped = shutil.copytree(planted, tmp_path / "stopped")
    train(tokens, planted, MODEL, CONFIG)
    batches = Batches(Windows(read_split(tokens, "train"), 32), 4, CONFIG.seed)
    rare = rare_id(tokens)
    bad = [step + 1 for step in range(10, 30) if rare in batches[step][:, :-1]]
    assert [s.step for s in read_metrics(planted) if s.skipped == "the loss is nan"] == bad
    manifest = read_manifest(planted)
    assert manifest.dropped == {"the loss is nan": len(bad)}
    assert manifest.examples["the loss is nan"][0] == f"step {bad[0]}"
    assert manifest.counts == {"in": 30, "out": 30 - len(bad)}
    assert all(math.isfinite(s.loss) for s in read_metrics(planted) if s.loss is not None)

    with pytest.raises(Stopped):
        train(tokens, stopped, MODEL, CONFIG, should_stop=stop_before(bad[0] - 10))
    train(tokens, stopped, MODEL, CONFIG)
    assert curve(stopped) == curve(planted)
    for name in ("model", "optimizer"):
        last = f"checkpoints/step-0000030/{name}.safetensors"
        assert (stopped / last).read_bytes() == (planted / last).read_bytes()


def test_weights_that_are_no_numbers_are_not_skipped_for_ever(tokens: Path, tmp_path: Path) -> None:
    config = msgspec.structs.replace(CONFIG, peak_learning_rate=1e30, held_out_every_steps=30)
    with pytest.raises(WellreadError, match=r"step \d+: the loss is nan; its batch is of http"):
        train(tokens, tmp_path, MODEL, config)
    assert [s.skipped for s in read_metrics(tmp_path)].count("the loss is nan") == 9


@pytest.mark.parametrize("setting", [{}, {"document_starts": True}])
def test_a_batch_is_named_by_the_documents_that_its_windows_touch(
    tokens: Path, setting: dict[str, bool]
) -> None:
    """Every document's own numbers are in its text, so the windows say where they are from."""
    windows = read_windows(tokens, 32, **setting).train
    batches = Batches(windows, 2, seed=3)
    tokenizer = load_tokenizer(tokens)
    texts = {d.url: d.text for d in read_corpus(tokens.parent / "corpus", "train")}
    end = read_header(tokens).end_of_text
    for step in range(1, 6):
        named = texts_of(tokens, batches, step)
        assert named.endswith(" (train-00000.npy)")
        urls = named.removesuffix(" (train-00000.npy)").split(", ")
        parts = []
        for window in batches[step - 1]:
            cuts = [0, *(np.flatnonzero(window == end)), len(window)]
            parts += [window[a:b][window[a:b] != end] for a, b in pairwise(cuts)]
        for ids in parts:
            if len(ids):
                assert any(tokenizer.decode(ids) in texts[url] for url in urls)


def test_a_spike_is_so_much_above_the_median_of_what_came_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    losses = [9.0, 2.0, 2.5, 5.4, 7.0, 2.0]
    steps = [Step(step=n, tokens=0, loss=loss) for n, loss in enumerate(losses, start=1)]
    marked = list(marking_spikes(steps, Spikes([], 3.0), lambda step: f"texts of {step}"))
    assert [step.spike for step in marked] == [None, None, None, None, pytest.approx(3.05), None]
    assert "step 5: the loss is 7.000, which is 3.050 above the median" in caplog.text
    assert "its batch is of texts of 5" in caplog.text


def test_no_loss_is_a_spike_if_that_is_switched_off() -> None:
    assert Spikes([1.0, 1.0], None).above(50.0) is None
