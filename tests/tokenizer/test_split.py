"""Where pre-tokens start, against `regex`: every code point, fuzzed text, the edges of windows."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import regex
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.bpe import slow_split, slow_starts
from tests.tokenizer.trouble import BAD_BYTES, BYTES, SPACES, TEXTS, TROUBLE, fuzzed_strings
from wellread.base.seeds import generator
from wellread.tokenizer.split import pre_token_starts

KINDS = [r"\p{L}", r"\p{N}", r"\s"]
WORD = 64  # bytes that are classified at a time
WINDOW = 65_536  # bytes that are split at a time
# Each code point stands where the kind of its neighbours matters: {} is that code point.
CONTEXTS = [
    "{}", "\n{}", "a{}b", "1{}2", ".{}!", " {}", " {}a", "  {} .", "'{}", "{}'s{}", "\xa0{}\u3000a",
    "é{}日", "{}{} ",
]  # fmt: skip


@cache
def every_character() -> str:
    return "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)


@cache
def characters_in_regex(kind: str) -> frozenset[str]:
    return frozenset(regex.findall(kind, every_character()))


@cache
def characters_in_tiktoken(kind: str) -> frozenset[str]:
    # tiktoken leaves out what its pattern does not match.
    ranks = {bytes([byte]): byte for byte in range(256)}
    found = tiktoken.Encoding("kind", pat_str=kind, mergeable_ranks=ranks, special_tokens={})
    return frozenset(bytes(found.encode_ordinary(every_character())).decode())


@cache
def disputed() -> frozenset[str]:
    """The characters of a Unicode version that only one of `regex` and tiktoken has."""
    return frozenset().union(*(characters_in_regex(k) ^ characters_in_tiktoken(k) for k in KINDS))


@cache
def characters_at_the_edge_of_a_kind() -> str:
    """Those whose neighbour is of another kind, all of Latin, and a sample."""
    kinds = [characters_in_regex(kind) for kind in KINDS]
    kind_of = ["".join("ny"[c in kind] for kind in kinds) for c in every_character()]
    at_an_edge = {
        place + side
        for place, (kind, following) in enumerate(pairwise(kind_of))
        if kind != following
        for side in (0, 1)
    }
    places = sorted(at_an_edge | {*range(0x250)} | {*range(0, len(kind_of), 509)})
    return "".join(every_character()[place] for place in places)


def assert_split_as_regex_does(data: bytes) -> None:
    ours, expected = pre_token_starts(data), np.array(slow_starts(data), dtype=np.int64)
    if not np.array_equal(ours, expected):
        at = int(next((a for a, b in zip(ours, expected, strict=False) if a != b), len(data)))
        near = slice(max(at - 24, 0), at + 24)
        pytest.fail(
            f"around byte {at} of {len(data)}: {data[near]!r} has pre-tokens at "
            f"{ours[(ours >= near.start) & (ours < near.stop)] - near.start}, in `regex` at "
            f"{expected[(expected >= near.start) & (expected < near.stop)] - near.start}"
        )


def known(data: bytes) -> bytes:
    """`data` with a question mark for each character in dispute."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join("?" if c in disputed() else c for c in text).encode("utf-8", "surrogateescape")


def in_context(context: str, characters: str) -> bytes:
    return "\n".join(context.replace("{}", character) for character in characters).encode()


def settled(characters: str) -> Iterator[str]:
    """In pieces of 65,536, the characters whose kind `regex` and tiktoken agree on."""
    agreed = "".join(character for character in characters if character not in disputed())
    return (agreed[start : start + 65_536] for start in range(0, len(agreed), 65_536))


def test_offsets_are_64_bit_and_start_at_nought() -> None:
    starts = pre_token_starts(b"Don't  stop")
    assert starts.dtype == np.int64
    assert starts.tolist() == [0, 3, 5, 6]


def test_an_empty_text_has_no_pre_token() -> None:
    assert pre_token_starts(b"").tolist() == []


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("don't DON'T", ["don", "'t", " DON", "'", "T"]),
        ("we'll 'llama 'sn't", ["we", "'ll", " '", "llama", " '", "sn", "'t"]),
        ("'''s", ["'''", "s"]),
        ("a   b\n\n c", ["a", "  ", " b", "\n\n", " c"]),
        ("a \n", ["a", " \n"]),
        ("in 2019, ½ ²3", ["in", " 2019", ",", " ½", " ²3"]),
        ("a\xa0b\u3000\u3000c", ["a", "\xa0", "b", "\u3000", "\u3000", "c"]),
        ("e\u0301 हिन्दी", ["e", "\u0301", " ह", "\u093f", "न", "\u094d", "द", "\u0940"]),
        ("a\x1fb \u200bc", ["a", "\x1f", "b", " \u200b", "c"]),
        ("😀😀 😀\0", ["😀😀", " 😀\0"]),
    ],
)
def test_pieces_that_can_be_checked_by_eye(text: str, pieces: list[str]) -> None:
    data = text.encode()
    starts = pre_token_starts(data).tolist()
    assert [data[a:b].decode() for a, b in pairwise([*starts, len(data)])] == pieces
    assert [piece.decode() for piece in slow_split(text)] == pieces


@pytest.mark.parametrize("context", CONTEXTS)
def test_characters_at_the_edge_of_a_kind_are_split_as_by_regex(context: str) -> None:
    for characters in settled(characters_at_the_edge_of_a_kind()):
        assert_split_as_regex_does(in_context(context, characters))


@pytest.mark.slow
@pytest.mark.parametrize("context", ["a{}b", "1{}2", ".{}!", "  {} ."])  # tells every kind
def test_every_code_point_is_split_as_by_regex(context: str) -> None:
    for characters in settled(every_character()):
        assert_split_as_regex_does(in_context(context, characters))


