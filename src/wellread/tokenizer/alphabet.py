"""The 256 bytes as printable characters, and the pattern that no merge may cross."""

from functools import cache

# openai/gpt-2, src/encoder.py. The contractions are lower-case only there ("Should haved added
# re.IGNORECASE"), so DON'T is split otherwise than don't; kept, since the ids depend on it.
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@cache
def printable_bytes() -> tuple[str, ...]:
    """The stand-in for each byte: itself where it prints, else a character from U+0100 on.

    >>> printable_bytes()[ord("A")], printable_bytes()[ord(" ")]
    ('A', 'Ġ')
    """
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    stand_in = {byte: chr(byte) for byte in itself}
    for byte in range(256):
        if byte not in stand_in:
            stand_in[byte] = chr(256 + len(stand_in) - len(itself))
    return tuple(stand_in[byte] for byte in range(256))


@cache
def byte_order() -> tuple[int, ...]:
    """The bytes in the order of their ids: sorted by stand-in, so `!` is 0 and a space is 220."""
    characters = printable_bytes()
    return tuple(sorted(range(256), key=lambda byte: characters[byte]))


def to_printable(token: bytes) -> str:
    """
    >>> to_printable(b" caf\\xc3\\xa9")
    'ĠcafÃ©'
    """
    characters = printable_bytes()
    return "".join(characters[byte] for byte in token)


@cache
def _bytes_of_printable() -> dict[str, int]:
    return {character: byte for byte, character in enumerate(printable_bytes())}


def from_printable(text: str) -> bytes:
    """The bytes that `text` stands for; a KeyError names a character that stands for none."""
    table = _bytes_of_printable()
    return bytes(table[character] for character in text)
