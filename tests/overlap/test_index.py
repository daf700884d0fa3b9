"""How an index is built makes no difference to it."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.overlap.made import bytes_of, random_text, write_jsonl
from tests.reference.ngrams import slow_ngrams
from wellread.base.config import Config
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import read_manifest, write_manifest, writing
from wellread.formats.documents import Document, write_documents
from wellread.overlap import filter as filling
from wellread.overlap.config import OverlapConfig
from wellread.overlap.index import build_overlap_index, index_corpus, open_overlap_index
from wellread.overlap.measure import measure_overlap

ODD = ["", "word", "🎉 ...", "Ὀδυσσεὺς ΟΔΟΣ İstanbul ß " * 30, "das 漢字 ไทย १२ ½ " * 20]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 600,000 n-grams, whose filter has several sections, in more than one piece."""
    texts = [*ODD, *(random_text(f"document {number}", 1500) for number in range(400))]
    folder = tmp_path_factory.mktemp("corpus")
    table = pa.table({"url": [f"http://a.example/{n}" for n in range(len(texts))], "text": texts})
    pq.write_table(table, folder / "c.parquet", row_group_size=10)
    return folder / "c.parquet"


@pytest.fixture(scope="module")
def plain(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain")
    index_corpus(corpus, out, OverlapConfig(threads=1))
    return out


def test_any_number_of_threads_and_less_memory_than_the_filter_takes_give_the_same_bytes(
    corpus: Path, plain: Path, tmp_path: Path
) -> None:
    index = open_overlap_index(plain).index
    assert index.num_bits > 3 * 8e6
    for name, config in {
        "threads": OverlapConfig(threads=3),
        "memory": OverlapConfig(threads=2, memory=1),
        "given": OverlapConfig(num_ngrams=index.capacity),
        "given and memory": OverlapConfig(num_ngrams=index.capacity, memory=1),
    }.items():
        index_corpus(corpus, tmp_path / name, config)
        assert bytes_of(tmp_path / name) == bytes_of(plain)
        assert open_overlap_index(tmp_path / name).index == index
        assert read_manifest(tmp_path / name).counts == {"in": 405, "out": 402}
        assert read_manifest(tmp_path / name).dropped == {"fewer than 8 words": 3}


def test_a_corpus_that_is_read_twice_has_the_same_index(
    corpus: Path, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "KEPT", 1000)  # hashes kept of the first reading
    index_corpus(corpus, tmp_path / "index", OverlapConfig())
    assert bytes_of(tmp_path / "index") == bytes_of(plain)
    assert read_manifest(tmp_path / "index").dropped == {"fewer than 8 words": 3}


def test_settings_without_effect_leave_an_index_up_to_date(corpus: Path, tmp_path: Path) -> None:
    before = index_corpus(corpus, tmp_path / "index", OverlapConfig(threads=1))
    again = index_corpus(corpus, tmp_path / "index", OverlapConfig(threads=2, memory=900))
    assert again == before


@pytest.mark.slow
def test_a_ray_cluster_writes_the_same_bytes(corpus: Path, plain: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    for name, options in {"there": [], "given": ["--num-ngrams", "700000"]}.items():
        command = [sys.executable, "-m", "wellread", "overlap", "index", str(corpus)]
        command += ["--engine", "ray", "-o", str(tmp_path / name), *options]
        subprocess.run(command, check=True, timeout=300)
    assert bytes_of(tmp_path / "there") == bytes_of(plain)
    there, here = read_manifest(tmp_path / "there"), read_manifest(plain)
    assert (there.counts, there.dropped) == (here.counts, here.dropped)
    assert (there.facts, there.examples) == (here.facts, here.examples)
    index_corpus(corpus, tmp_path / "here", OverlapConfig(num_ngrams=700_000))
    assert bytes_of(tmp_path / "given") == bytes_of(tmp_path / "here")


def test_texts_of_all_kinds_are_found_again(plain: Path) -> None:
    index = open_overlap_index(plain)
    shares = [overlap.share for overlap in measure_overlap(index, ODD)]
    assert shares == [None, None, None, 1.0, 1.0]


def test_there_are_no_more_distinct_ngrams_than_ngrams(tmp_path: Path) -> None:
    """Of these 993 the registers would give 995."""
    corpus = write_jsonl(tmp_path / "c.jsonl", [random_text("t0", 1000)])
    index = build_overlap_index(corpus, tmp_path / "index").index
    assert (index.num_ngrams, index.num_distinct) == (993, 993)


def test_a_line_of_ten_megabytes_is_indexed(tmp_path: Path) -> None:
    line = random_text("line", 1_400_000)
    corpus = write_jsonl(tmp_path / "c.jsonl", [line])
    assert corpus.stat().st_size > 10**7
    index = build_overlap_index(corpus, tmp_path / "index")
    assert (index.index.num_documents, index.index.num_ngrams) == (1, 1_399_993)
    assert [overlap.share for overlap in measure_overlap(index, [line])] == [1.0]


def test_more_ngrams_than_were_announced_are_a_failure(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(WellreadError, match=r"about 59\d,\d{3} different n-grams.* 100,000"):
        index_corpus(corpus, tmp_path / "index", OverlapConfig(num_ngrams=100_000))
    assert not (tmp_path / "index" / "manifest.json").exists()


def test_an_index_of_an_older_version_is_refused_by_it(plain: Path, tmp_path: Path) -> None:
    manifest = msgspec.json.decode((plain / "manifest.json").read_bytes())
    del manifest["facts"]["index"]["version"]
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(InputError, match=r"an index of version 1, .* build the index again"):
        open_overlap_index(tmp_path)


@pytest.mark.parametrize(
    "edited", [{"num_bits": 32768 * 9}, {"capacity": 10**6}, {"lines": 2}, {"lines": 4}], ids=str
)
def test_a_manifest_of_another_filter_is_refused(edited: dict[str, int], tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [random_text("text", 5_000)])
    manifest = index_corpus(corpus, tmp_path / "index", OverlapConfig())
    assert open_overlap_index(tmp_path / "index").index.lines == 3
    manifest.facts["index"].update(edited)
    write_manifest(tmp_path / "index", manifest)
    with pytest.raises(InputError, match=r"its manifest is of another index .num_bits"):
        open_overlap_index(tmp_path / "index")


@pytest.mark.parametrize("mode", ["bloom", "exact"])
def test_a_corpus_without_ngrams_is_refused_before_there_is_a_folder(
    mode: Literal["bloom", "exact"], tmp_path: Path
) -> None:
    text = random_text("text", 20)
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"caf\xe9 " * 20)
    with writing(tmp_path / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        splits = ["train"] * 300 + ["validation", "test"]
        documents = [
            Document(url=f"{number}", text=text, split=split) for number, split in enumerate(splits)
        ]
        write_documents(draft, documents)
    for corpus, split, message in (
        (write_jsonl(tmp_path / "short.jsonl", ["a b"]), "train", "fewer than 8 words 1 .first: "),
        (latin, "train", r"has 8 words; .*; left out: not UTF-8 1 .first: .*latin\.txt"),
        (tmp_path / "corpus", "valid", "'valid'; its splits: test, train, validation"),
        (write_jsonl(tmp_path / "c.jsonl", [text]), "test", "'test'; its splits: train"),
    ):
        with pytest.raises(InputError, match=message):
            index_corpus(corpus, tmp_path / "out", OverlapConfig(mode=mode, split=split))
        assert not (tmp_path / "out").exists()
    index_corpus(tmp_path / "corpus", tmp_path / "out", OverlapConfig(mode=mode, split="test"))
    assert read_manifest(tmp_path / "out").counts == {"in": 302, "out": 1}


def test_an_index_that_cannot_be_built_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "c.jsonl", [random_text("text", 20)])
    for config, message in (
        (OverlapConfig(engine="ray"), "engine 'ray' reads a corpus artifact or a Parquet file"),
        (OverlapConfig(num_ngrams=10**12), "a false-positive rate of 1e-08 cannot be kept"),
        (OverlapConfig(num_ngrams=10**10, memory=1), "memory is 1 MB; a filter of .* is built in"),
    ):
        with pytest.raises(InputError, match=message):
            index_corpus(corpus, tmp_path / "out", config)
        assert not (tmp_path / "out").exists()


def test_settings_that_make_no_index_are_refused() -> None:
    for settings in (
        {"ngram_words": 0}, {"num_ngrams": 0}, {"memory": 0}, {"threads": 0},
        {"false_positive_rate": 0.0}, {"false_positive_rate": 1.0},
        {"mode": "exact", "engine": "ray"},
    ):  # fmt: skip
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(settings, OverlapConfig)


@pytest.mark.real
def test_every_ngram_of_real_novels_is_found_and_hardly_another(
    real_data: Path, tmp_path: Path
) -> None:
    novels = sorted((real_data / "documents" / "novels").glob("*.txt"))
    texts = [novel.read_text(encoding="utf-8") for novel in novels[:12]]
    index = build_overlap_index(write_jsonl(tmp_path / "c.jsonl", texts[:10]), tmp_path / "index")
    known = {ngram for text in texts[:10] for ngram in slow_ngrams(text)}
    expected = [sum(ngram in known for ngram in slow_ngrams(text)) for text in texts]
    assert [overlap.num_found for overlap in measure_overlap(index, texts)] == expected
    assert abs(index.index.num_distinct - len(known)) < 0.02 * len(known)
