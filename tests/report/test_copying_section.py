"""The report's section on copying: figures 5 and 4, passages, probes."""

import csv
import html
import re
from pathlib import Path

import pytest

from tests.report.conftest import COPIED_TEXT
from wellread.report.build import write_report
from wellread.report.config import ReportConfig

TAGS = re.compile(r"<[^>]+>")


@pytest.fixture
def report(finished_page: Path) -> Path:
    return finished_page


def section(report: Path) -> str:
    page = (report / "index.html").read_text()
    return page[page.index('<section id="copying"') : page.index('<section id="samples"')]


def words(page: str) -> str:
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(TAGS.sub(" ", page)).split())


def rows(report: Path, table: str) -> list[list[str]]:
    with (report / "tables" / f"{table}.csv").open() as file:
        return list(csv.reader(file))


def test_samples_stand_beside_held_out_text_and_the_papers_numbers(report: Path) -> None:
    table = rows(report, "copied-texts")
    assert [row[:4] for row in table[1:]] == [
        ["small", "samples", "3", "0.004"],
        ["small", "held-out text", "3", "0.03"],
        ["medium", "samples", "3", "0.004"],
        ["medium", "held-out text", "3", "0.03"],
        ["the paper, WebText", "samples", "", ""],
        ["the paper, WebText", "held-out text", "", "2.6 %"],
    ]
    drawn = section(report)
    for label in ("samples, small", "samples, medium", "held-out text", "median of held-out"):
        assert label in drawn
    assert "samples, small: nothing found in 33 % of texts, median 0.4 %" in html.unescape(drawn)


def test_what_was_copied_is_marked_and_its_source_named(report: Path) -> None:
    assert f"<mark>{COPIED_TEXT[3:-9]}</mark>" in section(report)
    assert (
        "6 of 9 8-grams copied; the longest passage, 13 words, is in http://a.example/ and 2 "
        in (words(section(report)))
    )
    assert f"So **{COPIED_TEXT[3:-9]}**. And on." in (report / "report.md").read_text()


def test_probes_are_by_how_often_their_words_were_seen(report: Path) -> None:
    assert [row[:5] for row in rows(report, "recited")[1:5]] == [
        ["small", "training", "1", "1.5", "80"],
        ["small", "training", "unknown", "1.5", "80"],
        ["small", "held-out", "0", "1.5", "80"],
        ["medium", "training", "1", "unknown", "80"],
    ]


def test_both_losses_are_drawn_by_size(report: Path) -> None:
    table = rows(report, "both-losses")
    assert [[row[0], row[1], *map(float, (row[2], row[6]))] for row in table[1:]] == [
        ["small", "1200000", 1.8, 1.9],
        ["medium", "3400000", pytest.approx(1.68), pytest.approx(1.84)],
    ]
    assert 'id="figure-both-losses"' in section(report)
    assert "held-out,split=train" not in rows(report, "copied-texts")[0]


def test_samples_that_are_to_be_measured_are_not_among_those_to_be_read(report: Path) -> None:
    assert "Only to be measured." not in (report / "index.html").read_text()


def test_a_run_without_any_of_it_says_so(half_run: Path, tmp_path: Path) -> None:
    write_report(half_run, tmp_path / "report", ReportConfig())
    assert "Not run: no finished artifact of stage copying in half." in words(
        section(tmp_path / "report")
    )
