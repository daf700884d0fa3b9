"""Damage to the characters of a text, mended where it can be told from what its author wrote.

Mended: UTF-8 that was read as another encoding, once or several times (by ftfy, line by line);
control characters of Windows-1252; accents apart from their letters (NFC); the ligatures that
typesetting left in words, as in U+FB01 for "fi"; what nobody sees and every tokenizer does (other
controls, soft hyphens, zero-width spaces, marks of byte order); ends of lines; blanks at them; more
than one empty line in a row.

Kept, because authors write them: quotation marks and dashes of every kind, no-break spaces, full
width, superscripts (so no NFKC), joiners within emoji and Persian words, entities of HTML, which a
text about HTML is full of. A text about such damage loses its examples.
"""

import re
import unicodedata

import ftfy
import regex

from wellread.base.text import without_surrogates

LINE_ENDS = dict.fromkeys("\v\f\u2028\u2029", "\n")
# Those beyond ASCII wait for ftfy: they are half of a character that was read as two.
CONTROLS = re.compile("[\0-\x08\v-\x1f\x7f\u2028\u2029]")
# What every sign of damage has that ftfy knows (ftfy.badness), which takes ten times as long.
SUSPECT = re.compile(r"[^\0-\x7f]{2}|[\x80-\x9fÂÃŒœ]")
UNSEEN = re.compile(r"[\x80-\x9f\xad\u200b\ufeff\ufb00-\ufb06]")
LIGATURES = dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True))

# Unicode's bound on a letter's marks (UAX #15, section 13); Python orders them in quadratic time.
MARKS = regex.compile(r"(\p{M}{30})\p{M}+")


def repaired(text: str) -> str:
    r"""`text` without damage that can be mended; the same again if it is given what it gave.

    >>> repaired("The cafÃ©â€™s\r\n\r\n\r\nbest de\xadal \n")
    'The café’s\n\nbest deal'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # One repair may show the next: damage within damage, or with a control in the middle.
    while (mended := _mended(text)) != text:
        text = mended
    text = text.strip("\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def _mended(text: str) -> str:
    text = CONTROLS.sub(lambda found: LINE_ENDS.get(found[0], ""), text)
    text = "\n".join(map(_mended_line, text.split("\n")))
    if text.isascii():
        return text
    text = without_surrogates(UNSEEN.sub(lambda found: LIGATURES.get(found[0], ""), text))
    if unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", MARKS.sub(r"\1", text))


def _mended_line(line: str) -> str:
    line = line.rstrip()
    return ftfy.fix_encoding(line) if may_be_misread(line) else line


def may_be_misread(line: str) -> bool:
    return not line.isascii() and SUSPECT.search(line) is not None
