"""Rows of submissions become rows of pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from tests.reference.links import merged
from wellread.base.seeds import generator
from wellread.formats.sorting import Room
from wellread.links.block import ROWS, Names
from wellread.links.merge import merge_rows
from wellread.links.names import Numbering

SPILLED: list[bool] = []  # whether there were files in the folder, part by part
Row = tuple[str, str, int, int, str]  # URL, domain, karma, created, subreddit


def merged_rows(
    rows: Sequence[Row], room: Room, *, size: int = 7, sums_karma: bool = False
) -> list[object]:
    names = Names(Numbering(), Numbering())
    batches = [
        pa.RecordBatch.from_pylist(
            [
                {
                    "url": url, "domain": names.domains[domain], "karma": karma, "created": created,
                    "subreddit": names.subreddits[subreddit],
                }
                for url, domain, karma, created, subreddit in rows[start : start + size]
            ],
            schema=ROWS,
        )
        for start in range(0, len(rows), size)
    ]  # fmt: skip
    found = []
    SPILLED.clear()
    for group in merge_rows(batches, names, room, sums_karma=sums_karma):
        found += group.links.to_pylist()
        SPILLED.append(room.folder.exists() and any(room.folder.iterdir()))
    return found


def random_rows(count: int, pages: int, digits: int = 5) -> list[Row]:
    source = generator(0, "rows")
    numbers = source.integers([pages, 5, 4, 3], size=(count, 4)).tolist()
    return [(f"http://a.com/{n:0{digits}}", "a.com", k, c, f"s{s}") for n, k, c, s in numbers]


@pytest.mark.parametrize("sums_karma", [False, True])
@pytest.mark.parametrize("rows_at_a_time", [1, 10, 100_000])
def test_pages_are_as_a_dictionary_collects_them(
    tmp_path: Path, *, sums_karma: bool, rows_at_a_time: int
) -> None:
    rows = random_rows(300, pages=40)
    expected = merged(rows, sums_karma=sums_karma)
    room = Room(tmp_path, rows_at_a_time=rows_at_a_time)  # groups lie across batches
    assert merged_rows(rows, room, sums_karma=sums_karma) == expected
    assert merged_rows(rows[::-1], room, sums_karma=sums_karma) == expected


def test_equal_karma_goes_to_the_earliest_and_then_to_the_first_name(tmp_path: Path) -> None:
    rows = [
        ("http://a.com/", "a.com", 4, created, s) for created, s in [(9, "a"), (5, "z"), (5, "m")]
    ]
    [row] = merged_rows(rows, Room(tmp_path))
    assert row["subreddit"] == "m"  # type: ignore[index]


def test_nothing_gives_nothing(tmp_path: Path) -> None:
    assert merged_rows([], Room(tmp_path)) == []


def test_what_does_not_fit_into_memory_goes_to_disk(tmp_path: Path) -> None:
    rows = random_rows(150_000, pages=120_000, digits=250)
    expected = merged(rows, sums_karma=False)
    found = merged_rows(rows, Room(tmp_path / "runs", memory="48MB"), size=10_000)
    assert found == expected
    assert any(SPILLED)


def test_an_error_on_the_way_is_raised_as_it_is(tmp_path: Path) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([], schema=ROWS)
        raise LookupError("no more")

    names = Names(Numbering(), Numbering())
    with pytest.raises(LookupError, match="no more"):
        list(merge_rows(rows(), names, Room(tmp_path), sums_karma=False))
