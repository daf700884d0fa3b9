"""A result by site: how a model does on each of the places that a corpus comes from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.base.seeds import generator
from wellread.evaluate import tasks
from wellread.evaluate.compare import by_unit
from wellread.evaluate.metrics import interval, value_of
from wellread.evaluate.task import Task
from wellread.formats.results import STAGE, read_items, read_results


class SiteScore(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over the items of one site, with its 95 % interval over documents."""

    site: str
    metric: str
    value: float
    low: float | None
    high: float | None
    num_items: int


def site_of(item: str) -> str:
    """The host of an item's page; of a document that is no page, its name.

    >>> site_of("https://ports.example/3#12"), site_of("novel.txt#4")
    ('ports.example', 'novel.txt')
    """
    return urlsplit(item).hostname or item.partition("#")[0]


def score_by_site(directory: Path, task: str, *, seed: int = 0) -> list[SiteScore]:
    """Every metric of a task for each site, those of most items first."""
    read_artifact(directory, STAGE)
    known = {result.task: result for result in read_results(directory) if result.scores}
    if task not in known:
        raise InputError(f"{directory}: no scores of {task!r}; it has {', '.join(known)}")
    sites: dict[str, list[dict[str, Any]]] = {}
    for row in read_items(directory, known[task].stem):
        sites.setdefault(site_of(row["item"]), []).append(row)
    order = sorted(sites, key=lambda site: (-len(sites[site]), site))
    return [score for site in order for score in _scores(site, sites[site], task, seed)]


def _scores(site: str, rows: list[dict[str, Any]], name: str, seed: int) -> Iterator[SiteScore]:
    task: Task = plugins.load(tasks, name, "TASK")
    sums = [dict(row["sums"]) for row in rows]
    for metric_name, metric in task.metrics.items():
        taking_part = [n for n, one in enumerate(sums) if metric_name in one]
        if not taking_part:
            continue
        units = [rows[n]["unit"] or rows[n]["item"] for n in taking_part]
        found = by_unit(units, [sums[n][metric_name] for n in taking_part])
        low, high, _ = interval(found, metric, generator(seed, "sites", site, metric_name))
        yield SiteScore(
            site=site,
            metric=metric_name,
            value=value_of(metric, found),
            low=low,
            high=high,
            num_items=len(taking_part),
        )
