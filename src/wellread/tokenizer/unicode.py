"""Which code points are letters, numbers and white space, frozen at one version of Unicode.

The ids of a text depend on these classes, so they must not change with the Python or the library
that happens to be installed. The version is that of tiktoken and Hugging Face `tokenizers`, which
agree on every code point. `unicode-16.0.txt` lists them as ranges; `python -m
wellread.tokenizer.unicode` prints that file anew and needs `pip install unicodedata2==16.0.0`.
"""

import itertools
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

VERSION = "16.0"
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
    import unicodedata2  # only who makes the file needs it

    if unicodedata2.unidata_version != f"{VERSION}.0":
        raise SystemExit(f"unicodedata2 has Unicode {unicodedata2.unidata_version}, not {VERSION}")
    separators = "\x1c\x1d\x1e\x1f"  # white space to Python's str, not to regular expressions

    def name_of(code: int) -> str:
        character = chr(code)
        if character.isspace() and character not in separators:
            return "S"
        return category if (category := unicodedata2.category(character)[0]) in "LN" else ""

    names = [*map(name_of, range(NUM_CODE_POINTS)), ""]
    lines: list[str] = []
    first = 0
    for code, (name, following) in enumerate(itertools.pairwise(names)):
        if following != name:
            if name:
                lines.append(f"{first:04X} {code:04X} {name}")
            first = code + 1
    return lines


if __name__ == "__main__":
    print("\n".join(_ranges()))  # noqa: T201 - a generator's output
