"""The card is one that the hub's own library reads, and says what the account says."""

from pathlib import Path

import msgspec
import pytest
from huggingface_hub import DatasetCard

from tests.reference.corpus_account import ACCOUNT
from wellread.corpus.card import COLUMNS, card
from wellread.formats.corpus_report import DomainRow, Example, Step
from wellread.formats.document_tables import SCHEMA

SETTINGS = {"languages": ["en"], "near_duplicate_similarity": 0.8, "protect": None}


def test_the_hubs_library_reads_its_metadata() -> None:
    data = DatasetCard(card(ACCOUNT, SETTINGS, "little-web")).data.to_dict()
    assert data == {
        "language": ["en"],
        "license": "unknown",
        "pretty_name": "little-web",
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "configs": [{"config_name": "default", "data_files": "documents-*"}],
    }


@pytest.mark.parametrize("name", ["no", "a: b # c", 'say "x" \\n', "名前 🙂", "\x1b[31m\x85---\n"])
def test_any_name_is_a_name(name: str) -> None:
    read = DatasetCard(card(ACCOUNT, SETTINGS, name))
    assert read.data.to_dict()["pretty_name"] == "".join(
        letter if letter.isprintable() else " " for letter in name
    )


def test_languages_are_those_with_a_share_that_the_hub_knows() -> None:
    account = msgspec.structs.replace(
        ACCOUNT, languages={"no": 9_000_000, "un": 3_000_000, "zh-Hant": 200_000, "fr": 100_000}
    )
    assert DatasetCard(card(account, SETTINGS, "a")).data.to_dict()["language"] == ["no"]


def test_the_account_is_in_it() -> None:
    lines = card(ACCOUNT, SETTINGS, "little-web").splitlines()
    assert "| French in it | 3.1 kB | 10.0 MB |" in lines
    assert "| too-short | fewer than 128 characters of text | 22 | 1.8 kB | 692 |" in lines
    assert "| example | 402 | 65.8 % |" in lines
    assert "| `languages` | en |" in lines
    assert "| `protect` | none |" in lines
    found = "it is written **\\*N'importe quoi\\*, or nonsense**, in"
    source = "(http://docs.example.org/fr.html)"
    assert f"| translation | a passage beside its translation | 2 | {found} {source} |" in lines
    assert "| summary | a text before TL;DR | 0 | – |" in lines


def test_every_column_of_a_document_is_explained() -> None:
    assert list(COLUMNS) == SCHEMA.names


def test_text_from_the_web_has_no_meaning_in_the_card() -> None:
    attack = "<script>alert(1)</script>\n---\n| [x](http://a.com) **b**"
    account = msgspec.structs.replace(
        ACCOUNT,
        steps=[Step(outcome=attack, reason=attack, documents=107, num_bytes=1)],
        domains=[DomainRow(name=attack, documents=1)],
        demonstrations=[
            msgspec.structs.replace(
                ACCOUNT.demonstrations[0],
                kind=attack,
                meaning=attack,
                examples=[Example(url="http://a.com/", text=attack, start=0, end=8)],
            )
        ],
    )
    written = card(account, SETTINGS, attack)
    assert DatasetCard(written).data.to_dict()["license"] == "unknown"
    body = written.partition("\n---\n")[2]
    assert "<script" not in body.replace("\\<script", "")
    assert "\n---\n" not in body


@pytest.mark.parametrize("form", ["parquet", "jsonl.zst"])
def test_loading_names_the_files_that_there_are(form: str, tmp_path: Path) -> None:
    written = card(ACCOUNT, SETTINGS | {"format": form}, "a")
    code = written.partition("```python\n")[2].partition("```")[0]
    assert code.count(f"FOLDER/documents-*.{form}") == 4
