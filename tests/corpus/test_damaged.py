"""Damaged inputs cost what is damaged, and each loss is named."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.made import PARAGRAPH, TOPICS, texts_about, write_jsonl
from wellread.base.errors import WellreadError
from wellread.base.manifest import Manifest
from wellread.base.seeds import generator
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.corpus.stored import UNREADABLE
from wellread.formats.compressed import MAX_LINE_BYTES, zstd
from wellread.formats.documents import read_corpus


def build(source: Path, out: Path) -> Manifest:
    return build_corpus([source], out, CorpusConfig())


def whole_file(folder: Path) -> None:
    (folder / "in").mkdir()
    write_jsonl(folder / "in" / "whole.jsonl", texts_about(TOPICS))


def test_half_characters_are_replaced_in_the_corpus(tmp_path: Path) -> None:
    texts = {f"{url}\ud800": f"{text}\udfff" for url, text in texts_about(TOPICS).items()}
    path = tmp_path / "in.jsonl"
    path.write_text(
        "\n".join(json.dumps({"url": url, "text": text}) for url, text in texts.items())
    )
    assert build(path, tmp_path / "corpus").dropped == {}
    documents = list(read_corpus(tmp_path / "corpus"))
    assert len(documents) == len(texts)
    assert all("\ufffd" in document.text for document in documents)


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_of_a_compressed_file_that_is_cut_short_what_could_be_read_stays(
    tmp_path: Path, suffix: str
) -> None:
    whole_file(tmp_path)
    noise = "".join(
        json.dumps({"text": generator(3, str(number)).bytes(3000).hex()}) + "\n"
        for number in range(100)
    )
    longer = PARAGRAPH.format("glacier")
    content = json.dumps({"text": longer}).encode() + b"\n" + noise.encode()
    packed = zstd.compress(content) if suffix == ".zst" else gzip.compress(content)
    cut = tmp_path / "in" / f"cut.jsonl{suffix}"
    cut.write_bytes(packed[: len(packed) // 2])
    manifest = build(tmp_path / "in", tmp_path / "corpus")
    assert manifest.dropped[UNREADABLE] == 1
    assert manifest.examples[UNREADABLE][0].startswith(f"{cut.name}: damaged or cut short at byte")
    texts = {document.text for document in read_corpus(tmp_path / "corpus")}
    assert texts == {*texts_about(TOPICS).values(), longer}


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_a_file_of_which_nothing_could_be_read_leaves_no_corpus(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"cut.jsonl{suffix}"
    path.write_bytes((zstd if suffix == ".zst" else gzip).compress(b"{")[:-3])
    with pytest.raises(WellreadError, match=rf"no document is left of 1 \({UNREADABLE}: 1"):
        build(path, tmp_path / "corpus")


@pytest.mark.parametrize("at", [4, -500])  # the first page's header; the footer
def test_damaged_parquet_and_endless_lines_end_no_other_file(tmp_path: Path, at: int) -> None:
    whole_file(tmp_path)
    parquet = tmp_path / "in" / "a.parquet"
    pq.write_table(pa.table({"text": [generator(3, "p").bytes(30_000).hex()] * 3}), parquet)
    content = bytearray(parquet.read_bytes())
    start = at % len(content)
    content[start : start + 500] = bytes(500)
    parquet.write_bytes(content)
    (tmp_path / "in" / "b.jsonl").write_bytes(b"[" * (MAX_LINE_BYTES + 1))
    manifest = build(tmp_path / "in", tmp_path / "corpus")
    assert manifest.dropped[UNREADABLE] == 2
    assert manifest.counts["out"] == len(TOPICS)


def test_folders_and_broken_links_with_a_files_name_are_passed_over(tmp_path: Path) -> None:
    whole_file(tmp_path)
    (tmp_path / "in" / "folder.jsonl").mkdir()
    (tmp_path / "in" / "link.jsonl").symlink_to("nowhere")
    assert build(tmp_path / "in", tmp_path / "corpus").dropped == {}
