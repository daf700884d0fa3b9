"""Text to ids and back."""

import codecs
import itertools
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base.errors import InputError
from wellread.base.intrinsics import PADDING
from wellread.base.threads import num_threads
from wellread.formats.ids import Ids
from wellread.tokenizer.alphabet import byte_order
from wellread.tokenizer.count import DEFAULT_MEMORY, Words, count_pre_tokens, to_utf8
from wellread.tokenizer.encoder import MAX_IDS, Encoder
from wellread.tokenizer.files import read_vocabulary, write_vocabulary
from wellread.tokenizer.learn import learn_merges
from wellread.tokenizer.split import character_starts
from wellread.tokenizer.vocabulary import END_OF_TEXT, NUM_BYTES, Pair, Vocabulary

if TYPE_CHECKING:
    import pyarrow as pa


class Offsets(msgspec.Struct, frozen=True, kw_only=True):
    """Ids and where each begins; the last entry of the starts is the length of the text.

    The text is the one that is encoded: in a str two surrogates that are a pair count as the one
    character that they stand for.
    """

    ids: Ids  # shape (num_tokens,)
    byte_starts: npt.NDArray[np.int64]  # shape (num_tokens + 1,), in the text's UTF-8
    # Shape (num_tokens + 1,). A token that begins inside a character has that character's place.
    char_starts: npt.NDArray[np.int64]


class Tokenizer:
    """GPT-2's byte-level BPE over one vocabulary. One may be used by several threads.

    >>> tokenizer = Tokenizer.train(["low lower lowest"] * 3, vocab_size=260)
    >>> tokenizer.decode(tokenizer.encode("slow ☃"))
    'slow ☃'
    >>> tokenizer
    Tokenizer(260 ids, 3 merges)
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.tokens = vocabulary.tokens
        self.merges = vocabulary.merges

    def __repr__(self) -> str:
        return f"Tokenizer({self.vocab_size:,} ids, {len(self.merges):,} merges)"

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Read a folder or file of any format that `files.read_vocabulary` knows."""
        return cls(read_vocabulary(Path(path)))

    @classmethod
    def train(
        cls,
        texts: Iterable[str | bytes],
        vocab_size: int = 50_257,
        *,
        threads: int | None = None,
        memory: int = DEFAULT_MEMORY,
    ) -> "Tokenizer":
        """Learn a vocabulary of `vocab_size` ids: 256 bytes, merges, `<|endoftext|>`.

        Fewer if the texts have no more pairs to merge. The result depends neither on the order of
        the texts, nor on `threads` (None: one for each core), nor on the bytes of `memory`, past
        which counts go to temporary files.
        """
        if not isinstance(vocab_size, int) or memory < 1:
            raise InputError(
                f"vocab_size is {vocab_size!r} and memory {memory!r}; expected whole numbers"
            )
        with tempfile.TemporaryDirectory(prefix="wellread-") as folder:
            counts = count_pre_tokens(
                several(texts), Path(folder), threads=num_threads(threads), memory=memory
            )
            return cls(learn_vocabulary(counts, vocab_size, Path(folder), memory=memory))

    def save(self, directory: str | Path) -> None:
        """Write the files that GPT-2, Hugging Face and tiktoken read."""
        try:
            Path(directory).mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise InputError(f"{directory}: a file is in the way; name a folder") from None
        write_vocabulary(Path(directory), self.vocabulary)

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[Vocabulary]]:
        # The encoder holds addresses of this process, so that a copy must make its own.
        return type(self), (self.vocabulary,)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def end_of_text(self) -> int:
        """The id between documents. Its text in a document is ordinary text."""
        return self.vocabulary.special[END_OF_TEXT]

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self.vocabulary)

    def encode(
        self, text: str | bytes, *, allowed_special: Collection[str] = (), threads: int | None = 1
    ) -> Ids:
        """The ids of `text`, shape (num_tokens,): uint16 where every id fits, else uint32.

        Arithmetic on uint16 wraps: widen first. In a str, lone surrogates are encoded as U+FFFD.
        Bytes need not be UTF-8, and come back as they were. The text of a special token is
        ordinary text unless named in `allowed_special`. `threads` helps from about 2 MB on; None:
        one for each core.

        >>> Tokenizer.train([], vocab_size=257).encode("é!").tolist()
        [127, 102, 0]
        """
        given, threads = to_utf8(text), num_threads(threads)
        if not allowed_special:
            return self._encoder.encode_text(given, threads=threads)
        if isinstance(allowed_special, str):
            raise InputError(f"allowed_special is the text {allowed_special!r}: give a list")
        allowed_special = tuple(allowed_special)
        for name in allowed_special:
            if name not in self.vocabulary.special:
                known = ", ".join(self.vocabulary.special)
                raise InputError(f"{name!r} is not a special token here; there are: {known}")
        longest_first = sorted(allowed_special, key=len, reverse=True)
        pattern = b"|".join(re.escape(name.encode()) for name in longest_first)
        parts = re.split(b"(" + pattern + b")", given)
        numbers = {name.encode(): self.vocabulary.special[name] for name in allowed_special}
        return np.concatenate(
            [
                np.array([numbers[part]], self._encoder.dtype)
                if at % 2
                else self._encoder.encode_text(part, threads=threads)
                for at, part in enumerate(parts)
            ]
        )

    def encode_batch(
        self, texts: Sequence[str | bytes], *, threads: int | None = None
    ) -> list[Ids]:
        """The ids of each text, as `encode` gives them.

        `threads` None: one for each core. Texts of about a megabyte share one array, of which the
        results are views: copy one that is to outlive the others.
        """
        given = [to_utf8(text) for text in several(texts)]
        found: list[Ids] = []
        for ids, counts in self._encoder.encode(given, threads=num_threads(threads)):
            ends = np.cumsum(counts).tolist()
            found += [ids[start:end] for start, end in itertools.pairwise([0, *ends])]
        return found

    def encode_column(self, texts: "pa.LargeStringArray") -> tuple[Ids, npt.NDArray[np.int64]]:
        """The ids of all of an Arrow column's texts, and how many each has.

        Each text stands after `end_of_text`, which counts. No object is made for a text.
        """
        import pyarrow as pa  # here: the tokenizer alone is installed without it

        if not isinstance(texts, pa.LargeStringArray) or texts.null_count:
            raise InputError(
                f"a column of {texts.type}, a {type(texts).__name__} with {texts.null_count} nulls"
                "; expected a LargeStringArray without nulls (combine and cast it)"
            )
        if not len(texts):
            return np.zeros(0, self._encoder.dtype), np.zeros(0, np.int64)
        _, offsets_buffer, data = texts.buffers()
        places = np.frombuffer(offsets_buffer, np.int64)[texts.offset :][: len(texts) + 1]
        room = np.empty(int(places[-1] - places[0]) + PADDING, np.uint8)
        room[-PADDING:] = 0
        if data is not None:
            given = np.frombuffer(data, np.uint8)[places[0] : places[-1]]
            room[: len(given)] = given
        offsets = places - places[0]
        return self._encoder.encode_buffer(room, offsets, first_id=self.end_of_text)

    def count_tokens(self, text: str | bytes) -> int:
        """How many ids `text` has."""
        return len(self.encode(text))

    def encode_with_offsets(self, text: str | bytes) -> Offsets:
        """The ids of `text` and where each begins, in bytes and in characters.

        >>> offsets = Tokenizer.train([], vocab_size=257).encode_with_offsets("é!")
        >>> offsets.byte_starts.tolist(), offsets.char_starts.tolist()
        ([0, 1, 2, 3], [0, 0, 1, 2])
        """
        given = to_utf8(text)
        ids = self.encode(given)
        byte_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._lengths[ids])])
        characters = np.cumsum(
            character_starts(given), dtype=np.int64
        )  # that begin at each byte or before
        char_starts = np.append(characters - 1, characters[-1] if given else 0)[byte_starts]
        return Offsets(ids=ids, byte_starts=byte_starts, char_starts=char_starts)

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int64]:
        return np.array([len(token) for token in self.tokens], np.int64)

    def decode_bytes(self, ids: Iterable[int] | Ids) -> bytes:
        """The bytes that `ids` stand for; lossless."""
        given = np.asarray(ids if isinstance(ids, np.ndarray) else list(_several_ids(ids)))
        if given.size and (given.ndim != 1 or not np.issubdtype(given.dtype, np.integer)):
            raise InputError(
                f"ids of shape {given.shape} and type {given.dtype}; expected one row of integers"
            )
        numbers = given.tolist()
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(self.tokens):
            wrong = next(number for number in numbers if not 0 <= number < len(self.tokens))
            raise InputError(f"id {wrong} is not in the vocabulary of {len(self.tokens)} ids")
        return b"".join([self.tokens[number] for number in numbers])

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text of `ids`; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of `ids` as they come, each piece as soon as its characters are whole.

        >>> list(Tokenizer.train([], vocab_size=257).decode_stream([127, 102, 0]))
        ['é', '!']
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for number in ids:
            if text := decoder.decode(self.decode_bytes([number])):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest


