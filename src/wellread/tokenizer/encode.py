"""The kernels that turn pre-tokens into ids.

Most pre-tokens have been seen before. Those of up to 15 bytes are looked up in a cache whose
entries are half a cache line: 16 bytes of key (the text itself and its length) and 16 bytes of
value (the ids and how many), so that a hit costs two comparisons and two stores. All threads share
it: an entry is written once and stays. What finds its place taken goes to a smaller cache of the
thread's own, which forgets. Longer pre-tokens, up to 64 bytes, and those of more ids than a value
holds have another. What is nowhere is merged by rank. Entries hold whole keys, so that none ever
answers for another text.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int64 as integer
from numba import uint16 as half
from numba import uint32 as single
from numba import uint64 as word

from wellread.base.intrinsics import (
    claim,
    load8,
    load32,
    load64,
    load_published,
    prefetch,
    publish,
    store16,
    store32,
    store64,
)
from wellread.base.kernels import inlined, kernel
from wellread.tokenizer.split import ONE, begin, find_ends, get

# What a kernel needs, as addresses and numbers in one array of words.
STATE, PAGES_AT, ENDS, KEYS, SCRATCH, MASKS = range(6)
CACHE, OWN_CACHE, LONG_CACHE, BYTE_IDS, BYTE_PAIRS, PAIRS, PAIRS_SHIFT = range(6, 13)
RANK_IDS, WIDTH = range(13, 15)  # WIDTH: 1 for ids of two bytes, 2 for ids of four
TABLE_WORDS = 16

CACHE_BITS = 20  # 2^20 entries of 32 bytes: 32 MiB for all threads, touched as text needs it
OWN_BITS = 17  # 4 MiB for each thread
BUSY = word(1)  # the high key of an entry that is being written; no text has it
LONG_CACHE_BITS = 12
LONG_SLOT = 192  # bytes: length, 64 of key, number of ids, 112 of ids
LONG_IDS = 112
SHORT_KEY, LONG_KEY = 15, 64
RANK_BITS, ID_BITS = 22, 21  # an entry of PAIRS: left id, right id, rank
NO_ID = -1
NO_RANK = single(0xFFFFFFFF)
EMPTY = word(0xFFFFFFFFFFFFFFFF)
# Odd numbers with well mixed bits: the golden ratio's, and xxHash's second prime.
MIX_1, MIX_2 = word(0x9E3779B97F4A7C15), word(0xC2B2AE3D27D4EB4F)


@inlined
def pair_rank(tables: Any, left: Any, right: Any) -> Any:
    """The rank of the merge of two ids, NO_RANK if there is none."""
    pairs, shift = get(tables, PAIRS), get(tables, PAIRS_SHIFT)
    key = (left << word(ID_BITS)) | right
    slot = (key * MIX_1) >> shift
    while True:
        entry = load64(pairs + (slot << word(3)))
        if entry == EMPTY:
            return NO_RANK
        if (entry >> word(RANK_BITS)) == key:
            return single(entry & word((1 << RANK_BITS) - 1))
        slot = (slot + ONE) & ((ONE << (word(64) - shift)) - ONE)


@inlined
def short_key(masks: Any, text: Any, length: Any) -> Any:
    """The two words that stand for a pre-token of up to 15 bytes; for longer ones see `key_masks`.

    The text, with its length in the top byte.
    """
    length = min(length, word(SHORT_KEY + 1))
    mask = masks + (length << word(4))
    low = load64(text) & load64(mask)
    return low, (load64(text + word(8)) & load64(mask + word(8))) | (length << word(56))


@inlined
def _store_id(out: Any, width: Any, number: Any) -> Any:
    """Write an id to `out`, as uint16 if `width` is 1; the address after it."""
    if width == ONE:
        store16(out, half(number))
    else:
        store32(out, single(number))
    return out + (ONE << width)


@kernel
def _merge_short(tables: Any, text: Any, length: Any) -> Any:
    """Merge up to 64 bytes; their ids are then in SCRATCH (uint32). How many there are.

    Of the pairs of the lowest rank, the leftmost first, one at a time.

    The ranks of neighbours are kept, so that a merge looks up two pairs only.
    """
    ids, byte_ids = get(tables, SCRATCH), get(tables, BYTE_IDS)
    ranks, byte_pairs = ids + word(4 * LONG_KEY), get(tables, BYTE_PAIRS)
    count = integer(length)
    before = word(load8(text))
    store32(ids, load32(byte_ids + (before << word(2))))
    for at in range(1, count):
        here = word(load8(text + word(at)))
        store32(ids + word(4 * at), load32(byte_ids + (here << word(2))))
        rank = load32(byte_pairs + (((before << word(8)) | here) << word(2)))
        store32(ranks + word(4 * (at - 1)), rank)
        before = here
    while count > 1:
        best, at = NO_RANK, 0
        for place in range(count - 1):
            rank = load32(ranks + word(4 * place))
            if rank < best:
                best, at = rank, place
        if best == NO_RANK:
            break
        merged = word(load32(get(tables, RANK_IDS) + (word(best) << word(2))))
        store32(ids + word(4 * at), single(merged))
        count -= 1
        for place in range(at + 1, count):
            store32(ids + word(4 * place), load32(ids + word(4 * place + 4)))
            store32(ranks + word(4 * place - 4), load32(ranks + word(4 * place)))
        if at > 0:
            left = word(load32(ids + word(4 * at - 4)))
            store32(ranks + word(4 * at - 4), pair_rank(tables, left, merged))
        if at + 1 < count:
            right = word(load32(ids + word(4 * at + 4)))
            store32(ranks + word(4 * at), pair_rank(tables, merged, right))
    return count


@inlined
def _sink(heap: Any, place: Any, size: Any) -> None:
    entry = heap[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= entry:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = entry


@inlined
def _rise(heap: Any, place: Any) -> None:
    entry = heap[place]
    while place > 0 and heap[(place - 1) // 2] > entry:
        heap[place] = heap[(place - 1) // 2]
        place = (place - 1) // 2
    heap[place] = entry


@kernel
def _merge_long(tables: Any, text: Any, length: Any) -> Any:
    """The ids of any number of bytes, in n log n steps: a heap of (rank, place), a linked list."""
    size = integer(length)
    ids = np.empty(size, np.uint32)
    for at in range(size):
        here = word(load8(text + word(at)))
        ids[at] = load32(get(tables, BYTE_IDS) + (here << word(2)))
    following = np.arange(1, size + 1)
    before = np.arange(-1, size - 1)
    ranks = np.full(size, NO_RANK, np.uint32)  # of the pair that begins here
    heap = np.empty(3 * size, np.uint64)  # a merge takes one entry and adds two at most
    num = 0
    for at in range(size - 1):
        ranks[at] = pair_rank(tables, word(ids[at]), word(ids[at + 1]))
        if ranks[at] != NO_RANK:
            heap[num] = word(ranks[at]) << word(40) | word(at)
            num += 1
    for place in range(num // 2 - 1, -1, -1):
        _sink(heap, place, num)
    while num:
        rank, at = single(heap[0] >> word(40)), integer(heap[0] & word((1 << 40) - 1))
        num -= 1
        heap[0] = heap[num]
        _sink(heap, 0, num)
        if ranks[at] != rank:
            continue  # a neighbour was merged since
        merged = load32(get(tables, RANK_IDS) + (word(rank) << word(2)))
        gone = following[at]
        ids[at] = merged
        ranks[gone] = NO_RANK
        ranks[at] = NO_RANK
        following[at] = following[gone]
        if following[at] < size:
            before[following[at]] = at
            ranks[at] = pair_rank(tables, word(merged), word(ids[following[at]]))
        left = before[at]
        if left >= 0:
            ranks[left] = pair_rank(tables, word(ids[left]), word(merged))
        for place in (left, at):
            if place >= 0 and ranks[place] != NO_RANK:
                heap[num] = word(ranks[place]) << word(40) | word(place)
                _rise(heap, num)
                num += 1
    kept = 0
    at = 0
    while at < size:
        ids[kept] = ids[at]
        kept += 1
        at = following[at]
    return ids[:kept]


@inlined
def _write(out: Any, width: Any, ids: Any, count: Any) -> None:
    """Copy uint32 ids to `out`."""
    for at in range(count):
        out = _store_id(out, width, load32(ids + word(4 * at)))


@kernel
def _long_slot(tables: Any, text: Any, length: Any) -> Any:
    """Where the long cache keeps this text, and whether it is there."""
    words = integer(length >> word(3))
    rest = load64(get(tables, MASKS) + ((length & word(7)) << word(4)))  # of the last bytes
    mixed = length
    for at in range(words):
        mixed = (mixed ^ load64(text + word(8 * at))) * MIX_1
        mixed ^= mixed >> word(29)
    mixed = (mixed ^ (load64(text + word(8 * words)) & rest)) * MIX_2
    slot = get(tables, LONG_CACHE) + (mixed >> word(64 - LONG_CACHE_BITS)) * word(LONG_SLOT)
    same = load64(slot) == length
    for at in range(words):
        same &= load64(slot + word(8 + 8 * at)) == load64(text + word(8 * at))
    same &= (load64(slot + word(8 + 8 * words)) & rest) == (load64(text + word(8 * words)) & rest)
    return slot, same


@kernel
def _encode_long(tables: Any, text: Any, length: Any, out: Any) -> Any:
    """Encode a pre-token of 16 bytes or more, or of many ids, to `out`; how many ids."""
    width = get(tables, WIDTH)
    if length > word(LONG_KEY):
        merged = _merge_long(tables, text, length)
        for at in range(len(merged)):
            out = _store_id(out, width, merged[at])
        return len(merged)
    slot, found = _long_slot(tables, text, length)
    ids = slot + word(16 + LONG_KEY)
    if found:
        count = integer(load64(slot + word(8 + LONG_KEY)))
        for at in range(0, (count << integer(width)), 8):
            store64(out + word(at), load64(ids + word(at)))
        return count
    count = _merge_short(tables, text, length)
    _write(out, width, get(tables, SCRATCH), count)
    if (count << integer(width)) <= LONG_IDS:
        store64(slot, length)
        for at in range(0, LONG_KEY, 8):
            store64(slot + word(8 + at), load64(text + word(at)))
        store64(slot + word(8 + LONG_KEY), word(count))
        _write(ids, width, get(tables, SCRATCH), count)
    return count


@kernel
def _encode_new(tables: Any, text: Any, length: Any, out: Any, key: Any) -> Any:
    """Encode a short pre-token that no cache holds, and keep it.

    It stays in the shared cache if one of its two places there is free, or else in the thread's
    own, where the next one will take its place.
    """
    width = get(tables, WIDTH)
    count = _merge_short(tables, text, length)
    _write(out, width, get(tables, SCRATCH), count)
    slot, high = load64(key + word(16)), load64(key + word(8))
    # Looked at first: a claim takes the cache line from other threads even if it fails.
    is_shared = load_published(slot + word(8)) == word(0) and claim(slot + word(8), BUSY)
    if not is_shared:
        slot ^= word(32)
        is_shared = load_published(slot + word(8)) == word(0) and claim(slot + word(8), BUSY)
    if not is_shared:
        slot = load64(key + word(24))
    value = load64(out + word(8)) & word(0x0000FFFFFFFFFFFF) | (word(count) << word(48))
    if count > (7 if width == ONE else 3):  # the eighth place is for how many
        value = word(0)
    store64(slot, load64(key))
    store64(slot + word(16), load64(out))
    store64(slot + word(24), value)
    if is_shared:
        publish(slot + word(8), high)
    else:
        store64(slot + word(8), high)
    return count


@kernel
def _emit(tables: Any, text: Any, start: Any, count: Any, out: Any) -> Any:
    """Encode the pre-tokens whose ends are in ENDS; the address after the last id written.

    Two rounds: the first only makes keys and asks for their cache lines, so that the second finds
    them there and waits for none.
    """
    ends, keys, width = get(tables, ENDS), get(tables, KEYS), get(tables, WIDTH)
    masks, cache, own = get(tables, MASKS), get(tables, CACHE), get(tables, OWN_CACHE)
    at = text + start
    for number in range(count):
        end = text + load64(ends + word(8 * number))
        low, high = short_key(masks, at, end - at)
        place = ((low * MIX_1) ^ (high * MIX_2)) >> word(64 - CACHE_BITS)
        slot = cache + (place << word(5))
        prefetch(slot)
        key = keys + word(32 * number)
        store64(key, low)
        store64(key + word(8), high)
        store64(key + word(16), slot)
        store64(key + word(24), own + ((place >> word(CACHE_BITS - OWN_BITS)) << word(5)))
        at = end
    at = text + start
    for number in range(count):
        key = keys + word(32 * number)
        low, high, slot = load64(key), load64(key + word(8)), load64(key + word(16))
        begins = at
        at = text + load64(ends + word(8 * number))
        if load_published(slot + word(8)) != high or load64(slot) != low:
            slot ^= word(32)
            if load_published(slot + word(8)) != high or load64(slot) != low:
                slot = load64(key + word(24))
            if load64(slot + word(8)) != high or load64(slot) != low:
                if at - begins > word(SHORT_KEY):
                    num_ids = _encode_long(tables, begins, at - begins, out)
                else:
                    num_ids = _encode_new(tables, begins, at - begins, out, key)
                out += word(num_ids) << width
                continue
        value = load64(slot + word(24))
        num_ids = integer(value >> word(48))
        if num_ids == 0:  # too many for an entry
            num_ids = _encode_long(tables, begins, at - begins, out)
        else:
            store64(out, load64(slot + word(16)))
            store64(out + word(8), value)
        out += word(num_ids) << width
    return out


@kernel
def encode_documents(
    tables: Any, text: Any, offsets: Any, first_id: Any, out: Any, num_ids: Any
) -> Any:
    """Encode document after document to `out`; how many ids in all.

    Document i is the bytes `offsets[i]` to `offsets[i + 1]` from `text` on, an address with PADDING
    readable bytes after the last; `num_ids[i]` becomes its number of ids. `first_id` stands before
    each, and counts, unless it is NO_ID. `out` has room for an id for each byte, and for 8 more.
    """
    tables, text, out = word(tables), word(text), word(out)
    state, ends, width = get(tables, STATE), get(tables, ENDS), get(tables, WIDTH)
    first = out
    for document in range(len(offsets) - 1):
        begins = out
        if first_id != NO_ID:
            out = _store_id(out, width, first_id)
        base = text + word(offsets[document])
        length = word(offsets[document + 1] - offsets[document])
        begin(state, base, length, get(tables, PAGES_AT))
        start = word(0)
        while True:
            count = find_ends(state, ends)
            if count == 0:
                break
            out = _emit(tables, base, start, count, out)
            start = load64(ends + word(8 * (count - 1)))
        num_ids[document] = integer((out - begins) >> width)
    return integer((out - first) >> width)


def key_masks() -> npt.NDArray[np.uint64]:
    """Shape (17, 2): which bits of the two words of a key of n bytes count.

    The row of 16 stands for every longer text and is empty: its key, which has 16 in its top byte,
    is in no entry.
    """
    masks = np.zeros((SHORT_KEY + 2, 2), np.uint64)
    for length in range(SHORT_KEY + 1):
        masks[length] = 2 ** (8 * min(length, 8)) - 1, 2 ** (8 * max(length - 8, 0)) - 1
    return masks


@kernel
def fill_pairs(merges: Any, pairs: Any, shift: Any) -> None:
    """Enter `merges`, shape (n, 2), with their ranks into the hash table `pairs`."""
    mask = word(len(pairs) - 1)
    for rank in range(len(merges)):
        key = (word(merges[rank, 0]) << word(ID_BITS)) | word(merges[rank, 1])
        slot = (key * MIX_1) >> word(shift)
        while pairs[slot] != EMPTY:
            slot = (slot + ONE) & mask
        pairs[slot] = (key << word(RANK_BITS)) | word(rank)
