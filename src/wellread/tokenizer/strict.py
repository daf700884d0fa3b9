"""Text and JSON files read strictly: what is damaged is refused with the file and the place."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from wellread.base.errors import InputError
from wellread.base.suggest import no_such


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, lines ended by `\\n` alone.

    Windows line ends and a byte order mark are taken away: no byte has them in its stand-in, so
    they cannot be part of a token, and editors and git add them.
    """
    if not path.is_file():
        raise no_such(path, "a file of a vocabulary")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: not UTF-8 ({error.reason}); copy the file anew") from None
    if not text.strip():
        raise InputError(f"{path}: the file is empty; copy it anew")
    return text.replace("\r\n", "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, in which no object may have the same key twice."""

    def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
            raise InputError(f"{path}: key {twice!r} is there twice; remove the wrong one")
        return found

    text = read_text(path)
    try:
        found = json.loads(text, object_pairs_hook=without_repeats)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}: not JSON ({error.msg}, column {error.colno}); is the file "
            "whole?"
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, deep nesting
        raise InputError(f"{path}: not JSON as any tokenizer writes it ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: has a {type(found).__name__}; expected an object of JSON")
    return found
