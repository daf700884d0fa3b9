"""`wellread overlap measure` and `clean` as they are called."""

import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.cli import show
from wellread.cli.main import app
from wellread.formats.results import STAGE, Item, Result, Score, write_result

KNOWN = "it was the best of times it was the worst of times"
NEW = "one two three four five six seven eight nine ten"
SCORE = Score(metric="f1", value=0, low=None, high=None, num_items=1, higher_is_better=True)


def jsonl(path: Path, text: str) -> Path:
    path.write_bytes(msgspec.json.encode({"text": text}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index, and a model's results on LAMBADA's form."""
    items = [
        Item(
            item=name, text=text, prompt="", target="", value=right,
            sums={"accuracy": (right, 1.0), "perplexity": (-2.0 + right, 1.0)},
        )
        for name, text, right in (("a", KNOWN, 1.0), ("b", NEW, 0.0), ("c", "short", 0.0))
    ]  # fmt: skip
    result = Result(
        task="lambada", protocol="lambada:1", comparable_to="lambada", num_items=3,
        num_available=3, scores=[SCORE], seconds=0.0,
    )  # fmt: skip
    with writing(tmp_path / "model", stage=STAGE, config=Config(), inputs={}) as draft:
        write_result(draft, result, items)
    call(tmp_path, "index", str(jsonl(tmp_path / "corpus.jsonl", KNOWN)), "-o", "index")
    return tmp_path


def call(folder: Path, *arguments: str) -> str:
    return " ".join(printed(folder, *arguments).split())


def printed(folder: Path, *arguments: str) -> str:
    command, *rest = arguments
    placed = [str(folder / one) if (folder / one).exists() else one for one in rest]
    placed[-1] = str(folder / placed[-1])
    done = CliRunner().invoke(app, ["overlap", command, *placed], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_shares_stand_beside_own_training_text_and_paper(folder: Path) -> None:
    own = jsonl(folder / "own.jsonl", NEW)
    shown = call(
        folder, "measure", "index", "model", "--own-train", f"lambada={own}", "-o", "overlap"
    )
    assert "lambada 3 1 8 62.50 % 0.00 to 100.00 62.50 % 62.50 %" in shown
    assert "own train 37.50 % (0.00 to 100.00) 37.50 %" in shown
    assert "WebText, the paper's 1.20 % 1.20 %" in shown


def test_scores_stand_beside_clean_ones_and_the_papers(folder: Path) -> None:
    call(folder, "measure", "index", "model", "-o", "overlap")
    shown = call(folder, "clean", "overlap", "model", "-o", "clean")
    assert "model lambada accuracy 0.3333 0 1 +0.3333 +1 2 + 1 63.2, clean 62.9" in shown
    assert "model lambada accuracy over 15 % 1 1 0.2065 to 1*" in shown
    assert "* Wilson's interval: all items agree" in shown
    assert "counted as clean, with fewer than 8 words: lambada 1" in shown


def test_json_is_the_result(folder: Path) -> None:
    call(folder, "index", "corpus.jsonl", "--mode", "exact", "-o", "exact")
    for command, file in (
        (("measure", "exact", "model", "--json", "-o", "overlap"), "overlap.json"),
        (("clean", "overlap", "model", "--json", "-o", "clean"), "clean-scores.json"),
    ):
        found = msgspec.json.decode(printed(folder, *command))
        assert found == msgspec.json.decode((folder / command[-1] / file).read_bytes())
    overlap = msgspec.json.decode((folder / "overlap" / "overlap.json").read_bytes())
    assert overlap["index"]["mode"] == "exact"


def numbers(shown: str) -> set[str]:
    return set(re.findall(r"[+]?\d[\d.,]*\d", shown))


def test_no_number_is_cut_in_a_narrow_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = ("measure", "index", "model", "-o", "o"), ("clean", "o", "model", "-o", "clean")
    wide = [numbers(call(folder, *command)) for command in commands]
    for width in (80, 50):
        monkeypatch.setattr(show.out, "width", width)
        for command, known in zip(commands, wide, strict=True):
            shown = printed(folder, *command)
            assert "…" not in shown
            assert known == numbers(shown)


def test_a_table_breaks_its_titles_and_without_room_becomes_blocks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = show.plain_table("set", "some share", "another one", "paper", left=["set", "paper"])
    table.add_row("[dim]a-name[/] x", "0.123456", "", "of 1, clean 2")
    table.add_row("b", "1", "0.1 (0 to 1)", "")
    for width in (60, 48, 30):
        monkeypatch.setattr(show, "out", Console(width=width, soft_wrap=True))
        show.print_table(table)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "set       some share   another one  paper",
        "a-name x    0.123456                of 1, clean 2",
        "b                  1  0.1 (0 to 1)",
        "              some",
        "set          share   another one  paper",
        "a-name x  0.123456                of 1, clean 2",
        "b                1  0.1 (0 to 1)",
        "a-name x",
        "  some share 0.123456; paper",
        "  of 1, clean 2",
        "b",
        "  some share 1; another one",
        "  0.1 (0 to 1)",
    ]
