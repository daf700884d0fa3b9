"""The tab Memory: which words of a text stand in the training set, and where."""

import time
from pathlib import Path

import msgspec
from markupsafe import Markup

from wellread.base.progress import Progress, silent
from wellread.base.text import in_pieces
from wellread.formats.documents import SPLITS
from wellread.ngrams import NGRAM_WORDS
from wellread.overlap.passages import Passage, find_passages
from wellread.overlap.reading import training_texts
from wellread.overlap.show import show_passages
from wellread.playground import html

MOST_SHOWN = 20  # passages with their documents
NOTHING_NAMED = (
    "There is no training text to look in. Start the page with the text that the model was trained "
    "on, or with an index of it:"
)
HOW = "wellread playground MODEL --corpus CORPUS"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a text shares with the training set."""

    text: str
    passages: list[Passage]
    ngram_words: int  # the fewest words that count
    place: str  # where was looked
    seconds: float


def look_up(
    text: str, index: Path | None, corpus: Path | None, progress: Progress = silent
) -> Found:
    """The passages of a text; through an index if there is one, else by reading all documents."""
    started = time.monotonic()
    if index is not None:
        shown = show_passages(index, text=text, corpus=corpus, progress=progress)
        passages = shown.shown[0].passages if shown.shown else []
        n, place = shown.ngram_words, shown.corpus
    else:
        assert corpus is not None, "the page asks only if there is something to look in"
        documents = training_texts(corpus, lambda *_: None)
        [passages] = find_passages([text], documents, progress=progress)
        n, place = NGRAM_WORDS, f"{corpus.name}, split {SPLITS[0]!r}"
    return Found(
        text=text,
        passages=passages,
        ngram_words=n,
        place=place,
        seconds=time.monotonic() - started,
    )


def in_words(found: Found) -> str:
    """The result as a sentence."""
    took = f"Looked in {found.place}, {found.seconds:.1f} s."
    if not found.passages:
        return (
            f"No {found.ngram_words} words in a row of this text stand in the training set. {took}"
        )
    covered = sum(len(piece) for piece, is_in in _pieces(found) if is_in)
    longest = max(passage.num_words for passage in found.passages)
    many = len(found.passages)
    stand = "passage stands" if many == 1 else "passages stand"
    return (
        f"{many:,} {stand} in the training set too, {covered / len(found.text):.0%} of the text; "
        f"the longest has {longest:,} words. {took}"
    )


def _pieces(found: Found) -> list[tuple[str, bool]]:
    return list(in_pieces(found.text, [(p.start, p.end) for p in found.passages]))


def page(found: Found) -> Markup:
    """The text with its passages marked, and each passage in its document."""
    text = Markup("").join(
        Markup("<mark>{}</mark>").format(piece) if is_in else Markup("{}").format(piece)
        for piece, is_in in _pieces(found)
    )
    longest = sorted(found.passages, key=lambda passage: (-passage.num_words, passage.start))
    cards = Markup("").join(_card(passage) for passage in longest[:MOST_SHOWN])
    rest = len(longest) - MOST_SHOWN
    more = html.note(f"and {rest:,} shorter passages") if rest > 0 else ""
    return Markup(
        '<p class="wr-facts" role="status">{}</p><div class="wr-text wr-looked-up">{}</div>{}{}'
    ).format(in_words(found), text, cards, more)


def _card(passage: Passage) -> Markup:
    others = passage.num_documents - 1
    also = f", and {others:,} more document{'s' * (others != 1)}" if others else ""
    return Markup(
        '<article class="wr-source"><h3>{}</h3><p class="wr-facts">{} words{}</p>'
        '<p class="wr-quote">{}<mark>{}</mark>{}</p></article>'
    ).format(
        link(passage.url), passage.num_words, also, "…" + passage.before, passage.words,
        passage.after + "…",
    )  # fmt: skip


def link(url: str) -> Markup:
    """A document's name; an address of the web can be followed, in a new window."""
    if url.startswith(("http://", "https://")):
        return Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url)
    return Markup("{}").format(url)


def where(index: Path | None, corpus: Path | None) -> str:
    """What the tab says before anything is looked up."""
    if index is not None:
        return f"Looks in {index}."
    if corpus is not None:
        return (
            f"Reads all of {corpus} each time: well under a second for some MB, about a "
            "minute for some GB. “wellread overlap index” makes an index, which is quicker."
        )
    return ""
