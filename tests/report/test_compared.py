"""Several runs on one page: their differences first, then what differs in each stage."""

import csv
from pathlib import Path

import pytest

from tests.report.answers import RIGHT, write_run
from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.formats.comparisons import read_comparison
from wellread.pipeline.comparison import ComparisonConfig, compare_runs, report_runs, run_of
from wellread.report.config import ReportConfig


def rows(report: Path, table: str) -> list[list[str]]:
    with (report / "tables" / f"{table}.csv").open() as file:
        return list(csv.reader(file))


def test_differences_come_first_with_their_intervals(comparison_page: Path) -> None:
    page = (comparison_page / "index.html").read_text()
    assert page.index('<section id="differences"') < page.index('<section id="settings"')
    assert (
        "Of 1 scores on the items of both, second: 2x64 is better than first: 2x64 in 1 and worse "
        "in 0; 0 are undecided"
    ) in page
    (row,) = rows(comparison_page, "differences-1-2x64-2x64")[1:]
    assert row[:5] + row[7:] == ["demo-cbt", "accuracy ↑", "0", "0.8", "0.8", "20", "better"]
    assert 0.5 < float(row[5]) < 0.7 < 0.9 < float(row[6]) <= 1.0


def test_what_was_set_otherwise_is_named_and_each_run_has_a_column(comparison_page: Path) -> None:
    assert rows(comparison_page, "different-settings") == [
        ["stage", "setting", "first", "second"],
        ["train 2x64", "steps", "600", "900"],
    ]
    models = {row[1]: row[2:] for row in rows(comparison_page, "compared-models")}
    assert models["parameters"] == ["1000000", "1000000"]
    corpora = {row[0]: row[1:] for row in rows(comparison_page, "compared-corpora")}
    assert corpora["documents"] == ["not run", "not run"]
    assert rows(comparison_page, "scores-own")[0][2::3] == [
        "first: 2x64", "second: 2x64", "chance",
    ]  # fmt: skip


def test_the_comparison_is_an_artifact_that_the_report_names(comparison_page: Path) -> None:
    beside = comparison_page.with_name("report-comparison")
    assert read_comparison(beside).runs == ["first", "second"]
    assert read_manifest(comparison_page).inputs["comparison"][0].path == "../report-comparison"
    page = (comparison_page / "index.html").read_text()
    assert "wellread why ../report-comparison" in page


def test_a_report_stands_for_its_run(two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    report_runs(two_runs[:1], tmp_path / "page", ReportConfig())
    for named in (tmp_path / "page", tmp_path / "page" / "index.html"):
        assert run_of(named).resolve() == two_runs[0]
    with pytest.raises(InputError, match="a run is named twice"):
        report_runs([two_runs[0], tmp_path / "page"], tmp_path / "both", ReportConfig())


def test_models_of_other_names_are_matched_by_size_and_runs_of_one_name_by_their_folder(
    two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other" / "first", {"gpt": (8 * 10**6, RIGHT)})
    compare_runs([*two_runs[:1], other], tmp_path / "found", ComparisonConfig())
    found = read_comparison(tmp_path / "found")
    assert found.runs == [f"{two_runs[0].parent.name}/first", "other/first"]
    assert [(one.first, one.second, one.by) for one in found.models] == [
        ("4x128", "gpt", "nearest size")
    ]


def test_the_first_of_three_runs_is_the_reference(
    two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    third = write_run(tmp_path / "third", {"2x64": (10**6, RIGHT[::-1])})
    report_runs([*two_runs, third], tmp_path / "page", ReportConfig())
    page = (tmp_path / "page" / "index.html").read_text()
    assert "third: 2x64 against first: 2x64</h3>" in page
    assert rows(tmp_path / "page", "different-settings")[1][2:] == ["600", "900", "600"]
