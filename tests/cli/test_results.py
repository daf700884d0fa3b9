"""`wellread show` and `compare` on results as `evaluate` leaves them."""

import csv
import io
import json
from pathlib import Path

import pytest

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.cli import main
from wellread.formats.results import STAGE, Item, Result, Score, write_result

PROTOCOL = "lambada:1|text=openai|target={}|filter=none"


def items(log_probs: list[float]) -> list[Item]:
    return [
        Item(
            item=str(n), text="a b", prompt="a", target=" b", log_prob=log_prob, num_tokens=1,
            num_units=1, value=float(log_prob > -2), prediction="" if n else "c",
            sums={"perplexity": (log_prob, 1), "accuracy": (float(log_prob > -2), 1)},
        )
        for n, log_prob in enumerate(log_probs)
    ]  # fmt: skip


class Sized(Config, frozen=True):
    """The shape of a run's settings."""

    model: dict[str, str]


def written(out: Path, log_probs: list[float], run: Path | None = None) -> Path:
    inputs = {"model": [run]} if run else {}
    with writing(out, stage=STAGE, config=Config(), inputs=inputs) as draft:
        draft.facts |= {"num_parameters": 124_000_000, "not_run": {"cbt-cn": "no file"}}
        for target, stem, value in (("word", "lambada", 0.25), ("token", "lambada,t", 0.45)):
            score = Score(
                metric="accuracy", value=value, low=0.1, high=0.5, num_items=len(log_probs),
                higher_is_better=True, note="Wilson's interval",
            )  # fmt: skip
            result = Result(
                task="lambada", stem=stem, protocol=PROTOCOL.format(target),
                comparable_to="lambada", num_items=len(log_probs), num_available=10,
                scores=[score], seconds=1.0, note="2 items did not fit",
            )  # fmt: skip
            write_result(draft, result, items(log_probs))
    return out


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return written(tmp_path / "results", [-1.0, -3.0, -4.0, -5.0])


def test_scores_stand_beside_the_papers_with_what_must_be_known(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(results)]) == 0
    said = capsys.readouterr()
    assert "0.25  0.1 to 0.5       0.4599          4 of 10" in said.out
    assert (
        "nearest the paper's 0.4599 (117M) in accuracy: 0.45 by lambada:1|text=openai|target=token"
        in (said.out)
    )
    assert "all: 2 items did not fit" in said.out
    assert "lambada: accuracy: Wilson's interval" in said.out
    assert "the paper's is with the stop-word filter" in said.out
    assert "not run cbt-cn: no file" in said.err
    assert main(["show", str(results / "lambada.json"), "--form", "lm-eval"]) == 0
    assert "|lambada (4 of 10)|1|none|0|accuracy|   |0.2500|±  |0.1020|" in capsys.readouterr().out


def test_scores_are_read_by_programs(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(results), "--form", "csv"]) == 0
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (first["task"], first["value"]) == ("lambada", "0.25")
    assert float(first["paper"]) == pytest.approx(0.4599)
    assert second["protocol"] == PROTOCOL.format("token")
    assert main(["show", str(results), "--json"]) == 0
    assert [one["stem"] for one in json.loads(capsys.readouterr().out)] == ["lambada", "lambada,t"]


def test_a_metric_of_half_a_tasks_items_is_no_subset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = Score(
        metric="bleu_en-fr", value=1.5, low=None, high=None, num_items=20, higher_is_better=True
    )
    result = Result(
        task="demo-translation", protocol="demo-translation:1", comparable_to=None,
        num_items=40, num_available=40, scores=[score], seconds=1.0,
    )  # fmt: skip
    with writing(tmp_path / "all", stage=STAGE, config=Config(), inputs={}) as draft:
        write_result(draft, result, [])
    assert main(["show", str(tmp_path / "all"), "--form", "csv"]) == 0
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["n"], row["of"]) == ("20", "20")


