"""Learning merges: the pair that occurs most often becomes one token, again and again."""

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from wellread.tokenizer.alphabet import byte_order

Pair = tuple[int, int]


def learn_merges(counts: Mapping[bytes, int], num_merges: int) -> Iterator[tuple[Pair, int]]:
    """The merges learnt from pre-tokens and how often each occurs, with each pair's count.

    Yields ((left id, right id), count); the n-th merge makes id 256 + n. Among pairs of equal
    count the one with the smallest ids is taken, as Hugging Face `tokenizers` does. Ends early
    when no pair is left.

    >>> list(learn_merges({b"aaab": 2, b"ab": 1}, 2))
    [((64, 64), 4), ((64, 65), 3)]
    """
    ids = {byte: number for number, byte in enumerate(byte_order())}
    ordered = sorted(counts)  # so that nothing depends on the order of documents
    words = [[ids[byte] for byte in word] for word in ordered]
    weights = [counts[word] for word in ordered]
    pair_counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for number, word in enumerate(words):
        for pair in itertools.pairwise(word):
            pair_counts[pair] += weights[number]
            places[pair].add(number)
    heap = [(-count, pair) for pair, count in pair_counts.items()]
    heapq.heapify(heap)

    for new_id in range(256, 256 + num_merges):
        best = _most_frequent(heap, pair_counts)
        if best is None:
            return
        yield best, pair_counts[best]
        changed: set[Pair] = set()
        for number in places.pop(best):
            word = words[number]
            for pair in itertools.pairwise(word):
                pair_counts[pair] -= weights[number]
                changed.add(pair)
            word = words[number] = merge_pair(word, best, new_id)
            for pair in itertools.pairwise(word):
                pair_counts[pair] += weights[number]
                places[pair].add(number)
                changed.add(pair)
        for pair in changed:
            if pair_counts[pair] > 0:
                heapq.heappush(heap, (-pair_counts[pair], pair))
            else:
                del pair_counts[pair]


def _most_frequent(heap: list[tuple[int, Pair]], counts: Mapping[Pair, int]) -> Pair | None:
    # Entries whose count has changed since they were pushed are stale: a fresher one follows.
    while heap:
        negative, pair = heapq.heappop(heap)
        if counts.get(pair) == -negative:
            return pair
    return None


def merge_pair(word: list[int], pair: Pair, new_id: int) -> list[int]:
    """`word` with each occurrence of `pair`, from the left, replaced by `new_id`.

    >>> merge_pair([1, 1, 1, 2], (1, 1), 256)
    [256, 1, 2]
    """
    merged: list[int] = []
    at = 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            merged.append(new_id)
            at += 2
        else:
            merged.append(word[at])
            at += 1
    return merged
