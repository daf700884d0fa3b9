"""A result by site: how a model does on each of the places that a corpus comes from."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.evaluate import tasks
from wellread.evaluate.metrics import Outcome, score_all
from wellread.evaluate.task import Task
from wellread.formats.results import STAGE, Score, item_of, read_items, read_results


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a task on the items of one site."""

    name: str
    scores: list[Score]


def site_of(item: str) -> str:
    """The host of an item's page; of a document that is no page, its name.

    >>> site_of("https://ports.example/3#12"), site_of("novel.txt#4")
    ('ports.example', 'novel.txt')
    """
    return urlsplit(item).hostname or item.partition("#")[0]


def score_by_site(directory: Path, task: str, *, seed: int = 0) -> list[Site]:
    """Every metric of a task for each site, those of most items first."""
    read_artifact(directory, STAGE)
    known = {result.task: result for result in read_results(directory) if result.scores}
    if task not in known:
        raise InputError(f"{directory}: no scores of {task!r}; it has {', '.join(known)}")
    asked: Task = plugins.load(tasks, task, "TASK")
    if not asked.uses_corpus:
        raise InputError(f"{task}: its items are of no site; tasks made from a corpus have sites")
    sites: dict[str, list[Outcome]] = {}
    for item in map(item_of, read_items(directory, known[task].stem)):
        sites.setdefault(site_of(item.item), []).append(Outcome(item, item.sums, item.unit))
    order = sorted(sites, key=lambda name: (-len(sites[name]), name))
    return [
        Site(name=name, scores=score_all(asked.metrics, sites[name], seed=seed)) for name in order
    ]
