"""Pages fill one file after the other, and go on where a killed writer was."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from wellread.base.seeds import generator
from wellread.formats.archives import read_pages
from wellread.formats.pages import Page
from wellread.formats.segments import SegmentWriter, segment_files


def page(number: int) -> Page:
    """One whose records take some 900 bytes."""
    return Page(
        url=f"http://a.com/{number}",
        status=200,
        content_type="text/html",
        body=generator(7, "body", str(number)).bytes(500),
        fetched_at=datetime(2017, 5, 4, 3, 2, 1, number, tzinfo=UTC),
    )


def heads(directory: Path) -> dict[str, str]:
    """For the record that heads each file, its ID and its date."""
    found = {}
    for path in segment_files(directory):
        with path.open("rb") as file:
            first, *others = [record.rec_headers for record in ArchiveIterator(file)]
        assert first.get_header("WARC-Type") == "warcinfo"
        info = first.get_header("WARC-Record-ID")
        assert {other.get_header("WARC-Warcinfo-ID") for other in others} == {info}
        found[info] = first.get_header("WARC-Date")
    return found


def test_a_full_segment_is_followed_by_another_and_its_digest_is_known(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path, segment_bytes=2000) as writer:
        places = [writer.append(page(number)) for number in range(5)]
        assert [place.segment for place in places] == [0, 0, 1, 1, 2]
        first, second, _ = segment_files(tmp_path)
        assert writer.digests == {
            0: hashlib.sha256(first.read_bytes()).hexdigest(),
            1: hashlib.sha256(second.read_bytes()).hexdigest(),
        }


def test_what_lies_behind_the_last_good_record_is_cut_off(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path, segment_bytes=2000) as writer:
        places = [writer.append(page(number)) for number in range(5)]
    with SegmentWriter(tmp_path, after=places[0]) as writer:
        place = writer.append(page(7))
        assert (place.segment, place.offset) == (0, places[0].end)
    (only,) = segment_files(tmp_path)
    assert [p.body for p in read_pages(only)] == [page(0).body, page(7).body]


def test_each_file_has_a_head_of_its_own_to_which_its_records_refer(tmp_path: Path) -> None:
    def write(name: str, first: int, *about: tuple[str, str]) -> dict[str, str]:
        (tmp_path / name).mkdir()
        for number in range(first, first + 5):  # each as if the one before had been killed
            last = places[-1] if (places := written.get(name)) else None
            with SegmentWriter(tmp_path / name, last, segment_bytes=2000, about=about) as writer:
                written.setdefault(name, []).append(writer.append(page(number)))
        return heads(tmp_path / name)

    written: dict[str, list] = {}  # type: ignore[type-arg]
    crawls = [write("a", 0), write("b", 10), write("c", 0, ("operator", "me@example.com"))]
    assert len({info for crawl in crawls for info in crawl}) == 9
    assert {date for crawl in crawls for date in crawl.values()} == {"2017-05-04T03:02:01Z"}
    assert write("again", 0) == crawls[0]


def test_without_pages_there_is_no_file(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path):
        pass
    assert segment_files(tmp_path) == []
