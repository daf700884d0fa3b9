"""Fine-tuning begins with the weights of the model named, and only once."""

import json
import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.formats.metrics import read_metrics
from wellread.formats.tokens import read_split
from wellread.model.card import origin_of
from wellread.model.gpt2 import GPT2
from wellread.model.load import load_model, load_tokenizer
from wellread.model.sizes import Architecture, ModelConfig
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig
from wellread.train.build import train
from wellread.train.config import TrainConfig

CONTEXT = 32


@pytest.fixture(scope="module")
def theirs(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that `transformers` made, with heads of 16; its tokenizer beside it."""
    folder = tmp_path_factory.mktemp("theirs") / "model"
    torch.manual_seed(0)
    shape = GPT2Config(
        n_layer=2, n_embd=64, n_head=4, vocab_size=300, n_positions=CONTEXT, bos_token_id=299,
        eos_token_id=299,
    )  # fmt: skip
    GPT2LMHeadModel(shape).save_pretrained(folder)
    Tokenizer.load(tokens / "tokenizer").save(folder)
    return folder


@pytest.fixture(scope="module")
def own_text(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One text file, encoded with the model's tokenizer: it has no validation split."""
    root = tmp_path_factory.mktemp("own")
    (root / "texts").mkdir()
    lines = [f"Verse {n} of {n % 7} verses rhymes with verse {n % 5}.\n" for n in range(400)]
    (root / "texts" / "poem.txt").write_text("".join(lines))
    tokenize_corpus(root / "texts", theirs, root / "tokens", TokensConfig())
    return root / "tokens"


def config(start: Path, **more: int) -> TrainConfig:
    settings = {
        "batch_sequences": 8, "sequences_per_pass": 8, "steps": 20, "warmup_steps": 2,
        "held_out_every_steps": 10, "held_out_sequences": 1000, "log_every_steps": 5,
        "save_every_steps": 10,
    } | more  # fmt: skip
    return TrainConfig(
        **settings, start=str(start), device="cpu", precision="float32", peak_learning_rate=1e-3
    )


def held_out(run: Path) -> dict[int, float | None]:
    return {s.step: s.held_out_loss for s in read_metrics(run) if s.held_out_loss is not None}


@pytest.fixture(scope="module")
def run(theirs: Path, own_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(own_text, out, ModelConfig(), config(theirs))
    return out


def test_before_any_step_the_loss_is_the_models_own(
    run: Path, theirs: Path, own_text: Path
) -> None:
    [ids] = read_split(own_text, "train")
    count = (len(ids) - 1) // CONTEXT
    kept = -(-count // 20)  # of the windows the last 5 % are held out, rounded up
    windows = [ids[n * CONTEXT : (n + 1) * CONTEXT + 1] for n in range(count - kept, count)]
    batch = torch.from_numpy(np.stack(windows).astype(np.int64))
    with torch.no_grad():
        logits = GPT2LMHeadModel.from_pretrained(theirs)(batch[:, :-1]).logits
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    assert held_out(run)[0] == pytest.approx(expected.item(), rel=1e-5)


def test_the_loss_falls_and_the_start_is_an_input(run: Path, theirs: Path) -> None:
    losses = held_out(run)
    assert list(losses) == [0, 10, 20]
    assert losses[0] > losses[10] > losses[20]
    manifest = read_manifest(run)
    [start] = manifest.inputs["start"]
    assert f"{theirs}/model.safetensors" in start.files
    assert (manifest.config["model"]["size"], manifest.config["model"]["context"]) == ("2x64", 32)
    assert manifest.facts["held_out_first"] == {"step": 0, "loss": losses[0]}
    assert manifest.facts["held_out_from"] == "train"
    assert load_tokenizer(run).vocab_size == 300
    assert ("fine-tuned from", "model") in origin_of(run).rows  # what its model card says


@pytest.mark.parametrize("fatal_step", [5, 15])
def test_a_killed_run_goes_on_and_does_not_start_anew(
    run: Path, theirs: Path, own_text: Path, tmp_path: Path, fatal_step: int
) -> None:
    class Killed(BaseException):
        pass

    def die(done: float, total: float | None, note: str = "") -> None:
        if done == fatal_step:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(own_text, out, ModelConfig(), config(theirs), progress=die)
    seen: list[float] = []
    train(own_text, out, ModelConfig(), config(theirs), progress=lambda done, *_: seen.append(done))
    assert seen[0] == (15 if fatal_step == 15 else 5)
    assert held_out(out) == held_out(run)
    assert [s.step for s in read_metrics(out)] == [s.step for s in read_metrics(run)]
    last = "checkpoints/step-0000020/model.safetensors"
    assert (out / last).read_bytes() == (run / last).read_bytes()


def test_a_run_whose_start_was_moved_is_still_that_run(
    theirs: Path, own_text: Path, tmp_path: Path
) -> None:
    first = shutil.copytree(theirs, tmp_path / "first")
    short = config(first, steps=3)
    before = train(own_text, tmp_path / "run", ModelConfig(), short).finished_at
    first.rename(tmp_path / "second")
    moved = msgspec.structs.replace(short, start=str(tmp_path / "second"))
    assert train(own_text, tmp_path / "run", ModelConfig(), moved).finished_at == before


def test_a_run_of_ours_is_a_start_and_a_shorter_context_cuts_positions(
    run: Path, own_text: Path, tmp_path: Path
) -> None:
    asked = ModelConfig(size="2x64", context=8)
    train(own_text, tmp_path / "run", asked, config(run, steps=1, warmup_steps=0))
    before, after = load_model(run, device="cpu"), load_model(tmp_path / "run", device="cpu")
    assert after.wpe.weight.shape == (8, 64)
    torch.testing.assert_close(after.wpe.weight, before.wpe.weight[:8], rtol=0, atol=2e-3)
    assert read_manifest(tmp_path / "run").inputs["start"][0].digest == read_manifest(run).digest


def test_nanogpts_padded_vocabulary_stays_and_the_end_of_text_is_the_tokenizers(
    tokens: Path, own_text: Path, tmp_path: Path
) -> None:
    shape = Architecture(layers=1, width=64, heads=1, context=CONTEXT, vocab_size=320)
    network = GPT2(shape).initialise(5)
    state = {f"transformer.{name}": p.detach() for name, p in network.named_parameters()}
    state["lm_head.weight"] = network.wte.weight.detach()
    arguments = {
        "n_layer": 1, "n_head": 1, "n_embd": 64, "block_size": CONTEXT, "bias": True,
        "vocab_size": 320, "dropout": 0.0,
    }  # fmt: skip
    torch.save({"model": state, "model_args": arguments}, tmp_path / "ckpt.pt")
    Tokenizer.load(tokens / "tokenizer").save(tmp_path)
    short = config(tmp_path / "ckpt.pt", steps=2, warmup_steps=0)
    train(own_text, tmp_path / "run", ModelConfig(), short)
    saved = json.loads((tmp_path / "run/checkpoints/step-0000002/config.json").read_bytes())
    assert (saved["vocab_size"], saved["eos_token_id"]) == (320, 299)
    assert held_out(tmp_path / "run")[0] == pytest.approx(math.log(320), rel=0.05)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (ModelConfig(size="1x64"), "size 1x64: .*model to start from, has size 2x64; leave size"),
        (ModelConfig(norm="post"), "norm post: .* has norm pre; leave norm out"),
        (ModelConfig(context=64), "context 64: .* has 32 positions; give at most as many"),
    ],
)
def test_another_network_than_the_models_is_refused(
    theirs: Path, own_text: Path, tmp_path: Path, asked: ModelConfig, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(own_text, tmp_path / "run", asked, config(theirs))
    assert not (tmp_path / "run").exists()


def test_ids_of_another_vocabulary_are_refused_with_the_command_that_encodes(
    theirs: Path, own_text: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(theirs, tmp_path / "other")
    Tokenizer.train(["abracadabra " * 50], vocab_size=260).save(other)
    texts = own_text.parent / "texts"
    with pytest.raises(InputError, match="encoded with another vocabulary") as refused:
        train(own_text, tmp_path / "run", ModelConfig(), config(other))
    assert f"`wellread tokens {texts} --tokenizer {other} -o OTHER`" in str(refused.value)
    for path in other.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()
    with pytest.raises(InputError, match=r"no tokenizer here.*`wellread import .* --tokenizer"):
        train(own_text, tmp_path / "run", ModelConfig(), config(other))


def test_a_run_does_not_start_from_where_it_is_written(run: Path, own_text: Path) -> None:
    with pytest.raises(InputError, match="the model itself"):
        train(own_text, run, ModelConfig(), config(run))
    assert read_manifest(run).stage == "train"
