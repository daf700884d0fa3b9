"""Questions with their answers: sheets of Q and A, and pages of frequent questions."""

import re
from collections.abc import Iterator

from wellread.corpus.demonstration_kinds import Kind, Span, lines_of

Q, A = (rf"(?:{word[0]}|{word})[ ]?\d{{0,3}}[.:][*]{{0,2}}" for word in ("Question", "Answer"))
LEAD = r"[ \t>*#-]{0,4}"
# At a line's begin the marks are enough; within a line a question mark must stand between them.
MARKED = re.compile(
    rf"""^{LEAD}{Q}\s{{1,3}}\S[^\n]{{0,600}}\n
            (?:(?!{LEAD}(?:{Q}|{A}))[^\n]{{0,600}}\n){{0,6}}?
            {LEAD}{A}\s{{1,3}}\S[^\n]*
       | \b{Q}\s(?:[^\n]|\n(?!\n)){{2,300}}?\?\s{{1,3}}{A}\s\S
            (?:[^\n]{{0,600}}?(?=\s{Q})|[^\n]{{0,600}})
       | ^(?!{LEAD}{Q})[^\n]{{4,300}}\?[ ]*\n\n?{LEAD}(?:A|Answer):[*]{{0,2}}\s\S[^\n]*""",
    re.MULTILINE | re.VERBOSE,
)

FEWEST = 4  # questions that make a page of them: essays too ask three
FARTHEST = 2500  # characters from the end of one answer's first paragraph to the next question
ASKS = re.compile(
    r"""[ \t]*(?:[-*•#]+[ ]*|\d{1,2}[.)][ ]*)?
        (?:wh(?:at|ich|o|om|ose|en|ere|y)(?:[’']s)?|how|is|are|am|was|were|do|does|did|can|could
          |should|shall|will|would|has|have|had|may|must)[ ][^?\n]{6,140}\?""",
    re.IGNORECASE | re.VERBOSE,
)
# A paragraph, not what somebody says, nor one that goes on about the question.
ANSWERS = re.compile(r"\s*(?!(?:This|That|These|Those)\b)[^\W_].{38,}[^?]")


def spans(text: str) -> Iterator[Span]:
    """
    >>> list(spans("Q: Who was it?\\nA: It was I."))
    [(0, 27)]
    """
    marked = []
    has_marks = "Q" in text and any(mark in text for mark in ("A:", "A.", "A1", "A 1"))
    if has_marks or "Answer:" in text or "\nA:" in text:
        marked = [match.span() for match in MARKED.finditer(text)]
    if marked:
        yield from marked
    elif text.count("?\n") >= FEWEST:
        yield from _frequent(text)


def _frequent(text: str) -> Iterator[Span]:
    """Questions in lines of their own with a paragraph below, if so many are near each other."""
    run: list[Span] = []
    for start, end in _asked(text):
        if run and start - run[-1][1] > FARTHEST:
            yield from run if len(run) >= FEWEST else ()
            run = []
        run.append((start, end))
    yield from run if len(run) >= FEWEST else ()


def _asked(text: str) -> Iterator[Span]:
    """A question and a paragraph, each time that one follows the other."""
    question, asks = None, False
    for start, line, begins in lines_of(text):
        if question is not None and ANSWERS.fullmatch(line):
            yield question, start + len(line)
        asked, asks = asks, line[-1] == "?"
        alone = begins and asks and not asked  # of questions in a row none has its answer
        question = start if alone and ASKS.fullmatch(line) else None


KIND = Kind(
    task="question answering, section 3.8; A: asks for an answer in reading comprehension too, 3.5",
    counted="Each pair marked Q and A, or each of four or more questions near each other that "
    "have a line of their own and a paragraph below.",
    spans=spans,
)
