"""What the kept texts demonstrate by nature: the tasks of the paper, done by people for people.

Its thesis is that a language model learns tasks from "naturally occurring demonstrations" (abstract
and table 1). Rules find them, not models, and rather miss one than count what is none: the counts
are lower bounds.
"""

import msgspec

from wellread.base import plugins
from wellread.corpus import demonstration_kinds
from wellread.corpus.demonstration_kinds import Kind


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One demonstration in a text: `text[start:end]`."""

    kind: str  # a key of KINDS
    start: int
    end: int


KINDS: dict[str, Kind] = {
    name.replace("-", " "): plugins.load(demonstration_kinds, name, "KIND")
    for name in plugins.names(demonstration_kinds)
}


def demonstrations_in(text: str) -> list[Found]:
    """All that `text` has, in order of their start; those of one kind do not overlap.

    >>> [(found.kind, found.start) for found in demonstrations_in("Q: Who?\\nA: Me. <unk>")]
    [('question and answer', 0), ('unknown word', 15)]
    """
    found = [
        Found(kind=name, start=start, end=end)
        for name, kind in KINDS.items()
        for start, end in kind.spans(text)
    ]
    return sorted(found, key=lambda one: (one.start, one.end, one.kind))
