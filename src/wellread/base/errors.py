"""The two kinds of failure that a person can act on; anything else is a bug and crashes."""

from collections.abc import Sequence
from pathlib import Path


class WellreadError(Exception):
    """The work failed: one sentence with the file or record, what was found, and what to do."""

    exit_status = 1


class InputError(WellreadError):
    """The call, the recipe or an input was refused before any work was done."""

    exit_status = 2


class WrongArtifact(InputError):
    """At `place` is an artifact of the stage `found`, or none, and not one of those `expected`."""

    def __init__(
        self, sentence: str, place: Path, found: str | None, expected: Sequence[str]
    ) -> None:
        super().__init__(sentence)
        self.place, self.found, self.expected = place, found, tuple(expected)


class Stopped(WellreadError):
    """The caller asked for an end; all that was done is kept, and the same call goes on from it."""