def learn_vocabulary(
    counts: list[Words],
    vocab_size: int,
    folder: Path,
    *,
    memory: int = DEFAULT_MEMORY,
    report: Callable[[int], None] | None = None,
) -> Vocabulary:
    """The vocabulary learnt from counted pre-tokens; past `memory` bytes work is in `folder`."""
    if not NUM_BYTES + 1 <= vocab_size <= MAX_IDS:
        raise InputError(
            f"vocab_size is {vocab_size}; 256 bytes and {END_OF_TEXT} need 257, and at most "
            f"{MAX_IDS:,} fit"
        )
    tokens = [bytes([byte]) for byte in byte_order()]
    merges: list[Pair] = []
    merge_counts: list[int] = []
    num_merges = vocab_size - NUM_BYTES - 1
    for pair, count in learn_merges(counts, num_merges, folder, memory=memory, report=report):
        merges.append(pair)
        merge_counts.append(count)
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
    return Vocabulary(
        tokens=[*tokens, END_OF_TEXT.encode()],
        merges=merges,
        special={END_OF_TEXT: len(tokens)},
        merge_counts=merge_counts,
    )


def several(texts: Iterable[str | bytes]) -> Iterable[str | bytes]:
    """`texts`, which must not be one text: its characters would be taken for texts."""
    if isinstance(texts, str | bytes):
        raise InputError(f"one text, {texts[:20]!r}, where several are expected: give a list")
    return texts


def _several_ids(ids: Iterable[int]) -> Iterable[int]:
    if isinstance(ids, str | bytes) or not hasattr(ids, "__iter__"):
        raise InputError(f"ids are {ids!r}; expected one row of integers")
    return ids
