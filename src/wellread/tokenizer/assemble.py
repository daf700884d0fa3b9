"""Tokens and merges as their files write them, made a `Vocabulary` or refused with a reason."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import from_printable, printable_bytes
from wellread.tokenizer.vocabulary import END_OF_TEXT, Pair, Vocabulary

# Two neighbouring ASCII characters that GPT-2's pattern never leaves in one piece: a letter, a
# digit and a sign in any mixture, apart from the apostrophe of a contraction. No merge can make a
# token with such a place, so it is special, or was learnt with another pattern.
CUT = re.compile(
    r"[A-Za-z][!-@\[-`{-~]|[!-&(-@\[-`{-~][A-Za-z]|[0-9][!-/:-@\[-`{-~]|[!-/:-@\[-`{-~][0-9]"
)
SURROGATE = re.compile("[\ud800-\udfff]")

Where = Callable[[int], str]


class Merges(NamedTuple):
    """The parts of each merge; two lists, as 50,000 pairs would cost as much as reading them."""

    left: Sequence[str]
    right: Sequence[str]


def assemble(
    path: Path,
    ids: Mapping[str, Any],
    merges: Merges,
    *,
    where: Where,
    special: Collection[str] = (),
) -> Vocabulary:
    """The vocabulary with these ids and merges, each token written in stand-ins for its bytes.

    `path` names the file of the ids in errors, `where(n)` the place of the n-th merge. Tokens
    named in `special`, and those that no merge can make under GPT-2's pattern, are special. All
    others must be one of the 256 bytes, each of which is there, or be made by a merge; and the
    parts of a merge are bytes or made by earlier merges.
    """
    check_ids(path, ids)
    alphabet = printable_bytes()
    missing = next((byte for byte in range(256) if alphabet[byte] not in ids), None)
    if missing is not None:
        raise InputError(
            f"{path}: byte {missing} has no token, expected {alphabet[missing]!r}; a byte-level "
            "vocabulary has all 256"
        )
    made, pairs = _merge(merges, ids, where)
    if CUT.search("\n".join(made)):
        text = next(text for text in made if CUT.search(text))
        raise InputError(
            f"{path}: token {text!r} is more than one piece under GPT-2's pattern, so this "
            "vocabulary was learnt with another one; give a vocabulary of GPT-2's kind"
        )
    specials = _specials(path, ids, made, special)
    tokens = [b""] * len(ids)
    for text, token in made.items():
        tokens[ids[text]] = token
    for text, number in specials.items():
        tokens[number] = text.encode()
    return Vocabulary(tokens=tokens, merges=pairs, special=specials)


def check_ids(path: Path, ids: Mapping[str, Any]) -> None:
    """Refuse ids that are not whole numbers from 0 on, without gap or repeat."""
    if set(map(type, ids.values())) != {int}:
        wrong = next((item for item in ids.items() if type(item[1]) is not int), "no token at all")
        raise InputError(f"{path}: found {wrong!r}; expected each token with a whole number")
    if sorted(ids.values()) == list(range(len(ids))):
        return
    first: dict[int, str] = {}
    for text, number in ids.items():
        if number in first:
            raise InputError(f"{path}: id {number} is that of {first[number]!r} and of {text!r}")
        first[number] = text
    gap = next(number for number in range(len(ids)) if number not in first)
    raise InputError(
        f"{path}: {len(ids)} tokens and none with id {gap}; expected ids from 0 to "
        f"{len(ids) - 1} without a gap"
    )


def _merge(
    merges: Merges, ids: Mapping[str, int], where: Where
) -> tuple[dict[str, bytes], list[Pair]]:
    """The bytes of each token that is a byte or made by a merge, by its text; and the merges."""
    made = _bytes_by_text()
    try:
        # Most of the time to load goes here, so nothing is checked until something is missing.
        for left, right in zip(*merges, strict=True):
            made[left + right] = made[left] + made[right]
        pairs = [(ids[left], ids[right]) for left, right in zip(*merges, strict=True)]
    except KeyError:
        raise _merge_error(merges, ids, where) from None
    if not made.keys() <= ids.keys():
        raise _merge_error(merges, ids, where)
    if len(set(pairs)) < len(pairs):
        [(twice, _)] = Counter(pairs).most_common(1)
        first = pairs.index(twice)
        second = pairs.index(twice, first + 1)
        raise InputError(
            f"{where(second)}: merge {_written(merges, second)} is there twice, first at "
            f"{where(first)}; remove the later"
        )
    return made, pairs


def _bytes_by_text() -> dict[str, bytes]:
    return {character: bytes([byte]) for byte, character in enumerate(printable_bytes())}


def _written(merges: Merges, number: int) -> str:
    return repr(f"{merges.left[number]} {merges.right[number]}")


def _merge_error(merges: Merges, ids: Mapping[str, int], where: Where) -> InputError:
    made = set(_bytes_by_text())
    number = 0
    while True:
        left, right = merges.left[number], merges.right[number]
        if left not in made or right not in made or left + right not in ids:
            break
        made.add(left + right)
        number += 1
    part = next((part for part in (left, right) if part not in made), None)
    if part is None:
        reason = f"its result {left + right!r} is not in the vocabulary"
    elif part in ids:
        reason = f"its part {part!r} is no byte and made by no earlier merge"
    else:
        reason = f"its part {part!r} is not in the vocabulary"
    return InputError(f"{where(number)}: merge {_written(merges, number)}: {reason}")


def _specials(
    path: Path, ids: Mapping[str, int], made: Mapping[str, bytes], declared: Collection[str]
) -> dict[str, int]:
    """The tokens that no merge makes, in the order of ids; refused if they ought to be made."""
    for text in declared:
        if text in made:
            raise InputError(
                f"{path}: {text!r} is declared special, but is also an ordinary token; text that "
                "has it would get other ids here"
            )
    rest = sorted(ids.keys() - made.keys(), key=ids.__getitem__)
    for text in rest:
        if text not in declared and not CUT.search(text):
            raise InputError(f"{path}: token {text!r} with id {ids[text]}: {_why_lost(text)}")
        if not text or SURROGATE.search(text):
            raise InputError(f"{path}: special token {text!r} with id {ids[text]} is no text")
    if END_OF_TEXT not in ids:
        raise InputError(
            f"{path}: no token {END_OF_TEXT}, which GPT-2's scheme puts between documents; add it "
            "with the next free id"
        )
    return {text: ids[text] for text in rest}


def _why_lost(text: str) -> str:
    try:
        from_printable(text)
    except KeyError as error:
        return f"it has {error}, which stands for no byte, and it is not declared special"
    return "no merge makes it and it is not declared special; are all merges there?"
