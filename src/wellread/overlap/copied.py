"""The stage `overlap copied`: how much of what models write stands in their training text."""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, is_artifact, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.formats import results, tables
from wellread.formats.copying import (
    EXTRACTION_TASK,
    NAME,
    PROBES,
    PROBES_FILE,
    SAMPLES_TASK,
    STAGE,
    TEXTS,
    TEXTS_FILE,
    TRUE,
    WRITTEN,
    Copied,
    Copying,
)
from wellread.formats.documents import SPLITS
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.config import OverlapConfig
from wellread.overlap.copied_counts import summarise_probes, summarise_texts
from wellread.overlap.index import OverlapIndex, open_overlap_index
from wellread.overlap.passages import Passage, find_passages, without_end, words_of
from wellread.overlap.show import covered
from wellread.overlap.sources import corpus_of, documents_behind

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A text whose passages are wanted, and the row that they are for."""

    text: str
    row: dict[str, Any]


def measure_copying(
    index: str | Path,
    results: Sequence[str | Path],
    out: str | Path,
    config: OverlapConfig,
    *,
    corpus: str | Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write what the samples and probes in `results` have in common with the corpus of `index`.

    Unless the index is exact, the corpus is read once: `corpus`, if it is no longer where it was.
    """
    index, out, paths = Path(index), Path(out), [Path(path) for path in results]
    opened = open_overlap_index(index)
    n = opened.index.ngram_words
    config = msgspec.structs.replace(config, ngram_words=n)
    for path in paths:
        refuse_another_corpus(index, path)
    place = corpus_of(index, opened, Path(corpus) if corpus else None)
    inputs = {"index": [index], "results": list(paths)}
    if place is not None:
        inputs["corpus"] = [place]
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    names = _names(paths)
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        texts = [one for path in paths for one in _texts(path, names[path])]
        probes = [one for path in paths for one in _probes(path, names[path], n)]
        if not texts and not probes:
            raise InputError(
                f"{paths[0]}: has no results of the tasks {SAMPLES_TASK} and {EXTRACTION_TASK}; "
                "evaluate them first"
            )
        asked = [one.text for one in (*texts, *probes)]
        found = find_passages(
            asked,
            documents_behind(index, opened, place, asked),
            n=n,
            threads=config.threads,
            progress=progress,
        )
        num_false = 0
        for one, passages in zip(texts, found, strict=False):
            num_false += _fill(one, passages, opened)
        for one, passages in zip(probes, islice(found, len(texts), None), strict=True):
            one.row["num_documents"] = _num_documents(one.text, passages, n)
        _warn_of_strangers(probes, opened)
        _write(draft, [one.row for one in texts], [one.row for one in probes], Copying(
            corpus=opened.corpus,
            ngram_words=n,
            num_documents=opened.index.num_documents,
            num_false=num_false,
            models=[
                _summary(path, names[path], texts, probes, config.seed) for path in paths
            ],
        ))  # fmt: skip
    return read_manifest(out)


def refuse_another_corpus(index: Path, path: Path) -> None:
    """Results that were made with another corpus than the index, where both say which."""
    inputs = read_manifest(index).inputs.get("corpus", [])  # none of a merged index
    theirs = results.results_manifest(path).inputs.get("corpus", [])
    for own, other in zip(inputs, theirs, strict=False):
        if None not in (own.digest, other.digest) and own.digest != other.digest:
            raise InputError(
                f"{path}: its samples and probes are of another corpus than {index}; index the "
                f"corpus of those results ({other.path})"
            )


def _warn_of_strangers(probes: Sequence[Asked], opened: OverlapIndex) -> None:
    numbers = [
        one.row["num_documents"]
        for one in probes
        if one.row["split"] == SPLITS[0] and one.row["num_documents"] is not None
    ]
    if numbers and not any(numbers):
        log.warning(
            "not one of %d probes of training documents is in %s: these models seem to have read "
            "another corpus",
            len(numbers),
            opened.corpus,
        )


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """What the models are called: as their results, with as much of the path as tells them apart.

    Results given twice are an InputError.
    """
    resolved = {path: path.resolve() for path in paths}
    if len(set(resolved.values())) < len(paths):
        raise InputError("results are named twice; name each once")
    for parts in range(1, max(len(path.parts) for path in resolved.values()) + 1):
        names = {path: "/".join(full.parts[-parts:]) for path, full in resolved.items()}
        if len(set(names.values())) == len(paths):
            break
    return names


def _rows(path: Path, task: str) -> Iterator[dict[str, Any]]:
    results.results_manifest(path)
    if (path / f"{task}.json").exists():
        yield from results.read_items(path, task)


