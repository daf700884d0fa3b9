"""How a text becomes ids: its split, its bytes, each merge; and why two texts differ."""

import itertools
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import regex

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import to_printable
from wellread.tokenizer.count import to_utf8
from wellread.tokenizer.split import character_starts, class_of, pre_token_starts
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokenizer.unicode import LETTER, NUMBER, OTHER, SPACE
from wellread.tokenizer.vocabulary import Pair

# The state after every merge is kept, which is quadratic in the longest pre-token.
MAX_BYTES = 2_000
MAX_DRAWN_BYTES = 64  # of a pre-token whose states are worth showing one below the other


class Alternative(NamedTuple):
    """One of the alternatives of GPT-2's pattern; the first that matches makes the pre-token."""

    name: str
    pattern: str  # its piece of `alphabet.PATTERN`
    meaning: str


ALTERNATIVES = (
    Alternative(
        "contraction",
        "'s|'t|'re|'ve|'m|'ll|'d",
        "an apostrophe and s, t, re, ve, m, ll or d, in lower case only",
    ),
    Alternative("letters", r" ?\p{L}+", "letters of any script, with one space before them"),
    Alternative(
        "numbers", r" ?\p{N}+", "digits and other numbers (², ½, Ⅳ), with one space before them"
    ),
    Alternative(
        "other",
        r" ?[^\s\p{L}\p{N}]+",
        "anything else that is no white space: punctuation, symbols, combining marks, emoji; "
        "with one space before it",
    ),
    Alternative(
        "space run",
        r"\s+(?!\S)",
        "white space up to the end of the text, else all of a run but its last character, "
        "which is left to what follows",
    ),
    Alternative(
        "single space", r"\s+", "a white space character before something that did not take it"
    ),
)
_CONTRACTIONS = ALTERNATIVES[0].pattern.encode().split(b"|")
_ALTERNATIVE = {alternative.name: alternative for alternative in ALTERNATIVES}


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One id of the text."""

    id: int
    byte_start: int  # in the text
    stand_ins: str
    hex: str  # of its bytes, separated by spaces

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.hex)


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two neighbours of a pre-token become one."""

    rank: int  # place in the vocabulary's merges, from 0: the earlier learnt, the earlier applied
    count: int | None  # how often the pair occurred when it was learnt; None: not known
    left: str  # as stand-ins
    right: str
    id: int  # what they become
    at: int  # place of the new part in `after`
    after: list[str]  # the pre-token's parts after this merge


