"""Text on which tokenizers go wrong, and seeded mixtures of it."""

from collections.abc import Iterator

from hypothesis import strategies as st

from wellread.base.seeds import generator

CONTRACTIONS = [
    "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D",
    "'", "''", "'r", "'v", "'l", "’s", "don't", "DON'T", "'sn't", "'llama", "'ſ",
]  # fmt: skip
SPACES = [
    " ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x85", "\xa0", "\u1680", "\u2000", "\u2006",
    "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", " \n ", "\n\n\n", " \u3000",
]  # fmt: skip
# Spaces to Python's str.isspace, to an editor or to an older Unicode, and not to the pattern.
NOT_SPACES = ["\x1c", "\x1d", "\x1e", "\x1f", "\u180e", "\u200b", "\u200d", "\u2060", "\ufeff"]
NUMBERS = ["0", "9", "12", "1,000", "²", "½", "Ⅷ", "٣", "१", "໓", "〇", "㊿", "\U0001d7d9", "𒐀"]
LETTERS = [
    "a", "Z", "word", "ª", "é", "ß", "ʰ", "Ж", "א", "ا", "ह", "ก", "ﬁ", "日", "一", "한", "ㄅ",
    "𐐀", "𝒜", "𠀀",
]  # fmt: skip
OTHERS = [
    ".", "!", "_", "-", "...", "€", "\0", "\x7f", "\xad", "\u0301", "\u093f", "\u20dd", "\ufe0f",
    "\U000e0100", "😀", "👩‍👩‍👧", "🇫🇷", "\ue000", "\uffff", "\ufffd", "\U0010ffff",
    "<|endoftext|>",
]  # fmt: skip
TROUBLE = [*CONTRACTIONS, *SPACES, *NOT_SPACES, *NUMBERS, *LETTERS, *OTHERS]

# Stray and cut sequences, an overlong one, an encoded surrogate, one beyond U+10FFFF, and the
# beginnings of U+00A0, U+3000 and an emoji.
BAD_BYTES = [
    b"\x80", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc2", b"\xe3\x80",
    b"\xf0\x9f\x98", b"\xc3", b"\xf8\x88\x80\x80\x80",
]  # fmt: skip

# Unassigned characters are left out, since a later Unicode may make them letters.
TEXTS = st.lists(
    st.sampled_from(TROUBLE) | st.characters(exclude_categories=("Cs", "Cn")), max_size=40
).map("".join)
BYTES = st.lists(
    st.sampled_from([piece.encode() for piece in TROUBLE])
    | st.sampled_from(BAD_BYTES)
    | st.binary(max_size=3),
    max_size=40,
).map(b"".join)


def fuzzed_strings(num_strings: int, *purpose: str) -> Iterator[str]:
    """Strings of up to 30 pieces: most of them troublesome, some a character of any code."""
    random = generator(0, "tests", *purpose)
    for _ in range(num_strings):
        picks = random.integers(len(TROUBLE) * 5 // 4, size=random.integers(1, 31)).tolist()
        yield "".join(
            TROUBLE[pick] if pick < len(TROUBLE) else _any_character(int(random.integers(0x10F800)))
            for pick in picks
        )


def _any_character(number: int) -> str:
    return chr(number if number < 0xD800 else number + 0x800)  # over the surrogates
