"""The shares of overlap by every counting, with sets of strings: slow, and obviously right."""

from collections.abc import Collection, Sequence

from tests.reference.ngrams import slow_ngrams, slow_words


def slow_within(text: str, n: int = 8) -> list[str]:
    return [ngram for line in text.split("\n") for ngram in slow_ngrams(line, n)]


def slow_known(texts: Sequence[str], n: int = 8) -> set[str]:
    return {ngram for text in texts for ngram in slow_ngrams(text, n)}


def slow_counts(items: Sequence[str], known: Collection[str], n: int = 8) -> dict[str, list[int]]:
    """Counting -> (n-grams of the set, how many of them are known)."""
    whole = [ngram for item in items for ngram in slow_ngrams(item, n)]
    ways = {
        "all": whole,
        "unique": sorted(set(whole)),
        "within": [ngram for item in items for ngram in slow_within(item, n)],
    }
    return {way: [len(found), sum(one in known for one in found)] for way, found in ways.items()}


def slow_row(item: str, known: Collection[str], n: int = 8) -> dict[str, int]:
    """What the table of items has of one."""
    counts = slow_counts([item], known, n)
    assert len(slow_words(item)) >= n or counts["all"] == [0, 0]
    return {
        "num_ngrams": counts["all"][0],
        "num_found": counts["all"][1],
        "num_unique": counts["unique"][0],
        "num_unique_found": counts["unique"][1],
        "num_within": counts["within"][0],
        "num_within_found": counts["within"][1],
    }