class PreToken(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of text across whose ends no merge goes. Offsets count from 0, ends are beyond."""

    text: str  # bytes that are not UTF-8 as U+FFFD
    alternative: str  # the name of the alternative of the pattern that made it
    char_start: int
    char_end: int
    byte_start: int
    byte_end: int
    hex: str
    stand_ins: str
    merges: list[Merge]
    tokens: list[Token]

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self.hex)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A text with the way to its ids."""

    text: str  # bytes that are not UTF-8 as U+FFFD
    num_bytes: int
    num_characters: int  # a byte that is not UTF-8 counts as one
    pre_tokens: list[PreToken]

    @property
    def tokens(self) -> list[Token]:
        return [token for pre_token in self.pre_tokens for token in pre_token.tokens]

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @property
    def raw(self) -> bytes:
        return b"".join(pre_token.raw for pre_token in self.pre_tokens)


def explain(tokenizer: Tokenizer, text: str | bytes) -> Explanation:
    """The split of `text`, and for each pre-token every merge in order, down to the ids.

    >>> toy = Tokenizer.train(["low lower lowest"], vocab_size=260)
    >>> for piece in explain(toy, "low slow").pre_tokens:
    ...     print(piece.alternative, piece.stand_ins, [merge.after for merge in piece.merges])
    letters low [['lo', 'w'], ['low']]
    letters Ġslow [['Ġ', 's', 'lo', 'w'], ['Ġ', 's', 'low']]
    """
    raw = to_utf8(text)
    if len(raw) > MAX_BYTES:
        raise InputError(
            f"a text of {len(raw):,} bytes; explain shows every merge of at most {MAX_BYTES:,} "
            "bytes: give a passage of it"
        )
    tables = _tables(tokenizer)
    decoded = raw.decode("utf-8", "surrogateescape")  # each byte that is not UTF-8: a surrogate
    ends = np.cumsum(character_starts(raw))  # characters up to each byte
    pre_tokens: list[PreToken] = []
    for byte_start, byte_end in itertools.pairwise([*pre_token_starts(raw).tolist(), len(raw)]):
        piece = raw[byte_start:byte_end]
        merges, tokens = _merge(piece, byte_start, tables)
        pre_tokens.append(
            PreToken(
                text=piece.decode("utf-8", "replace"),
                alternative=_alternative(piece, raw[byte_end:]),
                char_start=int(ends[byte_start]) - 1,
                char_end=int(ends[byte_end - 1]),
                byte_start=byte_start,
                byte_end=byte_end,
                hex=_hex(piece),
                stand_ins=to_printable(piece),
                merges=merges,
                tokens=tokens,
            )
        )
    return Explanation(
        text=raw.decode("utf-8", "replace"),
        num_bytes=len(raw),
        num_characters=len(decoded),
        pre_tokens=pre_tokens,
    )


def _alternative(piece: bytes, rest: bytes) -> str:
    """The name of the alternative that made `piece`, which `rest` follows."""
    if piece in _CONTRACTIONS:
        return "contraction"
    kind = class_of(piece.removeprefix(b" ")) if piece != b" " else SPACE
    if kind != SPACE:
        return {LETTER: "letters", NUMBER: "numbers", OTHER: "other"}[kind]
    return "single space" if rest and class_of(rest) != SPACE else "space run"


class _Tables(NamedTuple):
    tokens: list[bytes]
    id_of: Mapping[bytes, int]
    ranks: Mapping[Pair, int]
    counts: list[int] | None


def _tables(tokenizer: Tokenizer) -> _Tables:
    vocabulary = tokenizer.vocabulary
    special = set(vocabulary.special.values())
    return _Tables(
        vocabulary.tokens,
        {raw: id_ for id_, raw in enumerate(vocabulary.tokens) if id_ not in special},
        {pair: rank for rank, pair in enumerate(vocabulary.merges)},
        vocabulary.merge_counts,
    )


def _merge(piece: bytes, byte_start: int, tables: _Tables) -> tuple[list[Merge], list[Token]]:
    """The leftmost of the pairs with the lowest rank, again and again until no pair has a rank."""
    parts = [tables.id_of[bytes([byte])] for byte in piece]
    stand_ins = [to_printable(tables.tokens[part]) for part in parts]
    merges = []
    while ranked := [
        (tables.ranks[pair], at)
        for at, pair in enumerate(itertools.pairwise(parts))
        if pair in tables.ranks
    ]:
        rank, at = min(ranked)
        left, right = stand_ins[at : at + 2]
        new = tables.id_of[tables.tokens[parts[at]] + tables.tokens[parts[at + 1]]]
        parts[at : at + 2] = [new]
        stand_ins[at : at + 2] = [left + right]
        merges.append(
            Merge(
                rank=rank,
                count=tables.counts[rank] if tables.counts else None,
                left=left,
                right=right,
                id=new,
                at=at,
                after=list(stand_ins),
            )
        )
    sizes = [len(tables.tokens[part]) for part in parts]
    starts = itertools.accumulate(sizes, initial=byte_start)
    tokens = [
        Token(id=part, byte_start=start, stand_ins=text, hex=_hex(tables.tokens[part]))
        for part, start, text in zip(parts, starts, stand_ins, strict=False)
    ]
    return merges, tokens


def _hex(raw: bytes) -> str:
    return raw.hex(" ").upper()


# Characters that print nothing or move others about: controls, format characters (bidirectional
# ones too), spaces, line separators, private, unassigned, variation selectors.
_UNSEEN = regex.compile(r"[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]")
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def visible(raw: bytes) -> str:
    """`raw` as text of which nothing is unseen and nothing moves its neighbours.

    A space is ␣, a line's end ⏎, a tab ⇥, any other unseen character its code point, a byte that
    is no part of a whole character its value; a combining mark at the start sits on a dotted
    circle.

    >>> visible(b" tab\\t"), visible("\\u202eé".encode()), visible(b"\\xf0\\x9f!")
    ('␣tab⇥', '⟨U+202E⟩é', '⟨F0 9F⟩!')
    """
    shown: list[str] = []
    for is_broken, group in itertools.groupby(
        raw.decode("utf-8", "surrogateescape"), key=lambda c: "\udc80" <= c <= "\udcff"
    ):
        if is_broken:
            values = " ".join(f"{ord(character) - 0xDC00:02X}" for character in group)
            shown.append(f"⟨{values}⟩")
        else:
            shown += [_seen(character) for character in group]
    if shown and unicodedata.category(shown[0][0]).startswith("M"):
        shown.insert(0, "◌")
    return "".join(shown)


def _seen(character: str) -> str:
    if sign := _SIGNS.get(character):
        return sign
    return f"⟨U+{ord(character):04X}⟩" if _UNSEEN.match(character) else character


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One of the causes for which two texts have other ids."""

    kind: str  # "bytes", "space", "alternative", "merge" or "end"
    sentence: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Where the ids of two texts part, and why. Without reasons: they are the same."""

    token: int  # number of tokens that both begin with
    byte: int  # where the next one starts, in both
    first: Token | None  # the token there; None: the text has ended
    second: Token | None
    reasons: list[Reason]


def compare(first: Explanation, second: Explanation) -> Comparison:
    """The first place where the ids of two texts part, and the reasons, plainest first.

    >>> toy = Tokenizer.train(["a dog, the dog"], vocab_size=261)
    >>> [reason.kind for reason in compare(explain(toy, "dog"), explain(toy, " dog")).reasons]
    ['space', 'merge']
    """
    pairs = itertools.zip_longest(first.tokens, second.tokens)
    at, (one, other) = next(
        (
            (at, pair)
            for at, pair in enumerate(pairs)
            if pair[0] is None or pair[1] is None or pair[0].id != pair[1].id
        ),
        (len(first.tokens), (None, None)),
    )
    reasons = [] if one is other is None else list(_reasons(first, second, one, other))
    byte = next((t.byte_start for t in (one, other) if t is not None), first.num_bytes)
    return Comparison(token=at, byte=byte, first=one, second=other, reasons=reasons)


def _reasons(
    first: Explanation, second: Explanation, one: Token | None, other: Token | None
) -> Iterator[Reason]:
    ours, theirs = _holding(first, one), _holding(second, other)
    plainest = _space_before(ours, theirs) or _other_bytes(first, second)
    yield plainest
    if plainest.kind != "end" and (alternative := _other_alternative(first, second)):
        yield alternative
    if ours and theirs and (merge := _other_merge(ours, theirs)):
        yield merge


def _holding(explanation: Explanation, token: Token | None) -> PreToken | None:
    """The pre-token that `token` belongs to."""
    return next((p for p in explanation.pre_tokens if token in p.tokens), None)


def _space_before(ours: PreToken | None, theirs: PreToken | None) -> Reason | None:
    if not ours or not theirs or ours.alternative != theirs.alternative:
        return None
    for which, spaced, plain in (("first", ours, theirs), ("second", theirs, ours)):
        if spaced.raw == b" " + plain.raw:
            return Reason(
                kind="space",
                sentence=f"The space before “{visible(plain.raw)}” belongs to its pre-token: the "
                f"{which} text has “{visible(spaced.raw)}”, one byte more. To the vocabulary "
                "these are two words with nothing in common.",
            )
    return None


def _other_bytes(first: Explanation, second: Explanation) -> Reason:
    texts = [e.raw.decode("utf-8", "surrogateescape") for e in (first, second)]
    at, (one, other) = next(
        (at, pair) for at, pair in enumerate(itertools.zip_longest(*texts)) if pair[0] != pair[1]
    )
    if one is None or other is None:
        ended, longer, character = (
            ("first", "second", other) if one is None else ("second", "first", one)
        )
        return Reason(
            kind="end",
            sentence=f"The {ended} text ends at character {at}, where the {longer} has "
            f"{_named(character)}.",
        )
    sentence = (
        f"Character {at} is {_named(one)} in the first text and {_named(other)} in the second."
    )
    if unicodedata.normalize("NFC", texts[0]) == unicodedata.normalize("NFC", texts[1]):
        sentence += " Both texts mean the same to Unicode, but nothing is normalised here."
    elif one.casefold() == other.casefold():
        sentence += " Upper and lower case have nothing in common here."
    return Reason(kind="bytes", sentence=sentence)


def _named(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"the byte {ord(character) - 0xDC00:02X} (not UTF-8)"
    raw = character.encode()
    name = unicodedata.name(character, "")
    return f"“{visible(raw)}” (U+{ord(character):04X}{' ' + name if name else ''}, {_hex(raw)})"


def _other_alternative(first: Explanation, second: Explanation) -> Reason | None:
    for one, other in itertools.zip_longest(first.pre_tokens, second.pre_tokens):
        if one is None or other is None or one.alternative != other.alternative:
            return Reason(
                kind="alternative",
                sentence=f"The split: the first text {_made(one)}, where the second "
                f"{_made(other)}.",
            )
    return None


def _made(piece: PreToken | None) -> str:
    if piece is None:
        return "has no further pre-token"
    meaning = _ALTERNATIVE[piece.alternative].meaning
    return f"has “{visible(piece.raw)}” by the alternative {piece.alternative} ({meaning})"


def _other_merge(ours: PreToken, theirs: PreToken) -> Reason | None:
    """The first step at which the merges of two pre-tokens part."""
    for one, other in itertools.zip_longest(ours.merges, theirs.merges):
        if one and other and (one.left, one.right) == (other.left, other.right):
            continue
        sentence = f"Merges: the first text {_step(one, ours)}; the second {_step(other, theirs)}."
        return Reason(kind="merge", sentence=sentence)
    return None


def _step(merge: Merge | None, pre_token: PreToken) -> str:
    if merge is None:
        parts = len(pre_token.tokens)
        return "has no other" if parts == 1 else "has no other, as none of its pairs has a rank"
    return f"joins {merge.left} and {merge.right} (rank {merge.rank:,})"
