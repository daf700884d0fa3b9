"""Pages survive a round trip, and damaged archives give what is whole in them."""

import gzip
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.formats.archives import read_pages
from wellread.formats.pages import Outcome, Page, read_outcomes, write_outcomes
from wellread.formats.segments import SegmentWriter
from wellread.formats.warc import encode_page


def page(name: str, body: bytes = b"<p>text</p>") -> Page:
    return Page(
        url=f"http://a.com/{name}",
        status=200,
        content_type="text/html; charset=utf-8",
        body=body,
        fetched_at=datetime(2017, 5, 4, 3, 2, 1, tzinfo=UTC),
    )


def write_pages(directory: Path, pages: Iterable[Page]) -> None:
    with SegmentWriter(directory) as segments:
        for one in pages:
            segments.append(one)


def reported(path: Path) -> tuple[list[str], list[str]]:
    """The URLs read from `path`, and the reasons why others were not."""
    reasons: list[str] = []
    urls = [p.url for p in read_pages(path, lambda reason, where: reasons.append(reason))]
    return urls, reasons


def test_pages_and_outcomes_come_back_as_they_were_written(tmp_path: Path) -> None:
    pages = [page("1", b"\xff\x00 raw"), page("2", b"")]
    outcomes = [
        Outcome(url="http://a.com/1", outcome="fetched", status=200, num_bytes=6, milliseconds=12),
        Outcome(url="http://a.com/3", outcome="timeout"),
    ]
    with writing(tmp_path / "p", stage="crawl", config=Config(), inputs={}) as draft:
        write_pages(draft.out, pages)
        write_outcomes(draft, outcomes)
    assert list(read_pages(tmp_path / "p")) == pages
    assert list(read_outcomes(tmp_path / "p")) == outcomes


def test_the_same_pages_give_the_same_bytes() -> None:
    assert encode_page(page("1")) == encode_page(page("1"))


def test_our_archives_are_plain_warc_with_one_gzip_member_a_record(tmp_path: Path) -> None:
    with writing(tmp_path / "p", stage="crawl", config=Config(), inputs={}) as draft:
        write_pages(draft.out, [page("1")])
    with (tmp_path / "p" / "pages-00000.warc.gz").open("rb") as file:
        records = [
            (r.rec_type, r.rec_headers.get_header("WARC-Target-URI"), r.content_stream().read())
            for r in ArchiveIterator(file, check_digests="raise")
        ]
    assert records[0][0] == "warcinfo"
    assert records[1] == ("response", "http://a.com/1", b"<p>text</p>")
    assert len(records) == 2


def test_a_damaged_record_loses_no_other(tmp_path: Path) -> None:
    records = [encode_page(page(str(number))) for number in range(3)]
    records[1] = records[1][:40] + b"\x00" * 40 + records[1][80:]
    path = tmp_path / "x.warc.gz"
    path.write_bytes(b"".join(records))
    urls, reasons = reported(path)
    assert urls == ["http://a.com/0", "http://a.com/2"]
    assert len(reasons) == 1


def test_a_malformed_record_in_a_plain_warc_is_passed_over(tmp_path: Path) -> None:
    records = [gzip.decompress(encode_page(page(str(number)))) for number in range(3)]
    records[1] = records[1].replace(b"HTTP/1.1 200", b"HTTP/1.1 two")
    path = tmp_path / "x.warc"
    path.write_bytes(b"".join(records))
    assert reported(path) == (["http://a.com/0", "http://a.com/2"], ["malformed WARC record"])


def test_an_archive_that_was_packed_at_once_is_read_whole(tmp_path: Path) -> None:
    plain = b"".join(gzip.decompress(encode_page(page(str(number)))) for number in range(3))
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(plain))
    assert reported(path) == ([f"http://a.com/{number}" for number in range(3)], [])


def test_an_archive_that_was_packed_at_once_and_is_damaged_gives_what_comes_before(
    tmp_path: Path,
) -> None:
    bodies = [generator(7, "noise", str(number)).bytes(50_000) for number in range(3)]
    plain = [gzip.decompress(encode_page(page(str(n), body))) for n, body in enumerate(bodies)]
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(b"".join(plain))[:120_000])
    assert reported(path) == (["http://a.com/0", "http://a.com/1"], ["malformed WARC record"])


def test_an_archive_cut_short_says_so_after_its_last_whole_page(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes((encode_page(page("1")) + encode_page(page("2")))[:-60])
    assert reported(path) == (["http://a.com/1"], ["cut short"])


@pytest.mark.parametrize("content", [b"", b"<html></html>", gzip.compress(b"no archive", mtime=0)])
def test_what_is_no_archive_at_all_is_a_bad_record_among_others(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(content)
    (tmp_path / "y.warc.gz").write_bytes(encode_page(page("1")))
    with pytest.raises(InputError, match=r"x\.warc\.gz .*neither WARC nor ARC"):
        list(read_pages(path))
    assert reported(tmp_path) == (["http://a.com/1"], ["neither WARC nor ARC"])


def test_html_files_in_a_folder_are_pages(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.html").write_bytes(b"<p>one</p>")
    (tmp_path / "b" / "c.htm").write_bytes(b"<p>two</p>")
    pages = [(p.url, p.body) for p in read_pages(tmp_path)]
    assert pages == [("file:a.html", b"<p>one</p>"), ("file:b/c.htm", b"<p>two</p>")]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pages here"):
        reported(tmp_path)


@pytest.mark.real
def test_all_real_archives_are_read_without_a_crash(real_data: Path) -> None:
    counts = {}
    for folder in ("warc_warcio", "warc_whirlwind", "warc_dolma"):
        for path in sorted((real_data / "pages" / folder).glob("*arc*")):
            counts[path.name] = (len((read := reported(path))[0]), read[1])
    assert counts["example.warc.gz"] == (1, [])
    assert counts["example.arc"] == (1, [])
    assert counts["example-iana.org-chunked.warc"] == (1, [])
    assert counts["whirlwind.warc.gz"] == (1, [])
    assert counts["sample-0000.warc.gz"] == (22, [])
    assert counts["bad.arc"] == (0, ["no HTTP headers"] * 3)
    assert counts["example-bad-non-chunked.warc.gz"] == (1, [])


@pytest.mark.real
def test_real_pages_are_all_there(real_data: Path) -> None:
    articles, none_bad = reported(real_data / "pages" / "articles.warc.gz")
    assert (len(articles), none_bad) == (181, [])
    assert len(reported(real_data / "pages" / "newspaper_html")[0]) == 157


def test_texts_that_somebody_extracted_are_pages_of_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "some.warc.wet.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file)
        for kind, content in {"conversion": "Caf\u00e9.".encode(), "metadata": b"a: b"}.items():
            writer.write_record(
                writer.create_warc_record(
                    "http://a.com/",
                    kind,
                    payload=io.BytesIO(content),
                    length=len(content),
                    warc_content_type="text/plain",
                )
            )
    [found] = read_pages(path)
    assert (found.url, found.content_type) == ("http://a.com/", "text/plain")
    assert found.body.decode() == "Caf\u00e9."
