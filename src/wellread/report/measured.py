"""Scores with where they come from, by task."""

from collections.abc import Iterable
from typing import NamedTuple

from wellread.formats.published import PublishedScore, nearest_size, published
from wellread.formats.results import Result, Score
from wellread.report.blocks import Cell, count
from wellread.report.evidence import Scored


class Measured(NamedTuple):
    """A score with where it comes from."""

    scored: Scored
    result: Result
    score: Score

    @property
    def published(self) -> PublishedScore | None:
        return published(self.result.comparable_to, self.score.metric, self.result.protocol)

    @property
    def size(self) -> str:
        """The paper's model that is nearest in size."""
        return nearest_size(self.scored.artifact.manifest.facts.get("num_parameters"))


Tasks = dict[str, list[Measured]]


def measured(models: Iterable[Scored]) -> Tasks:
    """Every score by task, models in order within each metric."""
    tasks: Tasks = {}
    for scored in models:
        for result in scored.results:
            for one in result.scores:
                tasks.setdefault(name_of(result, scored), []).append(Measured(scored, result, one))
    for found in tasks.values():
        order = list(dict.fromkeys(one.score.metric for one in found))
        found.sort(key=lambda one: order.index(one.score.metric))
    return dict(sorted(tasks.items()))


def name_of(result: Result, scored: Scored) -> str:
    """A task asked under several settings has those after its name that its first has not."""
    first = next(one for one in scored.results if one.task == result.task)
    others = first.protocol.split("|")
    own = [part for part in result.protocol.split("|") if part not in others]
    words = [part if (v := part.rpartition("=")[2]).isdecimal() else v for part in own]
    return f"{result.task} ({', '.join(words)})" if words else result.task


def number_of_items(one: Measured) -> Cell:
    number, of = one.score.num_items, one.result.of(one.score)
    return count(number) if number == of else Cell(f"{number:,} of {of:,}", number)
