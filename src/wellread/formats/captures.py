"""Where Common Crawl has the page of each link, `captures.parquet`, in order of place."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from wellread.base.manifest import Draft
from wellread.formats import tables

FILE = "captures.parquet"
# Links that are not in the index come first.
PLACE = "coalesce(filename, ''), coalesce(\"offset\", 0), url"
SCHEMA = tables.schema(
    "captures",
    1,
    [
        ("url", pa.string()),
        ("matched", pa.string()),
        ("captured_url", pa.string()),
        ("crawl", pa.string()),
        ("fetched_at", pa.timestamp("ms", tz="UTC")),
        ("status", pa.int64()),
        ("content_type", pa.string()),
        ("truncated", pa.string()),
        ("filename", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ],
)


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A link and the record that stands for it; of a link that is not in the index the URL only."""

    url: str  # of the link, canonical
    matched: str | None = None  # how `captured_url` is the link's: exact, scheme, www or slash
    captured_url: str | None = None
    crawl: str | None = None  # such as CC-MAIN-2017-51
    fetched_at: datetime | None = None
    status: int | None = None
    content_type: str | None = None  # as the server sent it; as detected if it sent none
    truncated: str | None = None  # why the record is not whole, where the index knows
    filename: str | None = None  # of the WARC file, below the server's address
    offset: int | None = None
    length: int | None = None  # of the compressed record, in bytes

    @property
    def place(self) -> tuple[str, int, str]:
        """As in PLACE, which `captures.parquet` is sorted by."""
        return self.filename or "", self.offset or 0, self.url


def write_captures(draft: Draft, captures: Iterable[Capture]) -> int:
    """Write `captures` (sorted by place by the caller); how many there were."""
    with draft.open(FILE) as file:
        return tables.write_rows(file, SCHEMA, map(msgspec.structs.asdict, captures))


def read_captures(directory: Path) -> Iterator[Capture]:
    for row in tables.read_rows([directory / FILE], SCHEMA):
        yield Capture(**row)