def _texts(path: Path, model: str) -> Iterator[Asked]:
    for row in _rows(path, SAMPLES_TASK):
        for kind, text in ((WRITTEN, row["prediction"] or ""), (TRUE, row["target"])):
            yield Asked(text, {"model": model, "item": row["item"], "kind": kind, "text": text})


def _probes(path: Path, model: str, n: int) -> Iterator[Asked]:
    for row in _rows(path, EXTRACTION_TASK):
        split, _, url = row["item"].partition("/")
        yield Asked(
            recited(row["prompt"], row["target"], n),
            {
                "model": model,
                "url": url,
                "split": split,
                "num_matching": row["num_tokens"],
                "num_tokens": row["num_units"],
            },
        )


def recited(prompt: str, target: str, n: int) -> str:
    """The whole words that were asked for, and of the prompt's so many that they are n.

    The tokens at both ends of `target` may be parts of words.

    >>> recited("One two three fo", "ur five six se", n=4)
    'three four five six '
    """
    text = without_end(prompt + target)
    starts = words_of(text).spans[:, 0].tolist()
    own = sum(start < len(prompt) for start in starts)
    first = min(own, len(starts) - n)
    return text[starts[max(first, 0)] :] if starts else ""


def _fill(one: Asked, passages: list[Passage], opened: OverlapIndex) -> int:
    """Put into a text's row what was found; how many n-grams the index wrongly held."""
    n = opened.index.ngram_words
    hashes = ngram_hashes(one.text, n)
    is_found = covered(passages, len(hashes), n)
    longest = max(passages, key=lambda passage: passage.num_words, default=None)
    one.row.update(
        num_ngrams=len(hashes),
        num_found=int(is_found.sum()),
        starts=[passage.start for passage in passages],
        ends=[passage.end for passage in passages],
        longest_words=longest.num_words if longest else 0,
        longest_start=longest.start if longest else None,
        longest_end=longest.end if longest else None,
        url=longest.url if longest else None,
        document_start=longest.document_start if longest else None,
        document_end=longest.document_end if longest else None,
        num_documents=longest.num_documents if longest else 0,
    )
    return int(np.sum(opened.contains(hashes) & ~is_found))


def _num_documents(text: str, passages: list[Passage], n: int) -> int | None:
    """How many documents have all of a text's words; None: they are fewer than n."""
    num_words = len(words_of(text).spans)
    if num_words < n:
        return None
    whole = (passage.num_documents for passage in passages if passage.num_words == num_words)
    return next(whole, 0)


def _summary(
    path: Path, name: str, texts: Sequence[Asked], probes: Sequence[Asked], seed: int
) -> Copied:
    manifest = results.results_manifest(path)
    epochs = _epochs(path, manifest)
    of_kind = {
        kind: [one.row for one in texts if (one.row["model"], one.row["kind"]) == (name, kind)]
        for kind in (WRITTEN, TRUE)
    }
    own = [one.row for one in probes if one.row["model"] == name]
    return Copied(
        name=name,
        epochs=epochs,
        num_parameters=manifest.facts.get("num_parameters"),
        samples=summarise_texts(of_kind[WRITTEN], seed),
        held_out=summarise_texts(of_kind[TRUE], seed),
        num_tokens=own[0]["num_tokens"] if own else None,
        extraction=list(summarise_probes(own, epochs, seed)),
    )


def _epochs(path: Path, manifest: Manifest) -> float | None:
    """How often the model read its training text, if it is a run of ours that is still there."""
    model = manifest.inputs["model"][0]
    run = path.resolve() / model.path
    if model.stage != "train" or not is_artifact(run):
        return None
    trained = read_manifest(run)
    return trained.facts.get("epochs") if trained.digest == model.digest else None


def _write(
    draft: Draft, texts: list[dict[str, Any]], probes: list[dict[str, Any]], copying: Copying
) -> None:
    with draft.open(TEXTS_FILE) as file:
        tables.write_rows(file, TEXTS, texts)
    with draft.open(PROBES_FILE) as file:
        tables.write_rows(file, PROBES, probes)
    draft.write(NAME, msgspec.json.format(msgspec.json.encode(copying), indent=1))
    draft.counts |= {"in": len(texts) + len(probes), "out": len(texts) + len(probes)}
    short = [row for row in texts if not row["num_ngrams"]]
    draft.counts["out"] -= len(short)
    for row in short:
        reason = f"fewer than {copying.ngram_words} words"
        draft.drop(reason, f"{row['model']}: {row['item']}, {row['kind']}")
