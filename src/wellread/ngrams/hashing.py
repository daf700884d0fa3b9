"""The n-grams of texts as 64-bit hashes, straight from their UTF-8, with no object for a word."""

import re
import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wellread.base.kernels import inlined, kernel
from wellread.ngrams import NGRAM_WORDS

Hashes = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]  # UTF-8; lone surrogates as three bytes, as `surrogatepass` has them
Codes = npt.NDArray[np.uint32]

WORD = re.compile(r"[^\W_]+")

# FNV-1a over code points; the finaliser of splitmix64; Knuth's multiplier for rolling.
FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
ROLL = np.uint64(6364136223846793005)

# Of a table of code points; characters that are in no word have these numbers.
NO_WORD, BY_PYTHON = 0, 1
CAPITAL_SIGMA = 0x3A3  # its lower case depends on what is around it
TABLE_STEP = 1 << 12  # code points looked at together


def words(text: str) -> list[str]:
    """The lower-cased alphanumeric words of `text`, as the paper's section 4 normalises.

    Alphanumeric is what Python's `str.isalnum` says, so letters and digits of every script; the
    version of Unicode is that of the running Python (`unicodedata.unidata_version`).

    >>> words("It's 2019 -- GPT_2!")
    ['it', 's', '2019', 'gpt', '2']
    """
    return WORD.findall(text.lower())


class ColumnHashes(NamedTuple):
    """The n-grams of several texts, one text after another."""

    hashes: Hashes
    counts: npt.NDArray[np.int64]  # how many of them each text has


def ngram_hashes(text: str, n: int = NGRAM_WORDS) -> Hashes:
    """A hash for each run of `n` successive words of `text`, repeats included, in order.

    Two n-grams get equal hashes if their words are equal; others with a probability near 2^-64.

    >>> len(ngram_hashes("one two three four", n=3))
    2
    """
    data = _utf8(text)
    hashes = np.empty(_most_ngrams(len(data), n), np.uint64)
    count = _hash_text(data, 0, len(data), lower_codes(), n, hashes)
    if count < 0:
        return ngram_hashes(text.lower(), n)
    return hashes[:count]


def column_hashes(texts: pa.LargeStringArray, n: int = NGRAM_WORDS) -> ColumnHashes:
    """The `ngram_hashes` of each text of a column without nulls; it makes no object for a text."""
    _, offsets_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[texts.offset :][: len(texts) + 1]
    data = np.frombuffer(data_buffer or b"", np.uint8)
    counts = np.empty(len(texts), np.int64)
    hashes = np.empty(_most_ngrams(int(offsets[-1] - offsets[0]), 1) + len(texts), np.uint64)
    total = _hash_texts(data, offsets, lower_codes(), n, hashes, counts)
    by_python = np.flatnonzero(counts < 0)
    if not len(by_python):
        return ColumnHashes(hashes[:total], counts)
    before = np.cumsum(np.maximum(counts, 0))[by_python]
    parts = np.split(hashes[:total], before)
    for number, row in enumerate(by_python.tolist()):
        found = ngram_hashes(texts[row].as_py(), n)
        parts.insert(2 * number + 1, found)
        counts[row] = len(found)
    return ColumnHashes(np.concatenate(parts), counts)


def word_spans(text: str) -> npt.NDArray[np.int64]:
    """Where each word of `words(text)` is in `text`: (words, 2), its first character and its end.

    >>> word_spans("It's").tolist()
    [[0, 2], [3, 4]]
    """
    data = _utf8(text)
    spans = np.empty((_most_ngrams(len(data), 1), 2), np.int64)
    count = _span_words(data, lower_codes(), spans)
    if count >= 0:
        return spans[:count]
    lowered = word_spans(text.lower())
    # Where one character becomes two, what follows has moved.
    origin = np.repeat(np.arange(len(text)), [len(character.lower()) for character in text])
    firsts, lasts = lowered[:, :1], lowered[:, 1:] - 1
    return np.hstack([origin[firsts], origin[lasts] + 1])


