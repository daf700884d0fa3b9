"""n-grams and their hashes, written to be obviously right."""

import re

MASK = 2**64 - 1


def slow_words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def slow_ngrams(text: str, n: int = 8) -> list[str]:
    words = slow_words(text)
    return [" ".join(words[start : start + n]) for start in range(len(words) - n + 1)]


def slow_ngram_hashes(text: str, n: int = 8) -> list[int]:
    return [slow_hash(ngram) for ngram in slow_ngrams(text, n)]


def slow_hash(ngram: str) -> int:
    """Horner's rule over the words' hashes, mixed."""
    rolled = 0
    for word in ngram.split(" "):
        value = 0xCBF29CE484222325
        for character in word:
            value = ((value ^ ord(character)) * 0x100000001B3) & MASK
        rolled = (rolled * 6364136223846793005 + mix(value)) & MASK
    return mix(rolled)


def mix(value: int) -> int:
    """splitmix64's finaliser."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)
