"""Items made from a corpus's held-out documents: whole texts, last words, one word of ten."""

import functools
import hashlib
import heapq
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact
from wellread.evaluate.cbt import Cloze
from wellread.evaluate.last_word import Passage
from wellread.evaluate.stop_words import STOP_WORDS
from wellread.evaluate.task import Axis, Loaded, Sources
from wellread.evaluate.word_kinds import kinds_of
from wellread.formats.documents import Document, read_corpus, read_documents

SPLIT, TRAINING = "validation", "train"
MAX_DOCUMENTS = 2000  # held in memory: far more than the items below need
MIN_PASSAGE_WORDS = 50  # LAMBADA's own minimum
MAX_PASSAGE_CHARACTERS = 900  # about what a context of 256 tokens has room for
MIN_PASSAGE_SENTENCES = 4
MAX_PASSAGE_SENTENCES = 20  # CBT's own number
NUM_CANDIDATES = 10  # as CBT
COMMONEST = 60  # words of a kind that may stand in for those a passage lacks
MIN_WORD_LETTERS = 3
SENTENCE = re.compile(r"""(?<!\S)["'(“‘]?[A-Z][^\n]*?[.!?]["')”’]*(?=\s|$)""")
LAST_WORD = re.compile(r"(?<= )[A-Za-z]+(?=[.!?]$)")
WORD = re.compile(r"(?<![^\s])[A-Za-z]+(?![\w'’-])")
MIN_SENTENCE_WORDS = 4
ENDINGS = ("ing", "ed", "ly", "s")
ITEMS = Axis(
    default="600",
    takes_number=True,
    reason="as many as give an interval of about 5 points; one from each document in turn",
)
KIND = Axis(
    default="alike",
    others=("names", "nouns", "verbs", "prepositions"),
    reason="alike: content words with the same ending and capital; the others are the four kinds "
    "of the Children's Book Test, told by the words before them (evaluate/word_kinds.py), with "
    "candidates from the passage first, then the commonest of their kind",
)
CHARACTERS = Axis(
    default="900",
    takes_number=True,
    reason="of a passage, which a context of 256 tokens has room for; 20 sentences of a novel, as "
    "in the Children's Book Test, are about 2,500",
)
OF_EACH = Axis(
    default="all",
    takes_number=True,
    reason="kilobytes from the beginning of a document: fewer give more documents, which the "
    "interval resamples, in the same time; books in whole would be two or three of them",
)
KILOBYTES = Axis(
    default="200",
    takes_number=True,
    reason="documents are taken, in the order of a hash of their URL, until they hold this much",
)
T = TypeVar("T", bound=msgspec.Struct)
Each = TypeVar("Each")


class Span(NamedTuple):
    """A sentence's place in a text."""

    start: int
    end: int


Make = Callable[[Document, Sequence[Span], int], T | None]  # of the sentence with this number


def order_of(*identity: str) -> bytes:
    """A fixed, arbitrary order: the digest of what a thing is called."""
    return hashlib.sha256("\n".join(identity).encode("utf-8", "surrogatepass")).digest()


def held_out_documents(sources: Sources) -> Loaded:
    """The held-out documents first by hash of their URL, and how many there are in all.

    Of a corpus artifact those in the validation split; of texts without splits, in which the model
    was not trained here, all that are not empty.
    """
    corpus = sources.corpus
    if corpus is None:
        raise InputError("held-out tasks need a corpus: name one with --corpus")
    if is_artifact(corpus):
        return _first_by_hash(
            corpus, read_corpus(corpus, SPLIT), f"no document is in the split {SPLIT!r}"
        )
    return _first_by_hash(corpus, read_documents(corpus), "no text")