def test_wrong_items_are_shown_the_worst_first(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(results), "--task", "lambada", "--wrong", "-n", "1"]) == 0
    said = capsys.readouterr().out
    assert "lambada  3 items below full marks" in said
    assert "prediction (empty)" in said
    assert main(["show", str(results), "--task", "ptb"]) == 2
    assert "no result 'ptb'; known: lambada, lambada,t" in capsys.readouterr().err


def test_texts_are_neither_right_nor_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "results", [-1.0, -3.0])
    text = Item(item="1", text="a", prompt="", target="", value=3.2)
    result = Result(
        task="held-out", protocol="held-out:1", comparable_to=None, num_items=1,
        num_available=1, scores=[], seconds=1.0,
    )  # fmt: skip
    with writing(tmp_path / "both", stage=STAGE, config=Config(), inputs={}) as draft:
        for name in ("lambada.json", "lambada.parquet"):
            draft.write(name, (folder / name).read_bytes())
        write_result(draft, result, [text])
    assert main(["show", str(tmp_path / "both"), "--wrong"]) == 0
    said = capsys.readouterr().out
    assert "lambada  1 item below full marks" in said
    assert "held-out" not in said
    assert main(["show", str(tmp_path / "both"), "--wrong", "--task", "held-out"]) == 2
    assert "neither right nor wrong; leave out --wrong" in capsys.readouterr().err


def test_numbers_are_written_without_powers_of_ten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better, worse = written(tmp_path / "a", [-1.0] * 4), written(tmp_path / "b", [-14.0] * 4)
    assert main(["compare", str(better), str(worse)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2.718 1,202,604 +1,202,602 +1,202,602 to +1,202,602" in said


def test_a_run_is_shown_by_its_results_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    with writing(run / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        draft.write("documents", b"")
    for name in ("1x64", "2x128"):
        written(run / "results" / name, [-1.0, -3.0])
    assert main(["show", str(run), "--form", "csv"]) == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "run" in line] == [
        str(run / "results" / "1x64"), str(run / "results" / "2x128"),
    ]  # fmt: skip
    assert main(["compare", str(run), str(run / "results" / "1x64")]) == 2
    expected = f"run: a run; name {run / 'results' / '1x64'} or {run / 'results' / '2x128'}"
    assert expected in capsys.readouterr().err
    assert main(["show", str(run / "corpus")]) == 2
    assert "made by stage 'corpus', which `wellread corpus report" in capsys.readouterr().err


def test_a_study_is_shown_as_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for size, parameters, log_probs in (("1x64", 100, [-3.0] * 4), ("2x128", 900, [-1.0] * 4)):
        run = tmp_path / size
        with writing(run, stage="train", config=Sized(model={"size": size}), inputs={}) as draft:
            draft.write("metrics.jsonl", b"")
            draft.facts["num_parameters"] = parameters
        results.append(written(tmp_path / f"scores-{size}", log_probs, run))
    out = tmp_path / "study"
    vary = ["--vary", "model.size=1x64,2x128"]
    assert main(["study", *map(str, results), "-o", str(out), *vary]) == 0
    said = capsys.readouterr().out
    assert main(["show", str(out)]) == 0
    assert said == f"{out}\n{capsys.readouterr().out}"
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[2] == "along model.size: 1x64, 2x128"
    assert lines[3] == "task metric 1x64 2x128 per tenfold 95 % above chance"
    assert lines[4] == "lambada accuracy 0.0 % 100.0 % +104.8 +104.8 to +104.8"


def test_two_models_are_compared_on_the_same_items(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better = written(tmp_path / "better", [-0.5, -0.5, -0.5, -0.5])
    assert main(["compare", str(results), str(better), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    accuracy = next(one for one in found if one["metric"] == "accuracy")
    assert (accuracy["first"], accuracy["second"], accuracy["difference"]) == (0.25, 1.0, 0.75)
    assert main(["compare", str(results), str(better)]) == 0
    assert "better" in capsys.readouterr().out
    assert main(["compare", str(results), str(tmp_path)]) == 2
