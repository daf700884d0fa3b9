"""Links looked up by ranges of keys."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wellread.crawl.commoncrawl_index import WANTED, Wanted

LONG = "b" * 5000  # above what Parquet keeps statistics of


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    keys = ["a", "b", "b", "b", "c", LONG, LONG + "c", "d", "d"]
    rows = [{"key": key, "url": f"{n}"} for n, key in enumerate(sorted(keys))]
    table = pa.Table.from_pylist(rows, schema=WANTED)
    pq.write_table(table, tmp_path / "wanted.parquet", row_group_size=2)
    return Wanted(tmp_path / "wanted.parquet")


@pytest.mark.parametrize(
    ("low", "high", "urls"),
    [
        ("a", "z", "012345678"),
        ("b", "b", "123"),
        ("b", LONG, "1234"),
        (LONG, "c", "456"),
        ("bb", "c", "456"),
        ("0", "9", ""),
        ("e", "z", ""),
        ("ca", "cz", ""),
    ],
)
def test_keys_are_found_by_range_across_row_groups(
    wanted: Wanted, low: str, high: str, urls: str
) -> None:
    found = [url for some in wanted.between(low, high) for url in some["url"].to_pylist()]
    assert "".join(found) == urls
    wanted.close()
