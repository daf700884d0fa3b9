"""The best learning rate is found by trial, and a sweep that is killed goes on."""

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError, Stopped, WellreadError
from wellread.base.manifest import read_manifest
from wellread.cli.main import main
from wellread.formats.metrics import read_metrics
from wellread.formats.sweeps import read_sweep
from wellread.model.sizes import ModelConfig
from wellread.train.config import TrainConfig
from wellread.train.sweep import sweep_learning_rate

MODEL = ModelConfig(size="1x64", context=32)
CONFIG = TrainConfig(
    batch_sequences=4, sequences_per_pass=4, steps=80, peak_learning_rate=0.02,
    final_learning_rate=0.002, warmup_steps=20, held_out_sequences=8, log_every_steps=2,
    device="cpu", precision="float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def swept(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweeps") / "whole"
    sweep_learning_rate(tokens, out, MODEL, CONFIG, steps=8)
    return out


def test_seven_runs_around_the_rate_that_is_set_and_the_best_is_chosen(swept: Path) -> None:
    sweep = read_sweep(swept)
    rates = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16]
    assert [trial.learning_rate for trial in sweep.trials] == pytest.approx(rates)
    losses = {trial.learning_rate: trial.held_out_loss for trial in sweep.trials}
    assert all(losses.values())
    assert losses[sweep.chosen] == min(losses.values())
    assert 0.0025 < sweep.chosen < 0.16
    assert not sweep.is_at_edge
    assert sweep.final_learning_rate == pytest.approx(sweep.chosen / 10)
    for trial in sweep.trials:
        last = list(read_metrics(swept / trial.directory))[-1]
        assert (last.step, last.held_out_loss) == (8, trial.held_out_loss)
        rates = [step.learning_rate for step in read_metrics(swept / trial.directory)]
        assert max(rates) == pytest.approx(trial.learning_rate)  # 2 of 8 steps of warm-up
        assert read_manifest(swept / trial.directory).config["train"]["warmup_steps"] == 2


def test_the_figure_names_the_rate_and_the_manifest_has_the_counts(swept: Path) -> None:
    texts = "".join(ET.parse(swept / "sweep.svg").getroot().itertext())
    sweep, manifest = read_sweep(swept), read_manifest(swept)
    assert f"{sweep.chosen:g}: " in texts
    assert manifest.counts == {"in": 7, "out": 7}
    assert manifest.facts["peak_learning_rate"] == sweep.chosen


