"""The section on the corpus, and its figures, from accounts written by hand."""

import csv
from pathlib import Path

import msgspec
import pytest

from tests.reference.corpus_account import ACCOUNT
from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.formats import corpus_report
from wellread.formats.corpus_report import CorpusReport, Demonstrations, Example, Step
from wellread.report.build import write_report
from wellread.report.config import ReportConfig
from wellread.report.corpus_figures import corpus_figures


def written(folder: Path, account: CorpusReport | None) -> Path:
    """The report on a run that is a corpus alone."""
    with writing(folder / "run" / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        draft.counts |= {"in": 718, "out": 611, "bytes": 12_345_678}
        draft.write("card.md", b"documents")
        if account is not None:
            draft.write(corpus_report.NAME, corpus_report.encode(account))
    write_report(folder / "run", folder / "report", ReportConfig())
    return folder / "report"


def rows(report: Path, table: str) -> list[list[str]]:
    with (report / "tables" / f"{table}.csv").open() as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("corpus"), ACCOUNT)


def test_french_stands_beside_the_papers(report: Path) -> None:
    table = {row[0]: row[1:] for row in rows(report, "corpus")}
    assert table["mean length"] == ["20205.6923077", "5000"]
    assert table["French left in the text"] == ["3086", "10000000"]
    assert [float(cell) for cell in table["French, of all text"]] == pytest.approx(
        [0.00025, 0.00025], rel=1e-3
    )
    assert ">0.025 %</td>" in (report / "index.html").read_text()


def test_the_funnel_ends_at_what_is_kept(report: Path) -> None:
    table = rows(report, "corpus-steps")
    assert table[1][3:] == ["718", "", "13939478"]
    assert table[3] == [
        "fewer than 128 characters of text", "too-short", "22", "692", "1800", "13937678",
    ]  # fmt: skip
    assert table[-1] == ["lines that a site repeats", "", "0", "611", "2000", "12345678"]


def test_what_was_found_is_set_off_in_its_example(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert "it is written <mark>*N&#39;importe quoi*, or nonsense</mark>, in" in page
    markdown = (report / "report.md").read_text()
    assert "it is written **\\*N'importe quoi\\*, or nonsense**, in" in markdown
    assert (
        "**A demonstration that the text has: translation, from http://docs.example.org/fr.html**"
        in markdown
    )
    assert rows(report, "demonstrations")[2] == ["summary", "a text before TL;DR", "0", "0"]


def test_an_example_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    attack = "</mark><script>alert(1)</script>\x1b[31m"
    shown = Demonstrations(
        kind="summary", meaning=attack, found=1, documents=1,
        examples=[Example(url=attack, text=attack, start=2, end=12)],
    )  # fmt: skip
    account = msgspec.structs.replace(
        ACCOUNT,
        demonstrations=[shown],
        steps=[Step(outcome=attack, reason=attack, documents=107, num_bytes=1)],
    )
    page = (written(tmp_path, account) / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;/<mark>mark&gt;&lt;scri</mark>pt&gt;" in page


def test_a_corpus_without_an_account_still_has_its_place(tmp_path: Path) -> None:
    report = written(tmp_path, None)
    assert [row[0] for row in rows(report, "corpus")] == ["", "documents", "text", "mean length"]
    assert not (report / "tables" / "corpus-steps.csv").exists()


def test_the_largest_steps_are_drawn_in_their_order_and_the_others_as_one() -> None:
    steps = [
        Step(outcome=f"rule-{n}", reason=f"rule {n}", documents=n + 1, num_bytes=0)
        for n in range(12)
    ]
    account = msgspec.structs.replace(ACCOUNT, steps=steps, num_in=689)
    funnel = corpus_figures(account)[0]
    assert "689 records read; less 4 rule 3; less 5 rule 4;" in funnel.alt
    assert "less 12 rule 11; less 6 3 more reasons; less 0 lines that" in funnel.alt
    assert funnel.caption.startswith(
        "89 % of the records are documents of the corpus, with 100 % of the text found in all. "
        "Most records were left out for this reason: rule 11."
    )


def test_captions_say_what_there_is_to_see() -> None:
    _, shapes, sites = corpus_figures(ACCOUNT)
    assert shapes.caption == (
        "The median document has 256 or more characters. 98 % have 99 % or more of their text in "
        "one language. 61 groups of near-duplicates gave one document each."
    )
    assert "karma" not in shapes.alt
    assert sites.caption == "The 2 sites with most documents."


def test_an_empty_corpus_has_nothing_to_draw() -> None:
    assert corpus_figures(msgspec.structs.replace(ACCOUNT, documents=0, num_bytes=0)) == []
