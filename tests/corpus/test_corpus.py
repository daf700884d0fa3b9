"""From pages to documents, on pages written here."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import brotli
import pytest

from tests.corpus.made import PARAGRAPH, TOPICS, texts_about, write_jsonl
from tests.sites.common_crawl import raw_record
from tests.sites.hostile_site import head
from wellread.base.config import Config
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import Manifest, read_manifest, writing
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.corpus.extract import main_text
from wellread.formats.documents import documents_files, read_corpus
from wellread.formats.links import Link, write_links

FRENCH = (
    "La rivière traverse la ville depuis toujours, et les habitants se promènent le long de ses "
    "rives quand il fait beau. Les enfants y jettent des cailloux pendant que les parents parlent."
)
HTML = "<html><body><nav><a href='/'>Home</a></nav><article><p>{}</p></article></body></html>"


def build(source: Path, out: Path, links: Path | None = None) -> Manifest:
    return build_corpus([source], out, CorpusConfig(), links=links)


def test_each_document_that_is_dropped_has_its_reason(tmp_path: Path) -> None:
    texts = texts_about(TOPICS) | {
        "http://en.wikipedia.org/wiki/River": PARAGRAPH.format("lake"),
        "http://short.example/": "Too short to keep.",
        "http://numbers.example/": "12 34 56 78 90 " * 20,
        "http://lines.example/": "The same line again.\n" * 20,
        "http://french.example/": FRENCH,
        "http://empty.example/": "",
    }
    manifest = build(write_jsonl(tmp_path / "in.jsonl", texts), tmp_path / "corpus")
    assert (manifest.counts["in"], manifest.counts["out"]) == (14, 8)
    assert manifest.dropped == {
        "fewer than 128 characters of text": 1,
        "from Wikipedia": 1,
        "language is not en": 1,
        "less than 0.5 of the characters are letters": 1,
        "more than 0.5 of the lines are repeated": 1,
        "no main text": 1,
    }
    assert manifest.examples["language is not en"] == ["http://french.example/"]


@pytest.mark.parametrize("extractor", ["best", "fast"])
def test_the_main_text_of_a_page_comes_without_its_menu(
    tmp_path: Path, extractor: Literal["best", "fast"]
) -> None:
    (tmp_path / "pages").mkdir()
    for topic in TOPICS:
        page = HTML.format(PARAGRAPH.format(topic))
        (tmp_path / "pages" / f"{topic}.html").write_text(page)
    config = CorpusConfig(extractor=extractor)
    build_corpus([tmp_path / "pages"], tmp_path / "corpus", config)
    found = {document.url: document.text for document in read_corpus(tmp_path / "corpus")}
    assert found["file:river.html"] == PARAGRAPH.format("river")
    assert len(found) == 8


def test_pages_in_letters_of_two_bytes_are_read_if_their_server_says_so() -> None:
    text = PARAGRAPH.format("café")
    for kind, content in {"html": HTML.format(text), "plain": text}.items():
        said = f"text/{kind}; charset=UTF-16LE"
        assert main_text(said, content.encode("utf-16-le")) == text
        assert main_text(said, content.encode()) == text  # it says so and does otherwise


def test_an_archived_page_is_unpacked_and_a_damaged_one_counted(tmp_path: Path) -> None:
    bodies = {topic: HTML.format(PARAGRAPH.format(topic)).encode() for topic in TOPICS[:2]}
    sent = {
        "river": brotli.compress(bodies["river"]),
        "mountain": brotli.compress(bodies["mountain"])[:-9],
    }
    archive = tmp_path / "some.warc.gz"
    packed = head(b"Content-Encoding: br")
    archive.write_bytes(
        b"".join(raw_record(f"http://{n}.example/", packed + body) for n, body in sent.items())
    )
    manifest = build(archive, tmp_path / "corpus")
    assert [found.text for found in read_corpus(tmp_path / "corpus")] == [PARAGRAPH.format("river")]
    assert manifest.dropped == {"bad_encoding": 1}


def test_of_near_duplicates_the_one_with_most_karma_is_kept(tmp_path: Path) -> None:
    long = " ".join(PARAGRAPH.format(topic) for topic in TOPICS)
    texts = {f"http://{n}.example/": f"{long} The end, for the {n} time." for n in "abc"}
    texts |= texts_about(TOPICS[:2])
    with writing(tmp_path / "links", stage="links", config=Config(), inputs={}) as draft:
        when = datetime(2015, 1, 1, tzinfo=UTC)
        rest = {"domain": "", "subreddit": "", "created_utc": when, "submissions": 1}
        karma = {"http://a.example/": 3, "http://b.example/": 90}
        write_links(draft, [Link(url=url, karma=earned, **rest) for url, earned in karma.items()])
    manifest = build(
        write_jsonl(tmp_path / "in.jsonl", texts), tmp_path / "corpus", tmp_path / "links"
    )
    kept = {found.url: found.karma for found in read_corpus(tmp_path / "corpus")}
    assert manifest.dropped == {"near-duplicate of another document": 2}
    assert kept["http://b.example/"] == 90
    assert len(kept) == 3


def test_links_that_are_none_are_refused(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts_about(TOPICS))
    build(source, tmp_path / "corpus")
    with pytest.raises(InputError, match="corpus: made by stage 'corpus', expected 'links'"):
        build(source, tmp_path / "other", tmp_path / "corpus")


def test_the_order_of_the_input_changes_no_byte(tmp_path: Path) -> None:
    texts = texts_about(TOPICS)
    backwards = dict(reversed(texts.items()))
    build(write_jsonl(tmp_path / "a.jsonl", texts), tmp_path / "a")
    build(write_jsonl(tmp_path / "b.jsonl", backwards), tmp_path / "b")
    (first,), (second,) = documents_files(tmp_path / "a"), documents_files(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_a_malformed_line_is_counted_and_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", texts_about(TOPICS))
    path.write_text(path.read_text() + '\n{"text": 5}\n{"te')
    manifest = build(path, tmp_path / "corpus")
    assert manifest.dropped == {"malformed JSON record": 2}
    assert manifest.counts["in"] == manifest.counts["out"] + 2
    assert manifest.examples["malformed JSON record"] == [
        "in.jsonl:10 (Input data was truncated)",
        "in.jsonl:9 (Expected `str`, got `int` - at `$.text`)",
    ]


def test_a_corpus_with_nothing_left_is_an_error(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", {"http://x.example/": "short"})
    with pytest.raises(
        WellreadError, match=r"no document is left of 1 \(fewer than 128 characters"
    ):
        build(path, tmp_path / "corpus")
    with pytest.raises(InputError, match="unfinished work of stage 'corpus'"):
        read_manifest(tmp_path / "corpus")


def test_an_empty_file_and_an_empty_folder_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(WellreadError, match=r"empty\.jsonl: no record in it"):
        build(tmp_path / "empty.jsonl", tmp_path / "corpus")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder is empty; name pages or documents"):
        build(tmp_path / "empty", tmp_path / "corpus")


def test_a_folder_of_pages_and_documents_and_one_with_the_result_in_it_are_refused(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    write_jsonl(folder / "in.jsonl", texts_about(TOPICS))
    with pytest.raises(InputError, match=r"corpus: lies within .*mixed, which is read"):
        build(folder, folder / "corpus")
    (folder / "page.html").write_text(HTML.format(PARAGRAPH.format("river")))
    with pytest.raises(InputError, match=r"files of pages \(page\.html\) and of documents \(in"):
        build(folder, tmp_path / "corpus")


@pytest.mark.parametrize("code", ["english", "EN"])
def test_a_language_is_named_by_its_code(tmp_path: Path, code: str) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts_about(TOPICS))
    with pytest.raises(InputError, match=rf"no language '{code}'; expected .* as en"):
        build_corpus([source], tmp_path / "corpus", CorpusConfig(languages=(code,)))


def test_an_unknown_filter_names_the_nearest(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", texts_about(TOPICS))
    with pytest.raises(InputError, match="there is no filter 'too-shrt'; did you mean 'too-short'"):
        build_corpus([path], tmp_path / "corpus", CorpusConfig(filters=("too-shrt",)))


@pytest.mark.real
def test_real_openwebtext_mostly_survives(real_data: Path, tmp_path: Path) -> None:
    manifest = build(real_data / "documents" / "openwebtext_500.jsonl.gz", tmp_path / "corpus")
    assert manifest.counts["in"] == 500
    assert manifest.counts["out"] >= 490
