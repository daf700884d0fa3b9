"""Countings, own training texts, what chance would share, and intervals."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.reference.overlap import slow_counts, slow_known, slow_row
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, writing
from wellread.base.seeds import generator
from wellread.formats import overlap
from wellread.formats.documents import Document, write_documents
from wellread.formats.overlap import Overlap, read_overlap, read_overlap_items, table_6
from wellread.formats.results import STAGE as EVALUATE
from wellread.formats.results import Item, Result, Score, write_result
from wellread.overlap.config import OverlapConfig
from wellread.overlap.counting import Count, shares
from wellread.overlap.index import index_corpus
from wellread.overlap.measure import measure_test_sets

ALPHABET = [f"letter{number}" for number in range(12)]
RHYME = "this is the house that jack built and this is the malt"
SCORE = Score(metric="f1", value=0, low=None, high=None, num_items=1, higher_is_better=True)


def jsonl(path: Path, texts: Sequence[str]) -> Path:
    lines = [
        msgspec.json.encode({"text": text, "url": f"{path.stem}:{number:05}"}) + b"\n"
        for number, text in enumerate(texts)
    ]
    path.write_bytes(b"".join(lines))
    return path


def few_words(purpose: str, num_words: int, *, lines: bool = True) -> str:
    """Of two words only, so that 8-grams come again by chance, in lines of about ten."""
    random = generator(0, purpose)
    between = np.where(random.random(num_words) < 0.1, "\n", " ") if lines else [" "] * num_words
    words = random.integers(2, size=num_words)
    return "".join(f"w{word}{space}" for word, space in zip(words, between, strict=True))


def measured(tmp_path: Path, corpus: Sequence[str], tests: Sequence[Path], **more: Path) -> Overlap:
    index_corpus(jsonl(tmp_path / "corpus.jsonl", corpus), tmp_path / "index", OverlapConfig())
    measure_test_sets(tmp_path / "index", tests, tmp_path / "out", OverlapConfig(), own_train=more)
    return read_overlap(tmp_path / "out")


def counts(found: overlap.TestSet) -> dict[str, list[int]]:
    return {way: [one.num_ngrams, one.num_found] for way, one in found.shares.items()}


def test_every_counting_is_that_of_sets_of_strings(tmp_path: Path) -> None:
    corpus = [few_words(f"corpus {number}", 60) for number in range(3)]
    own = [few_words(f"own {number}", 40) for number in range(2)]
    items = [few_words(f"item {number}", 5 + number) for number in range(30)]
    test = jsonl(tmp_path / "test.jsonl", items)
    [found] = measured(tmp_path, corpus, [test], test=jsonl(tmp_path / "own.jsonl", own)).test_sets
    known = slow_known(corpus)
    assert counts(found) == slow_counts(items, known)
    assert 0 < found.shares["unique"].num_found < found.shares["within"].num_found
    assert found.own_train is not None
    theirs = {way: [one.num_ngrams, one.num_found] for way, one in found.own_train.shares.items()}
    assert theirs == slow_counts(items, slow_known(own))
    assert (found.own_train.name, found.own_train.num_documents) == ("own.jsonl", 2)
    rows = list(read_overlap_items(tmp_path / "out"))
    assert [{key: row[key] for key in slow_row("", known)} for row in rows] == [
        slow_row(item, known) for item in items
    ]
    assert [row["num_own_found"] for row in rows] == [
        slow_row(item, slow_known(own))["num_found"] for item in items
    ]
    assert found.num_short == 3  # of 5, 6 and 7 words


def test_ngrams_have_as_many_words_as_those_of_the_index(tmp_path: Path) -> None:
    config = OverlapConfig(ngram_words=5)
    index_corpus(jsonl(tmp_path / "c.jsonl", [RHYME]), tmp_path / "index", config)
    test = jsonl(tmp_path / "t.jsonl", ["the house that jack built was sold"])
    manifest = measure_test_sets(tmp_path / "index", [test], tmp_path / "out", OverlapConfig())
    [found] = read_overlap(tmp_path / "out").test_sets
    assert (found.whole.num_ngrams, found.whole.num_found) == (3, 1)
    assert manifest.config["ngram_words"] == 5


def test_shuffled_words_share_what_chance_gives(tmp_path: Path) -> None:
    """A text of one word is the same in any order; one of different words is not."""
    same, different = "ha " * 20, " ".join(ALPHABET)
    corpus = [same, different]
    tests = [jsonl(tmp_path / "a.jsonl", [same]), jsonl(tmp_path / "b.jsonl", [different])]
    first, second = measured(tmp_path, corpus, tests).test_sets
    assert (first.whole.share, first.shuffled.share) == (1.0, 1.0)
    assert (second.whole.share, second.shuffled.share) == (1.0, 0.0)
    assert (second.num_by_chance, second.shuffled.num_ngrams) == (pytest.approx(5e-8), 5)


def test_what_is_measured_does_not_depend_on_the_order_of_items(tmp_path: Path) -> None:
    index_corpus(
        jsonl(tmp_path / "c.jsonl", [few_words("corpus", 300)]), tmp_path / "index", OverlapConfig()
    )
    lines = jsonl(tmp_path / "t.jsonl", [few_words(f"{n}", 30) for n in range(9)])
    turned = tmp_path / "turned.jsonl"
    turned.write_bytes(b"".join(reversed(lines.read_bytes().splitlines(keepends=True))))

    def found(path: Path, out: str) -> tuple[Overlap, list[dict[str, object]]]:
        tests = [Path(f"t={path}")]
        measure_test_sets(tmp_path / "index", tests, tmp_path / out, OverlapConfig())
        return read_overlap(tmp_path / out), list(read_overlap_items(tmp_path / out))

    assert found(lines, "one") == found(turned, "two")


def test_documents_are_what_intervals_resample(tmp_path: Path) -> None:
    """Of forty windows of two documents, one known and one not, a resample has 0, half or all."""
    known = " ".join(ALPHABET)
    items = [
        Item(
            item=f"{number:02}", text=known if number < 20 else " ".join(ALPHABET[::-1]),
            prompt="", target="", unit="known" if number < 20 else "new",
        )
        for number in range(40)
    ]  # fmt: skip
    result = Result(
        task="windows", protocol="windows:1", comparable_to=None, num_items=40,
        num_available=40, scores=[SCORE], seconds=0.0,
    )  # fmt: skip
    with writing(tmp_path / "results", stage=EVALUATE, config=Config(), inputs={}) as draft:
        write_result(draft, result, items)
    [found] = measured(tmp_path, [known], [tmp_path / "results"]).test_sets
    assert (found.num_items, found.num_units) == (40, 2)
    assert (found.whole.low, found.whole.share, found.whole.high) == (0.0, 0.5, 1.0)
    assert next(read_overlap_items(tmp_path / "out"))["unit"] == "known"


def test_a_share_of_none_or_of_one_document_has_no_interval() -> None:
    random = generator(0, "test")
    none = Count(np.array([5.0, 5.0]), np.zeros(2))
    [found] = shares(["a", "b"], [none], random)
    assert (found.low, found.share, found.high) == (None, 0.0, None)
    some = Count(np.array([5.0, 5.0]), np.array([1.0, 2.0]))
    [found] = shares(["a", "a"], [some], random)
    assert (found.low, found.share, found.high) == (None, 0.3, None)


def test_table_6_has_means_over_the_sets_it_names(tmp_path: Path) -> None:
    half = " ".join(ALPHABET) + " " + " ".join(ALPHABET[::-1])
    tests = [
        Path(f"ptb={jsonl(tmp_path / 'p.jsonl', [half])}"),
        Path(f"mine={jsonl(tmp_path / 'm.jsonl', [' '.join(ALPHABET)])}"),
    ]
    own, corpus = table_6(
        measured(tmp_path, [" ".join(ALPHABET)], tests, ptb=jsonl(tmp_path / "o.jsonl", [half]))
    )
    assert (own.mean(["ptb", "mine"]), own.paper) == (1.0, {"ptb": pytest.approx(0.0267)})
    assert corpus.mean(["ptb", "mine"]) == pytest.approx((5 / 17 + 1) / 2)
    assert corpus.paper_mean(["ptb", "mine"]) == pytest.approx(0.0088)


def test_two_documents_are_no_test_set_together_unless_they_are_named_apart(
    tmp_path: Path,
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.txt").write_text(f"{folder} {RHYME}")
    other = tmp_path / "b" / "test.md"
    other.write_text(RHYME)
    a, b = (tmp_path / folder / "test.txt" for folder in ("a", "b"))
    for both in ([a, b], [a, other], [Path(f"x={a}"), Path(f"x={other}")], [a, Path(f"test={b}")]):
        with pytest.raises(InputError, match=r"would be one test set, .* as NAME=PATH"):
            measured(tmp_path, [RHYME], both)
        assert not (tmp_path / "out").exists()
    named = [Path(f"{path.parent.name}={path}") for path in (a, b)]
    assert [one.name for one in measured(tmp_path, [RHYME], named).test_sets] == ["a", "b"]


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("caf\u00e9".encode("latin-1"))
    with pytest.raises(InputError, match=r"no items to measure; .* left out: not UTF-8 1 \(first"):
        measured(tmp_path, [RHYME], [latin])
    with pytest.raises(InputError, match=r"own train of 'ptp': there is no such test set.* t"):
        measured(tmp_path, [RHYME], [jsonl(tmp_path / "t.jsonl", [RHYME])], ptp=latin)
    assert not (tmp_path / "out").exists()


def test_no_part_of_the_corpus_is_a_test(tmp_path: Path) -> None:
    for name, text in (("novels/a.txt", RHYME), ("novels/b.txt", " ".join(ALPHABET))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    index, config = tmp_path / "index", OverlapConfig()
    index_corpus(tmp_path / "novels", index, config)
    new = tmp_path / "new.txt"
    new.write_text(RHYME)
    for test in ("novels", "novels/b.txt", "", f"mine={tmp_path / 'novels' / 'a.txt'}"):
        place = Path(test) if "=" in test else tmp_path / test
        with pytest.raises(InputError, match=r"has a file of, what .*index was made of, so that"):
            measure_test_sets(index, [new, place], tmp_path / "out", config)
    measure_test_sets(index, [new], tmp_path / "out", config)
    assert [one.name for one in read_overlap(tmp_path / "out").test_sets] == ["new"]


def test_a_file_inside_the_corpus_is_no_test(tmp_path: Path) -> None:
    with writing(tmp_path / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, [Document(url="a", text=RHYME)])
    index_corpus(tmp_path / "corpus", tmp_path / "index", OverlapConfig())
    for test in (tmp_path / "corpus", tmp_path / "corpus" / "documents-00000.parquet"):
        with pytest.raises(InputError, match=r"has a file of, what .*index was made of, so that"):
            measure_test_sets(tmp_path / "index", [test], tmp_path / "out", OverlapConfig())


def test_of_a_corpus_with_splits_the_held_out_ones_are_the_test(tmp_path: Path) -> None:
    documents = [
        Document(url="a", text=RHYME), Document(url="b", text=" ".join(ALPHABET), split="test"),
    ]  # fmt: skip
    with writing(tmp_path / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    index_corpus(tmp_path / "corpus", tmp_path / "index", OverlapConfig())
    measure_test_sets(tmp_path / "index", [tmp_path / "corpus"], tmp_path / "out", OverlapConfig())
    [found] = read_overlap(tmp_path / "out").test_sets
    assert (found.num_items, found.whole.num_ngrams, found.whole.num_found) == (1, 5, 0)


def test_another_own_training_text_is_another_table(tmp_path: Path) -> None:
    test = jsonl(tmp_path / "test.jsonl", [RHYME])
    index_corpus(jsonl(tmp_path / "c.jsonl", [RHYME]), tmp_path / "index", OverlapConfig())

    def again(**own: Path) -> Manifest:
        return measure_test_sets(
            tmp_path / "index", [test], tmp_path / "out", OverlapConfig(), own_train=own
        )

    first = again()
    assert again() == first
    second = again(test=test)
    assert (second.digest != first.digest, again(test=test) == second) == (True, True)


def test_planted_overlap_lies_in_the_interval(tmp_path: Path) -> None:
    """Each item has the corpus's words to a share that is drawn anew, 20 % of them on average."""
    corpus = " ".join(f"c{number}" for number in range(30_000))
    words, random = corpus.split(), generator(0, "planted")
    items, planted, total = [], 0, 0
    for number in range(300):
        size = int(random.choice([0, 27, 47], p=[0.4, 0.3, 0.3]))
        start = int(random.integers(len(words) - size))
        items.append(
            " ".join(words[start : start + size] + [f"n{number}x{k}" for k in range(100 - size)])
        )
        planted += max(size - 7, 0)
        total += 93
    [found] = measured(tmp_path, [corpus], [jsonl(tmp_path / "t.jsonl", items)]).test_sets
    whole = found.whole
    assert (whole.num_found, whole.num_ngrams) == (planted, total)
    assert whole.low is not None
    assert whole.high is not None
    assert whole.low < 0.3 * (20 + 40) / 93 < whole.high  # what they were drawn from
    assert whole.high - whole.low < 0.05


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """Items with shares drawn from a beta distribution of mean 0.1, in documents of 5."""
    hits, trials = 0, 300
    for trial in range(trials):
        random = generator(trial, "coverage")
        share = np.repeat(random.beta(1, 9, size=80), 5)
        ngrams = random.integers(20, 60, size=400).astype(float)
        held = random.binomial(ngrams.astype(int), share).astype(float)
        units = [str(number // 5) for number in range(400)]
        [found] = shares(units, [Count(ngrams, held)], random)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.1 <= found.high
    assert 0.91 <= hits / trials <= 0.98  # the percentile bootstrap of 80 skewed units is short


@pytest.mark.real
def test_real_sets_have_the_shares_of_sets_of_strings(real_data: Path, tmp_path: Path) -> None:
    novels = sorted((real_data / "documents" / "novels").glob("*.txt"))[:6]
    corpus = [novel.read_text(encoding="utf-8") for novel in novels]
    lines = (real_data / "benchmarks" / "lambada" / "lambada_test.jsonl").read_bytes().splitlines()
    lambada = [msgspec.json.decode(line)["text"] for line in lines]
    wikitext = (real_data / "benchmarks" / "wikitext2" / "test.txt").read_text(encoding="utf-8")
    pieces = [wikitext[start : start + 9000] for start in range(0, len(wikitext), 9000)]
    own = (real_data / "benchmarks" / "wikitext2" / "valid.txt").read_text(encoding="utf-8")
    tests = [
        jsonl(tmp_path / "lambada.jsonl", lambada), jsonl(tmp_path / "wikitext2.jsonl", pieces),
    ]  # fmt: skip
    found = {
        one.name: one
        for one in measured(
            tmp_path, corpus, tests, wikitext2=jsonl(tmp_path / "own.jsonl", [own])
        ).test_sets
    }
    known = slow_known(corpus)
    assert counts(found["lambada"]) == slow_counts(lambada, known)
    assert counts(found["wikitext2"]) == slow_counts(pieces, known)
    its_own = found["wikitext2"].own_train
    assert its_own is not None
    assert {way: [one.num_ngrams, one.num_found] for way, one in its_own.shares.items()} == (
        slow_counts(pieces, slow_known([own]))
    )