def _utf8(text: str) -> Bytes:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def _most_ngrams(num_bytes: int, n: int) -> int:
    return max((num_bytes + 1) // 2 - n + 1, 0)


def is_in(hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.bool_]:
    """For each of `hashes`, whether it is among the sorted `wanted`."""
    if not len(wanted):
        return np.zeros(len(hashes), bool)
    places = np.searchsorted(wanted, hashes)
    return np.asarray(wanted[np.minimum(places, len(wanted) - 1)] == hashes)


@lru_cache(maxsize=1)
def lower_codes() -> Codes:
    """For every code point that of its lower case, NO_WORD if that is in no word.

    BY_PYTHON: `str.lower` has to see the whole text, because what comes out depends on what is
    around the character, or is more than one.
    """
    lowered, by_python = [], [CAPITAL_SIGMA]
    for start in range(0, sys.maxunicode + 1, TABLE_STEP):
        every = "".join(map(chr, range(start, start + TABLE_STEP)))
        low = every.replace(chr(CAPITAL_SIGMA), " ").lower()
        if len(low) > len(every):
            longer = [character for character in every if len(character.lower()) > 1]
            by_python += map(ord, longer)
            low = "".join(" " if one in longer else one for one in every).lower()
        lowered.append(low)
    joined = "".join(lowered)
    table = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).copy()
    is_word = np.zeros(len(table), np.bool_)
    for run in WORD.finditer(joined):
        is_word[run.start() : run.end()] = True
    table[~is_word] = NO_WORD
    table[by_python] = BY_PYTHON
    return table


@kernel
def mix(value: np.uint64) -> np.uint64:
    """Spread every bit of `value` over all 64 (splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return value ^ (value >> np.uint64(31))


@inlined
def _decode(data: Bytes, at: int) -> tuple[np.uint32, int]:
    """The character at a place of valid UTF-8, and how many bytes it has."""
    first = np.uint32(data[at])
    if first < 0x80:
        return first, 1
    second = np.uint32(data[at + 1]) & np.uint32(0x3F)
    if first < 0xE0:
        return (first & np.uint32(0x1F)) << np.uint32(6) | second, 2
    third = np.uint32(data[at + 2]) & np.uint32(0x3F)
    if first < 0xF0:
        high = (first & np.uint32(0x0F)) << np.uint32(12)
        return high | second << np.uint32(6) | third, 3
    fourth = np.uint32(data[at + 3]) & np.uint32(0x3F)
    high = (first & np.uint32(0x07)) << np.uint32(18) | second << np.uint32(12)
    return high | third << np.uint32(6) | fourth, 4


@kernel
def _hash_text(data: Bytes, start: int, stop: int, codes: Codes, n: int, hashes: Hashes) -> int:
    """Fill `hashes`; how many there are, or -1 for a text that Python must lower."""
    leaving = np.uint64(1)  # ROLL^n: the weight of the word that falls out
    for _ in range(n):
        leaving *= ROLL
    window = np.zeros(n, np.uint64)
    rolled, word = np.uint64(0), FNV_OFFSET
    slot, num_words, inside = 0, 0, False
    while start <= stop:
        code, length = np.uint32(NO_WORD), 1
        if start < stop:
            character, length = _decode(data, start)
            code = codes[character]
        start += length
        if code > BY_PYTHON:
            word = (word ^ np.uint64(code)) * FNV_PRIME
            inside = True
        elif code == BY_PYTHON:
            return -1
        elif inside:
            mixed = mix(word)
            rolled = rolled * ROLL + mixed - window[slot] * leaving
            window[slot] = mixed
            slot = slot + 1 if slot + 1 < n else 0
            num_words += 1
            if num_words >= n:
                hashes[num_words - n] = mix(rolled)
            word, inside = FNV_OFFSET, False
    return max(num_words - n + 1, 0)


@kernel
def _hash_texts(
    data: Bytes,
    offsets: npt.NDArray[np.int64],
    codes: Codes,
    n: int,
    hashes: Hashes,
    counts: npt.NDArray[np.int64],
) -> int:
    """`_hash_text` of each of several texts; how many hashes they have together."""
    total = 0
    for row in range(len(counts)):
        counts[row] = _hash_text(data, offsets[row], offsets[row + 1], codes, n, hashes[total:])
        total += max(counts[row], 0)
    return total


@kernel
def _span_words(data: Bytes, codes: Codes, spans: npt.NDArray[np.int64]) -> int:
    """Fill `spans`; how many words there are, or -1 for a text that Python must lower."""
    at, place, first, count = 0, 0, -1, 0
    while at < len(data):
        character, length = _decode(data, at)
        code = codes[character]
        if code == BY_PYTHON:
            return -1
        if code > BY_PYTHON and first < 0:
            first = place
        elif code == NO_WORD and first >= 0:
            spans[count] = (first, place)
            first, count = -1, count + 1
        at += length
        place += 1
    if first >= 0:
        spans[count] = (first, place)
        count += 1
    return count
