"""What became of a page, and what a rule left out."""

from pathlib import Path
from typing import Any

import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.cli.main import main
from wellread.corpus.explain import explain
from wellread.formats import tables
from wellread.formats.corpus_outcomes import OUTCOMES, OUTCOMES_FILE
from wellread.formats.documents import Document, write_documents

SHORT = "fewer than 128 characters of text"
STORY = "A story that was kept. " * 40


def row(url: str, outcome: str, reason: str, **more: Any) -> dict[str, Any]:
    return {
        "url": url, "outcome": outcome, "reason": reason, "detail": None, "num_bytes": 0,
        "excerpt": None,
    } | more  # fmt: skip


ROWS = [
    row("file:notes.txt", "kept", "kept", num_bytes=920),
    row("file:notes.txt", "duplicate", "the same text", detail="file:notes.txt", num_bytes=920),
    row("http://a.com/?a=1&b=2", "kept", "kept", num_bytes=920),
    row("http://b.com/'; DROP", "too-short", SHORT, num_bytes=9, excerpt="Too short"),
    *(row(f"http://c.com/{n}", "too-short", SHORT, num_bytes=5, excerpt="Short") for n in range(9)),
    row(
        "http://d.com/", "http_404", "http_404", detail="\x1b]0;a\x07", excerpt="\x1b[31m[red]\n x"
    ),
    row("http://e.com/", "http_500", "http_500"),
]


def corpus_in(folder: Path, form: Any = "parquet") -> Path:
    out = folder / "corpus"
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        with draft.open(OUTCOMES_FILE) as file:
            tables.write_rows(file, OUTCOMES, ROWS)
        kept = [
            Document(url="file:notes.txt", text=STORY, split="test"),
            Document(url="http://a.com/?a=1&b=2", text=STORY, split="train"),
        ]
        write_documents(draft, kept, form=form)
    return out


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_in(tmp_path_factory.mktemp("explain"))


@pytest.mark.parametrize("form", ["parquet", "jsonl.zst"])
def test_a_page_that_was_kept_has_its_split_and_beginning(tmp_path: Path, form: str) -> None:
    found = explain(corpus_in(tmp_path, form), "HTTP://A.com:80/?b=2&a=1&utm_source=x#top")
    assert (found.what, found.found, found.num_in) == ("http://a.com/?a=1&b=2", 1, 15)
    assert (found.records[0].outcome, found.records[0].split) == ("kept", "train")
    assert found.records[0].beginning == STORY[:300]


def test_an_address_that_came_twice_has_two_stories(corpus: Path) -> None:
    found = explain(corpus, "file:notes.txt")
    told = [(one.outcome, one.detail, one.split) for one in found.records]
    assert told == [("duplicate", "file:notes.txt", None), ("kept", None, "test")]


def test_an_address_is_looked_up_as_it_is_and_asks_for_nothing_else(corpus: Path) -> None:
    found = explain(corpus, "http://b.com/'; DROP")
    assert [(one.url, one.beginning) for one in found.records] == [
        ("http://b.com/'; DROP", "Too short")
    ]
    with pytest.raises(InputError, match="no address, outcome"):
        explain(corpus, "' OR '1'='1")


def test_an_outcome_is_counted_and_shown_by_examples_that_stay_the_same(corpus: Path) -> None:
    found = explain(corpus, "too-short", examples=3)
    assert (found.found, found.num_bytes, found.reasons) == (10, 54, {SHORT: 10})
    # The MD5 of these begin with 10, 35 and 4b (md5sum), of the others with 60 and more.
    expected = ["http://b.com/'; DROP", "http://c.com/1", "http://c.com/5"]
    assert [one.url for one in found.records] == expected
    assert explain(corpus, "fewer than", examples=3).records == found.records


def test_the_beginning_of_several_reasons_counts_each(corpus: Path) -> None:
    found = explain(corpus, "HTTP_")
    assert found.reasons == {"http_404": 1, "http_500": 1}


def test_what_nothing_bears_is_refused_with_what_there_is(corpus: Path) -> None:
    with pytest.raises(InputError) as refused:
        explain(corpus, "too-shrt")
    assert str(refused.value).endswith(
        "; did you mean 'too-short'?; its outcomes are too-short (10), kept (2), duplicate (1), "
        "http_404 (1), http_500 (1)"
    )
    with pytest.raises(InputError, match=r"not among the records .* did you mean http://c.com/8\?"):
        explain(corpus, "http://c.com/88")
    with pytest.raises(InputError, match=r"http://other.org/: not among .*/corpus was made of$"):
        explain(corpus, "http://other.org/")


def test_what_is_no_corpus_with_outcomes_is_refused(tmp_path: Path) -> None:
    with writing(tmp_path / "old", stage="corpus", config=Config(), inputs={}) as draft:
        draft.write("documents-00000.parquet", b"")
    with pytest.raises(InputError, match=r"old: has no outcomes\.parquet; make the corpus again"):
        explain(tmp_path / "old", "kept")
    with pytest.raises(InputError, match="0 examples: expected 1 or more"):
        explain(tmp_path / "old", "kept", examples=0)


def test_the_command_tells_it(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "explain", str(corpus), "http://a.com/?b=2&a=1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("http://a.com/?a=1&b=2\n  kept, in split train; 920 B of text\n")
    assert main(["corpus", "explain", str(corpus), "too-short", "-n", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("too-short: 10 of 15 records (66.7 %), 54 B of text\n\nhttp://")
    assert main(["corpus", "explain", str(corpus), "nothing"]) == 2


def test_a_page_cannot_speak_to_the_terminal(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "explain", str(corpus), "http_404"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["http://d.com/", "  out: http_404 (]0;a)", "  [31m[red] x"]
