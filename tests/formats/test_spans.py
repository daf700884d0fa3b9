"""Archives that are read piece by piece."""

import gzip
import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sites.common_crawl import raw_record
from tests.sites.hostile_site import head
from wellread.base.seeds import generator
from wellread.formats.archives import MOST_BYTES, WHOLE, read_page_file, spans_of

NAMES = [f"http://{number}.example/" for number in range(40)]
RECORDS = [raw_record(name, head() + name.encode() * 40) for name in NAMES]


def members(records: list[bytes]) -> bytes:
    return b"".join(records)


def unpacked(records: list[bytes]) -> bytes:
    return b"".join(map(gzip.decompress, records))


def read_by_spans(path: Path, num_bytes: int, bad: Callable[[str, str], None]) -> list[str]:
    return [
        page.url
        for span in spans_of(path, num_bytes)
        for page in read_page_file(path, path.name, span, bad)
    ]


@pytest.mark.parametrize("form", [members, unpacked])
@pytest.mark.parametrize("num_bytes", [1, 700, 1 << 20])
def test_spans_have_all_records_once(
    tmp_path: Path, form: Callable[[list[bytes]], bytes], num_bytes: int
) -> None:
    path = tmp_path / ("a.warc.gz" if form is members else "a.warc")
    path.write_bytes(form(RECORDS))
    refused: list[tuple[str, str]] = []
    assert read_by_spans(path, num_bytes, lambda *one: refused.append(one)) == NAMES
    assert refused == []
    assert len(spans_of(path, num_bytes)) > (1 if num_bytes < 1000 else 0)


def test_a_damaged_record_is_refused_once_in_whatever_span_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    damaged = RECORDS[7][:-20] + bytes(20)  # of its gzip member
    path.write_bytes(members([*RECORDS[:7], damaged, *RECORDS[8:-1], RECORDS[-1][:-30]]))
    for num_bytes in (1, 500, 1 << 20):
        refused: list[tuple[str, str]] = []
        pages = read_by_spans(path, num_bytes, lambda *one, to=refused: to.append(one))
        assert pages == [*NAMES[:7], *NAMES[8:-1]]
        begins = [sum(map(len, RECORDS[:7])), sum(map(len, RECORDS[:-1]))]
        assert [where.split(" (")[0] for _, where in refused] == [
            f"{path}, byte {begin}" for begin in begins
        ]


def damaged(content: bytes, kind: str, at: int) -> tuple[bytes, int]:
    """`content` damaged from `at`, and where that ends."""
    if kind == "flip":
        return content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :], at + 1
    if kind == "cut":
        return content[:at] + content[at + 300 :], at + 300
    return content[:at] + (b"\n" if kind == "newline" else bytes(range(256))) + content[at:], at


@pytest.mark.parametrize("form", [members, unpacked])
@pytest.mark.parametrize("kind", ["flip", "cut", "insert", "newline"])
def test_damage_loses_no_record_that_it_does_not_touch_whatever_the_spans(
    tmp_path: Path, form: Callable[[list[bytes]], bytes], kind: str
) -> None:
    draw = generator(5, "damage", kind)
    records = [raw_record(name, head() + draw.bytes(700)) for name in NAMES[:12]]
    ends = list(itertools.accumulate(len(form([record])) for record in records))
    content = form(records)
    path = tmp_path / ("a.warc.gz" if form is members else "a.warc")
    between = [(end, end - 1, end + 1) for end in ends[:-1]]
    for at in [3, *itertools.chain(*between), *draw.integers(len(content), size=60).tolist()]:
        changed, end = damaged(content, kind, at)
        path.write_bytes(changed)
        whole = [
            name
            for name, begins, stops in zip(NAMES, [0, *ends], ends, strict=False)
            if stops <= at or begins >= end
        ]
        found = []
        for num_bytes in (1 << 20, 1, 1500):
            refused: list[tuple[str, str]] = []
            pages = read_by_spans(path, num_bytes, lambda *one, to=refused: to.append(one))
            assert [page for page in pages if page in whole] == whole
            assert len(pages) <= len(records)
            assert refused or form is unpacked or len(pages) == len(records)
            found.append((pages, len(refused)))
        assert found[0] == found[1] == found[2]


def test_the_first_byte_of_an_archive_loses_its_first_record_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"?" + members(RECORDS)[1:])
    for num_bytes in (1, 1 << 20):
        refused: list[tuple[str, str]] = []
        assert read_by_spans(path, num_bytes, lambda *one, to=refused: to.append(one)) == NAMES[1:]
        assert len(refused) == 1


def test_a_file_packed_as_one_member_is_one_span(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(unpacked(RECORDS)))
    assert spans_of(path, 100) == [WHOLE]
    assert [page.url for page in read_page_file(path, path.name)] == NAMES


def test_of_a_record_that_unpacks_to_more_than_a_page_may_have_no_more_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.warc.gz"
    bomb = raw_record("http://bomb.example/", head() + bytes(3 * MOST_BYTES))
    path.write_bytes(members([RECORDS[0], bomb, RECORDS[1]]))
    refused: list[tuple[str, str]] = []
    tracemalloc.start()
    pages = read_by_spans(path, 1 << 20, lambda *one: refused.append(one))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (pages, refused) == (NAMES[:2], [("too_large", "http://bomb.example/")])
    assert peak < 2.5 * MOST_BYTES
