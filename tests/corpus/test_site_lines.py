"""Lines that a site sets on many pages."""

import json
from pathlib import Path

from tests.corpus.made import TOPICS, corpus_of, kept_in, text_about
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.formats.corpus_report import read_corpus_report

NOTICE = "Sign up for our newsletter and never miss a story again."


def pages_with(line: str, host: str, number: int) -> dict[str, str]:
    return {
        f"http://{host}/{topic}": f"{text_about(topic, topic + ' museum')}\n{line}"
        for topic in TOPICS[:number]
    }


def test_a_line_that_five_pages_of_a_site_have_goes_from_all_of_them(tmp_path: Path) -> None:
    corpus_of(pages_with(NOTICE, "news.example", 5), tmp_path)
    kept = kept_in(tmp_path)
    assert kept["http://news.example/river"] == text_about("river", "river museum")
    assert not any(NOTICE in text for text in kept.values())
    report = read_corpus_report(tmp_path / "corpus")
    assert (report.removed_lines, report.removed_bytes) == (5, 5 * (len(NOTICE) + 1))


def test_a_line_that_five_sites_have_once_stays(tmp_path: Path) -> None:
    texts = {}
    for topic in TOPICS[:5]:
        texts[f"http://{topic}.example/"] = f"{text_about(topic)}\n{NOTICE}"
    corpus_of(texts, tmp_path)
    assert all(NOTICE in text for text in kept_in(tmp_path).values())
    corpus_of(texts, tmp_path, repeated_paragraphs=5)
    assert not any(NOTICE in text for text in kept_in(tmp_path).values())


def test_a_line_of_four_pages_a_short_line_and_what_nobody_asked_for_stay(tmp_path: Path) -> None:
    corpus_of(pages_with(NOTICE, "news.example", 4), tmp_path)
    assert all(NOTICE in text for text in kept_in(tmp_path).values())
    corpus_of(pages_with("Read more", "news.example", 8), tmp_path)
    assert all(text.endswith("Read more") for text in kept_in(tmp_path).values())
    corpus_of(pages_with(NOTICE, "news.example", 8), tmp_path, repeated_lines=0)
    assert all(NOTICE in text for text in kept_in(tmp_path).values())


def test_a_rare_line_of_a_large_site_stays(tmp_path: Path) -> None:
    texts = pages_with(NOTICE, "blogs.example", 5)
    for number in range(55):
        topic = f"{TOPICS[number % 8]} number {number}"
        texts[f"http://blogs.example/{number}"] = text_about(topic, f"old {topic}", f"new {topic}")
    corpus_of(texts, tmp_path, near_duplicate_similarity=1.0)
    assert sum(NOTICE in text for text in kept_in(tmp_path).values()) == 5


def test_copies_of_one_page_at_many_addresses_do_not_erase_it(tmp_path: Path) -> None:
    texts = {f"http://news.example/?page={n}": text_about("river", "garden") for n in range(9)}
    corpus_of(texts, tmp_path)
    assert list(kept_in(tmp_path).values()) == [text_about("river", "garden")]


def test_a_page_that_came_five_times_is_one_page(tmp_path: Path) -> None:
    page = text_about("river", "garden", "museum")
    lines = [{"url": "http://news.example/1", "text": f"{page}\nRead {n} times."} for n in range(5)]
    quoting = f"{text_about('bakery', 'harbour')}\n{page.splitlines()[0]}"
    lines.append({"url": "http://news.example/2", "text": quoting})
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    build_corpus([tmp_path / "in.jsonl"], tmp_path / "corpus", CorpusConfig())
    assert kept_in(tmp_path)["http://news.example/2"] == quoting
