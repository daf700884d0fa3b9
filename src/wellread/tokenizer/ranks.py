"""tiktoken's ranks: a line for each ordinary token, its bytes in base64 and its id."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import to_printable
from wellread.tokenizer.assemble import Merges, assemble
from wellread.tokenizer.strict import read_text
from wellread.tokenizer.vocabulary import END_OF_TEXT, Vocabulary


def read_ranks(path: Path) -> Vocabulary:
    """The vocabulary of a `.tiktoken` file; `<|endoftext|>` gets the id after the last rank.

    Ranks are ids, and the order of merges. The file does not name the two parts of a token: they
    are what merging its bytes by tokens of lower rank leaves. Nor does it say how many tokens
    there are, so a file that was cut between two lines reads as a smaller vocabulary.
    """
    ranks, lines = _parse(path, read_text(path).rstrip("\n").split("\n"))
    merged = sorted((token for token in ranks if len(token) > 1), key=ranks.__getitem__)
    left, right = [], []
    for token in merged:
        parts = split_by_lower_ranks(token, ranks)
        if len(parts) != 2:
            raise InputError(
                f"{path}:{lines[ranks[token]]}: token {token!r} is not two tokens of lower rank "
                f"merged, but {len(parts)}: {parts}"
            )
        left.append(to_printable(parts[0]))
        right.append(to_printable(parts[1]))
    ids = {to_printable(token): rank for token, rank in ranks.items()}
    ids[END_OF_TEXT] = len(ids)
    return assemble(
        path, ids, Merges(left, right), where=lambda n: f"{path}:{lines[ranks[merged[n]]]}"
    )


def _parse(path: Path, lines: Sequence[str]) -> tuple[dict[bytes, int], dict[int, int]]:
    """The rank of each token, and the number of each rank's line; ranks are 0, 1, ..."""
    ranks: dict[bytes, int] = {}
    line_of: dict[int, int] = {}
    for number, line in enumerate(lines, start=1):
        encoded, _, digits = line.partition(" ")
        if not (encoded and digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise InputError(
                f"{path}:{number}: found {line!r}; expected a token in base64, a space and its rank"
            )
        try:
            token, rank = base64.b64decode(encoded, validate=True), int(digits)
        except ValueError as error:
            raise InputError(f"{path}:{number}: {encoded!r} is not base64 ({error})") from None
        if ranks.setdefault(token, rank) != rank or rank in line_of:
            earlier = line_of[ranks[token]] if rank not in line_of else line_of[rank]
            raise InputError(
                f"{path}:{number}: {token!r} with rank {rank} is at odds with line {earlier}; each "
                "token and each rank may be there once"
            )
        line_of[rank] = number
    gap = next((rank for rank in range(len(ranks)) if rank not in line_of), None)
    if gap is not None:
        raise InputError(
            f"{path}: {len(ranks)} tokens and none with rank {gap}; expected ranks from 0 to "
            f"{len(ranks) - 1} without a gap"
        )
    return ranks, line_of


def split_by_lower_ranks(token: bytes, ranks: Mapping[bytes, int]) -> list[bytes]:
    """What is left of `token` when its bytes are merged by all tokens ranked below it.

    >>> split_by_lower_ranks(b"abc", {b"bc": 256, b"ab": 257, b"abc": 258})
    [b'a', b'bc']
    """
    own = ranks[token]
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        best, place = own, -1
        for at in range(len(parts) - 1):
            rank = ranks.get(parts[at] + parts[at + 1], own)
            if rank < best:
                best, place = rank, at
        if place < 0:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def merges_follow_from_tokens(vocabulary: Vocabulary) -> bool:
    """Whether the tokens in the order in which they are made determine every merge.

    tiktoken knows tokens only: it merges any two neighbours whose bytes are a token, and takes a
    piece that is a token as it is. With this property the ids are those of the merges. Merges
    learnt by counting have it; it fails where two merges make the same token, or where merges of
    lower rank take a token's bytes apart otherwise, so that merging never arrives at it.
    """
    tokens = vocabulary.tokens
    parts = [[tokens[left], tokens[right]] for left, right in vocabulary.merges]
    ranks = {b"".join(pair): rank for rank, pair in enumerate(parts)}
    return len(ranks) == len(parts) and all(
        split_by_lower_ranks(token, ranks) == parts[rank] for token, rank in ranks.items()
    )


def ranks_of(vocabulary: Vocabulary) -> bytes | None:
    """The content of a `.tiktoken` file, or None where it could not give the same ids.

    It can if the merges follow from the tokens, their ids rise in the order of merges, and
    `<|endoftext|>` comes right after all ordinary tokens. Further special tokens come after it
    and are, as in every such file, not written.
    """
    special = set(vocabulary.special.values())
    ordinary = vocabulary.tokens[: vocabulary.special[END_OF_TEXT]]
    if min(special) < len(ordinary) or len(ordinary) + len(special) < len(vocabulary.tokens):
        return None
    made = [vocabulary.tokens[a] + vocabulary.tokens[b] for a, b in vocabulary.merges]
    if made != [token for token in ordinary if len(token) > 1]:
        return None
    if not merges_follow_from_tokens(vocabulary):
        return None
    lines = [b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(ordinary)]
    return b"".join(lines)
