"""The stage from a model's folder to results."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.plan import inputs_of
from wellread.evaluate.run import evaluate, evaluate_model
from wellread.formats.results import Result, read_items, read_results
from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import Architecture
from wellread.tokenizer.tokenizer import Tokenizer

TASKS = ["demo-winograd", "held-out|kilobytes=10", "cloze-ten-words|items=10", "samples|tokens=5"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, byte_tokenizer: Tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("model")
    shape = Architecture(layers=1, width=64, heads=1, context=256, vocab_size=257)
    save_model(GPT2(shape).initialise(0), folder)
    byte_tokenizer.save(folder)
    return folder


def without_seconds(out: Path) -> list[Result]:
    return [msgspec.structs.replace(result, seconds=0.0) for result in read_results(out)]


def test_every_task_leaves_scores_and_items(model: Path, corpus: Path, tmp_path: Path) -> None:
    manifest = evaluate(model, tmp_path / "out", EvaluateConfig(tasks=TASKS), corpus=corpus)
    results = read_results(tmp_path / "out")
    assert [result.task for result in results] == [
        "cloze-ten-words", "demo-winograd", "held-out", "samples",
    ]  # fmt: skip
    assert [result.num_items for result in results] == [10, 20, 3, 6]
    assert manifest.counts == {"in": 10 + 20 + 30 + 6, "out": 39}
    assert manifest.dropped == {"beyond the limit of items": 27}
    assert set(manifest.inputs) == {"model", "corpus"}
    items = list(read_items(tmp_path / "out", "held-out"))
    bits = next(s for s in results[2].scores if s.metric == "bits_per_byte")
    nats = -sum(item["log_prob"] for item in items)
    assert bits.value == pytest.approx(nats / sum(item["num_units"] for item in items) / 0.693147)


def test_the_surest_answers_can_be_listed_from_the_items(model: Path, tmp_path: Path) -> None:
    evaluate(model, tmp_path / "out", EvaluateConfig(tasks=["demo-qa"], limit=9))
    items = list(read_items(tmp_path / "out", "demo-qa"))
    surest = max(items, key=lambda item: item["confidence"])
    assert 0 < surest["confidence"] < 1
    assert {"prompt", "prediction", "value"} <= set(surest)


def test_an_interrupted_evaluation_keeps_finished_tasks(
    model: Path, corpus: Path, tmp_path: Path
) -> None:
    config = EvaluateConfig(tasks=TASKS)
    out = tmp_path / "out"

    def interrupt(done: float, total: float | None, note: str = "") -> None:
        if "cloze-ten-words" in note:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(model, out, config, corpus=corpus, progress=interrupt)
    assert not (out / "manifest.json").exists()
    finished = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    assert {path.name for path in finished} >= {"demo-winograd.json", "held-out.json"}
    evaluate(model, out, config, corpus=corpus)
    kept = ["demo-winograd.json", "held-out.json"]
    assert [(out / name).stat().st_mtime_ns == finished[out / name] for name in kept] == [True] * 2
    evaluate(model, tmp_path / "whole", config, corpus=corpus)
    assert without_seconds(out) == without_seconds(tmp_path / "whole")


def test_a_second_run_does_nothing(model: Path, tmp_path: Path) -> None:
    config = EvaluateConfig(tasks=["demo-winograd"])
    first = evaluate(model, tmp_path / "out", config)
    assert evaluate(model, tmp_path / "out", config).finished_at == first.finished_at


def test_only_what_the_tasks_use_is_an_input(model: Path, corpus: Path, tmp_path: Path) -> None:
    config = EvaluateConfig(tasks=["demo-qa", "ptb", "cbt-v|split=test"], data=tmp_path)
    read = ["ptb/ptb.test.txt", "CBTest/data/cbtest_V_test_2500ex.txt"]
    for name in (*read, "CBTest/data/cbtest_V_valid_2000ex.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert inputs_of(model, config, corpus) == {
        "model": [model], "data": [tmp_path / name for name in read],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("held-out", "need a corpus: name one with --corpus"),
        ("lambada", "name its folder"),
        ("nothing", "no task"),
    ],
)
def test_what_is_missing_is_refused_before_any_work(
    task: str, words: str, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        evaluate(model, tmp_path / "out", EvaluateConfig(tasks=["demo-winograd", task]))
    assert not (tmp_path / "out").exists()


def test_naming_no_task_is_refused_with_the_names_there_are(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give --suite paper, or --tasks with some of .*lambada"):
        evaluate(model, tmp_path / "out", EvaluateConfig())


def test_any_language_model_is_evaluated_without_a_folder(
    uniform: object, byte_tokenizer: Tokenizer
) -> None:
    config = EvaluateConfig(tasks=["demo-winograd", "demo-lambada"], limit=4)
    results = [found.result for found in evaluate_model(uniform, byte_tokenizer, config)]  # type: ignore[arg-type]
    assert [result.num_items for result in results] == [4, 4]


def test_several_processes_give_what_one_gives(model: Path, corpus: Path, tmp_path: Path) -> None:
    config = EvaluateConfig(tasks=["demo-cbt", "held-out|kilobytes=10", "demo-qa"])
    evaluate(model, tmp_path / "one", config, corpus=corpus)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "wellread", "evaluate", str(model), "-o", str(tmp_path / "two"),
        "--corpus", str(corpus), "--tasks", ",".join(config.tasks),
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("accuracy") == 1
    assert without_seconds(tmp_path / "two") == without_seconds(tmp_path / "one")
    for task in ("demo-cbt", "held-out", "demo-qa"):
        items = [list(read_items(tmp_path / each, task)) for each in ("one", "two")]
        assert items[0] == items[1]


@pytest.mark.slow
def test_several_processes_share_a_limited_time(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "wellread", "evaluate", str(model), "-o", str(out),
        "--tasks", "demo-cbt,demo-lambada", "--budget", "0.0005",
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for result in read_results(out):
        items = [row["item"] for row in read_items(out, result.stem)]
        assert 1 <= len(items) == len(set(items)) == result.num_items
