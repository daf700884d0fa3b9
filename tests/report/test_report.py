"""The report says what the artifacts hold, says what is missing, and trusts no text."""

import csv
import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest, writing
from wellread.formats import link_report
from wellread.formats.link_report import DomainRow, KarmaRange, LinkReport, Month
from wellread.formats.results import Item, Result, Score, write_result
from wellread.report.build import write_report
from wellread.report.config import ReportConfig
from wellread.report.figures import thinned

TAGS = re.compile(r"<[^>]+>")


class NoSettings(Config, frozen=True):
    pass


@pytest.fixture
def report(finished_page: Path) -> Path:
    return finished_page


def words(page: str) -> str:
    """The text of a page as read, without styles, figures and tags."""
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(TAGS.sub(" ", page)).split())


def rows(report: Path, table: str) -> list[list[str]]:
    with (report / "tables" / f"{table}.csv").open() as file:
        return list(csv.reader(file))


def test_the_page_opens_with_the_run_in_numbers(report: Path) -> None:
    text = words((report / "index.html").read_text())
    assert (
        "submissions 1,400 links 742 pages 718 documents 611 tokens 3.4 M models 2 "
        "best held-out bits per byte 1.840"
    ) in text


def test_every_drop_has_its_reason_its_share_and_an_example(report: Path) -> None:
    assert "karma below 3 links 412 29.4 % RS_2017-11.zst:17" in words(
        (report / "index.html").read_text()
    )
    drops = {row[0]: row for row in rows(report, "drops")}
    assert len(drops) == 14
    assert drops["robots.txt"][1:3] == ["crawl", "9"]


def test_the_funnel_stands_beside_webtext(report: Path) -> None:
    table = {row[0]: row[1:] for row in rows(report, "funnel")}
    assert table["links"] == ["742", "45000000"]
    assert table["documents"] == ["611", "8000000"]


def test_a_comparable_score_stands_beside_the_papers(report: Path) -> None:
    table = rows(report, "scores-paper")
    assert table[0] == [
        "task", "metric", "small", "small, 95 % from", "small, to", "medium",
        "medium, 95 % from", "medium, to", "chance",
        "paper", "items",
    ]  # fmt: skip
    assert table[1][:3] + table[1][8:] == ["lambada", "perplexity", "2345.6", "", "35.13", "500"]
    assert table[2][1:4] + table[2][9:] == ["accuracy", "0.021", "0.009", "0.4599", "500"]
    page = (report / "index.html").read_text()
    assert "accuracy ↑ 2.1 % 0.9 to 3.3 3.6 % 2.4 to 4.8 46.0 % 117M 500 of 5,153" in words(page)
    assert "lambada, accuracy, 500 of 5,153 items: small 2.1 %" in page  # the figure's words


def test_a_score_of_our_own_task_is_not_compared_with_the_papers(report: Path) -> None:
    row = next(row for row in rows(report, "scores-own") if row[0] == "demo-winograd")
    assert row[2:5] + row[8:] == ["0.55", "0.35", "0.75", "0.5", "not comparable", "20"]


def run_of(folder: Path, sizes: dict[str, int], *results: Result) -> Path:
    """A run that is results alone, the same for models of several sizes."""
    for name, parameters in sizes.items():
        with writing(
            folder / "run" / "results" / name, stage="evaluate", config=NoSettings(), inputs={}
        ) as draft:
            draft.facts["num_parameters"] = parameters
            for result in results:
                write_result(draft, result, [])
    return folder / "run"


def share(task: str, metric: str = "accuracy", protocol: str = "") -> Result:
    score = Score(metric=metric, value=0.6, low=0.5, high=0.7, num_items=273, higher_is_better=True)
    return Result(
        task=task, protocol=protocol or f"{task}:1", comparable_to=task, num_items=273,
        num_available=273, scores=[score], seconds=1.0,
    )  # fmt: skip


