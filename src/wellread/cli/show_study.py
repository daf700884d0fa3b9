"""A study in the terminal: every score by run, and what the larger of two runs gains."""

from rich.markup import escape

from wellread.base.text import human_number
from wellread.cli import show
from wellread.formats.comparisons import verdict
from wellread.formats.studies import Point, Study


def tables(found: Study) -> None:
    """A row for each metric with a column for each run, then a row for each difference."""
    runs = dict.fromkeys(map(_run, found.points))
    table = show.plain_table("task", "metric", *map(escape, runs), left=["task", "metric"])
    for task, metric in dict.fromkeys((point.task, point.metric) for point in found.points):
        values = {
            _run(point): human_number(point.value)
            for point in found.points
            if (point.task, point.metric) == (task, metric)
        }
        table.add_row(escape(task), metric, *(values.get(run, "") for run in runs))
    show.out.print(table)
    if found.differences:
        _differences(found)
    if found.unpaired:
        show.out.print(f"no items in common: {'; '.join(found.unpaired)}", markup=False)


def _run(point: Point) -> str:
    return f"{point.run} ({point.num_parameters:,})"


def _differences(found: Study) -> None:
    left = ["task", "metric", "of", "over", ""]
    table = show.plain_table(*left[:4], "difference", "95 %", "n", "", left=left)
    for one in found.differences:
        units = "" if one.num_units == one.num_items else f" in {one.num_units:,}"
        table.add_row(
            escape(one.task), one.metric, escape(one.larger), escape(one.smaller),
            human_number(one.difference, "+"), show.interval(one.low, one.high, "+"),
            f"{one.num_items:,}{units}",
            verdict(one.low, one.high, higher_is_better=one.higher_is_better),
        )  # fmt: skip
    show.out.print()
    show.out.print(table)
