"""Lines that a site sets on many of its pages: menus, notices and requests that extractors leave.

The site is the host. What is counted is documents, so that a refrain stays; and a text that would
lose more than half of itself is a copy of another, which is the business of near-duplicates.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wellread.formats.sorting import Room, named, query
from wellread.ngrams.hashing import Hashes, is_in

# Of texts with the same lines one, by its address: a page that came twice counts once.
TEXTS = "SELECT host, lines, min(hash(url)) AS page FROM read_parquet($files)"
LEAST_SHARE = 0.1  # ours: of a site's documents; a sentence that five of 1,000 quote is no menu
LOST_AT_MOST = 0.5


class Repeated(NamedTuple):
    """Sorted hashes of lines that go: of a line and its host together, and of a line anywhere."""

    of_hosts: Hashes
    anywhere: Hashes


def repeated_lines(stored: Sequence[Path], *, of_hosts: int, anywhere: int, room: Room) -> Repeated:
    """Lines that stand in so many documents of their host, or of all of them; 0: none."""
    hosts: Hashes = np.empty(0, np.uint64)
    others: Hashes = np.empty(0, np.uint64)
    if of_hosts and stored:
        found = query(
            f"WITH texts AS ({TEXTS} WHERE host <> '' GROUP BY host, lines), "
            "hosts AS (SELECT host, count(DISTINCT page) AS num FROM texts "
            "GROUP BY host HAVING num >= $least),"
            "lines AS (SELECT host, page, unnest(list_distinct(lines)) AS line "
            "FROM texts SEMI JOIN hosts USING (host)), "
            "counts AS (SELECT host, line, count(DISTINCT page) AS docs FROM lines WHERE line <> 0 "
            "GROUP BY host, line HAVING docs >= $least) "
            "SELECT host, line FROM counts JOIN hosts USING (host) WHERE docs >= num * $share",
            {"files": named(stored), "least": of_hosts, "share": LEAST_SHARE},
            room,
        )
        keys = [
            np.uint64(host_hash(host)) ^ np.uint64(line)
            for batch in found
            for host, line in zip(batch["host"].to_pylist(), batch["line"].to_pylist(), strict=True)
        ]
        hosts = np.sort(np.array(keys, np.uint64))
    if anywhere and stored:
        found = query(
            f"WITH texts AS ({TEXTS} GROUP BY host, lines), "
            "lines AS (SELECT page, unnest(list_distinct(lines)) AS line FROM texts) "
            "SELECT line FROM lines WHERE line <> 0 "
            "GROUP BY line HAVING count(DISTINCT page) >= $least",
            {"files": named(stored), "least": anywhere},
            room,
        )
        lines = [batch["line"].to_numpy() for batch in found]
        others = np.sort(np.concatenate([others, *lines]))
    return Repeated(hosts, others)


def host_hash(host: str) -> int:
    return int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), "little")


def without_repeated(text: str, host: str, lines: Sequence[int], repeated: Repeated) -> str:
    """`text` without the lines that are repeated; `lines` has a hash for each line, or 0."""
    hashes = np.array(lines, np.uint64)
    goes = is_in(hashes, repeated.anywhere)
    if len(repeated.of_hosts) and host:
        goes |= is_in(hashes ^ np.uint64(host_hash(host)), repeated.of_hosts)
    goes &= hashes != 0
    if not goes.any():
        return text
    left = [line for line, is_out in zip(text.split("\n"), goes, strict=True) if not is_out]
    shorter = "\n".join(left)
    return shorter if len(shorter) >= LOST_AT_MOST * len(text) else text
