"""Small inputs of corpora."""

import json
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.manifest import Manifest
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.formats import tables
from wellread.formats.corpus_outcomes import OUTCOMES, OUTCOMES_FILE
from wellread.formats.documents import read_corpus

TOPICS = ("river", "mountain", "garden", "harbour", "library", "orchestra", "bakery", "museum")
PARAGRAPH = (
    "The {0} has been described by many people who visited it, and each of them remembered a "
    "different part of the {0}. Some wrote about the {0} in the morning, when nobody else is "
    "there; others about the {0} after rain, when the colours of the {0} are at their strongest."
)


def text_about(*topics: str) -> str:
    """A paragraph for each topic; texts of other topics are not near-duplicates."""
    return "\n".join(PARAGRAPH.format(topic) for topic in topics)


def texts_about(topics: tuple[str, ...]) -> dict[str, str]:
    return {f"http://{topic}.example/": PARAGRAPH.format(topic) for topic in topics}


def write_jsonl(path: Path, texts: dict[str, str]) -> Path:
    lines = [json.dumps({"url": url, "text": text}) for url, text in texts.items()]
    path.write_text("\n".join(lines))
    return path


def corpus_of(
    texts: dict[str, str], folder: Path, *, links: Path | None = None, **settings: Any
) -> Manifest:
    """A corpus in the folder `corpus` below `folder`, of documents by URL."""
    source = write_jsonl(folder / "in.jsonl", texts)
    config = msgspec.structs.replace(CorpusConfig(), **settings)
    return build_corpus([source], folder / "corpus", config, links=links)


def kept_in(folder: Path) -> dict[str, str]:
    return {document.url: document.text for document in read_corpus(folder / "corpus")}


def outcomes_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of the outcomes, by URL."""
    rows = tables.read_rows([folder / "corpus" / OUTCOMES_FILE], OUTCOMES)
    return {row.pop("url"): row for row in rows}
