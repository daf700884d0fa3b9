"""Which tasks are asked for, and under which protocols."""

import itertools
from collections.abc import Iterator

from wellread.base import plugins
from wellread.evaluate import tasks
from wellread.evaluate.config import Axes, Suite
from wellread.evaluate.task import Axis, Chosen, choose
from wellread.formats.published import paper


def suite_tasks(suite: Suite) -> list[str]:
    """`paper`: what it has values of, in its order; `small`: those made from a corpus.

    >>> suite_tasks("small")[:2]
    ['cloze-last-word', 'cloze-ten-words']
    """
    chosen = [choose(name) for name in plugins.names(tasks)]
    if suite == "small":
        return [one.name for one in chosen if one.task.uses_corpus and one.task.metrics]
    order = list(dict.fromkeys(row.task for row in paper().scores))
    place = {one.name: order.index(one.task.published) for one in chosen if one.task.published}
    by_name = {one.name: one for one in chosen}
    return [
        asked
        for name in sorted(place, key=lambda name: (place[name], name))
        for asked in (name, *_other_rows(by_name[name]))
    ]


def _other_rows(chosen: Chosen) -> list[str]:
    """What else the paper has values of, under other settings than the defaults."""
    changed = [
        {axis: value for axis, value in row.under.items() if chosen.settings[axis] != value}
        for row in paper().scores
        if row.task == chosen.task.published
    ]
    named = ("|".join(f"{a}={v}" for a, v in settings.items()) for settings in changed)
    return [f"{chosen.name}|{settings}" for settings in dict.fromkeys(named) if settings]


def variants(chosen: Chosen, axes: Axes) -> Iterator[Chosen]:
    """`chosen`, and what its task is under other values of its axes.

    `each`: one axis at a time; `all`: every combination. Of an axis that takes any number its
    named values are tried.
    """
    yield chosen
    known: dict[str, Axis] = chosen.task.axes
    if axes == "each":
        for name, axis in known.items():
            for value in (axis.default, *axis.others):
                if value != chosen.settings[name]:
                    yield chosen._replace(settings={**chosen.settings, name: value})
    elif axes == "all":
        values = [(axis.default, *axis.others) for axis in known.values()]
        for combination in itertools.product(*values):
            settings = dict(zip(known, combination, strict=True))
            if settings != chosen.settings:
                yield chosen._replace(settings=settings)
