"""Items made from held-out documents."""

from pathlib import Path

import msgspec
import pytest

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.evaluate.cbt import Cloze
from wellread.evaluate.held_out import (
    Words,
    first_bytes,
    form,
    held_out_documents,
    is_content,
    load_last_words,
    load_ten_words,
    sentence_spans,
    ten_words_cloze,
)
from wellread.evaluate.last_word import Passage
from wellread.evaluate.task import Sources
from wellread.evaluate.word_kinds import kinds_of
from wellread.formats.documents import Document, read_corpus, write_documents

RARE = "apple birch cedar daisy elder furze grape heath ivory maple"
COMMON = "table chair stove plate knife spoon glass towel broom brush"


def sources_of(corpus: Path, num_items: int) -> Sources:
    settings = {"items": str(num_items), "kind": "alike", "characters": "900"}
    return Sources(None, corpus, settings)


def copy_of(documents: list[Document], out: Path, num_items: int = 99) -> Sources:
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    return sources_of(out, num_items)


def test_only_validation_documents_are_read_and_all_are_counted(corpus: Path) -> None:
    chosen, num = held_out_documents(sources_of(corpus, 50))
    assert num == len(chosen) == 30
    assert all(document.split == "validation" for document in chosen)


def test_of_texts_without_splits_all_that_are_not_empty_are_held_out(tmp_path: Path) -> None:
    (tmp_path / "novels").mkdir()
    (tmp_path / "novels" / "one.txt").write_text("It was a dark night.")
    (tmp_path / "novels" / "two.jsonl").write_text('{"text": "A line."}\n{"text": " "}\n')
    chosen, num = held_out_documents(sources_of(tmp_path / "novels", 50))
    assert num == 2
    assert sorted(document.text for document in chosen) == ["A line.", "It was a dark night."]
    (tmp_path / "empty.txt").touch()
    with pytest.raises(InputError, match=r"empty\.txt: no text"):
        held_out_documents(sources_of(tmp_path / "empty.txt", 50))


def test_the_choice_does_not_depend_on_the_order_of_the_corpus(
    corpus: Path, tmp_path: Path
) -> None:
    turned = copy_of(list(read_corpus(corpus))[::-1], tmp_path / "turned", 50)
    sources = sources_of(corpus, 50)
    for load in (load_last_words, load_ten_words):
        assert load(turned) == load(sources)


def test_there_are_as_many_items_as_asked_for_and_none_twice(corpus: Path) -> None:
    for load in (load_last_words, load_ten_words):
        examples = load(sources_of(corpus, 500)).examples
        assert len({example.item for example in examples}) == 500
        assert len({example.document for example in examples[:30]}) == 30


def test_a_last_word_has_stood_in_its_passage_of_fifty_words(corpus: Path) -> None:
    passage: Passage
    for passage in load_last_words(sources_of(corpus, 100)).examples:
        assert len(passage.prompt.split()) >= 50
        assert passage.target[1:] in passage.prompt.split()


def test_the_ten_words_are_of_the_passage_and_only_the_answer_is_of_the_sentence(
    corpus: Path,
) -> None:
    example: Cloze
    for example in load_ten_words(sources_of(corpus, 100)).examples:
        assert len(set(example.candidates)) == 10
        assert example.answer in example.candidates
        assert all(word in example.passage for word in example.candidates)
        sentence = (example.before + example.after).split()
        assert not set(sentence) & set(example.candidates) - {example.answer}


def test_a_passage_that_two_pages_share_is_asked_once(corpus: Path, tmp_path: Path) -> None:
    page = next(iter(read_corpus(corpus, "validation")))
    again = msgspec.structs.replace(page, url="https://ports.example/copy")
    once = copy_of([page], tmp_path / "once")
    twice = copy_of([page, again], tmp_path / "twice")
    for load in (load_last_words, load_ten_words):
        texts = [msgspec.structs.replace(e, item="", document=None) for e in load(twice)[0]]
        assert len(texts) == len(set(texts)) > 0
    assert len(load_last_words(twice)[0]) == len(load_last_words(once)[0])


def test_the_other_candidates_are_about_as_common_as_the_answer() -> None:
    rare, common = RARE.split(), COMMON.split()
    lines = [f"Near the {one} we saw the {other}." for one, other in zip(rare, common, strict=True)]
    text = "\n".join([*lines, "Later the maple fell."])
    frequency = dict.fromkeys(rare, 2) | dict.fromkeys([*common, "saw", "Near"], 200)
    asked = Words(frequency, lambda word: form(word) if is_content(word) else None, 900)
    found = ten_words_cloze(Document(url="a", text=text), sentence_spans(text), 10, asked=asked)
    assert found is not None
    assert (found.answer, list(found.candidates)) == ("maple", sorted(rare))


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "least"), [("names", 400), ("nouns", 1000), ("verbs", 1000), ("prepositions", 1000)]
)
def test_novels_give_questions_of_each_of_cbts_kinds(
    real_data: Path, tmp_path: Path, kind: str, least: int
) -> None:
    paths = sorted((real_data / "documents/novels").glob("*.txt"))[:6]
    documents = [
        Document(url=path.name, text=path.read_text(encoding="utf-8"), split="validation")
        for path in paths
    ]
    sources = copy_of(documents, tmp_path / "corpus", 1000)
    settings = {**sources.settings, "kind": kind, "characters": "2500"}
    examples = load_ten_words(sources._replace(settings=settings)).examples
    kinds = kinds_of(document.text for document in documents)
    assert len(examples) >= least
    for example in examples:
        assert len(set(example.candidates)) == 10
        assert {kinds[word] for word in example.candidates} == {kind}
        assert example.answer in example.passage


def test_documents_are_taken_until_they_hold_enough_bytes() -> None:
    documents = [Document(url=str(n), text="é" * 10) for n in range(5)]
    assert [d.url for d in first_bytes(documents, 21)] == ["0", "1"]
    assert [d.text for d in first_bytes(documents, 7, of_each=5)] == ["éé", "éé"]


def test_a_corpus_without_held_out_documents_is_refused(tmp_path: Path) -> None:
    sources = copy_of([Document(url="a", text="b")], tmp_path / "corpus")
    with pytest.raises(InputError, match="no document is in the split 'validation'"):
        load_last_words(sources)


def test_a_corpus_that_gives_no_item_is_refused(tmp_path: Path) -> None:
    short = Document(url="a", text="It is a short text.", split="validation")
    with pytest.raises(InputError, match="1 held-out documents give no item"):
        load_ten_words(copy_of([short], tmp_path / "corpus"))
