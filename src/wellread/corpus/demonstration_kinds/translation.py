"""Words of another language beside their English, as in the paper's table 1."""

import re
from collections.abc import Iterator

from wellread.corpus.demonstration_kinds import Kind, Span
from wellread.corpus.foreign import LANGUAGES, is_foreign

REACH = 200  # characters that a sentence goes on at most, before and after what was matched
NAME = re.compile(rf"(?:{'|'.join(LANGUAGES)})\b")

# What stands before and after a language's name. ” opens where TeX's quotes were taken for one.
OPEN, CLOSE = "[\"“”‘'«„]", "[\"”’'»]"
QUOTED = rf"{OPEN}(?P<quoted>[^\n\"“”«»„]{{1,200}}?){CLOSE}(?!\w)"
PLAIN = r"(?P<plain>[^\n\[\](){}.!?;:\"“”]{2,200})"

IN = (" in ", "\nin ", "In ", " in the ", "In the ")
# ... in French: words [English]; ... in French: "words", or English
SAID = re.compile(rf"(?: language)?(?:[:,]? {QUOTED}|: {PLAIN}[.!?]?)")
GLOSS_AFTER = re.compile(
    r"""[.,;:!?…"”’'»\ ]{0,4}
        (?:[\[(–—] | (?:which|this|that)\ (?:literally\ )?(?:is|means|translates)\b
         | (?:meaning|translat\w+|i\.e\.|that\ is|literally|or)\b)""",
    re.VERBOSE,
)
GLOSS_BEFORE = re.compile(r"[\"“‘']\w[\w ]{0,30}[,.]?[\"”’']")
# means "English" in French, translates to "English" in French; ("words" in French)
QUOTED_IN = re.compile(
    rf"(?P<by>\b(?:means|meaning|meant|translat(?:es|ed|ing) (?:\w{{1,12}}ly )?(?:to|as)),? |\()"
    rf"{QUOTED}[.,]? in (?:the )?$"
)
# English (French: words)
LABELLED = ("(", "[", "(in ", "[in ")
WORD_BEFORE = re.compile(r"(\w+)\W{1,3}(?:in )?$")
LABEL = re.compile(r": (?P<words>[^\n()\[\];,:]{2,100})[,;)\]]")
# words, French for "English"; "words" is the French word for "English"
IS = tuple(
    f"{word} {the}" for word in (" is", " was", " are", ",", " –", " —") for the in ("", "the ")
)
WORD_FOR = re.compile(rf"(?: (?:word|term|phrase|name|expression|slang))? for {QUOTED}")

# "words", which translates as "English"; "words" ("English")
BETWEEN = re.compile(
    rf"""(?P<close>{CLOSE}) [.,;]? (?:\[\d{{1,3}}\])?
         (?P<by>[ ]?[(\[](?={OPEN})
           | [ ]?[(\[]?(?:(?i:which|that|this|it|or)[ ])?
             (?:(?:is|was|can|could|be|\w{{1,12}}ly)[ ]){{0,3}}
             (?:translat(?:es|ed|ing)|translation(?=:)|means?|meaning|meant)
             (?:[ ](?:as|to|into|in|from|the|\w{{1,12}}ly|English)){{0,4}}[:,]?[ ])
         (?:{QUOTED}|{PLAIN})""",
    re.VERBOSE,
)
OPENS = {'"': '"', "”": "“„”", "’": "‘", "'": "'‘", "»": "«"}  # which marks each mark closes

BEGIN = re.compile(r"[.!?][\"”’')\]]*\s+(?=\D)|\n")
END = re.compile(r"[.!?][\"”’')\]]*(?=\s|$)|(?=\n)")


def spans(text: str) -> Iterator[Span]:
    """
    >>> text = "They say, in French: Je ne suis pas un imbecile [I'm not a fool]. So be it."
    >>> [text[start:end] for start, end in spans(text)]
    ["They say, in French: Je ne suis pas un imbecile [I'm not a fool]."]
    """
    found = sorted(_sentence(text, *span) for span in (*_named(text), *_joined(text)))
    at = 0
    while at < len(found):
        start, end = found[at]
        while at < len(found) and found[at][0] < end:
            end = max(end, found[at][1])
            at += 1
        yield start, end


def _named(text: str) -> Iterator[Span]:
    """Where the language is named, the words are in it, and English is beside them."""
    for name in NAME.finditer(text):
        language, start, end = name[0], name.start(), name.end()
        before = text[max(0, start - 11) : start]
        if before.endswith(IN):
            if after := SAID.match(text, end):
                yield from _said(text, start, after, language)
            quoted = QUOTED_IN.search(text, max(0, start - REACH), start)
            if quoted and (quoted["by"] != "(" or _is_foreign_in(quoted["quoted"], language)):
                yield quoted.start(), end
        elif before.endswith(LABELLED) and (after := LABEL.match(text, end)):
            words, word = after["words"], WORD_BEFORE.search(text, max(0, start - 30), start)
            if is_foreign(words, language) and not (word and word[1] in words.split()):
                yield start, after.end()
        elif before.endswith(IS) and (after := WORD_FOR.match(text, end)):
            yield start, after.end()


def _said(text: str, start: int, after: re.Match[str], language: str) -> Iterator[Span]:
    if _is_foreign_in(after["quoted"] or after["plain"], language):
        if GLOSS_AFTER.match(text, after.end()):
            yield start, after.end()
        elif before := GLOSS_BEFORE.search(text, max(0, start - REACH // 2), start):
            yield before.start(), after.end()


def _is_foreign_in(words: str, language: str) -> bool:
    """With a hint, CLD2 takes every other single English word for what the hint says."""
    return is_foreign(words, language if len(words.split()) > 2 else None)


def _joined(text: str) -> Iterator[Span]:
    """Where two passages are joined, of which one only is English."""
    for match in BETWEEN.finditer(text):
        close = match.start()
        lowest = max(0, close - REACH)
        begin = max(text.rfind(mark, lowest, close) for mark in OPENS[match["close"]])
        left, right = text[begin + 1 : close], match["quoted"] or match["plain"]
        if begin < 0 or "\n" in left:
            continue
        by, is_quoted = match["by"], match["quoted"] is not None
        is_left = "English" in by or is_foreign(left)
        if is_left == is_foreign(right) or not (is_left or is_quoted):
            continue
        # The fewer the words, the less CLD2 is to be relied on, and the more must be said.
        foreign = left if is_left else right
        cues = 2 * ("translat" in by) + ("mean" in by) - (not is_quoted)
        enough = len(foreign) > 3 and len(foreign.split()) + cues >= 3
        if enough or any(c.isalpha() and not c.isascii() for c in foreign):
            yield begin, match.end()


def _sentence(text: str, start: int, end: int) -> Span:
    """From the begin of the sentence in which `start` is to the end of that in which `end` is."""
    lowest = max(0, start - REACH)
    begins = [match.end() for match in BEGIN.finditer(text, lowest, start)]
    ends = END.search(text, end - 3, end + REACH)  # it may end with .") already
    highest = min(end + REACH, len(text))
    return begins[-1] if begins else lowest, max(end, ends.end() if ends else highest)


KIND = Kind(
    task="translation, section 3.7 and table 1",
    counted="Each sentence with words of another language and their English, joined by words or "
    "marks that say so.",
    spans=spans,
)
