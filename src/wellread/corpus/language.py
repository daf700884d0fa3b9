"""In which languages a text is, by CLD2: the detector of the paper's section 3.7."""

from collections.abc import Iterable

import pycld2

from wellread.base.errors import InputError
from wellread.base.suggest import nearest

UNKNOWN = "un"


def check_languages(codes: Iterable[str]) -> None:
    """Refuse what is no code of a language that is told."""
    known = {code.split("-")[0] for _, code in pycld2.LANGUAGES}
    for code in codes:
        if code not in known:
            codes_by_name = {name.lower(): code.split("-")[0] for name, code in pycld2.LANGUAGES}
            near = nearest(code, codes_by_name)
            raise InputError(
                f"there is no language {code!r}; expected a code of ISO 639-1, as "
                f"{codes_by_name[near[0]] if near else 'en'}"
            )


def languages_of(text: str) -> list[tuple[str, float]]:
    """ISO 639-1 codes of up to three languages and the share of the text in each, most first.

    An unknown one is "un".

    >>> languages_of("The quick brown fox jumps over the lazy dog and runs into the forest.")
    [('en', 0.98)]
    """
    try:
        _, _, details = pycld2.detect(text, bestEffort=True)
    except (pycld2.error, UnicodeEncodeError):  # it refuses control characters, lone surrogates
        clean = "".join(c if c.isprintable() else " " for c in text)
        try:
            _, _, details = pycld2.detect(clean.encode("utf-8", "ignore"), bestEffort=True)
        except pycld2.error:
            return [(UNKNOWN, 0.0)]
    found = [(str(code).split("-")[0], percent / 100) for _, code, percent, _ in details]
    return found[:1] + [one for one in found[1:] if one[1] > 0]
