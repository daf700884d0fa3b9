"""The n-grams of a text as 64-bit hashes, with no Python object for a word."""

import re
import sys
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.kernels import kernel
from wellread.ngrams import NGRAM_WORDS

Hashes = npt.NDArray[np.uint64]

WORD = re.compile(r"[^\W_]+")

# FNV-1a over code points; the finaliser of splitmix64; Knuth's multiplier for rolling.
FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
ROLL = np.uint64(6364136223846793005)


def words(text: str) -> list[str]:
    """The lower-cased alphanumeric words of `text`, as the paper's section 4 normalises.

    Alphanumeric is what Python's `str.isalnum` says, so letters and digits of every script; the
    version of Unicode is that of the running Python (`unicodedata.unidata_version`).

    >>> words("It's 2019 -- GPT_2!")
    ['it', 's', '2019', 'gpt', '2']
    """
    return WORD.findall(text.lower())


def ngram_hashes(text: str, n: int = NGRAM_WORDS) -> Hashes:
    """A hash for each run of `n` successive words of `text`, repeats included, in order.

    Two n-grams get equal hashes if their words are equal; others with a probability near 2^-64.

    >>> len(ngram_hashes("one two three four", n=3))
    2
    """
    lowered = text.lower()
    if lowered.isascii():
        codes: npt.NDArray[Any] = np.frombuffer(lowered.encode("ascii"), np.uint8)
    else:
        encoded = lowered.encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(encoded, np.uint32)
    hashes = np.empty(max((len(codes) + 1) // 2 - n + 1, 0), np.uint64)
    count = _hash_ngrams(codes, alphanumeric_codes(), n, hashes)
    return hashes[:count]


def is_in(hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
    """For each of `hashes`, whether it is among the sorted `wanted`."""
    if not len(wanted):
        return np.zeros(len(hashes), bool)
    places = np.searchsorted(wanted, hashes)
    return np.asarray(wanted[np.minimum(places, len(wanted) - 1)] == hashes)


@lru_cache(maxsize=1)
def alphanumeric_codes() -> npt.NDArray[np.bool_]:
    """For every code point, whether it can be part of a word."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    table = np.zeros(len(every), np.bool_)
    for run in WORD.finditer(every):
        table[run.start() : run.end()] = True
    return table


@kernel
def mix(value: np.uint64) -> np.uint64:
    """Spread every bit of `value` over all 64 (splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@kernel
def _hash_ngrams(
    codes: npt.NDArray[Any], is_word: npt.NDArray[np.bool_], n: int, hashes: Hashes
) -> int:
    """Fill `hashes`, which holds the most n-grams that so many characters can have."""
    leaving = np.uint64(1)  # ROLL^n: the weight of the word that falls out
    for _ in range(n):
        leaving *= ROLL
    window = np.zeros(n, np.uint64)
    rolled = np.uint64(0)
    word = FNV_OFFSET
    num_words = 0
    inside = False
    for position in range(len(codes) + 1):
        if position < len(codes) and is_word[codes[position]]:
            word = (word ^ np.uint64(codes[position])) * FNV_PRIME
            inside = True
        elif inside:
            mixed = mix(word)
            slot = num_words % n
            rolled = rolled * ROLL + mixed - window[slot] * leaving
            window[slot] = mixed
            num_words += 1
            if num_words >= n:
                hashes[num_words - n] = mix(rolled)
            word = FNV_OFFSET
            inside = False
    return max(num_words - n + 1, 0)
