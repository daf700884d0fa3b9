"""Loaders of the benchmarks' original layouts, on small texts and on the real files."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from wellread.base.errors import InputError
from wellread.evaluate.cbt import as_question as cbt_question
from wellread.evaluate.cbt import read_cbt
from wellread.evaluate.language_modelling import line_blocks, num_words
from wellread.evaluate.last_word import read_lambada
from wellread.evaluate.questions import read_questions
from wellread.evaluate.summaries import read_stories
from wellread.evaluate.task import BenchmarkFile, Sources, benchmark_path, choose, own_data
from wellread.evaluate.translation import read_parallel
from wellread.evaluate.wikitext import articles
from wellread.evaluate.winograd import in_place, read_winograd


def unpacked(archive: Path, ending: str, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith(ending))
        path = folder / Path(name).name
        path.write_bytes(opened.read(name))
    return path


def test_wikitext_is_split_at_titles_and_keeps_every_character() -> None:
    text = (
        " \n = One = \n \n a b \n = no title = \n \n = = Part = = \n \n c \n \n = Two = \n \n d \n"
    )
    found = articles(text)
    assert [article.item for article in found] == ["line 1", "line 11"]
    assert "".join(article.text for article in found) == text


def test_ptb_is_split_into_blocks_of_lines() -> None:
    assert [block.text for block in line_blocks("a \nb \nc \n", 2)] == ["a \nb \n", "c \n"]


def test_a_cbt_question_scores_the_choice_and_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "cbt.txt"
    path.write_text("1 A dog ran .\n2 It saw a cat .\n21 The XXXXX slept .\tcat\t\tcat|dog\n\n")
    question = cbt_question(read_cbt(path)[0], {"scope": "rest"})
    assert [(o.prompt, o.scored) for o in question.options] == [
        ("A dog ran . It saw a cat . The", " cat slept ."),
        ("A dog ran . It saw a cat . The", " dog slept ."),
    ]
    assert question.right == 0


def test_a_damaged_item_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "lambada.jsonl"
    path.write_text('{"text": "one two"}\n{"text": 3}\n')
    with pytest.raises(InputError, match=r"lambada\.jsonl:2: not a LAMBADA item"):
        read_lambada(path)


def test_another_text_under_a_benchmarks_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("changed")
    right = hashlib.sha256(b"original").hexdigest()
    file = BenchmarkFile(path="a.txt", sha256=right, obtain="Ask its authors")
    sources = Sources(tmp_path, None, {})
    with pytest.raises(InputError, match=r"another text than the benchmark's.*Ask its authors"):
        benchmark_path(file, sources)
    (tmp_path / "a.txt").write_text("original")
    assert benchmark_path(file, sources) == tmp_path / "a.txt"


@pytest.mark.parametrize("name", ["lambada", "wikitext2", "ptb", "winograd"])
def test_a_missing_benchmark_says_where_it_should_be_and_how_to_get_it(
    name: str, tmp_path: Path
) -> None:
    task = choose(name).task
    with pytest.raises(InputError, match=r"no such file\. It is .*save it under that name"):
        task.load(Sources(tmp_path, None, choose(name).settings))


def test_translation_goes_both_ways_with_the_examples_turned() -> None:
    pairs = choose("demo-translation").task.load(Sources(None, None, {})).examples
    there, back = pairs[0], pairs[20]
    assert (there.item, back.item) == ("en-fr/1", "fr-en/1")
    assert (there.source, there.reference) == (back.reference, back.source)
    assert there.shots[0] == ("The house is small.", "La maison est petite.")
    assert back.shots[0] == ("La maison est petite.", "The house is small.")


@pytest.mark.real
def test_the_real_language_modelling_files_have_their_published_counts(real_data: Path) -> None:
    wikitext = (real_data / "benchmarks/wikitext2/test.txt").read_text(encoding="utf-8")
    ptb = (real_data / "benchmarks/ptb/ptb.test.txt").read_text(encoding="utf-8")
    assert len(articles(wikitext)) == 60
    assert "".join(article.text for article in articles(wikitext)) == wikitext
    assert num_words(wikitext, "word+eos") == 245_569
    assert (num_words(ptb, "word"), num_words(ptb, "word+eos")) == (78_669, 82_430)


@pytest.mark.real
def test_lambada_has_its_5153_items(real_data: Path) -> None:
    passages = read_lambada(real_data / "benchmarks/lambada/lambada_test.jsonl")
    assert len(passages) == 5153
    assert passages[0].target == " signs"


def test_a_possessive_pronoun_is_replaced_by_a_possessive() -> None:
    schema = read_winograd(own_data("winograd/WSCollection.xml"))[18]
    assert (schema.pronoun, in_place(schema, "Anna", "written")) == ("Her", "Anna's")


@pytest.mark.real
def test_the_real_questions_stories_and_sentences_load(real_data: Path) -> None:
    folder = real_data / "benchmarks"
    assert len(read_questions(folder / "nq_open/NQ-open.dev.jsonl")) == 3610
    stories = read_stories(folder / "cnndm_stories")
    assert len(stories) == 20
    assert stories[3].highlights
    assert "@highlight" not in stories[3].article
    english, french = (folder / f"wmt14_enfr/newstest2014.{side}" for side in ("en", "fr"))
    assert len(read_parallel(english, french)) == 3003


@pytest.mark.real
def test_winograd_and_questions_in_their_original_layouts_load(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "benchmarks/original_layouts"
    schemas = unpacked(
        folder / "winograd_wsc__wsc273_0.0.0_dummy_data.zip", "WSCollection.xml", tmp_path
    )
    questions = unpacked(
        folder / "nq_open__nq_open_1.0.0_dummy_data.zip", "NQ-open.train.jsonl", tmp_path
    )
    assert read_winograd(schemas)[0].answers == ["The city councilmen", "The demonstrators"]
    assert read_questions(questions)[0].answers
