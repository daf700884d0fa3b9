"""Documents in JSON lines as others write them."""

import json
from pathlib import Path

import pytest

from wellread.formats.document_tables import Columns, read_columns
from wellread.formats.documents import read_documents

DEEP = b"[" * 2_000_000 + b"]" * 2_000_000  # Python 3.14 takes a tenth of it


def test_json_that_is_too_deep_is_a_bad_record_among_others(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines = [
        b'{"text":"first"}',
        b'{"text":"x","a":%s}' % DEEP,
        b'{"text":"\\ud800","a":%s}' % DEEP,
    ]
    path.write_bytes(b"\n".join([*lines, b'{"text":"last"}']))
    refused: list[str] = []
    found = [one.text for one in read_documents(path, lambda _, where: refused.append(where))]
    assert found == ["first", "last"]
    assert [where.split(" ")[0] for where in refused] == [f"{path}:2", f"{path}:3"]


def test_a_byte_order_mark_costs_no_record(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes('{"text": "first"}\n{"text": "last"}\n'.encode("utf-8-sig"))
    assert [one.text for one in read_documents(path)] == ["first", "last"]


@pytest.mark.parametrize("half", ["\ud800", "\udc00\ud800"])
def test_half_characters_which_python_writes_cost_no_record(tmp_path: Path, half: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": f"one {half} two", "url": f"http://a.example/{half}"}))
    assert [one.text for one in read_documents(path)] == [f"one {half} two"]
    columns: list[Columns] = list(read_columns(path))
    replaced = "\ufffd" * len(half)
    assert columns[0].texts.to_pylist() == [f"one {replaced} two"]
    assert columns[0].urls.to_pylist() == [f"http://a.example/{replaced}"]