def test_a_killed_sweep_goes_on_with_the_rate_at_which_it_was(
    swept: Path, tokens: Path, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(done: float, total: float | None, note: str = "") -> None:
        if done == 20:  # in the third run of eight steps
            raise Killed

    out = tmp_path / "sweep"
    with pytest.raises(Killed):
        sweep_learning_rate(tokens, out, MODEL, CONFIG, steps=8, progress=die)
    first = read_manifest(out / "rates" / "0.0025").finished_at
    seen: list[float] = []
    manifest = sweep_learning_rate(
        tokens, out, MODEL, CONFIG, steps=8, progress=lambda done, *_: seen.append(done)
    )
    assert seen[0] == 22
    assert read_manifest(out / "rates" / "0.0025").finished_at == first
    assert read_sweep(out) == read_sweep(swept)
    again = sweep_learning_rate(tokens, out, MODEL, CONFIG, steps=8)
    assert again.finished_at == manifest.finished_at


def test_a_sweep_that_was_asked_to_stop_has_saved_the_run_at_which_it_was(
    swept: Path, tokens: Path, tmp_path: Path
) -> None:
    questions: list[None] = []

    def before_the_second_run_ends() -> bool:
        questions.append(None)
        return len(questions) == 14

    out = tmp_path / "sweep"
    with pytest.raises(Stopped, match="stopped after step 5 of 8, saved"):
        sweep_learning_rate(
            tokens, out, MODEL, CONFIG, steps=8, should_stop=before_the_second_run_ends
        )
    lighter = msgspec.structs.replace(CONFIG, recomputes=True)  # less memory is no other sweep
    sweep_learning_rate(tokens, out, MODEL, lighter, steps=8)
    assert read_sweep(out) == read_sweep(swept)


def test_an_interrupted_sweep_is_not_deleted_for_another(tokens: Path, tmp_path: Path) -> None:
    out, stop = tmp_path / "sweep", iter([False] * 10 + [True])
    with pytest.raises(Stopped):
        sweep_learning_rate(tokens, out, MODEL, CONFIG, steps=8, should_stop=lambda: next(stop))
    with pytest.raises(InputError, match="an interrupted sweep with another steps is there"):
        sweep_learning_rate(tokens, out, MODEL, CONFIG, steps=9)
    assert (out / "rates" / "0.0025" / "manifest.json").exists()


def test_the_best_at_an_edge_is_said_and_more_are_tried_twice(
    tokens: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    low = msgspec.structs.replace(  # far too small
        CONFIG, peak_learning_rate=8e-6, final_learning_rate=8e-7
    )
    sweep_learning_rate(tokens, tmp_path / "sweep", MODEL, low, steps=3)
    sweep = read_sweep(tmp_path / "sweep")
    assert [f"{trial.learning_rate:g}" for trial in sweep.trials[-4:]] == [
        "0.000128", "0.000256", "0.000512", "0.001024",
    ]  # fmt: skip
    assert len(sweep.trials) == 11
    assert sweep.is_at_edge
    assert sweep.chosen == sweep.trials[-1].learning_rate
    said = [record.message for record in caplog.records]
    assert said[0] == (
        "the best learning rate, 6.4e-05, is the largest tried; 0.000128, 0.000256 will be tried "
        "too"
    )


def test_a_rate_that_diverges_is_the_worst_and_the_rest_goes_on(
    tokens: Path, tmp_path: Path
) -> None:
    # Weight decay multiplies the weights by a tenth of the rate, eight times.
    high = msgspec.structs.replace(CONFIG, peak_learning_rate=1000.0)
    sweep_learning_rate(tokens, tmp_path / "sweep", MODEL, high, steps=8)
    sweep = read_sweep(tmp_path / "sweep")
    assert sweep.trials[-1].held_out_loss is None
    assert sweep.chosen < 1000
    assert read_manifest(tmp_path / "sweep").dropped["loss became no number"] >= 1
    assert "no number" in (tmp_path / "sweep" / "sweep.svg").read_text()


def test_when_every_rate_diverges_that_is_said(tokens: Path, tmp_path: Path) -> None:
    high = msgspec.structs.replace(CONFIG, peak_learning_rate=1e30)
    with pytest.raises(WellreadError, match=r"with each learning rate from .* becomes no number"):
        sweep_learning_rate(tokens, tmp_path / "sweep", MODEL, high, steps=2)
    assert not (tmp_path / "sweep" / "manifest.json").exists()


def test_no_steps_are_refused(tokens: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sweep_steps is 0"):
        sweep_learning_rate(tokens, tmp_path / "sweep", MODEL, CONFIG, steps=0)


def test_the_command_prints_the_rates_and_what_to_give(
    tokens: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [
        "train", str(tokens), "-o", str(tmp_path / "sweep"), "--size", "1x64", "--context", "32",
        "--batch-sequences", "2", "--sequences-per-pass", "2", "--held-out-sequences", "4",
        "--steps", "20", "--warmup-steps", "4", "--peak-learning-rate", "0.02",
        "--final-learning-rate", "0.002", "--device", "cpu",
    ]  # fmt: skip
    assert main([*call, "--sweep-steps", "4"]) == 2
    assert "--sweep-steps belongs to --sweep-learning-rate" in capsys.readouterr().err
    assert main([*call, "--sweep-learning-rate", "--sweep-steps", "4"]) == 0
    printed = capsys.readouterr().out
    chosen = read_sweep(tmp_path / "sweep").chosen
    assert f"--peak-learning-rate {chosen:g} --final-learning-rate {chosen / 10:g}" in printed
    assert printed.count("chosen") == 1
