"""Text to ids and back."""

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import PATTERN, byte_order
from wellread.tokenizer.files import read_vocabulary, write_vocabulary
from wellread.tokenizer.learn import learn_merges
from wellread.tokenizer.vocabulary import END_OF_TEXT, NUM_BYTES, Vocabulary

Ids = npt.NDArray[np.unsignedinteger[Any]]
MAX_CACHED = 1 << 18  # pre-tokens whose ids are kept; text repeats a few of them very often


class Tokenizer:
    """GPT-2's byte-level BPE over one vocabulary.

    >>> tokenizer = Tokenizer.train(["low lower lowest"] * 3, vocab_size=260)
    >>> tokenizer.decode(tokenizer.encode("slow ☃"))
    'slow ☃'
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.tokens = vocabulary.tokens
        self.merges = vocabulary.merges
        self._byte_ids = [0] * NUM_BYTES
        for number, token in enumerate(self.tokens):
            if len(token) == 1:
                self._byte_ids[token[0]] = number
        number_of = {token: number for number, token in enumerate(self.tokens[:-1])}
        self._ranks = {
            pair: (rank, number_of[self.tokens[pair[0]] + self.tokens[pair[1]]])
            for rank, pair in enumerate(self.merges)
        }
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def load(cls, directory: str | Path) -> "Tokenizer":
        """Read vocab.json + merges.txt, or encoder.json + vocab.bpe."""
        return cls(read_vocabulary(Path(directory)))

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 50_257) -> "Tokenizer":
        """Learn a vocabulary of `vocab_size` ids: 256 bytes, merges, `<|endoftext|>`.

        Fewer if the texts have no more pairs to merge.
        """
        return cls.from_counts(count_pre_tokens(texts), vocab_size)

    @classmethod
    def from_counts(cls, counts: Counter[str], vocab_size: int) -> "Tokenizer":
        """Learn from pre-tokens already counted."""
        if vocab_size < NUM_BYTES + 1:
            raise InputError(f"vocab_size is {vocab_size}; 256 bytes and {END_OF_TEXT} need 257")
        tokens = [bytes([byte]) for byte in byte_order()]
        merges, merge_counts = [], []
        encoded = {text.encode("utf-8", "replace"): count for text, count in counts.items()}
        for pair, count in learn_merges(encoded, vocab_size - NUM_BYTES - 1):
            merges.append(pair)
            merge_counts.append(count)
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        return cls(
            Vocabulary(
                tokens=[*tokens, END_OF_TEXT.encode()],
                merges=merges,
                special={END_OF_TEXT: len(tokens)},
                merge_counts=merge_counts,
            )
        )

    def save(self, directory: str | Path) -> None:
        """Write the files that GPT-2 and Hugging Face read."""
        Path(directory).mkdir(parents=True, exist_ok=True)
        write_vocabulary(Path(directory), self.vocabulary)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def end_of_text(self) -> int:
        """The id between documents. Its text in a document is ordinary text."""
        return self.vocabulary.special[END_OF_TEXT]

    def encode(self, text: str) -> Ids:
        """The ids of `text`, shape (num_tokens,), uint16 where every id fits, else uint32.

        A lone surrogate is encoded as "?", as it has no UTF-8.
        """
        ids: list[int] = []
        cache = self._cache
        for piece in PATTERN.findall(text):
            found = cache.get(piece)
            if found is None:
                found = self._encode_piece(piece.encode("utf-8", "replace"))
                if len(cache) < MAX_CACHED:
                    cache[piece] = found
            ids += found
        return np.array(ids, dtype=np.uint16 if self.vocab_size <= 65_536 else np.uint32)

    def _encode_piece(self, piece: bytes) -> list[int]:
        ids = [self._byte_ids[byte] for byte in piece]
        while len(ids) > 1:
            # The leftmost of the pairs with the lowest rank; one at a time, since merging "aaa"
            # from the left is what the released encoder does.
            ranked = [
                (self._ranks[pair], at)
                for at, pair in enumerate(itertools.pairwise(ids))
                if pair in self._ranks
            ]
            if not ranked:
                break
            (_, merged), at = min(ranked)
            ids[at : at + 2] = [merged]
        return ids

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes that `ids` stand for; lossless."""
        return b"".join(self.tokens[number] for number in ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")


def count_pre_tokens(texts: Iterable[str]) -> Counter[str]:
    """How often each piece between which no merge may happen occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(PATTERN.findall(text))
    return counts