def training_documents(sources: Sources) -> Loaded:
    """As `held_out_documents`, of those to train on, which only a corpus artifact tells apart."""
    corpus = sources.corpus
    if corpus is None or not is_artifact(corpus):
        raise InputError(
            f"{corpus or 'no --corpus'}: does not say what a model was trained on; name a corpus "
            "that `wellread corpus` wrote"
        )
    return _first_by_hash(
        corpus, read_corpus(corpus, TRAINING), f"no document is in the split {TRAINING!r}"
    )


def _first_by_hash(corpus: Path, documents: Iterable[Document], missing: str) -> Loaded:
    num = 0

    def counted() -> Iterator[Document]:
        nonlocal num
        for document in documents:
            if document.text.strip():
                num += 1
                yield document

    chosen = heapq.nsmallest(MAX_DOCUMENTS, counted(), key=lambda d: order_of(d.url))
    if not chosen:
        raise InputError(f"{corpus}: {missing}")
    return Loaded(chosen, num)


def first_bytes(
    documents: Sequence[Document], num_bytes: int, of_each: int | None = None
) -> list[Document]:
    """Documents until they hold `num_bytes` of UTF-8; at least one. Whole, or their first bytes."""
    taken, total = [], 0
    for document in documents:
        if total >= num_bytes:
            break
        text = document.text.encode()[:of_each].decode(errors="ignore")  # a character cut in two
        taken.append(msgspec.structs.replace(document, text=text))
        total += len(text.encode())
    return taken


def sentence_spans(text: str) -> list[Span]:
    """Sentences within a line: a capital, at least four words, a full stop.

    >>> text = "Heading\\nIt is a short list. See below. Then we sort the list!"
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['It is a short list.', 'Then we sort the list!']
    """
    return [
        Span(*found.span())
        for found in SENTENCE.finditer(text)
        if len(found.group().split()) >= MIN_SENTENCE_WORDS
    ]


def is_content(word: str) -> bool:
    return len(word) >= MIN_WORD_LETTERS and word.lower() not in STOP_WORDS


def last_word_passage(document: Document, spans: Sequence[Span], last: int) -> Passage | None:
    """The shortest passage of whole sentences whose last word, `last`'s, stands earlier in it."""
    text, end = document.text, spans[last].end
    found = LAST_WORD.search(text[spans[last].start : end])
    if found is None or not is_content(found.group()):
        return None
    cut = spans[last].start + found.start() - 1
    for first in range(last, -1, -1):
        prompt = text[spans[first].start : cut]
        if len(prompt) > MAX_PASSAGE_CHARACTERS:
            return None
        if len(prompt.split()) >= MIN_PASSAGE_WORDS and found.group() in WORD.findall(prompt):
            return Passage(
                item=f"{document.url}#{last}",
                prompt=prompt,
                target=f" {found.group()}",
                document=document.url,
            )
    return None


def form(word: str) -> tuple[bool, str]:
    """Words of one form look alike: capital or not, and the ending.

    >>> form("sorting") == form("reading"), form("sorting") == form("list")
    (True, False)
    """
    ending = next((end for end in ENDINGS if word.lower().endswith(end)), "")
    return word[0].isupper(), ending


class Words(NamedTuple):
    """Which words may be asked for: those that have a kind, and of the same one."""

    frequency: Mapping[str, int]
    kind: Callable[[str], Any]  # None: of no kind that is asked for
    characters: int  # at most, of a passage
    elsewhere: Sequence[str] = ()  # candidates where a passage has too few


