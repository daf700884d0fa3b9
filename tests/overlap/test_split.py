"""`overlap split-check`: a test set in its training set, a set in itself."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.reference.ngrams import slow_ngrams
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.cli.main import app
from wellread.formats import tables
from wellread.formats.documents import Document, write_documents
from wellread.formats.split_check import ITEMS, read_split_check
from wellread.overlap import split
from wellread.overlap.config import SplitConfig
from wellread.overlap.split import check_split, write_split_check


def jsonl(path: Path, texts: dict[str, str]) -> Path:
    lines = [msgspec.json.encode({"url": url, "text": text}) + b"\n" for url, text in texts.items()]
    path.write_bytes(b"".join(lines))
    return path


def words(purpose: str, num: int, kinds: int = 10**6) -> str:
    return " ".join(f"w{n}" for n in generator(0, purpose).integers(kinds, size=num))


def some_texts(purpose: str, num: int) -> dict[str, str]:
    """Of two words, so that n-grams come again in several texts."""
    sizes = generator(0, purpose).integers(4, 60, size=num)
    return {f"{purpose}-{n}": words(f"{purpose} {n}", int(s), 2) for n, s in enumerate(sizes)}


def test_items_are_found_as_sets_of_strings_say(tmp_path: Path) -> None:
    train, test = some_texts("train", 12), some_texts("test", 40)
    found, rows = check_split(
        jsonl(tmp_path / "train.jsonl", train), jsonl(tmp_path / "test.jsonl", test), SplitConfig()
    )
    grams = {url: set(slow_ngrams(text)) for url, text in train.items()}
    assert any(len(set(slow_ngrams(t))) < len(slow_ngrams(t)) for t in test.values())
    known = set().union(*grams.values())
    assert (found.num_items, found.num_train_documents) == (40, 12)
    assert [row["num_found"] for row in rows] == [
        sum(one in known for one in slow_ngrams(text)) for text in test.values()
    ]
    for row, text in zip(rows, test.values(), strict=True):
        own = slow_ngrams(text)
        shared = {url: sum(one in theirs for one in own) for url, theirs in grams.items()}
        assert row["num_found"] >= row["num_in_document"]
        assert row["num_in_document"] == max(shared.values())
        if row["document"] is not None:
            assert shared[row["document"]] == max(shared.values())
    assert found.num_short == sum(not slow_ngrams(text) for text in test.values()) > 0


def slow_inside(texts: Sequence[str]) -> list[int]:
    sets = [set(slow_ngrams(text)) for text in texts]
    return [
        sum(
            any(one in theirs for other, theirs in enumerate(sets) if other != number)
            for one in slow_ngrams(text)
        )
        for number, text in enumerate(texts)
    ]


def test_a_set_is_held_against_itself_as_sets_of_strings_say(tmp_path: Path) -> None:
    texts = some_texts("alone", 25) | {"other": words("other", 40)}
    found, rows = check_split(jsonl(tmp_path / "set.jsonl", texts), None, SplitConfig())
    assert found.kind == "inside"
    assert [row["num_found"] for row in rows] == slow_inside(list(texts.values()))
    assert all(row["document"] != row["item"] for row in rows)
    assert (rows[-1]["num_found"], rows[-1]["document"]) == (0, None)


def test_whole_and_nearly_whole_items_are_counted_and_named(tmp_path: Path) -> None:
    """Of 107 words an item has 100 n-grams; a changed word takes eight of them away."""
    article = words("article", 107)
    changed = article.split()
    changed[30] = changed[70] = "changed"
    train = {"https://a.example/": f"before {article} after", "https://b.example/": words("b", 99)}
    test = {
        "whole": article,
        "nearly": " ".join(changed),
        "half": f"{' '.join(article.split()[:57])} {words('half', 50)}",
        "none": words("none", 107),
    }
    found, _ = check_split(
        jsonl(tmp_path / "train.jsonl", train), jsonl(tmp_path / "test.jsonl", test), SplitConfig()
    )
    assert (found.num_whole, found.num_nearly) == (1, 1)
    assert [(one.item, one.num_found, one.document) for one in found.worst] == [
        ("whole", 100, "https://a.example/"),
        ("nearly", 84, "https://a.example/"),
        ("half", 50, "https://a.example/"),
    ]
    assert found.items_by_share["none"] == 1
    assert found.share.num_found == 234
    assert found.verdict.startswith("58.50 % (95 % ")
    assert "of the 8-grams of test.jsonl are in train.jsonl; of 4 items 1 whole" in found.verdict


def test_planted_copies_are_found_at_their_rate(tmp_path: Path) -> None:
    train = {str(n): words(f"train {n}", 120) for n in range(60)}
    is_copy = generator(0, "copies").random(200) < 0.15
    test = {
        f"t{n}": " ".join(train[str(n % 60)].split()[10:50]) if copy else words(f"test {n}", 40)
        for n, copy in enumerate(is_copy)
    }
    found, _ = check_split(
        jsonl(tmp_path / "train.jsonl", train), jsonl(tmp_path / "test.jsonl", test), SplitConfig()
    )
    assert found.num_whole == np.count_nonzero(is_copy)
    assert found.share.low is not None
    assert found.share.high is not None
    assert found.share.low < 0.15 < found.share.high


def corpus(out: Path) -> Path:
    documents = [
        Document(url="one", text=words("same", 50)),
        Document(url="two", text=words("two", 50), split="train"),
        Document(url="three", text=words("same", 50), split="validation"),
        Document(url="four", text=words("four", 50), split="test"),
    ]
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    return out


def test_of_a_corpus_the_splits_are_held_against_each_other(tmp_path: Path) -> None:
    found, rows = check_split(corpus(tmp_path / "corpus"), None, SplitConfig())
    assert found.kind == "across"
    assert "of the held-out splits of corpus are in its training split" in found.verdict
    assert [(row["item"], row["document"]) for row in rows] == [("three", "one"), ("four", None)]


def test_copies_beyond_number_are_whole_in_each_other(tmp_path: Path) -> None:
    texts = {str(n): words("same", 30) for n in range(3 * split.MAX_GROUPS)} | {"": ""}
    found, rows = check_split(jsonl(tmp_path / "set.jsonl", texts), None, SplitConfig())
    assert (found.num_whole, found.num_undecided) == (3 * split.MAX_GROUPS, 0)
    assert [row["document"] for row in rows[:3]] == [str(3 * split.MAX_GROUPS - 1), "0", "0"]
    assert (rows[-1]["document"], rows[-1]["num_in_document"]) == (None, 0)
    train = jsonl(tmp_path / "train.jsonl", {"x": "", "licence": words("same", 40)})
    found, rows = check_split(train, tmp_path / "set.jsonl", SplitConfig())
    assert (found.num_whole, found.num_undecided) == (3 * split.MAX_GROUPS, 0)
    assert rows[0]["document"] == "licence"


def test_what_very_many_items_share_leads_to_no_document_and_is_no_false_zero(
    tmp_path: Path,
) -> None:
    licence = words("licence", 47)
    test = {str(n): f"{licence} {words(str(n), 3)}" for n in range(split.MAX_GROUPS + 1)}
    train = {"licence": licence, "copy": words("own", 20)}
    found, rows = check_split(
        jsonl(tmp_path / "train.jsonl", train),
        jsonl(tmp_path / "test.jsonl", test | {"own": words("own", 20)}),
        SplitConfig(),
    )
    assert (found.num_whole, found.num_nearly, found.num_undecided) == (1, 0, len(test))
    assert "1 whole in one document, 0 nearly, 101 undecided (what very many" in found.verdict
    assert [rows[0]["document"], rows[-1]["document"]] == [None, "copy"]
    call = ["overlap", "split-check", str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")]
    assert "93.02 %  0.00 to 93.02 %" in CliRunner().invoke(app, call).stdout


def test_bad_calls_are_refused(tmp_path: Path) -> None:
    train = jsonl(tmp_path / "train.jsonl", {"a": words("a", 50)})
    with pytest.raises(InputError, match="given twice; name it once"):
        check_split(train, train, SplitConfig())
    with pytest.raises(InputError, match="--limit 3: expected a share from 0 to 1"):
        SplitConfig(limit=3)
    with pytest.raises(InputError, match="no document to check"):
        check_split(train, jsonl(tmp_path / "empty.jsonl", {}), SplitConfig())


def test_a_gate_does_not_pass_on_nothing(tmp_path: Path) -> None:
    full = jsonl(tmp_path / "full.jsonl", {"a": words("a", 50)})
    short = jsonl(tmp_path / "short.jsonl", {"x": "🎉", "y": "one two", "z": ""})
    for train, test, said in (
        (full, short, "short.jsonl: no text of 8 words, so there is nothing to check"),
        (short, full, "short.jsonl: no training text of 8 words to hold full.jsonl against"),
        (short, None, "short.jsonl: no text of 8 words, so there is nothing to check"),
        (full, None, "full.jsonl: one document of 8 words, and no other to hold it against"),
    ):
        with pytest.raises(InputError, match=said):
            check_split(train, test, SplitConfig(limit=0.1))


def test_the_command_ends_with_its_verdict_and_fails_over_the_limit(tmp_path: Path) -> None:
    train = jsonl(tmp_path / "train.jsonl", {"a": words("a", 50)})
    half = f"{' '.join(words('a', 50).split()[:27])} {words('b', 20)}"
    test = jsonl(tmp_path / "test.jsonl", {"x": half})
    call = ["overlap", "split-check", str(train), str(test), "--limit"]
    over = CliRunner().invoke(app, [*call, "0.1"])
    assert over.exit_code == 1
    assert over.stdout.splitlines()[-1] == (
        "50.00 % of the 8-grams of test.jsonl are in train.jsonl; of 1 item 0 whole in one "
        "document, 0 nearly: over the limit of 10 %"
    )
    within = CliRunner().invoke(app, [*call, "0.5"])
    assert (within.exit_code, "within the limit of 50 %" in within.stdout) == (0, True)


def test_the_result_and_its_items_are_kept_where_they_are_wanted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = corpus(tmp_path / "corpus")
    manifest = write_split_check(made, None, out, SplitConfig())
    assert manifest.counts == {"in": 2, "out": 2}
    assert read_split_check(out).num_whole == 1
    rows = list(tables.read_rows([out / "items.parquet"], ITEMS))
    assert [row["num_found"] for row in rows] == [43, 0]
    assert write_split_check(made, None, out, SplitConfig()) == manifest


@pytest.mark.real
def test_real_novels_are_found_in_each_other_as_sets_of_strings_say(
    real_data: Path, tmp_path: Path
) -> None:
    novels = sorted((real_data / "documents" / "novels").glob("*.txt"))[:4]
    texts = {novel.name: novel.read_text(encoding="utf-8")[:300_000] for novel in novels}
    pieces = {
        f"{name} {start}": text[start : start + 20_000]
        for name, text in texts.items()
        for start in range(0, len(text), 20_000)
    }
    _, rows = check_split(jsonl(tmp_path / "set.jsonl", pieces), None, SplitConfig())
    assert [row["num_found"] for row in rows] == slow_inside(list(pieces.values()))
