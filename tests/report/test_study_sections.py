"""What the report says of studies: of made rows, whose numbers can be checked by eye."""

import shutil
from pathlib import Path

import msgspec
import pytest

from tests.report.made_study import SIZES, design_study, planted_study, size_study, write_study
from wellread.formats.estimates import Estimate
from wellread.formats.predictions import Prediction
from wellread.formats.studies import Study
from wellread.report import designed
from wellread.report.blocks import Answers, Figure, Prose, Section, Table
from wellread.report.designed import the_design
from wellread.report.evidence import Evidence, find_artifacts, read_evidence
from wellread.report.families import families_table
from wellread.report.planted import the_planted
from wellread.report.size_tables import predictions_table
from wellread.report.sized import the_sizes
from wellread.report.studied import of_size, the_study
from wellread.report.trends import sizes_of


def evidence_of(run: Path, study: Study, prediction: Prediction | None = None) -> Evidence:
    write_study(run, study, prediction)
    return read_evidence(run, find_artifacts(run), run / "report", samples=0)


def answers(section: Section | None) -> dict[str, str]:
    assert section is not None
    (found,) = (block for block in section.blocks if isinstance(block, Answers))
    return dict(found.rows)


def block(section: Section | None, key: str, kind: type) -> Figure | Table:
    assert section is not None
    (found,) = (b for b in section.blocks if isinstance(b, kind) and b.key == key)  # type: ignore[attr-defined]
    assert isinstance(found, Figure | Table)
    return found


def rows(section: Section | None, key: str) -> dict[str, list[str]]:
    """By the first cell; an interval stands behind its number."""
    table = block(section, key, Table)
    assert isinstance(table, Table)
    return {
        row[0].text: [f"{cell.text} {cell.detail}".strip() for cell in row[1:]]
        for row in table.rows
    }


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence_of(tmp_path_factory.mktemp("sizes"), *size_study())


@pytest.fixture(scope="module")
def size_section(sizes: Evidence) -> Section | None:
    return the_sizes(sizes)


def test_the_answers_on_size_come_first_and_with_their_numbers(
    size_section: Section | None,
) -> None:
    found = answers(size_section)
    assert found["What does size do to the loss?"] == (
        "Held-out loss changes by −0.226 bits per byte (95 % −0.235 to −0.218) with ten times the "
        "parameters. A power law foretells it better than a line; where it would end is not "
        "determined by these sizes."
    )
    assert found["Do tasks improve log-linearly?"] == (
        "A straight line in the logarithm of size is within the intervals of 6 of 6 scores; none "
        "flatten and none steepen for certain, by the bend of a parabola."
    )
    assert found["Was the next size predicted?"].startswith("4 of 8 scores of 5x320 came inside")
    assert found["Still underfitting?"].startswith("Still underfit: held-out loss falls")
    assert found["Which tasks depend on size most?"].startswith(
        "cloze-ten-words (names) most, +13.0 percentage points (95 % +11.9 to +14.1) with ten times"
    )


def test_a_study_is_said_in_a_sentence(sizes: Evidence) -> None:
    assert sizes.study is not None
    assert of_size(sizes.study) == (
        "ten times the parameters change held-out loss by −0.226 bits per byte (95 % −0.235 to "
        "−0.218); 4 of 8 scores of a size came as foretold"
    )
    assert of_size(design_study()) == of_size(planted_study()) == ""
    assert designed.in_short(design_study()) == (
        "held-out loss rises with 4 of 6 changes, falls with 1, undecided 1"
    )


def test_what_came_stands_beside_what_was_predicted(size_section: Section | None) -> None:
    table = rows(size_section, "size-predictions")
    assert table["cloze-ten-words (names), accuracy"] == [
        "5x320", "31.5 %", "33.0 % 32.7 to 33.3", "33.3 %", "outside", "yes",
    ]  # fmt: skip
    figure = block(size_section, "size-tasks", Figure)
    assert isinstance(figure, Figure)
    assert "6,890,000 parameters predicted 33.0 %, 6,890,000 parameters came 33.3 %" in figure.alt


def test_a_limit_that_is_not_determined_is_not_printed(size_section: Section | None) -> None:
    table = block(size_section, "size-fits", Table)
    assert isinstance(table, Table)
    said = [row[2].text for row in table.rows if row[1].text == "power law"]
    assert len(said) == 8
    assert all(text.startswith("limit not determined; factor ") for text in said)


@pytest.mark.parametrize(("high", "is_known"), [(1.2, True), (4.99, False)])
def test_an_exponent_that_goes_to_the_end_of_those_tried_is_not_known(
    high: float, *, is_known: bool
) -> None:
    study, _ = size_study()
    law = next(fit for fit in study.fits if fit.form == "power")
    exponent = Estimate(value=0.8, low=0.6, high=high)
    law = msgspec.structs.replace(law, parameters=law.parameters | {"exponent": exponent})
    assert law.is_determined("exponent") is is_known
    assert law.is_determined("factor")


