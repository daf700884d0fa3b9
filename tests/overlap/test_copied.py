"""What models copied: planted in results, found with its place, counted by hand."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.overlap.test_overlap import random_text, write_jsonl
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest, writing
from wellread.formats.copying import (
    PROBES,
    PROBES_FILE,
    TEXTS,
    TEXTS_FILE,
    Copying,
    most_copied,
    read_copying,
)
from wellread.formats.documents import Document, write_documents
from wellread.formats.results import STAGE as EVALUATE
from wellread.formats.results import Item, Result, write_result
from wellread.formats.tables import read_rows
from wellread.overlap.config import OverlapConfig
from wellread.overlap.copied import measure_copying, recited
from wellread.overlap.index import index_corpus

TRAINING = [random_text(f"document {number}", 200) for number in range(6)]
TWICE = " ".join(TRAINING[5].split()[:60])
NEW = [random_text(f"new {number}", 50) for number in range(4)]


def taken(document: int, first: int, number: int) -> str:
    return " ".join(TRAINING[document].split()[first : first + number])


def sample(item: str, written: str, true: str) -> Item:
    return Item(item=item, text="", prompt="", target=true, prediction=written)


def probe(split: str, url: str, prompt: str, target: str, same: int) -> Item:
    return Item(
        item=f"{split}/{url}", text="", prompt=prompt, target=target, num_tokens=same, num_units=10
    )


SAMPLES = [
    sample("a", f"{NEW[0]} {taken(2, 10, 20)}, {NEW[1]}", NEW[2]),
    sample("b", NEW[3], f"{NEW[0]} {taken(3, 50, 8)}"),
    sample("c", "of seven words there is no eight", taken(1, 0, 40)),
]
PROBES_ASKED = [
    probe("train", "u0", taken(0, 0, 30), " " + taken(0, 30, 12), 10),
    probe("train", "u5", taken(5, 0, 30), " " + taken(5, 30, 12), 4),
    probe("train", "u4", taken(4, 0, 30), " " + taken(4, 30, 3), 0),
    probe("train", "u3", "one", " two", 0),
    probe("validation", "v", NEW[0], NEW[1], 1),
]


def write(
    directory: Path, tasks: dict[str, Sequence[Item]], model: Path, corpus: Path | None = None
) -> Path:
    inputs = {"model": [model]} | ({"corpus": [corpus]} if corpus else {})
    with writing(directory, stage=EVALUATE, config=Config(), inputs=inputs) as draft:
        draft.write("empty", b"")
        draft.facts["num_parameters"] = 1000
        for task, items in tasks.items():
            result = Result(
                task=task, protocol=f"{task}:1", comparable_to=None, num_items=len(items),
                num_available=len(items), scores=[], seconds=0.0,
            )  # fmt: skip
            write_result(draft, result, items)
    return directory


def trained(directory: Path, epochs: float) -> Path:
    with writing(directory, stage="train", config=Config(), inputs={}) as draft:
        draft.write("weights", b"")
        draft.facts["epochs"] = epochs
    return directory


def measured(folder: Path, texts: Sequence[str]) -> Copying:
    index_corpus(write_jsonl(folder / "c.jsonl", texts), folder / "index", OverlapConfig())
    run = trained(folder / "runs" / "small", 3.0)
    write(folder / "small", {"copying-samples": SAMPLES, "extraction": PROBES_ASKED}, run)
    measure_copying(folder / "index", [folder / "small"], folder / "out", OverlapConfig())
    return read_copying(folder / "out")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("copied")
    measured(found, [*TRAINING, f"Once more {TWICE}"])
    return found


def test_a_planted_copy_is_a_share_and_a_passage_with_its_address(folder: Path) -> None:
    rows = list(read_rows([folder / "out" / TEXTS_FILE], TEXTS))
    assert [(row["item"], row["kind"], row["num_found"], row["num_ngrams"]) for row in rows] == [
        ("a", "written", 13, 113),
        ("a", "held-out", 0, 43),
        ("b", "written", 0, 43),
        ("b", "held-out", 1, 51),
        ("c", "written", 0, 0),
        ("c", "held-out", 33, 33),
    ]
    copied = taken(2, 10, 20)
    first = rows[0]
    assert first["text"][first["longest_start"] : first["longest_end"]] == copied
    assert (first["starts"], first["ends"]) == ([first["longest_start"]], [first["longest_end"]])
    assert (first["longest_words"], first["url"]) == (20, "file:c.jsonl#3")
    assert TRAINING[2][first["document_start"] : first["document_end"]] == copied
    assert [row["item"] for row in most_copied(folder / "out", 9)] == ["a"]


def test_the_shares_are_those_of_figure_5(folder: Path) -> None:
    (model,) = read_copying(folder / "out").models
    assert model.samples is not None
    assert model.held_out is not None
    assert (model.name, model.epochs, model.num_parameters) == ("small", 3.0, 1000)
    assert model.samples.shares == [0.0, 13 / 113]
    assert (model.samples.num_texts, model.samples.num_short) == (2, 1)
    assert (model.samples.without.value, model.samples.below.value) == (0.5, 0.5)
    assert model.held_out.shares == [0.0, 1 / 51, 1.0]
    assert model.held_out.median.value == 1 / 51
    assert model.samples.longest is not None
    assert model.samples.longest.words == taken(2, 10, 20)
    manifest = read_manifest(folder / "out")
    assert manifest.counts == {"in": 11, "out": 10}
    assert manifest.dropped == {"fewer than 8 words": 1}


def test_probes_are_grouped_by_how_many_documents_have_their_words(folder: Path) -> None:
    (model,) = read_copying(folder / "out").models
    assert model.num_tokens == 10
    assert [
        (row.is_held_out, row.documents, row.seen, row.num_probes, row.exact.value)
        for row in model.extraction
    ] == [
        (False, "1", "3", 2, 0.5),
        (False, "2 to 9", "6 to 27", 1, 0.0),
        (False, "", "", 1, 0.0),
        (True, "0", "0", 1, 0.0),
    ]
    assert [row.matching.value for row in model.extraction] == [5.0, 4.0, 0.0, 1.0]
    rows = read_rows([folder / "out" / PROBES_FILE], PROBES)
    assert [(row["url"], row["num_documents"]) for row in rows] == [
        ("u0", 1), ("u5", 2), ("u4", 1), ("u3", None), ("v", 0),
    ]  # fmt: skip


def test_of_a_short_continuation_the_words_before_it_are_looked_for_too() -> None:
    assert recited("a b c d", " e f g h i j", n=4) == "e f g h i "[:-1] + " "
    assert recited("a b c d", " e f g", n=4) == "c d e f "
    assert recited("a", " b", n=4) == "a "
    assert recited("🎉", "🎉", n=4) == ""


def test_the_order_of_the_corpus_changes_nothing(folder: Path, tmp_path: Path) -> None:
    again = measured(tmp_path, [f"Once more {TWICE}", *TRAINING[::-1]])
    before = read_copying(folder / "out")
    assert again.models[0].extraction == before.models[0].extraction
    assert again.models[0].held_out is not None
    assert before.models[0].held_out is not None
    assert again.models[0].held_out.shares == before.models[0].held_out.shares


def test_models_of_one_name_are_told_apart_by_their_paths(folder: Path, tmp_path: Path) -> None:
    for name in ("x", "y"):
        write(tmp_path / name / "r", {"copying-samples": SAMPLES}, folder / "c.jsonl")
    both = [tmp_path / "x" / "r", tmp_path / "y" / "r"]
    measure_copying(folder / "index", both, tmp_path / "out", OverlapConfig())
    models = read_copying(tmp_path / "out").models
    assert [(one.name, one.epochs, one.extraction) for one in models] == [
        ("x/r", None, []),
        ("y/r", None, []),
    ]
    with pytest.raises(InputError, match="named twice"):
        measure_copying(folder / "index", [both[0]] * 2, tmp_path / "twice", OverlapConfig())


def test_results_without_samples_or_probes_are_refused(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "r", {"samples": SAMPLES}, folder / "c.jsonl")
    with pytest.raises(InputError, match="no results of the tasks copying-samples and extraction"):
        measure_copying(folder / "index", [tmp_path / "r"], tmp_path / "out", OverlapConfig())


def test_models_of_another_corpus_are_refused_or_said_to_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, text in (("ours", TRAINING[0]), ("other", TRAINING[1])):
        with writing(tmp_path / name, stage="corpus", config=Config(), inputs={}) as draft:
            write_documents(draft, [Document(url="u0", text=text)])
    index_corpus(tmp_path / "other", tmp_path / "index", OverlapConfig())
    asked = {"extraction": PROBES_ASKED[:1]}
    model = write_jsonl(tmp_path / "model", [])
    write(tmp_path / "known", asked, model, corpus=tmp_path / "ours")
    with pytest.raises(InputError, match="its samples and probes are of another corpus"):
        measure_copying(tmp_path / "index", [tmp_path / "known"], tmp_path / "out", OverlapConfig())
    write(tmp_path / "unknown", asked, model)
    measure_copying(tmp_path / "index", [tmp_path / "unknown"], tmp_path / "out", OverlapConfig())
    assert "not one of 1 probes of training documents is in other" in caplog.text
