"""`wellread tokenizer encode`, `decode`, `explain` and `stats` as a person uses them."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from wellread.cli.main import main
from wellread.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("vocabularies") / "toy"
    Tokenizer.train(["the cat sat on the mat"], vocab_size=261).save(folder)
    return str(folder)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def give(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    """Let `raw` be standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def test_encode_and_decode_an_argument(toy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", "encode", "that cat", "--tokenizer", toy]) == 0
    assert capsys.readouterr().out == "83 71 256 220 259\n"
    assert main(["tokenizer", "decode", "83", "71", "256", "--tokenizer", toy]) == 0
    assert capsys.readouterr().out == "that"  # no terminal: the bytes alone


def test_encode_takes_any_bytes_from_standard_input(
    toy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, b"cat\xff")
    assert main(["tokenizer", "encode", "--tokenizer", toy]) == 0
    assert capsys.readouterr().out == "259 187\n"


def test_an_id_outside_the_vocabulary_is_refused(
    toy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tokenizer", "decode", "261", "--tokenizer", toy]) == 2
    assert "id 261 is not in the vocabulary of 261 ids" in capsys.readouterr().err


def test_explain_stands_every_part_under_its_bytes(
    toy: str, capsys: pytest.CaptureFixture[str], narrow: None
) -> None:
    assert main(["tokenizer", "explain", "that", "--tokenizer", toy]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "that",
        "4 characters, 4 bytes, 1 pre-token, 3 tokens",
        "split  that",
        "ids    83 71 256",
        "",
        "1 that  letters  ␣?\\p{L}+",
        "   characters 0 to 4, bytes 0 to 4",
        "   byte             74 68 61 74",
        "   stand-in         t  h  a  t",
        "   rank 0, 3 times  t  h  at",
        "   id 83            t  1 byte",
        "   id 71            h  1 byte",
        "   id 256           at  2 bytes",
    ]


def test_explain_says_why_later_texts_differ_from_the_first(
    toy: str, capsys: pytest.CaptureFixture[str], narrow: None
) -> None:
    assert main(["tokenizer", "explain", "cat", " cat", "cat", "--tokenizer", toy]) == 0
    printed = capsys.readouterr().out
    assert "Why 2 differs from 1\n- The ids part at token 1, byte 0: cat (259) in" in printed
    assert "- The space before “cat” belongs to its pre-token" in printed
    assert printed.endswith("3 has the same ids as 1\n")


def test_no_printed_line_is_too_wide_or_steers_the_terminal(
    toy: str, capsys: pytest.CaptureFixture[str], narrow: None
) -> None:
    odd = "tab\there\r\n\n \x1b[31m \u202eevil e\u0301 🙂 日本語 " + "x" * 100
    assert main(["tokenizer", "explain", odd, " " + odd, "--tokenizer", toy]) == 0
    printed = capsys.readouterr().out
    assert {"\t", "\r", "\x1b", "\u202e"}.isdisjoint(printed)
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith(" ")]


def test_explain_takes_an_argument_that_is_not_utf8(
    toy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = os.fsdecode(b"cat\xff")
    assert main(["tokenizer", "explain", text, "--tokenizer", toy, "--json"]) == 0
    (explained,) = json.loads(capsys.readouterr().out)["texts"]
    assert [piece["hex"] for piece in explained["pre_tokens"]] == ["63 61 74", "FF"]


def test_json_has_every_merge(toy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", "explain", "cat", "bat", "--tokenizer", toy, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    merges = printed["texts"][0]["pre_tokens"][0]["merges"]
    assert [(m["rank"], m["count"], m["after"]) for m in merges] == [
        (0, 3, ["c", "at"]),
        (3, 1, ["cat"]),
    ]
    assert [r["kind"] for r in printed["comparisons_with_first"][0]["reasons"]] == [
        "bytes",
        "merge",
    ]


def test_a_page_and_a_picture_are_written(
    toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--html", str(tmp_path / "a.html"), "--svg", str(tmp_path / "a.svg")]
    assert main(["tokenizer", "explain", "the cat", "--tokenizer", toy, *files]) == 0
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert capsys.readouterr().out == ""


def test_a_page_in_a_folder_that_does_not_exist_is_refused(
    toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "gone" / "a.html"
    assert main(["tokenizer", "explain", "a", "--tokenizer", toy, "--html", str(page)]) == 2
    assert capsys.readouterr().err == f"wellread: {page}: no folder {tmp_path / 'gone'}\n"


def test_stats_compares_tokenizers(
    toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], narrow: None
) -> None:
    (tmp_path / "text.txt").write_text("the cat sat")
    Tokenizer.train(["the"], vocab_size=259).save(tmp_path / "the")
    both = ["--tokenizer", toy, "--tokenizer", str(tmp_path / "the")]
    assert main(["tokenizer", "stats", str(tmp_path / "text.txt"), *both]) == 0
    printed = capsys.readouterr().out
    rows = {line[:23].strip(): line[23:].split() for line in printed.splitlines()}
    assert rows["tokens"] == ["6", "9"]
    assert rows["bytes per token"] == ["1.83", "1.22"]
    assert rows["Latin"] == ["100.00%", "1.83", "1.22"]


def test_stats_as_json(toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "the cat"}\n{"text": "sat"}\n')
    assert main(["tokenizer", "stats", str(tmp_path), "--tokenizer", toy, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["num_documents"], printed["num_bytes"]) == (2, 10)
    assert printed["fits"][0]["name"] == "toy"
    assert len(printed["fits"][0]["unused"]) == printed["fits"][0]["num_unused"] == 255


def test_the_same_tokenizer_twice_is_refused(
    toy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text("the cat")
    text = str(tmp_path / "text.txt")
    assert main(["tokenizer", "stats", text, "--tokenizer", toy, "--tokenizer", toy]) == 2
    assert "the same --tokenizer is given twice" in capsys.readouterr().err
