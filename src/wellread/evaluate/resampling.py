"""Several results of one protocol on the items that all have, with the same units drawn for all."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wellread.base import plugins
from wellread.base.intervals import RESAMPLES, Floats, resampled_sums
from wellread.base.seeds import generator
from wellread.evaluate import tasks
from wellread.evaluate.metrics import MEAN, Metric, by_unit, perplexity, value_of
from wellread.evaluate.task import Task
from wellread.formats.comparisons import Side
from wellread.formats.resampled import Resampled
from wellread.formats.results import read_items
from wellread.formats.studies import LOG_PROB

READ = ("item", "log_prob", "unit", "sums")


class _Part(NamedTuple):
    """What each item of a result adds to each metric."""

    units: dict[str, str]  # item -> what is drawn
    rows: dict[str, dict[str, Sequence[float]]]  # metric -> item -> row


def _read(side: Side) -> _Part:
    part = _Part({}, {})
    for row in read_items(side.directory, side.result.stem, READ):
        name = row["item"]
        part.units[name] = row["unit"] or name
        for metric, sums in row["sums"]:
            part.rows.setdefault(metric, {})[name] = sums
        if row["log_prob"] is not None:
            part.rows.setdefault(LOG_PROB, {})[name] = (row["log_prob"], 1.0)
    return part


def resample_results(sides: Sequence[Side], seed: int) -> list[Resampled]:
    """Every metric of the task, and the mean log probability of the items' targets."""
    result = sides[0].result
    task: Task = plugins.load(tasks, result.task, "TASK")
    return list(_resampled(task, list(map(_read, sides)), seed, result.stem))


def _resampled(task: Task, parts: Sequence[_Part], seed: int, purpose: str) -> Iterator[Resampled]:
    first, *others = parts
    for name, metric in {**task.metrics, LOG_PROB: MEAN}.items():
        shared = [
            item
            for item in first.rows.get(name, ())
            if all(item in part.rows.get(name, ()) for part in others)
        ]
        if not shared:
            continue
        units = [first.units[item] for item in shared]
        rows_RNK = np.stack(
            [by_unit(units, [part.rows[name][item] for item in shared]) for part in parts]
        )
        source = generator(seed, "compare", purpose)  # for all metrics alike
        is_ratio = metric.statistic is perplexity
        yield Resampled(
            metric=name,
            higher_is_better=metric.higher_is_better,
            values_R=np.array([value_of(metric, rows_NK) for rows_NK in rows_RNK]),
            drawn_RB=_drawn(rows_RNK, metric, source) if rows_RNK.shape[1] > 1 else None,
            num_items=len(shared),
            num_units=rows_RNK.shape[1],
            divisors_R=rows_RNK[:, :, 1].sum(axis=1) if is_ratio else None,
        )


def _drawn(rows_RNK: Floats, metric: Metric, source: np.random.Generator) -> Floats:
    num_results, num_units, num_columns = rows_RNK.shape
    if metric.is_of_rows:
        drawn = (source.integers(num_units, size=num_units) for _ in range(RESAMPLES))
        values = [[metric.statistic(rows[chosen]) for rows in rows_RNK] for chosen in drawn]
    else:
        side_by_side = rows_RNK.transpose(1, 0, 2).reshape(num_units, -1)
        values = [
            [metric.statistic(row) for row in sums.reshape(num_results, num_columns)]
            for sums in resampled_sums(side_by_side, source)
        ]
    return np.array(values).T
