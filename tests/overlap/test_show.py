"""Which passages are shown, of what, and what an index claims that no document has."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.overlap.test_overlap import COUNTING, SENTENCE, random_text, write_jsonl, write_results
from wellread.base.errors import InputError
from wellread.cli.main import main
from wellread.formats.overlap import read_overlap
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import index_corpus
from wellread.overlap.measure import measure_test_sets
from wellread.overlap.merge import merge_indexes
from wellread.overlap.show import Passages, show_passages

ITEMS = {
    "whole": SENTENCE,
    "half": f"{' '.join(SENTENCE.split()[:9])} and so on, in words that are not found anywhere",
    "none": COUNTING,
    "short": "too short",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, its index, results, and their overlap."""
    folder = tmp_path_factory.mktemp("show")
    texts = [f"Chapter 1. {SENTENCE}.", random_text("else", 300), f"Again: {SENTENCE}"]
    index_corpus(write_jsonl(folder / "c.jsonl", texts), folder / "index", OverlapConfig())
    write_results(folder / "results", ITEMS)
    measure_test_sets(folder / "index", [folder / "results"], folder / "overlap", OverlapConfig())
    return folder


def names(found: Passages) -> list[str]:
    return [one.item for one in found.shown]


@pytest.mark.parametrize("test", ["results", "overlap"])
def test_items_with_most_overlap_come_first_and_those_without_not_at_all(
    place: Path, test: str
) -> None:
    found = show_passages(place / "index", place / test)
    assert names(found) == ["whole", "half"]
    assert (found.num_texts, found.num_with_any, found.num_false) == (4, 2, 0)
    whole, half = found.shown
    assert [(one.num_words, one.num_documents) for one in whole.passages] == [(18, 2)]
    assert whole.passages[0].url == "file:c.jsonl#1"
    assert (whole.passages[0].before, whole.passages[0].words) == ("Chapter 1. ", SENTENCE)
    assert [(one.start, one.end) for one in half.passages] == [(0, 36)]
    assert names(show_passages(place / "index", place / test, number=1)) == ["whole"]


def test_named_items_are_shown_whatever_they_share(place: Path) -> None:
    found = show_passages(place / "index", place / "results", items=["none", "cloze/half"])
    assert [(one.item, one.num_found, len(one.passages)) for one in found.shown] == [
        ("none", 0, 0),
        ("half", 2, 1),
    ]
    with pytest.raises(InputError, match="no item 'hole'; of 4 the nearest by name: whole, "):
        show_passages(place / "index", place / "results", items=["hole"])


def test_an_unknown_item_does_not_bring_all_names(place: Path, tmp_path: Path) -> None:
    write_results(tmp_path / "results", {f"item {number}": "x" for number in range(5000)})
    with pytest.raises(InputError, match="no item 'zzz'; of 5,000 the nearest by name:") as error:
        show_passages(place / "index", tmp_path / "results", items=["zzz"])
    assert len(str(error.value)) < 150