def test_the_papers_nearest_size_is_beside_a_score_or_the_one_that_it_gives(
    tmp_path: Path,
) -> None:
    """The paper has LAMBADA for its four sizes, and Winograd for 1542M alone."""
    winograd = share("winograd", protocol="winograd:1|scoring=partial")
    for name, parameters, lambada in (("gpt2", 124_439_808, "117M"), ("b", 774_030_080, "762M")):
        folder = tmp_path / name
        run = run_of(folder, {name: parameters}, winograd, share("lambada"))
        write_report(run, folder / "report", ReportConfig())
        page = (folder / "report" / "index.html").read_text()
        assert f"50.0 to 70.0 {'46.0' if lambada == '117M' else '60.1'} % {lambada}" in words(page)
        assert "50.0 to 70.0 70.7 % 1542M" in words(page)
        assert f"winograd, accuracy: {name} 60.0 %, paper, 1542M 70.7 %" in page


def test_the_papers_tables_have_ours_beside_them(report: Path, tmp_path: Path) -> None:
    assert rows(report, "table-2")[4:] == [
        ["paper, 1542M", "1558M", "48", "1600"],
        ["small", "1200000", "2", "64"],
        ["medium", "3400000", "4", "128"],
    ]
    table = rows(report, "table-3")
    assert table[0][2:8] == ["best before", "117M", "345M", "762M", "1542M", "small"]
    assert table[2][:8] == [
        "lambada", "accuracy", "0.5923", "0.4599", "0.5548", "0.6012", "0.6324", "0.021",
    ]  # fmt: skip
    assert next(row[0] for row in table if row[7] == "not run") == "cbt-cn"
    assert rows(report, "table-4")[-1] == ["no hint", "ours", *["not run"] * 4]
    ran = {row[0]: row[2] for row in rows(report, "paper-index")}
    assert (ran["Table 3"], ran["Table 5"], ran["Figure 2"]) == ("2 of 10", "not run", "not run")
    assert (ran["Figure 4"], ran["Figure 5"]) == ("run", "run")
    summary = share("cnn-dm", "rouge1", "cnn-dm:1|hint=tldr")
    run = run_of(tmp_path, {"one": 10**6, "two": 10**7}, summary, share("cbt-ne"))
    write_report(run, tmp_path / "report", ReportConfig())
    assert rows(tmp_path / "report", "table-4")[7][:5] == ["TL;DR:", "one", "0.6", "0.5", "0.7"]
    page = (tmp_path / "report" / "index.html").read_text()
    assert "cbt-ne: one 60.0 %, two 60.0 %, paper, 1542M: 89.0 %" in page  # figure 2's words


def test_the_abstract_stands_beside_what_was_run(report: Path) -> None:
    claims = [row[1] for row in rows(report, "claims")[1:]]
    assert claims == [
        "611",
        "not run",
        "of 2 differences from a model to the next larger one, 1 are gains, 0 losses, the others "
        "undecided",
        "3400000",
        "better than the best before it on 0 of 1 that were run",
        "medium: 1.680 bits per byte on training text, 1.840 on held-out text",
        "to be read below",
    ]
    assert "medium, reads held-out text at 1.840 bits per byte" in words(
        (report / "index.html").read_text()
    )


def test_two_held_out_numbers_of_a_model_say_what_each_is_of(report: Path) -> None:
    text = words((report / "index.html").read_text())
    assert "a context long, side by side, across documents. The task held-out" in text
    assert "each in windows as the protocol's stride has them; not the number under" in text


