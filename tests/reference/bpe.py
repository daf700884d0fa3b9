"""Byte-level BPE as GPT-2 has it, written to be read: no cache, no cleverness, nothing fast.

Text is cut into pre-tokens, a pre-token becomes the ids of its bytes, and merges join neighbouring
ids. Ids 0 to 255 are the single bytes; merge number r makes id 256 + r. A merge is a pair of ids.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

import regex

Pair = tuple[int, int]

# The pre-tokens, first alternative that fits: seven contractions (lower case only), letters,
# numbers or other characters with one space before them, and spaces. Spaces before a word leave
# the last one to the word: `\s+(?!\S)` may not stop right before something that is not a space.
PATTERN = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


def byte_characters() -> dict[int, str]:
    """GPT-2's stand-in for each byte, so that any token can be printed.

    A byte that prints in Latin-1 is its own character. The others (spaces, controls, the soft
    hyphen) take U+0100, U+0101 and so on, in their order.
    """
    prints = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    prints += range(ord("®"), ord("ÿ") + 1)
    others = [byte for byte in range(256) if byte not in prints]
    stand_in = {byte: chr(byte) for byte in prints}
    stand_in.update({byte: chr(256 + place) for place, byte in enumerate(others)})
    return stand_in


# The n-th of these bytes has the id n: bytes sorted by stand-in, so that "!" is 0.
BYTES = sorted(range(256), key=byte_characters().__getitem__)
BYTE_IDS = {byte: number for number, byte in enumerate(BYTES)}


def slow_split(text: str | bytes) -> list[bytes]:
    """The pre-tokens; joined, they are the UTF-8 of `text`, or the very bytes given.

    A byte that is not part of valid UTF-8 is read as a lone surrogate, which is neither letter
    nor number nor space, and is written back as that byte. In a str, a lone surrogate has no
    UTF-8 and is replaced by U+FFFD; a pair of them is the one character that it stands for.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    else:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [piece.encode("utf-8", "surrogateescape") for piece in PATTERN.findall(text)]


def slow_starts(data: bytes) -> list[int]:
    """Where in `data` each pre-token starts."""
    lengths = [len(piece) for piece in slow_split(data)]
    return list(itertools.accumulate([0, *lengths]))[: len(lengths)]


def slow_train(texts: Iterable[str], num_merges: int) -> tuple[list[Pair], list[int]]:
    """The merges learnt from `texts` and, at the time of each, the count of its pair.

    Every merge joins the pair of neighbours that is most frequent in all pre-tokens; among pairs
    of the same count, the one with the smallest ids. Pairs in "aaa" overlap, and count as two.
    Ends early where no pair is left.
    """
    words: Counter[tuple[int, ...]] = Counter()
    for text in texts:
        words.update(byte_ids(piece) for piece in slow_split(text))
    merges, merge_counts = [], []
    for new_id in range(256, 256 + num_merges):
        pair_counts: Counter[Pair] = Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pair_counts[pair] += count
        if not pair_counts:
            break
        best = min(pair_counts, key=lambda pair: (-pair_counts[pair], pair))
        merges.append(best)
        merge_counts.append(pair_counts[best])
        merged: Counter[tuple[int, ...]] = Counter()
        for word, count in words.items():
            merged[merge_everywhere(word, best, new_id)] += count
        words = merged
    return merges, merge_counts


def byte_ids(piece: bytes) -> tuple[int, ...]:
    return tuple(BYTE_IDS[byte] for byte in piece)


def merge_everywhere(word: tuple[int, ...], pair: Pair, new_id: int) -> tuple[int, ...]:
    """`word` with `pair` joined wherever it is, from the left: "aaa" becomes "aa" and "a"."""
    merged: list[int] = []
    rest = list(word)
    while rest:
        if tuple(rest[:2]) == pair:
            merged.append(new_id)
            rest = rest[2:]
        else:
            merged.append(rest[0])
            rest = rest[1:]
    return tuple(merged)


def slow_encode(text: str | bytes, merges: Sequence[Pair]) -> list[int]:
    """The ids of `text`: in each pre-token, again and again, the earliest learnt merge that fits.

    Where it fits in several places, the leftmost is joined first.
    """
    rank_of = {pair: rank for rank, pair in enumerate(merges)}
    ids: list[int] = []
    for piece in slow_split(text):
        word = list(byte_ids(piece))
        while fitting := [pair for pair in itertools.pairwise(word) if pair in rank_of]:
            first = min(fitting, key=rank_of.__getitem__)
            at = list(itertools.pairwise(word)).index(first)
            word[at : at + 2] = [256 + rank_of[first]]
        ids += word
    return ids


def slow_tokens(merges: Sequence[Pair]) -> list[bytes]:
    """The bytes of each id: the single bytes, then what each merge joins."""
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return tokens


def slow_decode(ids: Iterable[int], merges: Sequence[Pair]) -> bytes:
    """The bytes that `ids` stand for, exactly those that were encoded."""
    tokens = slow_tokens(merges)
    return b"".join(tokens[number] for number in ids)
