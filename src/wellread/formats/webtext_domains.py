"""OpenAI's list of WebText's 1,000 most frequent domains (openai/gpt-2, domains.txt)."""

from collections.abc import Mapping
from pathlib import Path

from scipy.stats import spearmanr

from wellread.base.errors import InputError


def read_domains(path: Path) -> dict[str, int]:
    """How many links each name has: a line each, the count and the name without public suffix."""
    found = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            count, _, name = line.strip().partition(" ")
            if not count.isdecimal():
                raise InputError(
                    f"{path}:{number}: expected a count and a name, as in domains.txt of "
                    f"openai/gpt-2, not {line[:40]!r}"
                )
            if name:  # one line of OpenAI's has none
                found[name] = int(count)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a list of domains: {error}") from None
    return found


def rank_correlation(
    ours: Mapping[str, int], webtext: Mapping[str, int]
) -> tuple[float | None, int]:
    """Spearman's, of the numbers of the names that both have, and how many these are.

    None for fewer than three names, and where one side has the same number for all.
    """
    shared = sorted(ours.keys() & webtext.keys())
    sides = [[side[name] for name in shared] for side in (ours, webtext)]
    if len(shared) < 3 or any(len(set(side)) == 1 for side in sides):
        return None, len(shared)
    return float(spearmanr(*sides).statistic), len(shared)
