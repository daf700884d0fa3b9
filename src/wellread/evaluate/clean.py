"""The stage `clean-scores`: results on all items, and without those that overlap with the corpus.

Shapes: N items, U units, K numbers in a row of a metric, P parts of the items.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.manifest import (
    Draft,
    Manifest,
    finished,
    read_artifact,
    read_manifest,
    writing,
)
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.evaluate import tasks
from wellread.evaluate.language_model import Floats
from wellread.evaluate.metrics import Metric, Outcome, by_unit, resamples, score
from wellread.evaluate.task import Task
from wellread.formats import overlap as overlaps
from wellread.formats import tables
from wellread.formats.clean_scores import FILE, ITEMS, STAGE, CleanScore, CleanScores, Gap, Part
from wellread.formats.copying import EXTRACTION_TASK
from wellread.formats.overlap import BUCKETS, bucket_of, read_overlap, read_overlap_items
from wellread.formats.results import (
    Item,
    Result,
    item_of,
    read_items,
    read_results,
    results_manifest,
)
from wellread.ngrams.hashing import ngram_hashes
from wellread.overlap.config import OverlapConfig

log = logging.getLogger(__name__)


class Joined(NamedTuple):
    """An item of a result, and how much of it the corpus has."""

    item: Item
    num_ngrams: int
    num_found: int

    @property
    def bucket(self) -> str:
        return bucket_of(self.num_found, self.num_ngrams)

    @property
    def unit(self) -> str:
        return self.item.unit or self.item.item


Overlaps = Mapping[str, Mapping[str, tuple[int, int]]]  # test set -> item -> (n-grams, found)


def clean_scores(
    overlap: Path,
    results: Sequence[Path],
    out: Path,
    config: OverlapConfig,
    *,
    progress: Progress = silent,
) -> Manifest:
    """Write every metric of `results` on all items and by their overlap, as `overlap` has it.

    Items are joined by task and name; one whose text has not as many n-grams as the one that was
    measured is dropped. A task that `overlap` did not measure is named and left out; that there is
    no other is an InputError. The first protocol of each task takes part.
    """
    read_artifact(overlap, overlaps.STAGE)
    for directory in results:
        results_manifest(directory)
    inputs = {"overlap": [overlap], "results": list(results)}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        table, measured = read_overlap(overlap), _by_name(overlap)
        scores: list[CleanScore] = []
        rows: list[dict[str, Any]] = []
        left_out: dict[str, str] = {}
        for name, directory, result in _asked(results):
            known = measured.get(result.task, {})
            joined = _join(directory, result, known, table.index.ngram_words, draft)
            if not joined:
                left_out[f"{name} {result.task}"] = "overlap was not measured on its items"
                continue
            scores += _scores_of(name, result, joined, config.seed)
            rows += [_row(name, result.task, one) for one in joined]
            progress(len(scores), None, f"{name}, {result.task}")
        if not scores:
            raise InputError(
                f"{overlap} and {', '.join(map(str, results))}: no items in common by name and "
                f"text; measure them first: wellread overlap measure INDEX {results[0]}"
                f"{draft.drops_named()}"
            )
        for name, why in left_out.items():
            log.warning("%s: left out, since %s", name, why)
        with draft.open("items.parquet") as file:
            tables.write_rows(file, ITEMS, rows)
        found = CleanScores(
            corpus=table.corpus,
            ngram_words=table.index.ngram_words,
            scores=scores,
            left_out=left_out,
        )
        draft.write(FILE, msgspec.json.format(msgspec.json.encode(found), indent=1))
        draft.counts["out"] = len(rows)
    return read_manifest(out)


def _by_name(overlap: Path) -> dict[str, dict[str, tuple[int, int]]]:
    measured: dict[str, dict[str, tuple[int, int]]] = {}
    for row in read_overlap_items(overlap):
        counts = row["num_ngrams"], row["num_found"]
        measured.setdefault(row["test_set"], {})[row["item"]] = counts
    return measured


def _asked(results: Sequence[Path]) -> Iterator[tuple[str, Path, Result]]:
    """Every scored task; a directory goes by its name, or by its path if two have that name."""
    names = [directory.resolve().name for directory in results]
    for name, directory in zip(names, results, strict=True):
        for result in read_results(directory):
            if result.scores and result.task != EXTRACTION_TASK:  # of no test set
                yield (name if names.count(name) == 1 else str(directory)), directory, result


def _join(
    directory: Path, result: Result, measured: Mapping[str, tuple[int, int]], n: int, draft: Draft
) -> list[Joined]:
    found = []
    for item in map(item_of, read_items(directory, result.stem)):
        draft.counts["in"] += 1
        counts = measured.get(item.item)
        where = f"{directory.name} {result.task}: {item.item}"
        if counts is None:
            draft.drop("without a measured overlap", where)
        elif counts[0] != len(ngram_hashes(item.text, n)):
            draft.drop("another text than was measured", where)
        else:
            found.append(Joined(item, *counts))
    return found


def _row(name: str, task: str, one: Joined) -> dict[str, Any]:
    return {
        "results": name,
        "task": task,
        "item": one.item.item,
        "unit": one.item.unit,
        "num_ngrams": one.num_ngrams,
        "num_found": one.num_found,
        "bucket": one.bucket,
        "value": one.item.value,
        "log_prob": one.item.log_prob,
    }


def _scores_of(
    name: str, result: Result, joined: Sequence[Joined], seed: int
) -> Iterator[CleanScore]:
    task: Task = plugins.load(tasks, result.task, "TASK")
    for metric_name, metric in task.metrics.items():
        taking_part = [one for one in joined if metric_name in one.item.sums]
        if not taking_part:
            continue
        parts = {
            "all": taking_part,
            "clean": [one for one in taking_part if not one.num_found],
            "overlapping": [one for one in taking_part if one.num_found],
            **{
                bucket: [one for one in taking_part if one.bucket == bucket]
                for bucket in BUCKETS[1:]
            },
        }
        scored = {
            part: _part(part, metric_name, metric, items, seed) for part, items in parts.items()
        }
        less_clean = gaps(metric_name, metric, taking_part, seed)
        yield CleanScore(
            results=name,
            task=result.task,
            protocol=result.protocol,
            comparable_to=result.comparable_to,
            metric=metric_name,
            higher_is_better=metric.higher_is_better,
            num_short=sum(not one.num_ngrams for one in taking_part),
            whole=scored["all"],
            clean=scored["clean"],
            overlapping=scored["overlapping"],
            buckets=[scored[bucket] for bucket in BUCKETS[1:] if scored[bucket].num_items],
            whole_less_clean=less_clean[0],
            overlapping_less_clean=less_clean[1],
        )


def _part(part: str, name: str, metric: Metric, items: Sequence[Joined], seed: int) -> Part:
    num_units = len({one.unit for one in items})
    if not items:
        return Part(name=part, num_items=0, num_units=0, value=None, low=None, high=None)
    outcomes = [Outcome(one.item, one.item.sums, one.item.unit) for one in items]
    found = score(name, metric, outcomes, seed=seed)
    return Part(
        name=part,
        num_items=len(items),
        num_units=num_units,
        value=found.value,
        low=found.low,
        high=found.high,
        note=found.note,
    )


def gaps(name: str, metric: Metric, items: Sequence[Joined], seed: int) -> tuple[Gap, Gap]:
    """The metric of all items, and of the overlapping ones, less that of the clean ones.

    A unit of which some items overlap stands, when it is drawn, in both parts.
    """
    is_found = np.array([one.num_found > 0 for one in items])
    masks_PN = np.stack([np.ones_like(is_found), ~is_found, is_found])
    rows_NK = np.array([one.item.sums[name] for one in items], dtype=float)
    # Of each part the items' rows, zeros for those not in it, and how many items these are.
    with_number = np.hstack([rows_NK, np.ones((len(items), 1))])
    blocks = np.hstack([with_number * mask[:, None] for mask in masks_PN])
    units = [one.unit for one in items]
    rows_U = by_unit(units, [list(row) for row in blocks])
    given = rows_U if metric.is_of_rows else rows_U.sum(axis=0)
    whole, clean, overlapping = _values(metric, given, len(masks_PN))
    num_units = [
        len({u for u, is_in in zip(units, mask, strict=True) if is_in}) for mask in masks_PN
    ]
    drawn: list[tuple[float | None, ...]] = []
    if clean is not None and overlapping is not None:
        source = generator(seed, "clean", name)
        drawn = [_values(metric, each, len(masks_PN)) for each in resamples(rows_U, metric, source)]
    return tuple(  # type: ignore[return-value]
        _gap(value, clean, [(each[part], each[1]) for each in drawn], min(num_units[1:]))
        for part, value in ((0, whole), (2, overlapping))
    )


def _values(metric: Metric, given: Floats, num_parts: int) -> tuple[float | None, ...]:
    """The metric of each part, of rows or of their sums; None: no item of it was drawn."""
    found: list[float | None] = []
    for block in np.split(given, num_parts, axis=-1):
        if metric.is_of_rows:
            rows = block[block[:, -1] > 0, :-1]
            found.append(metric.statistic(rows) if len(rows) else None)
        else:
            found.append(metric.statistic(block[:-1]) if block[-1] > 0 else None)
    return tuple(found)


def _gap(
    value: float | None,
    clean: float | None,
    drawn: Sequence[tuple[float | None, float | None]],
    num_units: int,
) -> Gap:
    if value is None or clean is None:
        return Gap(difference=None, low=None, high=None)
    if not drawn:  # nothing overlaps: all items are the clean ones, whatever is drawn
        return Gap(difference=value - clean, low=0.0, high=0.0)
    low = high = None
    if num_units > 1:
        known = [a - b for a, b in drawn if a is not None and b is not None]
        low, high = map(float, np.percentile(known, [2.5, 97.5]))
    return Gap(difference=value - clean, low=low, high=high)