def test_a_size_that_is_predicted_and_not_yet_trained_is_not_run(tmp_path: Path) -> None:
    study, prediction = size_study()
    known = [run for run in study.runs if not run.is_predicted]
    groups = [group for group in study.groups if not group.is_predicted]
    names = {group.name for group in groups}
    half = msgspec.structs.replace(
        study, runs=known, groups=groups, predictions=[],
        group_scores=[score for score in study.group_scores if score.group in names],
    )  # fmt: skip
    evidence = evidence_of(tmp_path, half, prediction)
    sizes = sizes_of(evidence)
    assert sizes is not None
    assert {row[4].text for row in predictions_table(sizes, []).rows} == {"not run"}
    first = the_study(evidence).blocks[0]
    assert isinstance(first, Prose)
    assert first.text.startswith("15 of 18 runs have results, seeds 0, 1, 2.")


def test_the_papers_scores_stand_beside_those_of_models_of_like_size(sizes: Evidence) -> None:
    found = sizes_of(sizes)
    assert found is not None
    known = found._replace(comparable={"cloze-last-word": "lambada"})
    large = msgspec.structs.replace(found.study.groups[0], num_parameters=117_000_000)
    groups = [large, *found.study.groups[1:]]
    near = known._replace(study=msgspec.structs.replace(found.study, groups=groups))
    metric = ("cloze-last-word", "accuracy")
    assert known.trend(metric).published == []
    assert [(size, round(value, 4)) for size, value in near.trend(metric).published] == [
        (124e6, 0.4599), (355e6, 0.5548), (774e6, 0.6012), (1558e6, 0.6324),
    ]  # fmt: skip


def test_a_study_that_was_not_made_says_how_far_its_runs_are(tmp_path: Path) -> None:
    study, _ = size_study()
    write_study(tmp_path, msgspec.structs.replace(study, runs=study.runs[:4]))
    shutil.rmtree(tmp_path / "study")
    recipe = '[study]\nseeds = [0, 1, 2]\npredict = ["5x320"]\n[study.vary]\n"model.size" = '
    (tmp_path / "recipe.toml").write_text(f"{recipe}{list(SIZES)[:5]}\n")
    evidence = read_evidence(tmp_path, find_artifacts(tmp_path), tmp_path / "report", samples=0)
    (words,) = the_study(evidence).blocks
    assert isinstance(words, Prose)
    assert words.text.endswith(" Of its 18 runs 4 are trained, 0 begun.")


def test_runs_that_differ_in_their_seed_alone_are_one_row(sizes: Evidence) -> None:
    found = {row[0].text: row[1].text for row in families_table(sizes).rows}
    assert found == dict.fromkeys(["1x64", "1x128", "2x192", "3x256", "6x256", "5x320"], "3")


def test_a_section_is_there_only_if_the_study_is_about_it(sizes: Evidence) -> None:
    assert the_design(sizes) is None
    assert the_planted(sizes) is None


def test_changes_of_design_are_said_to_harm_to_help_or_to_be_undecided(tmp_path: Path) -> None:
    section = the_design(evidence_of(tmp_path, design_study()))
    found = answers(section)
    assert found["What does harm?"].startswith("Held-out loss: bytes +0.153 bits per byte (95 % +")
    assert found["What helps?"].startswith("Held-out loss: not cleaned −0.015 bits per byte")
    assert found["What is not decided?"] == "no residual scaling: the intervals hold zero."
    assert (
        found["What cannot be compared?"] == "held-out perplexity of bytes: its tokens are others."
    )
    gradients = block(section, "design-gradients", Figure)
    assert isinstance(gradients, Figure)
    assert "post-LN, last tenth: first block 0.0723, last block 0.416" in gradients.alt


def test_a_size_without_scores_yet_leaves_the_others_said(tmp_path: Path) -> None:
    study = planted_study()
    missing = study.series[0].groups
    scores = [one for one in study.group_scores if one.group not in missing]
    section = the_planted(
        evidence_of(tmp_path, msgspec.structs.replace(study, group_scores=scores))
    )
    said = answers(section)["Is planted-words learnt from the text?"]
    assert said.endswith(
        "Its interval lies above that of none: "
        "680\N{NO-BREAK SPACE}k\N{NO-BREAK SPACE}parameters from 10; "
        "1.8\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}parameters from 10."
    )


def test_planted_tasks_are_scored_by_how_often_the_text_showed_them(tmp_path: Path) -> None:
    section = the_planted(evidence_of(tmp_path, planted_study()))
    assert answers(section)["Is planted-words learnt from the text?"].startswith(
        "The models of 1.8\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}parameters score 11.5 % with 0 "
        "demonstrations of it in the corpus and 92.6 % with 1,000; guessing gives 10.0 %. Its "
        "interval lies above that of none: 197"
    )
    table = block(section, "planted", Table)
    assert isinstance(table, Table)
    assert len(table.rows) == 2 * 3 * 4
