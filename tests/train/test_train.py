"""Training learns, and nothing is lost when it is killed."""

import resource
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from wellread.base.errors import InputError, Stopped, WellreadError
from wellread.base.manifest import read_manifest
from wellread.formats.checkpoints import intact_checkpoints, newest_checkpoint, read_state
from wellread.formats.metrics import read_metrics
from wellread.model.load import load_model, load_tokenizer
from wellread.model.sizes import ModelConfig
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig
from wellread.train.windows import read_windows

MODEL = ModelConfig(size="1x64", context=32)
CONFIG = TrainConfig(
    batch_sequences=8, sequences_per_pass=4, steps=30, peak_learning_rate=1e-3,
    final_learning_rate=1e-4, warmup_steps=5, held_out_every_steps=10, log_every_steps=5,
    save_every_steps=10, keep_checkpoints=3, device="cpu", precision="float32",
)  # fmt: skip


class Killed(BaseException):
    """Stands for a power cut: nothing between the loop and the test catches it."""


def killed(tokens: Path, out: Path, config: TrainConfig, step: int) -> None:
    """Train up to the report of `step`."""

    def die(done: float, total: float | None, note: str = "") -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        train(tokens, out, MODEL, config, progress=die)


@pytest.fixture(scope="module")
def run(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(tokens, out, MODEL, CONFIG)
    return out


def losses(run: Path) -> list[tuple[int, float | None, float | None]]:
    return [(step.step, step.loss, step.held_out_loss) for step in read_metrics(run)]


def test_the_loss_falls(run: Path) -> None:
    held_out = [step.held_out_loss for step in read_metrics(run) if step.held_out_loss]
    assert len(held_out) == 3
    assert held_out[0] > held_out[1] > held_out[2]


def test_the_manifest_says_what_was_done(run: Path) -> None:
    manifest = read_manifest(run)
    assert manifest.config["model"] == {
        "size": "1x64", "context": 32, "norm": "pre", "final_norm": True,
        "residual_scaling": True, "tied_head": True,
    }  # fmt: skip
    assert manifest.facts["tokens_seen"] == 30 * 8 * 32
    assert manifest.facts["num_parameters"] == 300 * 64 + 32 * 64 + 12 * 64**2 + 13 * 64 + 128


@pytest.mark.parametrize("fatal_step", [5, 15, 25])
def test_a_killed_run_goes_on_bitwise_as_if_nothing_had_happened(
    run: Path, tokens: Path, tmp_path: Path, fatal_step: int
) -> None:
    killed(tokens, tmp_path / "run", CONFIG, step=fatal_step)
    assert not (tmp_path / "run" / "manifest.json").exists()
    train(tokens, tmp_path / "run", MODEL, CONFIG)
    assert losses(tmp_path / "run") == losses(run)
    last = "checkpoints/step-0000030/model.safetensors"
    assert (tmp_path / "run" / last).read_bytes() == (run / last).read_bytes()


def test_a_run_that_was_asked_to_stop_has_saved_its_last_step_and_goes_on_bitwise(
    run: Path, tokens: Path, tmp_path: Path
) -> None:
    questions: list[None] = []

    def before_step_13() -> bool:
        questions.append(None)
        return len(questions) == 13

    with pytest.raises(Stopped, match="stopped after step 12 of 30, saved"):
        train(tokens, tmp_path / "run", MODEL, CONFIG, should_stop=before_step_13)
    assert read_state(newest_checkpoint(tmp_path / "run")).step == 12
    train(tokens, tmp_path / "run", MODEL, CONFIG)
    assert losses(tmp_path / "run") == losses(run)
    last = "checkpoints/step-0000030/model.safetensors"
    assert (tmp_path / "run" / last).read_bytes() == (run / last).read_bytes()


def test_a_run_in_bfloat16_with_muon_goes_on_bitwise_too(tokens: Path, tmp_path: Path) -> None:
    config = msgspec.structs.replace(
        CONFIG, precision="bfloat16", optimizer="muon", schedule="stable", steps=20,
        zero_projections=True, document_masks=True, document_starts=True, early_steps=8,
        early_batch_sequences=4, early_context=16, embeddings="counts", embedding_rate=2.0,
        positions="sinusoids",
    )  # fmt: skip

    facts = train(tokens, tmp_path / "whole", MODEL, config).facts
    windows = read_windows(tokens, MODEL.context, document_starts=True).train
    assert facts["document_starts"] == windows.shares()
    killed(tokens, tmp_path / "run", config, step=15)
    train(tokens, tmp_path / "run", MODEL, config)
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    for name in ("model", "optimizer"):
        last = f"checkpoints/step-0000020/{name}.safetensors"
        assert (tmp_path / "run" / last).read_bytes() == (tmp_path / "whole" / last).read_bytes()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_recomputing_changes_nothing_and_may_begin_later(
    tokens: Path, tmp_path: Path, precision: str
) -> None:
    config = TrainConfig(**(msgspec.structs.asdict(CONFIG) | {"precision": precision}))
    again = msgspec.structs.replace(config, recomputes=True)

    train(tokens, tmp_path / "whole", MODEL, config)
    killed(tokens, tmp_path / "run", config, step=15)
    train(tokens, tmp_path / "run", MODEL, again)
    last = "checkpoints/step-0000030/model.safetensors"
    assert (tmp_path / "run" / last).read_bytes() == (tmp_path / "whole" / last).read_bytes()


def test_a_damaged_checkpoint_is_passed_over(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    with (copy / "checkpoints/step-0000030/model.safetensors").open("r+b") as file:
        file.seek(500)
        file.write(b"\xff\xff\xff")
    assert [p.name for p in intact_checkpoints(copy)] == ["step-0000010", "step-0000020"]


def test_a_damaged_checkpoint_is_not_what_older_ones_are_deleted_for(
    tokens: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two kept, the newest is damaged: a stop soon after must leave an intact one."""
    out, config = tmp_path / "run", msgspec.structs.replace(CONFIG, keep_checkpoints=1)

    killed(tokens, out, config, step=15)
    shutil.copytree(out / "checkpoints/step-0000010", out / "checkpoints/step-0000020")
    (out / "checkpoints/step-0000020/model.safetensors").write_bytes(b"cut")
    stop = iter([False, True])
    with pytest.raises(Stopped, match="after step 11"):
        train(tokens, out, MODEL, config, should_stop=lambda: next(stop))
    kept = sorted(p.name for p in (out / "checkpoints").iterdir())
    assert kept == ["damaged-step-0000020", "step-0000011"]
    assert read_state(newest_checkpoint(out)).step == 11
    assert "step-0000020: damaged, and passed over" in caplog.text


def interrupted(tokens: Path, out: Path) -> None:
    stop = iter([False] * 12 + [True])
    with pytest.raises(Stopped):
        train(tokens, out, MODEL, CONFIG, should_stop=lambda: next(stop))


def test_a_checkpoint_that_cannot_be_read_now_is_not_taken_for_a_damaged_one(
    tokens: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    interrupted(tokens, out)
    weights = out / "checkpoints/step-0000012/model.safetensors"
    weights.rename(tmp_path / "kept")
    weights.mkdir()  # reading it is an error of the system, as of a disk that does not answer
    with pytest.raises(WellreadError, match=r"step-0000012: cannot be read now .*try again"):
        train(tokens, out, MODEL, CONFIG)
    weights.rmdir()
    (tmp_path / "kept").rename(weights)
    assert [read_state(folder).step for folder in intact_checkpoints(out)] == [10, 12]


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_anew(
    tokens: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    interrupted(tokens, out)
    for weights in out.glob("checkpoints/*/model.safetensors"):
        weights.write_bytes(b"cut")
    with pytest.raises(InputError, match="none of its 2 checkpoints is intact; put one back"):
        train(tokens, out, MODEL, CONFIG)
    assert len(list(out.glob("checkpoints/step-*"))) == 2
    assert len(list(read_metrics(out))) > 0


def test_how_a_run_is_done_may_change_when_it_goes_on(
    run: Path, tokens: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    interrupted(tokens, out)
    other = msgspec.structs.replace(
        CONFIG, sequences_per_pass=2, save_every_steps=15, on_bad_batch="skip", recomputes=True
    )
    manifest = train(tokens, out, MODEL, other)
    assert manifest.facts["last_done_with"]["sequences_per_pass"] == 2
    assert manifest.config == read_manifest(run).config
    assert manifest.facts["held_out_loss"] == pytest.approx(
        read_manifest(run).facts["held_out_loss"], rel=1e-5
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sequences_per_pass": 0}, "sequences_per_pass is 0; expected at least 1"),
        ({"held_out_sequences": -3}, "held_out_sequences is -3; expected at least 1"),
        ({"clip_gradient_norm": -1.0}, "clip_gradient_norm is -1.0; expected at least 0"),
        ({"weight_decay": float("nan")}, "weight_decay is nan; expected at least 0"),
        ({"decay_share": 0.0}, "decay_share is 0.0; expected more than 0 and at most 1"),
        ({"beta_1": 1.5}, "beta_1 is 1.5; expected at least 0 and less than 1"),
        ({"seed": -1}, "seed is -1; expected at least 0"),
        ({"peak_learning_rate": 1e-5}, "final_learning_rate 0.0001 is above peak"),
        ({"early_steps": 5}, "early_steps goes with early_batch_sequences or early_context"),
        ({"early_context": 8}, "early_steps goes with early_batch_sequences or early_context"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainConfig(**(msgspec.structs.asdict(CONFIG) | settings))


def test_gradients_are_not_clipped_at_0(tokens: Path, tmp_path: Path) -> None:
    for most in (0.0, 1e9):
        config = msgspec.structs.replace(CONFIG, clip_gradient_norm=most, steps=10)
        train(tokens, tmp_path / f"{most}", MODEL, config)
    assert losses(tmp_path / "0.0") == losses(tmp_path / "1000000000.0")


def test_damaged_tokens_are_one_sentence(tokens: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tokens, tmp_path / "tokens")
    whole = (copy / "validation-00000.npy").read_bytes()
    (copy / "validation-00000.npy").write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"validation-00000.npy: damaged; make the tokens again"):
        train(copy, tmp_path / "run", MODEL, CONFIG)
    (copy / "validation-00000.npy").write_bytes(whole[:-200] + b"\xff" * 200)
    with pytest.raises(InputError, match="the id 65535, and their vocabulary ends at 299"):
        train(copy, tmp_path / "run", MODEL, CONFIG)


def test_epochs_are_of_what_is_trained_on(run: Path, tokens: Path) -> None:
    windows = read_windows(tokens, MODEL.context).train.num_windows
    assert read_manifest(run).facts["epochs"] == pytest.approx(30 * 8 / windows, abs=1e-3)


def test_checkpoints_at_multiples_are_kept_for_good(tokens: Path, tmp_path: Path) -> None:
    config = msgspec.structs.replace(
        CONFIG, steps=14, save_every_steps=2, keep_every_steps=4, keep_checkpoints=2
    )
    train(tokens, tmp_path, MODEL, config)
    steps = [read_state(folder).step for folder in intact_checkpoints(tmp_path)]
    assert steps == [4, 8, 12, 14]


def test_a_disk_that_fills_up_at_a_later_save_costs_nothing_but_its_steps(
    run: Path, tokens: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(_: Path) -> None:  # a limit to files gives the same error as a disk without room
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))

    try:
        with pytest.raises(WellreadError, match=r"no room to write .* run the same command again"):
            train(tokens, out, MODEL, CONFIG, on_checkpoint=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["step-0000010"]
    assert read_state(newest_checkpoint(out)).step == 10
    train(tokens, out, MODEL, CONFIG)
    assert losses(out) == losses(run)


def test_an_interrupted_run_with_other_settings_or_tokens_is_neither_continued_nor_lost(
    run: Path, tokens: Path, tmp_path: Path
) -> None:
    out, stop = tmp_path / "run", iter([False, True])
    with pytest.raises(Stopped):
        train(tokens, out, MODEL, CONFIG, should_stop=lambda: next(stop))
    other = msgspec.structs.replace(CONFIG, seed=1, steps=40)
    with pytest.raises(
        InputError, match=r"run of 1 steps with another train\.seed, train\.steps is there; go on"
    ):
        train(tokens, out, MODEL, other)
    corpus, others = tokens.parent / "corpus", tmp_path / "tokens"
    tokenize_corpus(
        corpus, tokens.parent / "tokenizer", others, TokensConfig(tokens_per_shard=5000)
    )
    with pytest.raises(InputError, match="run of 1 steps with another tokens is there"):
        train(others, out, MODEL, CONFIG)
    train(tokens, out, MODEL, CONFIG)
    assert losses(out) == losses(run)


def test_a_second_call_does_nothing(run: Path, tokens: Path) -> None:
    before = read_manifest(run).finished_at
    assert train(tokens, run, MODEL, CONFIG).finished_at == before


def test_smaller_passes_give_the_same_batch(run: Path, tokens: Path, tmp_path: Path) -> None:
    settings = {f: getattr(CONFIG, f) for f in CONFIG.__struct_fields__}
    config = TrainConfig(**(settings | {"sequences_per_pass": 8}))
    train(tokens, tmp_path / "run", MODEL, config)
    last = "checkpoints/step-0000030/model.safetensors"
    for name, tensor in load_file(tmp_path / "run" / last).items():
        torch.testing.assert_close(tensor, load_file(run / last)[name], rtol=1e-2, atol=1e-4)


def test_a_run_loads_as_a_model_with_its_tokenizer(run: Path) -> None:
    model, tokenizer = load_model(run, device="cpu"), load_tokenizer(run)
    logits = model(torch.tensor([tokenizer.encode("Page 3 says").astype(int).tolist()]))
    assert logits.shape[-1] == tokenizer.vocab_size == 300


SENTENCE = (
    r"step \d+: the loss is (nan|inf); its batch is of http://example.com/\d+, http://example.com/"
    r"\d+, http://example.com/\d+ and \d+ more documents \(train-00000.npy\); "
    r"lower peak_learning_rate"
)


def test_a_loss_that_is_no_number_stops_the_run_with_advice(tokens: Path, tmp_path: Path) -> None:
    settings = {f: getattr(CONFIG, f) for f in CONFIG.__struct_fields__}
    config = TrainConfig(**(settings | {"peak_learning_rate": 1e30}))
    with pytest.raises(WellreadError, match=SENTENCE):
        train(tokens, tmp_path / "run", MODEL, config)
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_held_out_text_shorter_than_a_context_is_refused(tokens: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="validation split is shorter than one context of 8000"):
        train(tokens, tmp_path / "run", ModelConfig(size="1x64", context=8000), CONFIG)


def test_tokens_that_changed_since_they_were_made_are_refused(tokens: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tokens, tmp_path / "tokens")
    ids = np.load(copy / "train-00000.npy")
    ids[100] = 299 if ids[100] != 299 else 298
    np.save(copy / "train-00000.npy", ids)
    with pytest.raises(InputError, match=r"train-00000.npy: changed since it was made; make it ag"):
        train(copy, tmp_path / "run", MODEL, CONFIG)
    assert not (tmp_path / "run").exists()


def test_an_accelerator_asked_for_and_absent_is_said(tokens: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match="device cuda was asked for, but PyTorch finds none"):
        train(tokens, tmp_path / "run", MODEL, msgspec.structs.replace(CONFIG, device="cuda"))
    assert not (tmp_path / "run").exists()


def test_every_checkpoint_is_announced_when_it_is_whole(tokens: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def note(folder: Path) -> None:
        load_model(folder)
        seen.append(folder.name)

    config = msgspec.structs.replace(CONFIG, steps=4, save_every_steps=2, warmup_steps=1)
    train(tokens, tmp_path / "run", MODEL, config, on_checkpoint=note)
    assert seen == ["step-0000002", "step-0000004"]
    train(tokens, tmp_path / "run", MODEL, config, on_checkpoint=note)  # what has missed some
    assert seen[2:] == seen[:2]


def test_a_finished_run_can_be_kept_from_being_replaced(
    run: Path, tokens: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    other = msgspec.structs.replace(CONFIG, weight_decay=0.2)
    with pytest.raises(InputError, match="a finished run of other settings or inputs is there"):
        train(tokens, copy, MODEL, other, replaces=False)
    assert train(tokens, copy, MODEL, CONFIG, replaces=False).config == read_manifest(run).config