@pytest.mark.slow
def test_every_code_point_alone_is_one_pre_token() -> None:
    assert all(pre_token_starts(c.encode()).tolist() == [0] for c in every_character())


def test_code_points_after_one_another_are_split_as_by_regex() -> None:
    for characters in settled(every_character()):
        assert_split_as_regex_does(characters.encode())


def test_a_character_that_regex_and_tiktoken_dispute_has_the_kind_that_gives_tiktokens_ids() -> (
    None
):
    def is_joined(before: str, character: str) -> bool:
        return len(pre_token_starts((before + character).encode())) == 1

    letters, numbers = (characters_in_tiktoken(kind) & disputed() for kind in KINDS[:2])
    assert {c for c in disputed() if is_joined("a", c)} == letters
    assert {c for c in disputed() if is_joined("1", c)} == numbers


@settings(deadline=None, max_examples=400)
@given(TEXTS)
def test_troublesome_text_is_split_as_by_regex(text: str) -> None:
    assert_split_as_regex_does(known(text.encode()))


@settings(deadline=None, max_examples=400)
@given(BYTES)
def test_bytes_that_are_not_utf_8_are_each_a_character_of_the_other_kind(data: bytes) -> None:
    assert_split_as_regex_does(known(data))


@settings(deadline=None, max_examples=200)
@given(
    BYTES,
    st.sampled_from(
        [b"x", b" ", b"\n", b"1", b".", b"it's ", "é".encode(), "日 ".encode(), b"\xff"]
    ),
    st.sampled_from([WORD, 2 * WORD, WINDOW, 2 * WINDOW]),
    st.integers(-80, 8),
)
def test_text_across_the_edge_of_a_word_or_a_window_is_split_as_by_regex(
    data: bytes, padding: bytes, edge: int, shift: int
) -> None:
    before = (padding * edge)[: max(edge + shift, 0)]
    assert_split_as_regex_does(known(before + data + b" end"))


@pytest.mark.parametrize("edge", [WORD, WINDOW])
@pytest.mark.parametrize("padding", [b"x", b"no one "])
@pytest.mark.parametrize(
    "piece",
    [
        "'ll",
        "'re a",
        "'RE",
        " 's",
        "   a",
        " \n \n.",
        "\u3000\u3000a",
        "\xa0 \xa0",
        "é²日",
        "😀 😀",
        " 𝒜𝟙",
    ],
)
def test_a_piece_at_every_place_around_an_edge_is_split_as_by_regex(
    piece: str, padding: bytes, edge: int
) -> None:
    for start in range(edge - len(piece.encode()) - 1, edge + 2):
        for after in (b"", b"x", b" "):
            before = (padding * edge)[:start]
            assert_split_as_regex_does(before + piece.encode() + after)


@pytest.mark.parametrize("bad", BAD_BYTES)
def test_a_broken_sequence_at_every_place_around_an_edge_is_split_as_by_regex(bad: bytes) -> None:
    for edge in (WORD, WINDOW):
        for start in range(edge - len(bad) - 1, edge + 2):
            for after in (b"", b"x", b"\x80", b" "):
                assert_split_as_regex_does(b"x" * start + bad + after)


@pytest.mark.parametrize("space", [" ", "\n", "\xa0", "\u3000", " \n"])
def test_spaces_up_to_the_end_or_to_an_edge_are_split_as_by_regex(space: str) -> None:
    run = space.encode() * 70
    for edge in (WORD, 2 * WORD, 3 * WORD, WINDOW):
        for length in (*range(1, 6), 31, 63, 64, 65, 66):
            spaces = run[-length * len(space[0].encode()) :]
            for after in (b"", b"x", b"1", b"'s", "é".encode(), b"\xff"):
                assert_split_as_regex_does(b"x" * (edge - len(spaces)) + spaces + after)


@pytest.mark.parametrize(
    "character", [*"aZ1.' \n\t\0", "\xa0", "é", "²", "\u3000", "日", "😀", "𝟙"]
)
def test_a_run_of_200_000_of_one_character_is_split_as_by_regex(character: str) -> None:
    run = (character * 200_000).encode()
    for data in (run, b"x" + run + b"x", b" " + run + b" ", b"'" + run + b"'s"):
        assert_split_as_regex_does(data)


@pytest.mark.parametrize("byte", [b"\x80", b"\xc3", b"\xe3", b"\xf0", b"\xff"])
def test_a_run_of_200_000_of_one_broken_byte_is_one_pre_token(byte: bytes) -> None:
    assert pre_token_starts(byte * 200_000).tolist() == [0]
    assert pre_token_starts(b"a " + byte * 200_000 + b"a").tolist() == [0, 1, 200_002]


def test_random_bytes_are_split_as_by_regex() -> None:
    random = generator(0, "tests", "bytes")
    assert_split_as_regex_does(known(random.bytes(400_000)))
    # Of these few, much more is nearly UTF-8: spaces, letters and emoji, whole and cut short.
    choice = np.frombuffer(
        b" '\n1as\xc2\x85\xa0\xe2\x80\xa8\xe3\x81\xf0\x9f\x98\xff", dtype=np.uint8
    )
    assert_split_as_regex_does(random.choice(choice, size=400_000).tobytes())


def test_a_long_mixture_is_split_as_by_regex() -> None:
    text = "".join(fuzzed_strings(10_000, "mixture"))
    assert_split_as_regex_does(known(text.encode()))


def test_every_two_troublesome_pieces_after_one_another_are_split_as_by_regex() -> None:
    for first in TROUBLE:
        for separator in ("x", "\n", " "):
            joined = separator.join(first + second for second in [*TROUBLE, *SPACES])
            assert_split_as_regex_does(joined.encode())