def ten_words_cloze(
    document: Document, spans: Sequence[Span], last: int, *, asked: Words
) -> Cloze | None:
    """CBT's construction: blank a word of sentence `last` that occurs in those before it.

    The nine other candidates are words of the passage of the same kind that are not in the
    sentence, those nearest in frequency: commoner words are likelier without any reading.
    """
    start, end = spans[last]
    before = spans[max(0, last - MAX_PASSAGE_SENTENCES) : last]
    fitting = [span for span in before if start - span.start <= asked.characters]
    if len(fitting) < MIN_PASSAGE_SENTENCES:
        return None
    passage = document.text[fitting[0].start : start].rstrip()
    sentence = document.text[start:end]
    identity = f"{document.url}#{last}"
    kinds = {word: asked.kind(word) for word in sorted({*WORD.findall(passage), *asked.elsewhere})}
    words = {word for word in WORD.findall(passage) if kinds[word] is not None}
    in_sentence = {word.lower() for word in re.findall(r"\w+", sentence)}
    places = [
        found for found in WORD.finditer(sentence) if found.start() and found.group() in words
    ]

    def far(word: str, answer: str) -> tuple[bool, float, bytes]:
        times = asked.frequency.get(word, 1) / asked.frequency.get(answer, 1)
        return word not in words, abs(math.log(times)), order_of(identity, word)

    for place in sorted(places, key=lambda found: order_of(identity, str(found.start()))):
        answer = place.group()
        others = sorted(
            (w for w, k in kinds.items() if k == kinds[answer] and w.lower() not in in_sentence),
            key=lambda word: far(word, answer),
        )[: NUM_CANDIDATES - 1]
        if len(others) == NUM_CANDIDATES - 1:
            return Cloze(
                item=identity,
                passage=passage,
                before=sentence[: place.start()],
                after=sentence[place.end() :],
                candidates=tuple(sorted([answer, *others])),
                answer=answer,
                document=document.url,
            )
    return None


def made_from(document: Document, make: Make[T]) -> Iterator[T]:
    """What `make` gives for the document's sentences, in the order of a hash."""
    spans = sentence_spans(document.text)
    for last in sorted(range(len(spans)), key=lambda n: order_of(document.url, str(n))):
        found = make(document, spans, last)
        if found is not None:
            yield found


def in_turn(iterators: Iterable[Iterator[Each]]) -> Iterator[Each]:
    """One from each, then a second from each, until all are empty.

    >>> list(in_turn([iter("ab"), iter("c")]))
    ['a', 'c', 'b']
    """
    waiting = deque(iterators)
    while waiting:
        current = waiting.popleft()
        for found in islice(current, 1):
            yield found
            waiting.append(current)


def different(examples: Iterable[T]) -> Iterator[T]:
    """Those whose texts have not come before: pages repeat each other's sentences."""
    seen = set()
    for example in examples:
        text = msgspec.structs.replace(example, item="", document=None)
        if text not in seen:
            seen.add(text)
            yield example


def taken(documents: Sequence[Document], make: Make[T], sources: Sources) -> Loaded:
    """As many items as the axis says, or all there are, from as many documents as possible."""
    iterators = (made_from(document, make) for document in documents)
    examples = list(islice(different(in_turn(iterators)), int(sources.settings["items"])))
    if not examples:
        raise InputError(
            f"{sources.corpus}: its {len(documents)} held-out documents give no item; leave this "
            "task out, or hold out more or longer documents"
        )
    return Loaded(examples, len(examples))


def load_last_words(sources: Sources) -> Loaded:
    """Passages as LAMBADA has them."""
    documents = held_out_documents(sources).examples
    return taken(documents, last_word_passage, sources)


def load_ten_words(sources: Sources) -> Loaded:
    """Questions as CBT has them."""
    documents = held_out_documents(sources).examples
    frequency = Counter(word for document in documents for word in WORD.findall(document.text))
    characters, wanted = int(sources.settings["characters"]), sources.settings["kind"]
    asked = Words(frequency, lambda w: form(w) if is_content(w) else None, characters)
    if wanted != "alike":
        kinds = kinds_of(document.text for document in documents)
        one_kind = {word for word, kind in kinds.items() if kind == wanted}
        common = sorted(one_kind, key=lambda word: (-frequency[word], word))[:COMMONEST]
        asked = Words(frequency, lambda w: wanted if w in one_kind else None, characters, common)
    return taken(documents, functools.partial(ten_words_cloze, asked=asked), sources)
