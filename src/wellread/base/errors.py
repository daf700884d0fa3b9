"""The two kinds of failure that a person can act on; anything else is a bug and crashes."""

import sys
from collections.abc import Sequence
from pathlib import Path

EXTRAS = {"ray": "ray", "tensorboard": "tensorboard", "gradio": "playground"}  # others: all


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


class MissingLibrary(InputError, ModuleNotFoundError):
    """What was asked for needs a library that an extra of this package brings."""


def missing_library(error: ModuleNotFoundError) -> MissingLibrary:
    """The sentence for a library that is not installed; a module of our own or Python's is a bug.

    >>> print(missing_library(ModuleNotFoundError(name="torch.nn")))
    this needs the library torch, which is not installed: pip install "wellread[all]"
    """
    library = (error.name or "").partition(".")[0]
    if library in ("", "wellread", *sys.stdlib_module_names):
        raise error
    extra = EXTRAS.get(library, "all")
    what = f"this needs the library {library}, which is not installed"
    return MissingLibrary(f'{what}: pip install "wellread[{extra}]"', name=library)
