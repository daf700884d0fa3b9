"""What was meant: the nearest of the names that there are."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from wellread.base.errors import InputError

MOST_SHOWN = 40  # of the words that a suggestion names: all tasks
LEAST_ALIKE = 0.6  # of difflib's ratio, its own default
LEAST_ALIKE_PATH = 0.7  # of files there are many: `links` is not LICENSE


def nearest(
    word: str, known: Iterable[str], *, number: int = 1, least: float = LEAST_ALIKE
) -> list[str]:
    """Up to `number` of `known` that are most like `word`, in capitals or not.

    >>> nearest("124m", ["124M", "355M"])
    ['124M']
    """
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, n=number, cutoff=least)
    return [folded[name] for name in found]


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the nearest known word, or the first ones.

    >>> suggestion("min_carma", ["min_karma", "until"])
    "; did you mean 'min_karma'?"
    >>> suggestion("zzz", ["min_karma", "until"])
    '; known: min_karma, until'
    """
    options = list(known)
    if meant := did_you_mean(word, options):
        return meant
    more = f" and {len(options) - MOST_SHOWN:,} more" if len(options) > MOST_SHOWN else ""
    return f"; known: {', '.join(options[:MOST_SHOWN])}{more}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """As `suggestion`, but empty where nothing known is near."""
    near = nearest(word, known)
    return f"; did you mean {near[0]!r}?" if near else ""


def no_such(path: Path, expected: str) -> InputError:
    """That there is nothing at `path`, what there is of such a name, and what is to be named."""
    meant = meant_path(path) or f"; name {expected}"
    return InputError(f"{path}: there is no such file or folder{meant}")


def meant_path(path: Path) -> str:
    """As `did_you_mean`, of a path that exists and is spelt almost as `path`, which does not."""
    near = None if path.exists() else _nearest_path(path)
    return f"; did you mean {near}?" if near else ""


def _nearest_path(path: Path) -> Path | None:
    there = [folder for folder in (path, *path.parents) if folder.is_dir()]
    if not there:
        return None
    found = there[0]
    for part in path.parts[len(found.parts) :]:
        siblings = sorted(child.name for child in found.iterdir()) if found.is_dir() else []
        near = nearest(part, siblings, least=LEAST_ALIKE_PATH)
        if not near:
            return None
        found /= near[0]
    return found
