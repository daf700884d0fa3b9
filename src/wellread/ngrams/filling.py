"""Keys into a filter on all cores: those of one section go in together, by one thread.

A section is a range of upper bits of the hashes, and so of pages. That no two threads write to the
same page means that no bit is lost, without a lock; that a thread stays among few pages for a while
halves what its misses of the cache cost.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import kernel
from wellread.base.threads import in_order
from wellread.ngrams.bloom import MOST_SECTIONS, Pages, Size, insert_slices, new_pages
from wellread.ngrams.hashing import Hashes

SECTION_SHIFT = 64 - (MOST_SECTIONS - 1).bit_length()
WAITING = 1 << 22  # keys that are inserted together: 32 MB


class Sorted(NamedTuple):
    """Hashes by section, and in a section as they came."""

    hashes: Hashes
    starts: npt.NDArray[np.int64]  # (MOST_SECTIONS + 1,): of each section, and the end

    def section(self, number: int, num_sections: int) -> Hashes:
        """The hashes of one of `num_sections` sections, each of several of the finest."""
        finest = MOST_SECTIONS // num_sections
        first, last = self.starts[number * finest], self.starts[(number + 1) * finest]
        return self.hashes[first:last]


def by_section(hashes: Hashes) -> Sorted:
    """`hashes` sorted by their upper bits."""
    placed = np.empty(len(hashes), np.uint64)
    starts = np.zeros(MOST_SECTIONS + 1, np.int64)
    _sort(hashes, placed, starts)
    return Sorted(placed, starts)


def fill(
    batches: Iterable[Sorted], size: Size, *, threads: int, part: int = 0, num_parts: int = 1
) -> Pages:
    """The pages of a filter of `size`, or of one of `num_parts` parts of it, with all keys in it.

    The same for any number of threads and any order of keys. `num_parts` divides the number of
    sections; hashes of other parts than this must not come.
    """
    pages = new_pages(size.num_pages // num_parts)
    insert_batches(batches, pages, size, threads=threads, part=part)
    return pages


def insert_batches(
    batches: Iterable[Sorted], pages: Pages, size: Size, *, threads: int, part: int = 0
) -> None:
    """Insert all keys into the pages of a filter of `size`, or of a part of it, by number."""
    # Where the first page of the filter would be: it need not exist.
    address = np.uint64((pages.ctypes.data - part * pages.nbytes) % 2**64)
    num_mine = size.num_sections * len(pages) // size.num_pages
    sections = range(part * num_mine, (part + 1) * num_mine)
    waiting: list[Sorted] = []

    def insert(section: int) -> None:
        found = [batch.section(section, size.num_sections) for batch in waiting]
        slices = np.array([[some.ctypes.data, len(some)] for some in found], np.uint64)
        insert_slices(address, size.num_pages, size.lines, slices)

    def insert_all() -> None:
        if waiting:
            list(in_order(insert, sections, threads))
            waiting.clear()

    num_waiting = 0
    for batch in batches:
        waiting.append(batch)
        num_waiting += len(batch.hashes)
        if num_waiting >= WAITING:
            insert_all()
            num_waiting = 0
    insert_all()


@kernel
def _sort(hashes: Hashes, placed: Hashes, starts: npt.NDArray[np.int64]) -> None:
    for key in hashes:
        starts[np.int64(key >> np.uint64(SECTION_SHIFT)) + 1] += 1
    for number in range(MOST_SECTIONS):
        starts[number + 1] += starts[number]
    places = starts[:MOST_SECTIONS].copy()
    for key in hashes:
        section = np.int64(key >> np.uint64(SECTION_SHIFT))
        placed[places[section]] = key
        places[section] += 1
