"""The stage `plant`: a corpus in, the same with demonstrations of two tasks out."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.corpus.config import PlantConfig
from wellread.corpus.planted import TOYS, demonstrations
from wellread.formats.documents import PLANTED, Document, read_corpus, write_documents


class Planting(NamedTuple):
    """A paragraph that comes at a place: after so many paragraph breaks, or ends of a document."""

    place: int
    task: str
    paragraph: str


def plant(corpus: Path, out: Path, config: PlantConfig, *, progress: Progress = silent) -> Manifest:
    """Put demonstrations between the paragraphs of training documents; all else stays as it is.

    The places are drawn from all paragraph breaks of the training split. Fewer demonstrations of
    the same seed are the first of more, at other places only where breaks are others. Reads the
    corpus twice, and holds the demonstrations.
    """
    inputs = {"corpus": [corpus]}
    if done := finished(out, stage=PLANTED, config=config, inputs=inputs):
        return done
    places = sum(num_places(document.text) for document in read_corpus(corpus, "train"))
    if not places:
        raise InputError(f"{corpus}: no training document, so there is no place to plant in")
    with writing(out, stage=PLANTED, config=config, inputs=inputs) as draft:
        drawn = plantings(config, places)
        planted = with_plantings(read_corpus(corpus), drawn, draft)
        write_documents(draft, _announced(planted, progress))
        draft.counts.update(dict.fromkeys(TOYS, config.demonstrations))
        draft.facts["places"] = places
    return read_manifest(out)


def _announced(documents: Iterable[Document], progress: Progress) -> Iterator[Document]:
    for done, document in enumerate(documents, start=1):
        yield document
        progress(done, None, "documents")


def plantings(config: PlantConfig, places: int) -> list[Planting]:
    """What comes where, in order of places, of which one may be drawn several times."""
    found = []
    for task in TOYS:
        drawn = generator(config.seed, "plant", task).integers(places, size=config.demonstrations)
        made = itertools.islice(demonstrations(task, config.seed), config.demonstrations)
        found += [Planting(*one) for one in zip(drawn.tolist(), itertools.repeat(task), made)]
    return sorted(found, key=lambda one: one.place)


def with_plantings(
    documents: Iterable[Document], drawn: Iterable[Planting], draft: Draft
) -> Iterator[Document]:
    """The documents, with what was `drawn` in those of training."""
    waiting, before = deque(drawn), 0
    for document in documents:
        here = []
        if document.split == "train":
            end = before + num_places(document.text)
            while waiting and waiting[0].place < end:
                one = waiting.popleft()
                here.append((one.place - before, one.paragraph))
            before = end
        text = with_paragraphs(document.text, here)
        draft.counts["in"] += 1
        draft.counts["out"] += 1
        draft.counts["documents with demonstrations"] += bool(here)
        draft.counts["bytes"] += len(text.encode())
        yield msgspec.structs.replace(document, text=text)


def _break(text: str) -> str:
    """What parts the paragraphs of `text`."""
    return "\n\n" if "\n\n" in text else "\n"


def num_places(text: str) -> int:
    """Where a paragraph may come: at each break, or at the end of a text that has none."""
    return max(1, text.count(_break(text)))


def with_paragraphs(text: str, new: list[tuple[int, str]]) -> str:
    """`text` with paragraphs at some of its places, which are in order.

    >>> with_paragraphs("One.\\nTwo.\\nThree.", [(0, "New."), (0, "Newer."), (1, "Last.")])
    'One.\\nNew.\\nNewer.\\nTwo.\\nLast.\\nThree.'
    >>> with_paragraphs("One.", [(0, "New.")])
    'One.\\nNew.'
    """
    mark = _break(text)
    paragraphs = text.split(mark)
    for place, paragraph in reversed(new):
        paragraphs.insert(place + 1, paragraph)
    return mark.join(paragraphs)
