"""The numbers of the paper's figure 5, and of extraction by how often a text was seen."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.intervals import RESAMPLES, middle, wilson
from wellread.base.seeds import generator
from wellread.formats.copying import Estimate, Extracted, Longest, Texts
from wellread.formats.documents import SPLITS

LITTLE = 0.01  # the paper: most samples have less than a hundredth in common
# Ranges of training documents, each up to its number.
RANGES = (0, 1, 9, 99)

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]


def summarise_texts(rows: Sequence[Row], seed: int) -> Texts | None:
    """Shares over texts; None: there are no texts with an n-gram."""
    enough = [row for row in rows if row["num_ngrams"]]
    if not enough:
        return None
    shares = np.sort([row["num_found"] / row["num_ngrams"] for row in enough])
    longest = max(enough, key=lambda row: (row["longest_words"], row["item"]))
    return Texts(
        num_texts=len(enough),
        num_short=len(rows) - len(enough),
        shares=shares.tolist(),
        median=_resampled(shares, np.median, seed),
        without=_proportion(int(np.sum(shares == 0)), len(shares)),
        below=_proportion(int(np.sum(shares < LITTLE)), len(shares)),
        longest=_longest(longest) if longest["longest_words"] else None,
    )


def _longest(row: Row) -> Longest:
    return Longest(
        num_words=row["longest_words"],
        words=row["text"][row["longest_start"] : row["longest_end"]],
        item=row["item"],
        url=row["url"],
        num_documents=row["num_documents"],
    )


def _proportion(number: int, of: int) -> Estimate:
    """With Wilson's interval."""
    low, high = wilson(number, of)
    return Estimate(value=number / of, low=low, high=high)


def _resampled(values: Floats, statistic: Callable[..., Any], seed: int) -> Estimate:
    """With the interval of a bootstrap over the values; of one value there is none."""
    value = float(statistic(values))
    if len(values) < 2:
        return Estimate(value=value, low=None, high=None)
    random = generator(seed, "overlap", "copied")
    resamples = random.choice(values, size=(RESAMPLES, len(values)))
    low, high = middle(statistic(resamples, axis=1))
    return Estimate(value=value, low=low, high=high)


def summarise_probes(rows: Sequence[Row], epochs: float | None, seed: int) -> Iterator[Extracted]:
    """Training documents by how many have the words, rarest first; then the held-out ones alike."""
    groups: dict[tuple[bool, int], list[Row]] = {}
    for row in rows:
        is_held_out = row["split"] != SPLITS[0]
        groups.setdefault((is_held_out, _range(row["num_documents"])), []).append(row)
    for (is_held_out, number), found in sorted(groups.items()):
        whole = sum(row["num_matching"] == row["num_tokens"] for row in found)
        matching = np.array([row["num_matching"] for row in found], float)
        yield Extracted(
            is_held_out=is_held_out,
            documents=_shown(number, 1),
            seen=_shown(number, epochs) if epochs is not None else "",
            num_probes=len(found),
            exact=_proportion(whole, len(found)),
            matching=_resampled(matching, np.mean, seed),
        )


def _range(num_documents: int | None) -> int:
    """The number of a range; past them all: unknown."""
    if num_documents is None:
        return len(RANGES) + 1
    return sum(num_documents > most for most in RANGES)


def _shown(number: int, times: float) -> str:
    """
    >>> [_shown(number, 1) for number in range(6)]
    ['0', '1', '2 to 9', '10 to 99', '100 or more', '']
    >>> _shown(2, 1.52)
    '3 to 14'
    """
    if number > len(RANGES):
        return ""
    least = _brief((RANGES[number - 1] + 1 if number else 0) * times)
    if number == len(RANGES):
        return f"{least} or more"
    most = _brief(RANGES[number] * times)
    return least if least == most else f"{least} to {most}"


def _brief(number: float) -> str:
    """
    >>> _brief(0.9061), _brief(8.15), _brief(150.0)
    ('0.91', '8.2', '150')
    """
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"
