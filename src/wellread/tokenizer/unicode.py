"""Which code points are letters, numbers and white space, frozen at one version of Unicode.

The ids of a text depend on these classes, so they must not change with the Python or the library
that happens to be installed. `unicode-17.0.txt` lists them as ranges; `python -m
wellread.tokenizer.unicode` prints that file anew from the `regex` module, which the released
encoder splits with.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION = "17.0"
OTHER, LETTER, NUMBER, SPACE = range(4)
NAMES = {"L": LETTER, "N": NUMBER, "S": SPACE}
NUM_CODE_POINTS = 0x110000
PAGE = 256  # code points


def code_point_classes() -> npt.NDArray[np.uint8]:
    """OTHER, LETTER (\\p{L}), NUMBER (\\p{N}) or SPACE (\\s) for every code point."""
    classes = np.zeros(NUM_CODE_POINTS, np.uint8)
    text = files("wellread.tokenizer").joinpath(f"unicode-{VERSION}.txt").read_text("ascii")
    for line in text.splitlines():
        first, last, name = line.split()
        classes[int(first, 16) : int(last, 16) + 1] = NAMES[name]
    return classes


@lru_cache(maxsize=1)
def class_pages() -> npt.NDArray[np.uint8]:
    """The same in two steps, small enough to stay in cache.

    The first 4,352 entries (uint16, as bytes) give, for each run of 256 code points, where in the
    array its 256 classes lie, in units of 256 bytes.
    """
    pages = code_point_classes().reshape(-1, PAGE)
    places: dict[bytes, int] = {}
    index = [places.setdefault(page.tobytes(), len(places)) for page in pages]
    num_index_pages = len(pages) * 2 // PAGE
    index_bytes = (np.array(index) + num_index_pages).astype("<u2").tobytes()
    return np.frombuffer(index_bytes + b"".join(places), np.uint8)


def _ranges() -> list[str]:
    import regex

    kinds: list[tuple[str, Any]] = [
        ("L", regex.compile(r"\p{L}")), ("N", regex.compile(r"\p{N}")), ("S", regex.compile(r"\s")),
    ]  # fmt: skip
    lines: list[str] = []
    first, current = 0, ""
    for code in range(NUM_CODE_POINTS + 1):
        end = code == NUM_CODE_POINTS
        name = "" if end else next((n for n, kind in kinds if kind.match(chr(code))), "")
        if name != current or end:
            if current:
                lines.append(f"{first:04X} {code - 1:04X} {current}")
            first, current = code, name
    return lines


if __name__ == "__main__":
    print("\n".join(_ranges()))  # noqa: T201 - a generator's output