def test_what_was_measured_under_given_names_is_shown_under_them(
    place: Path, tmp_path: Path
) -> None:
    tests = []
    for name, text in (("ptb", SENTENCE), ("notes", ITEMS["half"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test.txt").write_text(text)
        tests.append(Path(f"{name}={tmp_path / name / 'test.txt'}"))
    measure_test_sets(place / "index", tests, tmp_path / "overlap", OverlapConfig())
    found = show_passages(place / "index", tmp_path / "overlap").shown
    assert [(one.test_set, one.item) for one in found] == [
        ("ptb", "file:test.txt"), ("notes", "file:test.txt")
    ]  # fmt: skip
    item = "notes/file:test.txt"
    (one,) = show_passages(place / "index", tmp_path / "overlap", items=[item]).shown
    assert one.text == ITEMS["half"]


def test_another_name_is_another_table(place: Path, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text(SENTENCE)
    for name in ("one", "two"):
        test = Path(f"{name}={tmp_path / 'test.txt'}")
        measure_test_sets(place / "index", [test], tmp_path / "overlap", OverlapConfig())
        assert [found.name for found in read_overlap(tmp_path / "overlap").test_sets] == [name]


def test_an_exact_index_needs_no_corpus_and_says_the_same(place: Path, tmp_path: Path) -> None:
    copy = shutil.copy(place / "c.jsonl", tmp_path / "c.jsonl")
    index_corpus(copy, tmp_path / "index", OverlapConfig(mode="exact"))
    copy.unlink()
    expected = show_passages(place / "index", place / "results")
    assert show_passages(tmp_path / "index", place / "results") == expected
    same = place / "c.jsonl"
    assert show_passages(tmp_path / "index", place / "results", corpus=same) == expected


def test_a_merged_index_is_of_several_corpora_which_are_named(tmp_path: Path) -> None:
    for name, text in (("a", SENTENCE), ("b", COUNTING)):
        (tmp_path / name).mkdir()
        corpus = write_jsonl(tmp_path / name / "c.jsonl", [text])
        index_corpus(corpus, tmp_path / f"index-{name}", OverlapConfig(num_ngrams=99))
    merge_indexes([tmp_path / "index-a", tmp_path / "index-b"], tmp_path / "index")
    with pytest.raises(InputError, match="several indexes; name all their text with --corpus"):
        show_passages(tmp_path / "index", text=SENTENCE)
    (tmp_path / "all").mkdir()
    write_jsonl(tmp_path / "all" / "both.jsonl", [SENTENCE, COUNTING])
    (one,) = show_passages(tmp_path / "index", text=SENTENCE, corpus=tmp_path / "all").shown
    assert [passage.url for passage in one.passages] == ["file:both.jsonl#1"]


def test_what_an_index_wrongly_holds_is_in_no_document(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [random_text("corpus", 20_000)])
    index_corpus(corpus, tmp_path / "index", OverlapConfig(false_positive_rate=0.3))
    found = show_passages(tmp_path / "index", text=random_text("text", 1007))
    (one,) = found.shown
    assert 0 < one.num_found == one.num_false == found.num_false < 400  # of 1,000
    assert one.passages == []


def test_the_corpus_is_the_one_that_was_indexed(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [SENTENCE])
    index_corpus(corpus, tmp_path / "index", OverlapConfig())
    other = write_jsonl(tmp_path / "other.jsonl", [COUNTING])
    with pytest.raises(InputError, match=r"other\.jsonl: is not what .*index was made of"):
        show_passages(tmp_path / "index", text=SENTENCE, corpus=other)
    moved = corpus.rename(tmp_path / "moved.jsonl")
    with pytest.raises(InputError, match=r"is no longer at .*c\.jsonl; name it with --corpus"):
        show_passages(tmp_path / "index", text=SENTENCE)
    assert len(show_passages(tmp_path / "index", text=SENTENCE, corpus=moved).shown) == 1


def test_halves_of_characters_are_shown_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"\ud83d {SENTENCE} \ude42"
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": text}) + "\n")
    index_corpus(tmp_path / "c.jsonl", tmp_path / "index", OverlapConfig())
    assert main(["overlap", "show", str(tmp_path / "index"), "-t", text, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["shown"]
    assert shown["text"] == f"\ufffd {SENTENCE} \ufffd"
    assert shown["passages"][0]["before"] == "\ufffd "


def test_both_sides_are_printed_with_brackets_where_there_is_no_style(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"He read: {SENTENCE}; that was all."
    assert main(["overlap", "show", str(place / "index"), "-t", text]) == 0
    said = capsys.readouterr().out
    assert "11 of 16 8-grams found, 68.8 %" in said
    assert f"He read: [{SENTENCE}]; that was all." in said
    assert "corpus  file:c.jsonl#1, and 1 more document; 18 words" in said
    assert f"Chapter 1. [{SENTENCE}]." in said


def test_a_text_may_come_on_standard_input(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(COUNTING.encode())))
    assert main(["overlap", "show", str(place / "index"), "-"]) == 0
    assert "no 8-grams in common with c.jsonl, split 'train'" in capsys.readouterr().out
    assert main(["overlap", "show", str(place / "index")]) == 2
    assert "name a TEST, or give a text with --text" in capsys.readouterr().err


@pytest.mark.real
def test_a_page_of_lambada_is_from_the_hound_of_the_baskervilles(
    real_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "novels").mkdir()
    for novel in ("Doyle_Hound_1902.txt", "Barclay_Rosary_1909.txt"):
        shutil.copy(real_data / "documents" / "novels" / novel, tmp_path / "novels")
    index_corpus(tmp_path / "novels", tmp_path / "index", OverlapConfig(mode="exact"))
    lambada = real_data / "benchmarks" / "lambada" / "lambada_test.jsonl"
    (first,) = show_passages(tmp_path / "index", lambada, number=1).shown
    assert first.item == "file:lambada_test.jsonl#3454"
    assert [(one.num_words, one.url) for one in first.passages] == [
        (13, "file:Doyle_Hound_1902.txt"),
        (14, "file:Doyle_Hound_1902.txt"),
        (37, "file:Doyle_Hound_1902.txt"),
    ]
