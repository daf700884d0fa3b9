"""A page is followed through a run by its address."""

from pathlib import Path

import pyarrow as pa
import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.formats import links, overlap, pages, tables
from wellread.formats.documents import Document, write_documents
from wellread.pipeline.follow import follow

OLD, NEW = "http://a.example/old", "http://a.example/new"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with writing(tmp_path / "links", stage="links", config=Config(), inputs={}) as draft:
        rows = pa.Table.from_pylist([{"url": OLD, "karma": 7, "submissions": 2}], links.SCHEMA)
        with draft.open("links-00000.parquet") as file:
            tables.write_tables(file, links.SCHEMA, [rows])
    with writing(tmp_path / "pages", stage="crawl", config=Config(), inputs={}) as draft:
        row = {"url": OLD, "outcome": "fetched", "status": 200, "redirected_to": NEW}
        with draft.open("outcomes.parquet") as file:
            tables.write_rows(file, pages.OUTCOMES, [row])
    with writing(tmp_path / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, [Document(url=NEW, text="A text.", split="test")])
    with writing(tmp_path / "overlap", stage="overlap", config=Config(), inputs={}) as draft:
        row = dict.fromkeys(overlap.ITEMS.names) | {"test_set": "held-out", "item": NEW}
        with draft.open("items.parquet") as file:
            tables.write_rows(file, overlap.ITEMS, [row, row | {"item": "another"}])
    return tmp_path


def test_each_stage_says_what_it_has_of_a_page_also_where_it_redirected_to(run: Path) -> None:
    assert [(one.stage, one.path.parent.name, one.rows) for one in follow(run, OLD)] == [
        ("links", "links", [{"karma": 7, "submissions": 2}]),
        ("crawl", "pages", [{"outcome": "fetched", "status": 200, "redirected_to": NEW}]),
        ("corpus", "corpus", [{"split": "test", "text": "A text."}]),
        ("overlap", "overlap", [{"test_set": "held-out", "item": NEW}]),
    ]


def test_an_address_that_is_nowhere_is_said_to_be(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing in it names http://b\.example/"):
        follow(run, "http://b.example/")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no finished artifact"):
        follow(tmp_path / "empty", OLD)
