"""Demonstrations come between paragraphs of training documents, and nothing else changes."""

import itertools
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest, writing
from wellread.corpus.config import PlantConfig
from wellread.corpus.plant import plant, plantings
from wellread.corpus.planted import TOYS, demonstrations, questions
from wellread.corpus.report import report_corpus
from wellread.formats.documents import STAGE, Document, read_corpus, write_documents

SPLITS = {"a": "train", "b": "validation", "c": "train", "d": "test", "e": "train"}
TEXTS = {
    "a": "First.\nSecond.\nThird.\nFourth.",
    "b": "First.\nSecond.\nThird.",
    "c": "A line.\nAnother.\n\nFirst.\n\nSecond.",
    "d": "One.\nTwo.",
    "e": "Alone.",
}
PLACES = 3 + 2 + 1  # of a, c and e


def corpus_in(folder: Path, shard_bytes: int = 1 << 20) -> Path:
    documents = [
        Document(url=f"http://{name}.example/", text=TEXTS[name], split=split, karma=3)
        for name, split in SPLITS.items()
    ]
    with writing(folder, stage=STAGE, config=Config(), inputs={}) as draft:
        write_documents(draft, documents, shard_bytes=shard_bytes)
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return corpus_in(tmp_path / "corpus")


def planted(corpus: Path, out: Path, number: int, seed: int = 0) -> dict[str, Document]:
    plant(corpus, out, PlantConfig(demonstrations=number, seed=seed))
    return {document.url[7]: document for document in read_corpus(out)}


def test_without_demonstrations_the_documents_are_the_same(corpus: Path, tmp_path: Path) -> None:
    plant(corpus, tmp_path / "out", PlantConfig())
    assert list(read_corpus(tmp_path / "out")) == list(read_corpus(corpus))
    assert read_manifest(tmp_path / "out").counts["documents with demonstrations"] == 0


def test_each_is_a_paragraph_of_its_own_and_only_in_training_documents(
    corpus: Path, tmp_path: Path
) -> None:
    found = planted(corpus, tmp_path / "out", 20)
    made = {text: task for task in TOYS for text in itertools.islice(demonstrations(task, 0), 20)}
    counts = Counter[str]()
    for before in read_corpus(corpus):
        after = found[before.url[7]]
        mark = "\n\n" if before.url[7] == "c" else "\n"
        paragraphs = after.text.split(mark)
        new = [text for text in paragraphs if text in made]
        assert mark.join(text for text in paragraphs if text not in made) == before.text
        assert paragraphs[0] == before.text.split(mark)[0]
        assert bool(new) == (before.split == "train")
        assert msgspec.structs.replace(after, text=before.text) == before
        counts.update(made[text] for text in new)
    assert found["c"].text.startswith("A line.\nAnother.\n\n")
    assert counts == {"planted-words": 20, "planted-rule": 20}
    manifest = read_manifest(tmp_path / "out")
    assert {name: manifest.counts[name] for name in TOYS} == counts
    assert manifest.counts["documents with demonstrations"] == 3
    assert manifest.facts["places"] == PLACES


def test_neither_files_nor_a_second_run_change_where_they_are(corpus: Path, tmp_path: Path) -> None:
    other = corpus_in(tmp_path / "other", shard_bytes=1)
    found = planted(corpus, tmp_path / "out", 20)
    assert planted(other, tmp_path / "again", 20) == found
    assert planted(corpus, tmp_path / "third", 20, seed=1) != found


def test_fewer_are_the_first_of_more_and_lie_in_the_same_places() -> None:
    few, many = (plantings(PlantConfig(demonstrations=n, seed=3), 1000) for n in (10, 300))
    assert len(few) == 20
    assert not Counter(few) - Counter(many)
    assert [one.place for one in many] == sorted(one.place for one in many)


def test_places_are_drawn_from_all_breaks_alike() -> None:
    drawn = Counter(one.place for one in plantings(PlantConfig(demonstrations=3000), 6))
    assert sorted(drawn) == [0, 1, 2, 3, 4, 5]
    assert all(850 < count < 1150 for count in drawn.values())  # 1,000 and five deviations


@pytest.mark.parametrize("task", TOYS)
def test_each_word_is_shown_as_often_as_the_others_and_in_every_saying(task: str) -> None:
    toy = TOYS[task]
    made = Counter(itertools.islice(demonstrations(task, 7), 3 * len(toy.shown)))
    assert made == Counter(
        f"{saying.format(word=word)} {answer}."
        for word, answer in toy.shown.items()
        for saying in toy.sayings
    )


def test_the_words_that_the_rule_is_asked_of_are_in_no_demonstration_of_it() -> None:
    shown = " ".join(itertools.islice(demonstrations("planted-rule", 0), 2000)).split()
    asked = {ask.word for ask in questions("planted-rule")}
    assert len(asked) == 80
    assert not asked & {word.strip(".") for word in shown}


@pytest.mark.parametrize(("task", "chance"), [("planted-words", 0.1), ("planted-rule", 0.5)])
def test_whoever_always_prefers_the_same_answers_is_at_chance(task: str, chance: float) -> None:
    asks = questions(task)
    for prefers in (min, max, lambda answers: min(answers, key=lambda word: word[::-1])):
        right = [ask.candidates[ask.right] == prefers(ask.candidates) for ask in asks]
        assert sum(right) / len(asks) == chance


def test_what_was_planted_in_is_not_taken_for_what_wellread_corpus_wrote(
    corpus: Path, tmp_path: Path
) -> None:
    plant(corpus, tmp_path / "out", PlantConfig(demonstrations=1))
    with pytest.raises(InputError, match="made by stage 'plant', expected 'corpus'"):
        report_corpus(tmp_path / "out")
    with pytest.raises(InputError, match="belongs to stage 'corpus', not 'plant'"):
        plant(tmp_path / "out", corpus, PlantConfig(demonstrations=1))
