"""One module, one KIND: a task that texts may demonstrate, or a trace of a prepared data set."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

Span = tuple[int, int]  # offsets of characters: start, end

# What ends a paragraph: after any other character, a line may go on in the next, as in printed
# books and mails.
ENDS = ".!?:)”\"’'…*_-—"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted, and how it is found.

    `spans` is linear in the length of the text, whatever is in it, and takes microseconds for a
    page that has none.
    """

    task: str  # the paper's name and place of it
    counted: str  # one sentence
    spans: Callable[[str], Iterable[Span]]  # in order, without overlap


def lines_of(text: str) -> Iterator[tuple[int, str, bool]]:
    """(start, line, whether a paragraph may begin there) of each line that is not blank.

    >>> list(lines_of("One\\ntwo.\\n\\nThree"))
    [(0, 'One', True), (4, 'two.', False), (10, 'Three', True)]
    """
    start = 0
    begins = True
    for line in text.split("\n"):
        bare = line.rstrip()
        if bare:
            yield start, bare, begins
        begins = not bare or bare[-1] in ENDS
        start += len(line) + 1