def test_a_number_leads_to_the_chain_and_there_to_a_command(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert '<a href="#artifact-results-small">results/small</a>' in page
    run = re.findall(r'id="artifact-results-small".*?wellread why (.*?)<', page, re.DOTALL)[0]
    assert (report / run / "manifest.json").is_file()


def test_scores_of_weights_from_elsewhere_are_named_so(finished_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    source = finished_run / "results" / "small"
    with writing(
        run / "results" / "gpt2", stage="evaluate", config=NoSettings(), inputs={"model": [weights]}
    ) as draft:
        for name in ("lambada.json", "lambada.parquet"):
            draft.write(name, (source / name).read_bytes())
    write_report(run, tmp_path / "report", ReportConfig())
    assert rows(tmp_path / "report", "scores-paper")[0][2] == "gpt2, released weights"


def test_many_models_have_rows_instead_of_columns(tmp_path: Path) -> None:
    sizes = {f"m{number}": 10**number for number in range(3, 8)}
    write_report(run_of(tmp_path, sizes, share("lambada")), tmp_path / "report", ReportConfig())
    table = rows(tmp_path / "report", "scores-paper")
    assert [row[2] for row in table] == [
        "model",
        *(f"m{number}, released weights" for number in range(3, 8)),
    ]


class TasksSettings(Config, frozen=True):
    tasks: list[str]


def test_a_task_asked_with_settings_is_scored_as_a_task_of_its_own(tmp_path: Path) -> None:
    """A setting that was tried on a task beside it is none."""
    kinds = {"": "names", ",kind=nouns": "nouns", ",kind=verbs": "verbs"}
    settings = TasksSettings(tasks=["cloze|kind=names", "cloze|kind=nouns"])
    with writing(
        tmp_path / "run" / "results" / "m", stage="evaluate", config=settings, inputs={}
    ) as draft:
        for stem, kind in kinds.items():
            score = Score(
                metric="accuracy", value=0.6, low=0.5, high=0.7, num_items=9,
                higher_is_better=True, chance=0.1 if stem else 0.55,
            )  # fmt: skip
            made = Result(
                task="cloze", protocol=f"cloze:1|kind={kind}", stem=f"cloze{stem}",
                comparable_to=None, num_items=9, num_available=9, scores=[score], seconds=1.0,
            )  # fmt: skip
            write_result(draft, made, [])
    write_report(tmp_path / "run", tmp_path / "report", ReportConfig())
    table = rows(tmp_path / "report", "scores-own")
    assert [row[0] for row in table] == ["task", "cloze", "cloze (nouns)"]
    text = words((tmp_path / "report" / "index.html").read_text())
    assert "Of 2 tasks" in text
    assert "interval in 1: cloze (nouns)." in text


def test_overlap_stands_beside_table_6_where_the_test_set_is_the_papers(report: Path) -> None:
    table = {row[0]: row for row in rows(report, "overlap")}
    assert table["wikitext2"][1:5] == ["62", "230000", "1150", "0.005"]
    assert [float(share) for share in table["wikitext2"][8:10]] == pytest.approx([0.0163, 0.0066])
    assert table["cloze-choice"][8:10] == ["not comparable", "not comparable"]
    assert table["demo-winograd"][4:7] == ["", "", ""]


def test_a_test_set_is_held_against_its_own_training_text_as_in_table_6(report: Path) -> None:
    table = rows(report, "table-6")
    assert table[0][:3] == ["training text", "ptb", "wikitext2"]
    assert [[row[0], row[1], row[2]] for row in table[1:]] == [
        ["own train, the paper’s", "0.0267", "0.0066"],
        ["WebText, the paper’s", "0.0088", "0.0163"],
        ["own train", "not run", "0.0025"],
        ["the train split of corpus", "not run", "0.005"],
    ]
    text = words((report / "index.html").read_text())
    assert "Own training texts: wikitext2: wiki.train.tokens, 600 documents." in text


def test_scores_stand_beside_those_without_what_overlaps(report: Path) -> None:
    table = rows(report, "clean-scores")
    assert table[1][:6] == ["lambada", "accuracy", "small", "0.021", "0.02", "0.04"]
    assert [float(value) for value in table[1][6:9]] == pytest.approx([0.001, -0.009, 0.011])
    assert (table[1][-3:], len(table)) == (["450", "50", "63.2, clean 62.9"], 5)
    by_share = [row[3:6] for row in rows(report, "clean-scores-by-share")[1:4]]
    assert [row[0] for row in by_share] == ["clean", "1 to 5 %", "over 15 %"]
    text = words((report / "index.html").read_text())
    assert "Too short for 8 words, and counted as clean: lambada 2." in text
    assert "Left out: small held-out, overlap was not measured on its items." in text
    assert "clean (paper) 62.9 %" in (report / "index.html").read_text()


def test_a_difference_whose_interval_holds_zero_is_undecided(report: Path) -> None:
    assert "500 in 40 undecided" in words((report / "index.html").read_text())
    verdicts = {row[0]: row[-1] for row in rows(report, "study-differences")[1:]}
    assert verdicts == {"cloze-choice": "better", "cloze-last-word": "undecided"}


def test_a_study_says_what_else_differs_and_what_was_not_paired(report: Path) -> None:
    text = words((report / "index.html").read_text())
    assert "may not come of that: the runs differ also in train.steps (600, 300)." in text
    assert "Without items in common: held-out of small and medium." in text


def test_a_training_that_was_interrupted_took_all_of_its_sittings(report: Path) -> None:
    """Its manifest has the last alone, of no time here; its steps have 120 seconds."""
    page = words((report / "index.html").read_text())
    assert "trained on it in 4:00;" in page
    assert [row[8] for row in rows(report, "models")[1:]] == ["120", "120"]


def test_runs_have_the_settings_that_they_share_once(report: Path) -> None:
    page = html.unescape((report / "index.html").read_text())
    assert page.count('"train.steps": 600') == 1
    assert '"model.size": "4x128"' in page


def test_a_sample_that_ended_at_once_says_so(report: Path) -> None:
    text = words((report / "index.html").read_text())
    assert "After the beginning of article-1 A tuple small (ended at once) medium (ended" in text


def test_words_beside_figures_read_as_sentences(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert "ROUGE-L ↑" in page
    assert "another submission, less 61; 4 more reasons, less 37; links, 742" in page


def test_a_caption_explains_diamonds_where_there_are_some(
    report: Path, finished_run: Path, tmp_path: Path
) -> None:
    assert "open diamonds what the paper printed" in (report / "index.html").read_text()
    source = finished_run / "results" / "small"
    with writing(
        tmp_path / "run" / "small", stage="evaluate", config=NoSettings(), inputs={}
    ) as draft:
        for name in ("demo-cbt.json", "demo-cbt.parquet"):
            draft.write(name, (source / name).read_bytes())
    write_report(tmp_path / "run", tmp_path / "report", ReportConfig())
    page = (tmp_path / "report" / "index.html").read_text()
    assert "dashed lines are what guessing would give. An interval" in page


def test_settings_are_held_against_the_papers(report: Path) -> None:
    verdicts = {(row[0], row[1]): row[2:4] + row[5:] for row in rows(report, "settings")}
    assert verdicts["least karma of a link's submission", "links"] == ["3", "3", "same"]
    assert verdicts["batch, sequences", "runs/small, runs/medium"] == ["16", "512", "differs"]


def test_models_come_small_before_large(report: Path) -> None:
    assert [row[0] for row in rows(report, "models")] == ["run", "small", "medium"]


def test_markdown_csv_and_svg_lie_beside_the_page(report: Path) -> None:
    assert sorted(path.name for path in (report / "figures").iterdir()) == [
        "both-losses.svg", "clean-scores.svg", "copied.svg", "corpus-funnel.svg",
        "corpus-shapes.svg", "curves.svg", "funnel.svg",
        "links.svg", "overlap.svg", "scores.svg", "time.svg",
    ]  # fmt: skip
    for path in (report / "figures").iterdir():
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    markdown = (report / "report.md").read_text()
    assert "| karma below 3 | links | 412 | 29.4 % | RS\\_2017-11.zst:17 |" in markdown
    assert "](figures/funnel.svg)" in markdown


def test_the_page_fetches_nothing_and_stays_small(report: Path) -> None:
    page = (report / "index.html").read_text()
    fetched = re.findall(
        r'<(?:link|script|img|iframe|use|image)[^>]*(?:href|src)="([^"#][^"]*)', page
    )
    assert fetched == ["data:,"]
    assert not re.findall(r"@import|url\((?!#)", page)
    assert len(page.encode()) < 5_000_000


def test_ids_are_unique_and_links_within_the_page_resolve(report: Path) -> None:
    page = (report / "index.html").read_text()
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]*)"', page) + re.findall(r"url\(#([^)]*)\)", page)
    assert set(targets) <= set(ids)


def test_every_figure_has_words_and_every_table_a_caption(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert page.count('role="img" aria-label="') == 11
    assert page.count("<table ") == page.count("<caption ") == 35
    assert '<html lang="en">' in page


def test_the_same_artifacts_give_the_same_bytes(half_run: Path, tmp_path: Path) -> None:
    first, second = (write_report(half_run, tmp_path / name, ReportConfig()) for name in "ab")
    assert first.digest == second.digest


def test_the_manifest_names_every_artifact_read(report: Path, finished_run: Path) -> None:
    manifest = read_manifest(report)
    assert manifest.stage == "report"
    assert manifest.counts == {"in": 15, "out": 15, "artifacts": 13}
    assert len(manifest.inputs["artifacts"]) == 13
    assert write_report(finished_run, report, ReportConfig()) == manifest


def test_a_report_inside_the_run_is_not_its_own_evidence(half_run: Path) -> None:
    first = write_report(half_run, half_run / "report", ReportConfig())
    second = write_report(half_run, half_run / "report", ReportConfig())
    assert first.counts["artifacts"] == second.counts["artifacts"] == 2


def test_a_run_stopped_after_the_crawl_says_what_was_not_run(
    half_run: Path, tmp_path: Path
) -> None:
    write_report(half_run, tmp_path / "report", ReportConfig(title="Half"))
    text = words((tmp_path / "report" / "index.html").read_text())
    assert "pages 718 documents not run tokens not run models not run" in text
    assert "Not run: corpus is unfinished of stage corpus in half." in text
    assert "Not run: no finished artifact of stage train in half." in text
    assert "5. Scores" not in text
    assert text.count("not run") >= 10


def test_a_page_may_have_the_sections_asked_for_alone(half_run: Path, tmp_path: Path) -> None:
    write_report(half_run, tmp_path / "page", ReportConfig(sections=("links", "built")))
    page = (tmp_path / "page" / "index.html").read_text()
    assert re.findall(r'<section id="(\w+)"', page) == ["built", "links"]
    assert set(re.findall(r'<a href="#([^"]+)"', page)) == {"built", "links"}
    with pytest.raises(InputError, match="none called 'models-'; did you mean 'models'"):
        write_report(half_run, tmp_path / "other", ReportConfig(sections=("models-",)))


def test_hostile_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    attack = "</style><script>alert(1)</script>\x1b[31m\u202e $x^2$ | *b*"
    with writing(run / "links", stage="links", config=NoSettings(), inputs={}) as draft:
        draft.counts |= {"in": 2, "out": 1}
        draft.drop(attack, attack)
        found = LinkReport(
            submissions=2, kept=1, links=1, dropped={},
            months=[Month(month="2017-11", links=1)],
            karma=[KarmaRange(low=3, high=None, links=1)],
            domains=[DomainRow(name=attack, links=1)],
        )  # fmt: skip
        draft.write(link_report.NAME, link_report.encode(found))
    with writing(
        run / "results" / "a$b", stage="evaluate", config=NoSettings(), inputs={}
    ) as draft:
        samples = Result(
            task="samples", protocol="samples:1", comparable_to=None, num_items=1,
            num_available=1, scores=[], seconds=0.0,
        )  # fmt: skip
        item = Item(item="1", text="", prompt=attack, target="", prediction=attack)
        write_result(draft, samples, [item])
    write_report(run, tmp_path / "report", ReportConfig(title=attack))
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search("[\x1b\u202e]", page)
    markdown = (tmp_path / "report" / "report.md").read_text()
    assert all(line.startswith("    ") for line in re.findall(r".*(?<!\\)<.*", markdown))
    ET.parse(tmp_path / "report" / "figures" / "funnel.svg")


def test_a_directory_without_artifacts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished artifact"):
        write_report(tmp_path, tmp_path / "report", ReportConfig())
    with pytest.raises(InputError, match="there is no such file or folder"):
        write_report(tmp_path / "absent", tmp_path / "report", ReportConfig())


def test_long_curves_are_thinned_to_means_of_neighbours() -> None:
    points = [(float(step), float(step % 2)) for step in range(600)]
    shown = list(thinned(points))
    assert len(shown) == 300
    assert shown[0] == (1.0, 0.5)
