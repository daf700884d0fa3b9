"""What a tokenizer is, apart from any file format: its tokens and its merges."""

import msgspec

END_OF_TEXT = "<|endoftext|>"
NUM_BYTES = 256

Pair = tuple[int, int]


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """A byte-level vocabulary with GPT-2's split pattern."""

    tokens: list[bytes]  # by id; a special token's place holds its text in UTF-8
    merges: list[Pair]  # the two ids that become one, by rank
    special: dict[str, int]  # text of each special token to its id; has END_OF_TEXT
    merge_counts: list[int] | None = None  # of each merge in the training text; None: not known
